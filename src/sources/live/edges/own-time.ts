import type { Clock } from '../../../model/time.ts';
import { readSmall } from '../procfs/files.ts';

/** How often the kernel is asked. */
const LOOK_MS = 10;
/**
 * A clock for deadlines on work: it stands still while the main thread of this process waits for a CPU, so that less is
 * left out on an overloaded host.
 * @param root the mount point of the procfs; if it does not tell, the clock is an ordinary one
 * @param mostMs how far the clock may fall behind: whoever asks wants an answer, even if it is not whole
 */
export function ownTime(clock: Clock, root: string, mostMs: number): Clock {
  const path = `${root}/self/schedstat`;
  const start = waitedForCpuMs(path);
  if (start === undefined) return clock;
  let lookedMs = clock.monotonicMs();
  let waitedMs = 0;
  return {
    ...clock,
    monotonicMs() {
      const now = clock.monotonicMs();
      if (now >= lookedMs + LOOK_MS) {
        lookedMs = now;
        waitedMs = Math.min(mostMs, Math.max(waitedMs, (waitedForCpuMs(path) ?? start) - start));
      }
      return now - waitedMs;
    },
  };
}

/**
 * How long the main thread was ready to run and did not (kernel/sched/stats.h; Documentation/scheduler/sched-stats).
 */
function waitedForCpuMs(path: string): number | undefined {
  const read = readSmall(path);
  const words = 'value' in read ? read.value.toString('latin1').trim().split(' ') : [];
  const nanoseconds = Number(words[1]);
  return words.length === 3 && Number.isFinite(nanoseconds) ? nanoseconds / 1e6 : undefined;
}
