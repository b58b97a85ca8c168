import type { Reading } from './reading.ts';
import type { Observation } from './sample.ts';
import { type Pattern, type Selection, takesAll } from './selection.ts';
import type { Stack } from './stack.ts';

/** A compiled pattern. */
export interface TextTest extends Pattern {
  test(text: string): boolean;
}

/** A selection that can be applied to tasks. */
export interface CompiledSelection extends Omit<Selection, 'command' | 'function' | 'cgroups'> {
  readonly command?: TextTest;
  readonly function?: TextTest;
  /** Tests one path of a task's control groups. The task is selected if any of its paths matches. */
  readonly cgroup?: (path: string) => boolean;
}

/** Whether every thread of every process is selected. */
export function takesEverything(selection: CompiledSelection): boolean {
  const { threads, command, users, cgroup, function: pattern, module } = selection;
  const filters = [command, users, cgroup, pattern, module];
  return takesAll(selection) && threads === true && filters.every((filter) => filter === undefined);
}

/** Whether a stack has the selected function and module. A stack that could not be read has neither. */
export function takesStack({ function: pattern, module }: CompiledSelection, stack: Reading<Stack>): boolean {
  if (pattern === undefined && module === undefined) return true;
  if ('unread' in stack) return false;
  const { frames } = stack.value;
  if (pattern !== undefined && !frames.some(({ symbol }) => pattern.test(symbol))) return false;
  return module === undefined || frames.some((frame) => frame.module === module);
}

/** What a sample would have to tell of a task, and does not. */
export type Untold = 'state' | 'name' | 'user' | 'control group' | 'stack';

/**
 * Whether a task of a sample is selected, whoever took the sample, but for `blocked`, which needs an analysis; or what
 * is not known of it. A PID takes all recorded threads of its process.
 */
export function takesTask(selection: CompiledSelection, { task, state, stack }: Observation): boolean | Untold {
  const { pids = [], states = [], command, users, cgroup } = selection;
  const { id, pid, comm, uid, cgroup: group } = task;
  if (!takesAll(selection)) {
    const isNumbered = pids.some((number) => number === id.tid || number === pid);
    if (!isNumbered && state === undefined && states.length > 0) return 'state';
    if (!isNumbered && !states.some((letter) => letter === state)) return false;
  }
  if (command !== undefined) {
    if (comm === undefined) return 'name';
    if (!command.test(comm)) return false;
  }
  if (users !== undefined) {
    if (uid === undefined || 'unread' in uid) return 'user';
    if (!users.includes(uid.value)) return false;
  }
  if (cgroup !== undefined) {
    if (group === undefined || 'unread' in group) return 'control group';
    if (!cgroup(group.value)) return false;
  }
  if (takesStack(selection, stack)) return true;
  return 'unread' in stack ? 'stack' : false;
}
