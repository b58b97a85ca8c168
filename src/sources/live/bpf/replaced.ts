import type { Processes } from '../procfs/prefetch.ts';
import type { TaskRecord } from './records.ts';
import type { BpfReader } from './tasks.ts';

/** RESERVED_PIDS of include/linux/threads.h: after wrapping around, the kernel starts with this number. */
const RESERVED = 300;

/**
 * TIDs of tasks that have ended since they were found, and whose TID or PID may have been reused since. What was read
 * from /proc for them may belong to another task. Costs 0.02 ms if the kernel has allocated no number meanwhile;
 * otherwise the suspects are read again.
 */
export function replacedTasks(
  records: readonly TaskRecord[],
  reader: Pick<BpfReader, 'readTasks'>,
  lastTid: number,
  processes: Pick<Processes, 'lastTid' | 'mostTids' | 'threads' | 'forks' | 'forksBefore'>,
): ReadonlySet<number> {
  const now = processes.lastTid();
  if (now === lastTid) return NONE;
  const free = processes.mostTids() - RESERVED - processes.threads();
  const isReusable = reusable(lastTid, now, processes.forks() - processes.forksBefore < free);
  const suspects = records.filter(({ tid, pid }) => isReusable(tid) || isReusable(pid));
  if (suspects.length === 0) return NONE;
  // If that fails, every suspect counts as replaced.
  const found = reader.readTasks(suspects.map(({ tid }) => tid)) ?? [];
  const current = new Map(found.map(({ tid, startNs }) => [tid, startNs]));
  return new Set(suspects.filter(({ tid, startNs }) => current.get(tid) !== startNs).map(({ tid }) => tid));
}

const NONE: ReadonlySet<number> = new Set();

/**
 * Which numbers the kernel may have allocated between two moments, given the last one allocated before each. The kernel
 * allocates them cyclically (kernel/pid.c, alloc_pid). After enough forks for a full turn it may be any number.
 */
export function reusable(before: number, after: number, isWithinOneTurn: boolean): (number: number) => boolean {
  // Negative or NaN: unknown.
  if (!isWithinOneTurn || !(before >= 0 && after >= 0)) return () => true;
  return before <= after
    ? (number) => number > before && number <= after
    : (number) => number > before || number <= after;
}
