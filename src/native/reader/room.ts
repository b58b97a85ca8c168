import { availableParallelism } from 'node:os';

/** Set by the build of the standalone executable. */
declare const KSTACK_STANDALONE: boolean;

/**
 * Set by the executable's entry (standalone/entry.c) where threads are few: how many there was room for before the
 * runtime started. Where there are more, the reader tries itself how many (learn_room in reader/reader.c).
 */
const ROOM = 'KSTACK_ROOM';
/**
 * Bun starts threads whenever it likes, and aborts if it cannot: some for its compiler, and one per CPU for garbage.
 */
const THREADS_OF_RUNTIME = 6;
const MOST_COLLECTORS = 8;
/** The reader itself. */
const WATCHER = 1;

/**
 * How many workers the reader may start, so that there stays room for the runtime's threads; undefined for as many as
 * it wants.
 */
export function mostWorkers(): number | undefined {
  const text = typeof KSTACK_STANDALONE === 'undefined' ? undefined : process.env[ROOM];
  if (text === undefined) return undefined;
  const collectors = Math.min(MOST_COLLECTORS, availableParallelism());
  return Math.max(1, Number(text) - THREADS_OF_RUNTIME - collectors - WATCHER);
}
