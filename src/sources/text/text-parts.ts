import type { Sample } from '../../model/sample.ts';
import { ClassicTasks } from './classic/classic-tasks.ts';
import type { ClassicPart } from './classic/classic-told.ts';
import { LocalStarts } from './classic/local-starts.ts';
import type { InternedStacks } from './interned.ts';
import { type ReaderOptions, TextReader } from './reader.ts';
import type { InputNotes } from './wrapping/decoded.ts';
import { LaidOutLines } from './wrapping/laid-out.ts';
import { Lines } from './wrapping/lines.ts';
import { NewestFirstLines } from './wrapping/newest-first-lines.ts';
import { Panes } from './wrapping/panes.ts';
import { type LineReader, PrefixedLines } from './wrapping/prefixed-lines.ts';
import { RichText } from './wrapping/rtf.ts';
import { WaitTables } from './wrapping/wait-tables.ts';

/** Turns the parts of a text into samples. What is not exactly the classic text is read line by line. */
export class TextParts {
  readonly #stacks: InternedStacks;
  readonly #notes: InputNotes;
  readonly #options: ReaderOptions;
  readonly #starts = new LocalStarts();
  readonly #tasks: ClassicTasks;
  #rest: LineByLine | undefined;
  /** Whether no classic sample has come: the lines of these are not counted. */
  #isFirst = true;

  constructor(stacks: InternedStacks, notes: InputNotes, options: ReaderOptions) {
    this.#stacks = stacks;
    this.#notes = notes;
    this.#options = options;
    this.#tasks = new ClassicTasks(stacks, this.#starts);
  }

  *take(parts: readonly ClassicPart[]): Generator<Sample, void> {
    for (const part of parts) {
      if (part instanceof Uint8Array) {
        this.#rest ??= new LineByLine(this.#stacks, this.#notes, this.#restOptions());
        yield* this.#settled(this.#rest.take(part));
      } else if ('lines' in part) this.#tasks.learn(part);
      else {
        this.#isFirst = false;
        yield* this.end();
        yield this.#tasks.sampleOf(part);
      }
    }
  }

  #restOptions(): ReaderOptions {
    const { malformed } = this.#options;
    if (this.#isFirst || malformed === undefined) return this.#options;
    return { ...this.#options, malformed: (_, why) => malformed(undefined, why) };
  }

  *#settled(samples: readonly Sample[]): Generator<Sample, void> {
    for (const sample of samples) {
      const isOfClassicTasks = sample.observations.some(({ task }) => task.id.startLocal !== undefined);
      yield isOfClassicTasks ? this.#starts.settled(sample) : sample;
    }
  }

  /** What is left when something else follows, or nothing. */
  *end(): Generator<Sample, void> {
    if (this.#rest !== undefined) yield* this.#settled(this.#rest.end());
    this.#rest = undefined;
  }
}

class LineByLine {
  readonly #found: Sample[] = [];
  readonly #reader: LineReader;
  readonly #lines: Lines;

  constructor(stacks: InternedStacks, notes: InputNotes, options: ReaderOptions) {
    const prefixed = new PrefixedLines(
      options.known ?? new Set(),
      new TextReader(stacks, notes, this.#found, options),
      (place) => new TextReader(stacks, notes, this.#found, { ...options, place }),
    );
    const tables = new WaitTables(new LaidOutLines(new NewestFirstLines(prefixed)));
    this.#reader = new RichText(new Panes(tables, (line, why) => options.malformed?.(line, why)));
    this.#lines = new Lines((part) => this.#reader.take(part));
  }

  take(bytes: Uint8Array): Sample[] {
    this.#lines.take(bytes);
    return this.#found.splice(0);
  }

  end(): Sample[] {
    this.#lines.end();
    this.#reader.end();
    return this.#found.splice(0);
  }
}
