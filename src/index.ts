import { leaveOutIdle } from './analysis/explain-sample.ts';
import { checkSampleOptions, checkSelection } from './model/check-selection.ts';
import type { Sample } from './model/sample.ts';
import type { SampleOptions, Selection } from './model/selection.ts';
import { systemClock } from './native/clock.ts';
import { takeSample } from './sources/live/sampler.ts';

export { explain } from './analysis/explain.ts';
export { countKinds, explainGroups, explainObservation, kindOf, leaveOutIdle } from './analysis/explain-sample.ts';
export { type Fold, Folds } from './analysis/fold.ts';
export { groupByStack } from './analysis/group.ts';
export { signatureOf } from './analysis/signature.ts';
export { commandLineText } from './model/command-line.ts';
export { type Container, containerOf } from './model/container.ts';
export type { Field } from './model/fields.ts';
export type { ExplainedGroup, Finding, Kind, KindCounts } from './model/finding.ts';
export type { Reading, Unreadable } from './model/reading.ts';
export {
  everythingUnread,
  type Group,
  type LeftOut,
  type Observation,
  type Sample,
  type Source,
  startTimeSeconds,
  type Unread,
} from './model/sample.ts';
export type { CgroupPattern, SampleOptions, Selection, TextPattern } from './model/selection.ts';
export { type Frame, parseFrame, parseFrames, printFrames, type Stack } from './model/stack.ts';
export type { SystemCall, SystemCallState } from './model/system-call.ts';
export { STATES, type State, type Task, type TaskId, taskKey } from './model/task.ts';

/**
 * Takes one sample of the selected processes of this host, now, from /proc.
 *
 * Never waits longer than about a second for a read that hangs: what could not be read says so in its place (`unread:
 * 'timeout'`).
 * @throws TypeError naming what is unknown or wrong in the selection or the options
 * @throws Error where the list of processes or the boot time cannot be read, or nothing can be started to read with.
 */
export async function sample(selection: Selection, options: SampleOptions = {}): Promise<Sample> {
  checkSelection(selection);
  checkSampleOptions(options);
  const { fields = [] } = options;
  const host = { clock: systemClock(), root: '/proc' };
  const taken = await takeSample(host, { selection, source: 'procfs', fields, facts: false });
  return selection.blocked === true ? leaveOutIdle(taken) : taken;
}
