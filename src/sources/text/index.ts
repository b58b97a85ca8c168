import type { Observation, Sample } from '../../model/sample.ts';
import { observationsOf } from './observations.ts';
import { StackFinder } from './stacks.ts';
import { isSameMoment, type Stamp } from './stamps.ts';
import type { LeftOut } from './text-stack.ts';

/** Bounds the size of a sample: a text may be of any size. */
const MOST_OBSERVATIONS = 100_000;
const LONGEST_KEPT = 1 << 20;

/**
 * Reads the stacks in a text of any known format, or a mix of formats. Yields one sample for everything written at the
 * same moment. What the text does not contain is absent.
 * @param chunks the text in pieces of any size
 * @param known names of functions that the kernel has, for stacks that are names and nothing else
 */
export async function* textSamples(
  chunks: Iterable<string> | AsyncIterable<string>,
  known?: ReadonlySet<string>,
): AsyncGenerator<Sample, void> {
  const finder = new StackFinder(known);
  const builder = new SampleBuilder(finder);
  for await (const line of linesOf(chunks)) {
    finder.take(line);
    yield* builder.advance();
  }
  yield* builder.finish();
}

async function* linesOf(chunks: Iterable<string> | AsyncIterable<string>): AsyncGenerator<string, void> {
  let rest = '';
  for await (const chunk of chunks) {
    const text = rest + chunk;
    let from = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', from)) {
      yield withoutReturn(text.slice(from, end));
      from = end + 1;
    }
    // A line this long is only counted, not read, so its rest may be dropped.
    rest = text.slice(from, from + LONGEST_KEPT);
  }
  if (rest !== '') yield withoutReturn(rest);
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

/** Collects stacks into samples. */
class SampleBuilder {
  readonly #finder: StackFinder;
  #observations: Observation[] = [];
  #stamp: Stamp | undefined;
  #guesses = 0;
  #cut = 0;
  #mixed = 0;

  constructor(finder: StackFinder) {
    this.#finder = finder;
  }

  *advance(): Generator<Sample, void> {
    if (this.#finder.found.length === 0) return;
    for (const found of this.#finder.found) {
      if (this.#stamp !== undefined && !isSameMoment(this.#stamp, found.stamp)) yield* this.#end();
      if (this.#observations.length === 0) this.#stamp = found.stamp;
      this.#leaveOut(found.leftOut);
      for (const observation of observationsOf(found))
        if (this.#observations.length < MOST_OBSERVATIONS) this.#observations.push(observation);
        else this.#cut++;
    }
    this.#finder.found = [];
  }

  /** No more lines follow: what was left out behind the last stack is of the last sample. */
  *finish(): Generator<Sample, void> {
    this.#finder.end();
    yield* this.advance();
    this.#leaveOut(this.#finder.leftOut);
    yield* this.#end();
  }

  #leaveOut({ guesses, cut, mixed }: LeftOut): void {
    this.#guesses += guesses;
    this.#cut += cut;
    this.#mixed += mixed;
  }

  *#end(): Generator<Sample, void> {
    const guesses = this.#guesses;
    const lines = this.#cut;
    const mixed = this.#mixed;
    if (this.#observations.length === 0 && guesses + lines + mixed === 0) return;
    yield {
      ...this.#stamp?.told,
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
    };
    this.#observations = [];
    this.#guesses = 0;
    this.#cut = 0;
    this.#mixed = 0;
  }
}
