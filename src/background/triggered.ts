import type { TriggerWatch } from '../analysis/trigger-watch.ts';
import type { Sample } from '../model/sample.ts';
import type { Clock } from '../model/time.ts';
import { beats } from './beats.ts';
import { SampleRing } from './sample-ring.ts';

export interface Triggered {
  take(): Promise<Sample>;
  readonly clock: Clock;
  readonly watch: TriggerWatch;
  /** Between samples as long as nothing happens. */
  readonly intervalMs: number;
  /** Between samples after a trigger, and for how long after it. */
  readonly denseMs: number;
  readonly keepMs: number;
  readonly durationMs: number;
  /** Aborted to end. */
  readonly stop: AbortSignal;
}

/** While it waits for a trigger, kstack takes a sample at most this often. */
const LOOK_MS = 1000;
/** And at most so much of the time. */
const LOOK_SHARE = 0.05;
/** A condition that is about to come true is written down at that rate, but not again within this time. */
const PENDING_AGAIN_MS = 600_000;
const RING_BYTES = 32 << 20;

/**
 * The samples to write, in the order of their times, each once: one each interval, and after a trigger all those that
 * are taken densely, and those that were taken since the one written before. Whatever is due is given out at once, so
 * that a crash costs nothing that would have been written.
 */
export async function* triggeredSamples(options: Triggered): AsyncGenerator<Sample> {
  const { clock, durationMs, stop } = options;
  const pace = new Pace(options);
  let tookMs = 0;
  const take = async () => {
    const startMs = clock.monotonicMs();
    const sample = await options.take();
    tookMs = clock.monotonicMs() - startMs;
    return { sample, startMs };
  };
  for await (const { taken } of beats({ take, clock, intervalMs: () => pace.nextMs(tookMs), durationMs, stop }))
    yield* pace.take(taken.sample, taken.startMs);
  yield* pace.end();
}

/** Decides which samples are written, and when the next one is taken. */
class Pace {
  readonly #options: Omit<Triggered, 'take' | 'clock'>;
  readonly #ring = new SampleRing(RING_BYTES);
  /** When the next sample of the ordinary interval is. */
  #dueMs: number | undefined;
  #denseUntilMs = Number.NEGATIVE_INFINITY;
  #pendingSinceMs = Number.NEGATIVE_INFINITY;
  #nowMs = 0;
  /** Between samples until now. */
  #stepMs = 0;

  constructor(options: Omit<Triggered, 'take' | 'clock'>) {
    this.#options = options;
  }

  *take(taken: Sample, nowMs: number): Generator<Sample> {
    const { watch, keepMs } = this.#options;
    this.#nowMs = nowMs;
    const { events, isSetOff, isPending } = watch.take(taken, nowMs);
    const sample = events.length === 0 ? taken : { ...taken, events: [...(taken.events ?? []), ...events] };
    if (isSetOff) this.#denseUntilMs = nowMs + keepMs;
    const isKept = this.#isDense || this.#isWorth(isPending);
    if (!this.#isDue() && !isKept && events.length === 0) {
      this.#ring.add(sample);
      return;
    }
    if (isKept) yield* this.#ring.take();
    else this.#ring.clear();
    yield this.#ring.withEvents(sample);
  }

  /** The last sample, and what happened before it. */
  *end(): Generator<Sample> {
    this.#ring.clear(1);
    yield* this.#ring.take();
  }

  /** The time until the next sample, of which the last one took so long. */
  nextMs(tookMs: number): number {
    this.#stepMs = this.#stepAfter(tookMs);
    return this.#stepMs;
  }

  #stepAfter(tookMs: number): number {
    const { intervalMs, denseMs } = this.#options;
    if (this.#isDense) return Math.min(denseMs, intervalMs);
    const looks = Math.floor(intervalMs / Math.max(LOOK_MS, denseMs, tookMs / LOOK_SHARE));
    return intervalMs / Math.max(1, looks);
  }

  /** Whether the interval is over. The beats may be a little early, and need not divide it. */
  #isDue(): boolean {
    const { intervalMs } = this.#options;
    this.#dueMs ??= this.#nowMs;
    const lateMs = this.#nowMs + this.#stepMs / 2 - this.#dueMs;
    if (lateMs < 0) return false;
    this.#dueMs += intervalMs * (Math.floor(lateMs / intervalMs) + 1);
    return true;
  }

  get #isDense(): boolean {
    return this.#nowMs < this.#denseUntilMs;
  }

  /** Whether what may become a trigger is written down already. */
  #isWorth(isPending: boolean): boolean {
    if (!isPending) return false;
    if (this.#nowMs - this.#pendingSinceMs >= PENDING_AGAIN_MS) this.#pendingSinceMs = this.#nowMs;
    return this.#nowMs - this.#pendingSinceMs < this.#options.keepMs;
  }
}
