import type { Sample } from '../../../model/sample.ts';
import type { Selection } from '../../../model/selection.ts';
import type { BpfReader } from './tasks.ts';

/** The same samples, each with how many threads the selection left out. */
export async function* withMoreThreads(
  samples: AsyncGenerator<Sample, never>,
  selection: Selection,
  reader: Pick<BpfReader, 'read'>,
): AsyncGenerator<Sample, never> {
  for (;;) {
    const { value: sample } = await samples.next();
    const moreThreads = countMoreThreads(selection, reader);
    yield moreThreads === undefined ? sample : { ...sample, moreThreads };
  }
}

/**
 * How many threads are in the states selected and are left out, since they are not the main one of their process. Takes
 * another look at all tasks, some 1.5 µs for each thread. Undefined where the selection takes threads, or no states, or
 * filters by more than records tell, and where the look fails.
 */
export function countMoreThreads(selection: Selection, reader: Pick<BpfReader, 'read'>): number | undefined {
  const { all, states = [], threads, users, command, cgroup, function: pattern, module, blocked } = selection;
  if (all === true || threads === true || states.length === 0) return undefined;
  if (cgroup !== undefined || pattern !== undefined || module !== undefined || blocked === true) return undefined;
  const look = reader.read({ states, threads: true, ...(command && { command }) });
  return look?.records.filter(
    ({ pid, tid, uid, stat }) =>
      tid !== pid &&
      states.includes(stat.state) &&
      command?.test(stat.comm) !== false &&
      users?.includes(uid) !== false,
  ).length;
}
