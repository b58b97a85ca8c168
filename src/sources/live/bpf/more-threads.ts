import type { CompiledSelection } from '../../../model/compiled-selection.ts';
import type { BpfReader } from './tasks.ts';

/**
 * How many threads in the selected states are left out, because they are not the main thread of their process. Costs
 * another pass over all tasks, about 1.5 µs per thread. Undefined if the selection takes threads, names no states or
 * has a filter that needs more than the records, and if the pass fails.
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
