import type { Sample } from './model/sample.ts';
import type { Selection } from './model/selection.ts';
import { systemClock } from './native/clock.ts';
import { takeSample } from './sources/procfs/index.ts';

export { groupByStack } from './analysis/group.ts';
export type { Reading, Unreadable } from './model/reading.ts';
export {
  everythingUnread,
  type Group,
  type Observation,
  type Sample,
  STATES,
  type State,
  startTimeSeconds,
  type Task,
  type Unread,
} from './model/sample.ts';
export type { Selection } from './model/selection.ts';
export { type Frame, parseFrame, parseFrames, printFrames, type Stack } from './model/stack.ts';

/**
 * Takes one sample of the selected processes of this host, now, from /proc.
 *
 * Never waits longer than about a second for a read that hangs: what could not be read says so in its place (`unread: 'timeout'`).
 * @throws Error where the list of processes or the boot time cannot be read, or not one thread can be started to read with.
 */
export function sample(selection: Selection): Promise<Sample> {
  return takeSample(selection, { clock: systemClock(), root: '/proc' });
}
