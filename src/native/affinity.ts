import { libcFunction } from './libc.ts';

/** Of 8192 CPUs, the most that Linux is built for. */
const MASK_BYTES = 1024;
/** 0 is the calling thread. */
const SELF = 0;

/**
 * What `look` finds on each of these CPUs: this thread goes there (sched_setaffinity(2)), and may then run where it did
 * before. CPUs that it may not use are missing, and those that it gets to after `untilMs`.
 */
export function onEachCpu<T>(
  cpus: Iterable<number>,
  look: () => T,
  { nowMs, untilMs }: { nowMs(): number; readonly untilMs: number },
): Map<number, T> {
  const get = libcFunction('int sched_getaffinity(int pid, unsigned long bytes, void *mask)');
  const set = libcFunction('int sched_setaffinity(int pid, unsigned long bytes, void *mask)');
  const found = new Map<number, T>();
  const before = Buffer.alloc(MASK_BYTES);
  if (get(SELF, MASK_BYTES, before) < 0) return found;
  try {
    for (const cpu of cpus) {
      if (nowMs() > untilMs) break;
      if (!Number.isInteger(cpu) || cpu < 0 || cpu >= MASK_BYTES * 8) continue;
      const only = Buffer.alloc(MASK_BYTES);
      only[cpu >> 3] = 1 << (cpu & 7);
      if (set(SELF, MASK_BYTES, only) === 0) found.set(cpu, look());
    }
  } finally {
    set(SELF, MASK_BYTES, before);
  }
  return found;
}
