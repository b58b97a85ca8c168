import { type Sample, sharesBoot } from '../../model/sample.ts';

/** Clocks that are adjusted a little at a time differ by less, as do the moments at which a sample reads both. */
const LEAST_SET_MS = 2000;
/** NTP makes a clock at most 0.05 % faster or slower (adjtimex(2)). */
const MOST_DRIFT = 0.001;
/** Bounds memory. */
const MAX_STRETCHES = 1000;

/** A time in which nobody set the clock, as the clock told it. */
interface Stretch {
  readonly fromMs: number;
  toMs: number;
}

/** Follows the wall clock of a host from sample to sample, and finds where somebody set it. */
export class SteadyClock {
  #last: Sample | undefined;
  readonly #stretches: Stretch[] = [];
  /** How far it was set since the first sample, all together. Less that, times go on steadily. */
  setMs = 0;

  /**
   * Takes the next sample. Returns how far the clock was set since the one before: back, if that is negative. 0 if it
   * was not.
   * @param usualMs how far apart samples are, where no other clock tells
   */
  arrive(sample: Sample, timeMs: number, usualMs: number): number {
    const setMs = this.#setSince(sample, timeMs, usualMs);
    this.setMs += setMs;
    const stretch = this.#stretches.at(-1);
    if (stretch !== undefined && (setMs === 0 || this.#stretches.length >= MAX_STRETCHES)) {
      stretch.toMs = Math.max(stretch.toMs, timeMs);
    } else this.#stretches.push({ fromMs: timeMs, toMs: timeMs });
    this.#last = sample;
    return setMs;
  }

  #setSince(sample: Sample, timeMs: number, usualMs: number): number {
    const last = this.#last;
    if (last?.timeMs === undefined) return 0;
    const passedMs = timeMs - last.timeMs;
    const [before, now] = sharesBoot(last, sample) ? [last.monotonicMs, sample.monotonicMs] : [];
    if (before === undefined || now === undefined) return passedMs < -LEAST_SET_MS ? passedMs - usualMs : 0;
    // Several recordings of one boot, one of which has the clock as it was before.
    const steadyMs = now < before ? usualMs : now - before;
    const setMs = passedMs - steadyMs;
    return Math.abs(setMs) > LEAST_SET_MS + MOST_DRIFT * steadyMs ? setMs : 0;
  }

  /** Times between those that the samples have, because the clock was set: in their order. */
  skipped(): readonly { readonly fromMs: number; readonly toMs: number }[] {
    const skipped: { fromMs: number; toMs: number }[] = [];
    let untilMs: number | undefined;
    for (const { fromMs, toMs } of this.#stretches.toSorted((a, b) => a.fromMs - b.fromMs)) {
      if (untilMs !== undefined && fromMs > untilMs) skipped.push({ fromMs: untilMs, toMs: fromMs });
      untilMs = Math.max(untilMs ?? toMs, toMs);
    }
    return skipped;
  }
}
