import type { Place } from './text-stack.ts';

export const NO_PLACE: Place = {
  isLogged: false,
  quotes: 0,
  caller: undefined,
  gap: { lines: 0, words: 0, quotes: 0, cuts: 0 },
};

/** Where in the text the latest line is, and what stands between it and the latest frame. */
export class Position {
  #place: Place = NO_PLACE;
  #lines = 0;
  #words = 0;
  #quotes = 0;
  #cuts = 0;

  get place(): Place {
    return this.#place;
  }

  /** How many lines have come since the latest frame. */
  get gapLines(): number {
    return this.#lines;
  }

  turnTo(isLogged: boolean, quotes: number, caller: string | undefined): void {
    const { isLogged: wasLogged, quotes: before, caller: last, gap } = this.#place;
    const isSame = isLogged === wasLogged && quotes === before && caller === last;
    if (isSame && gap.lines === 0 && this.#lines === 0) return;
    this.#place = {
      isLogged,
      quotes,
      caller,
      gap: { lines: this.#lines, words: this.#words, quotes: this.#quotes, cuts: this.#cuts },
    };
  }

  /** A line that is no frame. */
  skip(): void {
    this.#lines++;
  }

  /** The line is a mark for what the writer has left out. */
  cut(): void {
    this.#cuts++;
  }

  /** The line is one of words. */
  words(): void {
    this.#words++;
    this.#quotes = Math.max(this.#quotes, this.#place.quotes);
  }

  /** A line of frames. */
  frame(): void {
    this.#lines = 0;
    this.#words = 0;
    this.#quotes = 0;
    this.#cuts = 0;
  }
}
