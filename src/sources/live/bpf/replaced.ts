import type { Processes } from '../procfs/prefetch.ts';
import type { TaskRecord } from './records.ts';
import type { BpfReader } from './tasks.ts';

/** RESERVED_PIDS of include/linux/threads.h: once around, the kernel begins with this number. */
const RESERVED = 300;

/**
 * The TIDs of tasks that have ended since they were found and whose number, or that of their process, may have been
 * given to another one, so that what was then read by number may be the other's. Where no number was given out, that
 * costs 0.02 ms; else those that may be others are looked at once more.
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
  // Where that fails, nothing is known of any of them.
  const found = reader.readTasks(suspects.map(({ tid }) => tid)) ?? [];
  const there = new Map(found.map(({ tid, startNs }) => [tid, startNs]));
  return new Set(suspects.filter(({ tid, startNs }) => there.get(tid) !== startNs).map(({ tid }) => tid));
}

const NONE: ReadonlySet<number> = new Set();

/**
 * Which numbers the kernel may have given out between two moments, by the last one that it gave out before each: it
 * goes through them in turn (kernel/pid.c, alloc_pid). Any of them, if there were enough forks to get around.
 */
export function reusable(before: number, after: number, isWithinOneTurn: boolean): (number: number) => boolean {
  // Also where one of them is not known.
  if (!isWithinOneTurn || !(before >= 0 && after >= 0)) return () => true;
  return before <= after
    ? (number) => number > before && number <= after
    : (number) => number > before || number <= after;
}
