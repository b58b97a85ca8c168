import { groupByStack } from '../analysis/group.ts';
import type { Format } from '../cli/output-options.ts';
import type { ExplainedGroup } from '../model/finding.ts';
import type { Field, Sample } from '../model/sample.ts';
import type { Clock } from '../model/time.ts';
import type { LongOptions } from '../sinks/long.ts';
import { formatText } from '../sinks/text.ts';

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
  const { sample, zoneAt, threads } = view;
  if (name === 'text') return formatText(sample, groupByStack(sample), { zoneAt, threads });
  // Of the others, and the rules by which they explain, nothing is loaded for the classic one.
  const { formatRichly } = await import('./rich-formats.ts');
  return formatRichly(name, view);
}
