import { leaveOutIdle } from './analysis/explain-sample.ts';
import { checkSampleOptions, checkSelection } from './model/check-selection.ts';
import type { Sample } from './model/sample.ts';
import type { SampleOptions, Selection } from './model/selection.ts';
import { systemClock } from './native/clock.ts';
import { Reader } from './native/reader/reader.ts';
import { takeSample } from './sources/live/procfs/index.ts';

export { explain } from './analysis/explain.ts';
export { countKinds, explainGroups, explainObservation, kindOf, leaveOutIdle } from './analysis/explain-sample.ts';
export { type Fold, foldStacks } from './analysis/fold.ts';
export { groupByStack } from './analysis/group.ts';
export { type Container, containerOf } from './model/container.ts';
export type { ExplainedGroup, Finding, Kind, KindCounts } from './model/finding.ts';
export type { Reading, Unreadable } from './model/reading.ts';
export {
  everythingUnread,
  type Field,
  type Group,
  type Observation,
  type Sample,
  type Source,
  STATES,
  type State,
  startTimeSeconds,
  type Task,
  type Unread,
} from './model/sample.ts';
export type { CgroupPattern, SampleOptions, Selection, TextPattern } from './model/selection.ts';
export { type Frame, parseFrame, parseFrames, printFrames, type Stack } from './model/stack.ts';
export type { Doing, SystemCall } from './model/system-call.ts';

/**
 * Takes one sample of the selected processes of this host, now, from /proc.
 *
 * Never waits longer than about a second for a read that hangs: what could not be read says so in its place (`unread:
 * 'timeout'`).
 * @throws TypeError naming what is unknown or wrong in the selection or the options
 * @throws Error where the list of processes or the boot time cannot be read, or not one thread can be started to read with.
 */
export async function sample(selection: Selection, options: SampleOptions = {}): Promise<Sample> {
  checkSelection(selection);
  checkSampleOptions(options);
  const { fields = [] } = options;
  const reader = new Reader('/proc');
  try {
    const taken = await takeSample(selection, { clock: systemClock(), root: '/proc', reader, fields });
    return selection.blocked === true ? leaveOutIdle(taken) : taken;
  } finally {
    reader.close();
  }
}
