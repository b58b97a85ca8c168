import { groupByStack } from '../analysis/group.ts';
import { everythingUnread, type Sample } from '../model/sample.ts';
import type { Selection } from '../model/selection.ts';
import { systemClock } from '../native/clock.ts';
import { log } from '../sinks/log.ts';
import { writeStderr, writeStdout } from '../sinks/output.ts';
import { formatText } from '../sinks/text.ts';
import { formatUnread } from '../sinks/unread.ts';
import { whyNoStacks } from '../sources/procfs/access.ts';
import { takeSample } from '../sources/procfs/index.ts';

export interface SnapshotOptions {
  readonly selection: Selection;
  /** Where the procfs is mounted. */
  readonly root: string;
  readonly verbose: boolean;
  /** What was typed, for the advice to type it once more with sudo. */
  readonly typed: string;
}

/** Prints one sample in the classic form. Returns the exit code: 1 without the right to read stacks, or when none of the PIDs asked for was there. */
export async function snapshot({ selection, root, verbose, typed }: SnapshotOptions): Promise<number> {
  const refusal = whyNoStacks(root, typed);
  if (refusal !== undefined) {
    writeStderr(`kstack: ${refusal}\n`);
    return 1;
  }
  const clock = systemClock();
  const tell = (text: string) => verbose && log(clock, 'DEBUG', text);
  tell(`reading ${describeSelection(selection)} from ${root}`);
  const sample = await takeSample(selection, { clock, root });
  const groups = groupByStack(sample);
  tell(`${sample.observations.length} tasks with ${groups.length} different stacks, read in ${clock.nowMs() - sample.timeMs} ms`);
  for (const piece of formatText(sample, groups, { zoneAt: clock.zoneAt, threads: selection.threads === true })) writeStdout(piece);
  for (const line of formatUnread(everythingUnread(sample))) writeStderr(`kstack: ${line}\n`);
  return foundNothingAskedFor(selection, sample) ? 1 : 0;
}

function describeSelection({ all, pids = [], states = [], threads }: Selection): string {
  const what = threads === true ? 'threads' : 'processes';
  const parts = [];
  if (states.length > 0) parts.push(`the ${what} in state ${states.join(', ')}`);
  if (pids.length > 0) parts.push(`the ${what} ${pids.join(', ')}`);
  return all === true || parts.length === 0 ? `all ${what}` : parts.join(' and ');
}

function foundNothingAskedFor({ all, pids = [] }: Selection, sample: Sample): boolean {
  if (all === true || pids.length === 0) return false;
  const asked = new Set(pids);
  return !sample.observations.some(({ task }) => asked.has(task.tid) || asked.has(task.pid));
}
