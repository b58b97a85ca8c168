import { commandLineText } from '../model/command-line.ts';
import type { Finding } from '../model/finding.ts';
import type { Observation } from '../model/sample.ts';
import type { Task } from '../model/task.ts';

/** What is looked for in a task when somebody types a text to filter by: in lower case. */
export function searchText({ task, state, stack }: Observation, { waitsFor }: Finding, host = ''): string {
  const line = 'value' in task.commandLine ? commandLineText(task.commandLine.value) : '';
  const frames = 'value' in stack ? stack.value.frames : [];
  const { id, pid, comm, processName } = task;
  return [id.tid, pid, comm, processName, userOf(task), line, host, waitsFor, state]
    .concat(frames.map(({ symbol }) => symbol))
    .join(' ')
    .toLowerCase();
}

/** The user's name, or its number if it has none; empty if it is not known. */
export function userOf({ user, uid }: Pick<Task, 'user' | 'uid'>): string {
  return user ?? (uid !== undefined && 'value' in uid ? String(uid.value) : '');
}
