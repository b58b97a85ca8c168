import type { CompiledSelection } from '../selection/compiled.ts';
import type { BpfReader } from './tasks.ts';

/**
 * How many threads are in the states selected and are left out, since they are not the main one of their process. Takes
 * another pass over all tasks, some 1.5 µs for each thread. Undefined where the selection takes threads, or no states, or
 * filters by more than records tell, and where the pass fails.
 */
export function countMoreThreads(selection: CompiledSelection, reader: Pick<BpfReader, 'read'>): number | undefined {
  const { all, states = [], threads, users, command, cgroup, function: pattern, module, blocked } = selection;
  if (all === true || threads === true || states.length === 0) return undefined;
  if (cgroup !== undefined || pattern !== undefined || module !== undefined || blocked === true) return undefined;
  const pass = reader.read({ states, threads: true, ...(command && { command }) });
  return pass?.records.filter(
    ({ pid, tid, uid, stat }) =>
      tid !== pid &&
      states.includes(stat.state) &&
      command?.test(stat.comm) !== false &&
      users?.includes(uid) !== false,
  ).length;
}
