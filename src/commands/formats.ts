import { countKinds, explainGroups, kindOf } from '../analysis/explain-sample.ts';
import { foldStacks, framesOf } from '../analysis/fold.ts';
import { groupByStack } from '../analysis/group.ts';
import { waitGraph } from '../analysis/locks.ts';
import type { ExplainedGroup } from '../model/finding.ts';
import { everythingUnread, type Field, type Sample } from '../model/sample.ts';
import type { Clock } from '../model/time.ts';
import { formatFolded } from '../sinks/folded.ts';
import { formatJson, formatJsonLines } from '../sinks/json.ts';
import { formatLong, type LongOptions } from '../sinks/long.ts';
import { formatSpeedscope } from '../sinks/speedscope.ts';
import { formatText } from '../sinks/text.ts';
import type { Format } from './output-options.ts';

/** What a format shows of a task beside its stat, stack and command line. */
export function fieldsOf(format: Format): Field[] {
  switch (format) {
    case 'long':
      return ['uid', 'cgroup', 'systemCall'];
    case 'json':
    case 'jsonl':
    case 'pprof':
      return ['uid', 'cgroup'];
    default:
      return [];
  }
}

/** Whether a format shows what only the kernel knows of a task. */
export function showsFacts(format: Format): boolean {
  return format === 'long' || format === 'json' || format === 'jsonl';
}

/** A sample, and what it takes to show it. */
export interface View {
  /** What is shown. */
  readonly sample: Sample;
  /** What was seen: the same, and what the selection left out as idle. */
  readonly seen: Sample;
  readonly threads: boolean;
  readonly full: boolean;
  readonly colour: boolean;
  readonly zoneAt: Clock['zoneAt'];
  userName(uid: number): string;
  /** Looks up the system calls of these groups, which takes a while. */
  lookUpCalls(groups: readonly ExplainedGroup[]): Promise<LongOptions['callsOf']>;
}

/** The sample in a format, piece by piece. */
export async function format(name: Format, view: View): Promise<Iterable<string | Uint8Array>> {
  const { sample, seen, zoneAt, threads, userName } = view;
  switch (name) {
    case 'text':
      return formatText(sample, groupByStack(sample), { zoneAt, threads });
    case 'long': {
      const groups = explainGroups(sample);
      const holders = explainGroups({ ...sample, observations: sample.holders ?? [] });
      const callsOf = await view.lookUpCalls([...holders, ...groups]);
      return formatLong(sample, groups, { ...view, counts: countKinds(seen), graph: waitGraph(sample), holders, callsOf });
    }
    case 'json':
    case 'jsonl': {
      const options = { threads, kindOf, userName, unread: everythingUnread(seen), counts: countKinds(seen), graph: waitGraph(sample) };
      return (name === 'json' ? formatJson : formatJsonLines)(sample, explainGroups(sample), options);
    }
    case 'folded':
      return formatFolded(foldStacks(sample));
    case 'speedscope':
      return formatSpeedscope(foldStacks(sample), { name: `${sample.host} ${new Date(sample.timeMs).toISOString()}`, exporter: 'kstack' });
    case 'pprof': {
      const { formatPprof } = await import('../sinks/pprof.ts');
      const tasks = sample.observations.map((observation) => ({ observation, frames: framesOf(observation) }));
      return [formatPprof(sample, tasks, { userName })];
    }
  }
}
