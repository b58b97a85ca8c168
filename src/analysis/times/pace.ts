/** After a pause this many times as long as the usual interval, nothing is known about the time in between. */
const GAP_INTERVALS = 3;
const USUAL_OF = 31;
/** A single sample may be the first of many: so long apart are those of a background run. */
const ASSUMED_MS = 60_000;

/** A time about which a recording says nothing. */
export interface Gap {
  readonly host: string | undefined;
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * Tells for how long each sample of a host speaks: until the next one. A sample before a gap, and the last one, speak
 * for the usual interval. The samples have to come in the order of their times.
 */
export class Pace {
  readonly #foundGap: (fromMs: number, toMs: number) => void;
  #lastMs: number | undefined;
  #intervals: number[] = [];
  /** How far apart samples usually are; 0 if that is not known. */
  usualMs = 0;
  /** As long as nothing happens, as the latest sample tells. */
  #ordinaryMs = 0;

  constructor(foundGap: (fromMs: number, toMs: number) => void) {
    this.#foundGap = foundGap;
  }

  /**
   * A sample was taken then. Returns for how many seconds the one before it spoke.
   *
   * @param ordinaryMs how far apart samples are as long as nothing happens, if it tells: after dense ones, one this
   * long after them is none too late
   */
  arrive(timeMs: number, ordinaryMs = 0): number {
    const [lastMs, longestMs] = [this.#lastMs, this.#longestMs];
    this.#lastMs = timeMs;
    this.#ordinaryMs = ordinaryMs;
    if (lastMs === undefined) return 0;
    const interval = Math.max(0, timeMs - lastMs);
    const { usualMs } = this;
    const isGap = this.#intervals.length > 0 && interval > longestMs;
    // Two files of one host, or a clock with whole seconds, have several samples at a time.
    if (interval > 0) this.#learn(interval);
    if (isGap) this.#foundGap(lastMs, timeMs);
    return (isGap ? usualMs : interval) / 1000;
  }

  #learn(interval: number): void {
    this.#intervals.push(interval);
    const oldest = this.#intervals.length > USUAL_OF ? this.#intervals.shift() : undefined;
    if (oldest !== interval) this.usualMs = this.#intervals.toSorted((a, b) => a - b)[this.#intervals.length >> 1] ?? 0;
  }

  /** The longest time between two samples that is no gap. */
  get #longestMs(): number {
    return GAP_INTERVALS * Math.max(this.usualMs, this.#ordinaryMs);
  }

  /** Until when the latest sample is taken to speak. */
  get untilMs(): number {
    return (this.#lastMs ?? 0) + (this.#intervals.length === 0 ? ASSUMED_MS : this.#longestMs);
  }
}
