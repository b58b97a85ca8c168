const FIRST_MS = 1000;
const MOST_MS = 60_000;

/** How long to wait before each next try, where a peer refuses or does not answer: twice as long each time. */
export class Pauses {
  #longestMs = 0;

  /**
   * The next pause, in milliseconds: no longer than a minute, and no shorter than what the peer asked for, up to that.
   * Hosts that lost their peer together shall not come back together.
   */
  next(leastMs = 0): number {
    this.#longestMs = Math.min(MOST_MS, Math.max(FIRST_MS, leastMs, 2 * this.#longestMs));
    return Math.max(Math.min(MOST_MS, leastMs), this.#longestMs * (0.5 + 0.5 * Math.random()));
  }

  /** It worked: the next one is short again. */
  reset(): void {
    this.#longestMs = 0;
  }
}
