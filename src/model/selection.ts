import type { State } from './sample.ts';

/** Which tasks to take. The parts add up: a task is taken when one of them names it. */
export interface Selection {
  /** Every process; the other parts then say nothing. */
  readonly all?: boolean;
  /** Processes by PID, in the order wanted where nothing else is selected. */
  readonly pids?: readonly number[];
  readonly states?: readonly State[];
}

/** True where the selection names PIDs and nothing that could match any other process. */
export function isOnlyPids(selection: Selection): boolean {
  return selection.all !== true && (selection.states ?? []).length === 0;
}
