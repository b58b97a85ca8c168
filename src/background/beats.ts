import type { Clock } from '../model/time.ts';

export interface Beats<Taken> {
  take(): Promise<Taken>;
  readonly clock: Clock;
  /** Asked after each sample, once whoever iterates is done with it. */
  intervalMs(): number;
  /** No sample but the first begins this long after the start. */
  readonly durationMs: number;
  /** Aborted to end. A sample in progress is still taken. */
  readonly stop: AbortSignal;
}

export interface Beat<Taken> {
  readonly taken: Taken;
  /** How long ago this sample was due, in milliseconds: it, and what was done with it since, took so long. */
  sinceDueMs(): number;
}

/**
 * Takes samples at start, start + interval, start + 2 intervals and so on. A sample that takes longer than the interval
 * takes up the beats in between. Uses the monotonic clock: setting the time of day changes neither interval nor end.
 */
export async function* beats<Taken>(options: Beats<Taken>): AsyncGenerator<Beat<Taken>> {
  const { take, clock, intervalMs, durationMs, stop } = options;
  const start = clock.monotonicMs();
  const elapsedMs = () => clock.monotonicMs() - start;
  for (let due = 0; !stop.aborted; ) {
    const dueMs = due;
    yield { taken: await take(), sinceDueMs: () => elapsedMs() - dueMs };
    const interval = intervalMs();
    due += interval * Math.max(1, Math.ceil((elapsedMs() - due) / interval));
    if (due >= durationMs) return;
    await clock.sleep(Math.max(0, due - elapsedMs()), stop);
    // The host may have slept, or the process been stopped, for longer.
    if (elapsedMs() >= durationMs) return;
  }
}
