import type { TriggerWatch } from '../analysis/trigger-watch.ts';
import type { Sample } from '../model/sample.ts';
import { type Beat, type Beats, beats } from './beats.ts';
import { SampleRing } from './sample-ring.ts';

export interface Triggered<Taken> extends Omit<Beats<Taken>, 'intervalMs'>, Triggering {
  /** Between samples as long as nothing happens. */
  readonly intervalMs: number;
}

/** What sets off dense recording, and how dense, and for how long. */
export interface Triggering {
  readonly watch: TriggerWatch;
  readonly denseMs: number;
  readonly keepMs: number;
}

/** While it waits for a trigger, kstack takes a sample at most this often. */
const LOOK_MS = 1000;
/** And at most so much of the time. */
const LOOK_SHARE = 0.05;
/** A condition that is about to come true is written down at that rate, but not again within this time. */
const PENDING_AGAIN_MS = 600_000;
const RING_BYTES = 64 << 20;
/** Of so many samples, the shortest tells what one costs: a busy host delays the others. */
const TOOK_OF = 8;

/**
 * The samples to write, in the order of their times, each once: one each interval, and after a trigger all those that
 * are taken densely, and those that were taken since the one written before. Whatever is due is given out at once, so
 * that a crash costs nothing that would have been written. A sample that could not be taken is undefined.
 */
export async function* triggeredBeats<Taken extends Sample | undefined>(
  options: Triggered<Taken>,
): AsyncGenerator<Beat<Taken | Sample>> {
  const { clock } = options;
  const pace = new TriggeredPace(options);
  let startMs = clock.monotonicMs();
  let took: readonly number[] = [];
  const take = async () => {
    startMs = clock.monotonicMs();
    const sample = await options.take();
    took = [...took, clock.monotonicMs() - startMs].slice(-TOOK_OF);
    return sample;
  };
  for await (const beat of beats({ ...options, take, intervalMs: () => pace.nextMs(least(took)) })) {
    if (beat.taken === undefined) {
      yield beat;
      continue;
    }
    const { before, now } = pace.take(beat.taken, startMs);
    yield* before.map(outOfMemory);
    if (now !== undefined) yield { ...beat, taken: now };
  }
  yield* pace.end().map(outOfMemory);
}

function least(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
}

function outOfMemory(taken: Sample): Beat<Sample> {
  return { taken, sinceDueMs: () => 0 };
}

type Pacing = Triggering & { readonly intervalMs: number };

/** Decides which samples are written, and when the next one is taken. */
class TriggeredPace {
  readonly #options: Pacing;
  readonly #ring = new SampleRing(RING_BYTES);
  /** When the next sample of the ordinary interval is. */
  #dueMs: number | undefined;
  #denseUntilMs = Number.NEGATIVE_INFINITY;
  #pendingSinceMs = Number.NEGATIVE_INFINITY;
  #nowMs = 0;
  /** Between samples until now. */
  #stepMs = 0;

  constructor(options: Pacing) {
    this.#options = options;
  }

  /** Takes a sample that was begun then. Returns it if it is to be written, and what is to be written before it. */
  take(taken: Sample, nowMs: number): { readonly before: readonly Sample[]; readonly now?: Sample } {
    const { watch, keepMs } = this.#options;
    this.#nowMs = nowMs;
    const { events, isSetOff, isPending } = watch.take(taken, nowMs);
    const sample = events.length === 0 ? taken : { ...taken, events: [...(taken.events ?? []), ...events] };
    if (isSetOff) this.#denseUntilMs = nowMs + keepMs;
    const isKept = this.#isDense || this.#isWorth(isPending);
    if (!this.#isDue() && !isKept && events.length === 0) {
      this.#ring.add(sample);
      return { before: [] };
    }
    if (!isKept) this.#ring.clear();
    return { before: this.#ring.take(), now: this.#ring.withEvents(sample) };
  }

  /** The last sample, and what happened before it. */
  end(): readonly Sample[] {
    this.#ring.clear(1);
    return this.#ring.take();
  }

  /** The time until the next sample, if one takes so long. */
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
