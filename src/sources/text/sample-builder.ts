import type { Observation, Sample } from '../../model/sample.ts';
import { observationsOf } from './observations.ts';
import type { StackFinder } from './stacks.ts';
import { isSameMoment, type Stamp } from './stamps.ts';
import type { LeftOut } from './text-stack.ts';

/** A moment with more tasks makes several samples, so that memory is bounded. */
const MOST_OBSERVATIONS = 50_000;

/** Collects the stacks that are found in a text into samples, one for each moment. */
export class SampleBuilder {
  readonly #finder: StackFinder;
  readonly #found: Sample[];
  readonly #assumeTimeMs: ((clockMs: number) => number) | undefined;
  #observations: Observation[] = [];
  #stamp: Stamp | undefined;
  #guesses = 0;
  #cut = 0;
  #mixed = 0;

  /** `found` gets the samples that are complete. */
  constructor(finder: StackFinder, found: Sample[], assumeTimeMs: ((clockMs: number) => number) | undefined) {
    this.#assumeTimeMs = assumeTimeMs;
    this.#finder = finder;
    this.#found = found;
  }

  /** Takes the stacks that the finder has found. */
  advance(): void {
    if (this.#finder.found.length === 0) return;
    for (const found of this.#finder.found) {
      if (this.#stamp !== undefined && !isSameMoment(this.#stamp, found.stamp)) this.#end();
      if (this.#observations.length === 0) this.#stamp = found.stamp;
      this.#leaveOut(found.leftOut);
      for (const observation of observationsOf(found)) {
        if (this.#observations.length >= MOST_OBSERVATIONS) this.#end();
        this.#observations.push(observation);
      }
    }
    this.#finder.found = [];
  }

  /** No more lines follow: what was left out behind the last stack is of the last sample. */
  finish(): void {
    this.#finder.end();
    this.advance();
    this.#leaveOut(this.#finder.leftOut);
    this.#end();
  }

  #leaveOut({ guesses, cut, mixed }: LeftOut): void {
    this.#guesses += guesses;
    this.#cut += cut;
    this.#mixed += mixed;
  }

  #end(): void {
    const guesses = this.#guesses;
    const lines = this.#cut;
    const mixed = this.#mixed;
    if (this.#observations.length === 0 && guesses + lines + mixed === 0) return;
    this.#found.push({
      ...(this.#stamp && this.#toldBy(this.#stamp)),
      source: { name: 'text' },
      threads: true,
      fields: [],
      observations: this.#observations,
      holders: [],
      leftOut: {
        ...(guesses > 0 && { guessedFrames: guesses }),
        ...(lines > 0 && { lines }),
        ...(mixed > 0 && { mixed }),
      },
      unread: [],
    });
    this.#observations = [];
    this.#guesses = 0;
    this.#cut = 0;
    this.#mixed = 0;
  }

  #toldBy({ told, clockMs }: Stamp): Stamp['told'] {
    if (told.timeMs !== undefined || clockMs === undefined || this.#assumeTimeMs === undefined) return told;
    return { timeMs: this.#assumeTimeMs(clockMs), ...told };
  }
}
