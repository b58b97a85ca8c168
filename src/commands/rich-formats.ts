import { countKinds, explainGroups, kindOf } from '../analysis/explain-sample.ts';
import { foldStacks, framesOf } from '../analysis/fold.ts';
import { waitGraph } from '../analysis/wait-graph.ts';
import type { Format } from '../cli/output-options.ts';
import { everythingUnread } from '../model/sample.ts';
import { formatFolded } from '../sinks/folded.ts';
import { formatJson, formatJsonLines } from '../sinks/json.ts';
import { formatLong } from '../sinks/long.ts';
import { formatSpeedscope } from '../sinks/speedscope.ts';
import type { View } from './formats.ts';

/** The sample in one of the formats that say more than the classic one, piece by piece. */
export async function formatRichly(name: Exclude<Format, 'text'>, view: View): Promise<Iterable<string | Uint8Array>> {
  const { sample, seen, threads, userName } = view;
  switch (name) {
    case 'long': {
      const groups = explainGroups(sample);
      const holders = explainGroups({ ...sample, observations: sample.holders ?? [] });
      const callsOf = await view.lookUpCalls([...holders, ...groups]);
      return formatLong(sample, groups, {
        ...view,
        counts: countKinds(seen),
        graph: waitGraph(sample),
        holders,
        callsOf,
      });
    }
    case 'json':
    case 'jsonl': {
      const options = {
        threads,
        kindOf,
        userName,
        unread: everythingUnread(seen),
        counts: countKinds(seen),
        graph: waitGraph(sample),
      };
      return (name === 'json' ? formatJson : formatJsonLines)(sample, explainGroups(sample), options);
    }
    case 'folded':
      return formatFolded(foldStacks(sample));
    case 'speedscope':
      return formatSpeedscope(foldStacks(sample), {
        name: `${sample.host} ${new Date(sample.timeMs).toISOString()}`,
        exporter: 'kstack',
      });
    case 'pprof': {
      const { formatPprof } = await import('../sinks/pprof.ts');
      const tasks = sample.observations.map((observation) => ({ observation, frames: framesOf(observation) }));
      return [formatPprof(sample, tasks, { userName })];
    }
  }
}
