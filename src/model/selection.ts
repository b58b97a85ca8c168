import type { State } from './task.ts';

/** A regular expression in RE2 syntax, which matches in time linear in the text. */
export interface Pattern {
  readonly source: string;
  /** Any of `i` (ignore case), `m` and `s`, as in JavaScript. */
  readonly flags?: string;
}

/**
 * Which tasks to take, as plain data. `all`, `pids` and `states` add up: a task is taken if any of them names it, or if
 * none of them is given. Each of the others narrows that down.
 */
export interface Selection {
  /** Every process; `pids` and `states` are ignored. */
  readonly all?: boolean;
  /** Processes by PID; with `threads`, also threads by TID. If nothing else is selected, their order is kept. */
  readonly pids?: readonly number[];
  readonly states?: readonly State[];
  /** Take every thread of a process, not only the main one. */
  readonly threads?: boolean;
  /** Matches the task's name. */
  readonly command?: Pattern;
  /** Effective user ids. */
  readonly users?: readonly number[];
  /**
   * Each is a path from the root (`*` matches within a name, `**` across names), the name of any part of the path
   * (`nginx.service`), or the beginning of a container's id or a pod's uid.
   */
  readonly cgroups?: readonly string[];
  /** Matches a function in the stack. */
  readonly function?: Pattern;
  /** A module that has a function in the stack. */
  readonly module?: string;
  /** Leave out the tasks that the analysis knows to be idle. */
  readonly blocked?: boolean;
}

export const EVERYTHING: Selection = { all: true, threads: true };

type Numbers = Pick<Selection, 'all' | 'pids' | 'states'>;

/** True if the selection takes tasks of any PID and state. */
export function takesAll({ all, pids = [], states = [] }: Numbers): boolean {
  return all === true || (pids.length === 0 && states.length === 0);
}

/** True if the selection names PIDs and nothing that could match any other process. */
export function isOnlyPids(selection: Numbers): boolean {
  return !takesAll(selection) && (selection.states ?? []).length === 0;
}

/** True if the selection takes every task. */
export function takesEverything(selection: Selection): boolean {
  return takesAll(selection) && !hasFilters(selection);
}

/** True if more than PIDs and states is asked for. */
export function hasFilters({ command, users, cgroups, function: inStack, module, blocked }: Selection): boolean {
  return [command, users, cgroups, inStack, module, blocked].some((filter) => filter !== undefined);
}

/** Of a selection that no task matches. */
export const NO_TASK = 'No task matches the selection';
