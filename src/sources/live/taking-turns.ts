import type { Observation } from '../../model/sample.ts';

/** At most so many of these, in turns: none is left out because another list is long. */
export function takingTurns<T>(lists: readonly (readonly T[])[], most: number): T[] {
  const longest = lists.reduce((sofar, { length }) => Math.max(sofar, length), 0);
  const chosen: T[] = [];
  for (let turn = 0; turn < longest && chosen.length < most; turn++)
    for (const list of lists) {
      const item = list[turn];
      if (item !== undefined) chosen.push(item);
    }
  return chosen.slice(0, most);
}

/** In an order in which stacks take turns: thousands of tasks with one stack do not hide the others. */
export function byStackInTurns(tasks: readonly Observation[]): Observation[] {
  const lists = new Map<unknown, Observation[]>();
  for (const task of tasks) {
    const key = 'value' in task.stack ? task.stack.value : undefined;
    const list = lists.get(key);
    if (list === undefined) lists.set(key, [task]);
    else list.push(task);
  }
  return takingTurns([...lists.values()], tasks.length);
}
