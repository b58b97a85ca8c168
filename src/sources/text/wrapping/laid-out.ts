import { FieldRecords } from './field-records.ts';
import { JoinedLines } from './joined-lines.ts';
import { LineEnds, mayEndWithMark } from './line-ends.ts';
import type { LinePart } from './lines.ts';
import type { LineReader } from './prefixed-lines.ts';

/** Most lines of a log begin with a digit, a bracket or the name of a month: nothing of a layout does. */
const ORDINARY = new Set([...'0123456789[ADFJNOS'].map((first) => first.charCodeAt(0)));

/** Takes the lines of a text out of a layout: marks at their ends, strings of several lines, records with fields. */
export class LaidOutLines implements LineReader {
  readonly #next: LineReader;
  readonly #records: FieldRecords;
  readonly #joined: JoinedLines;
  readonly #ends: LineEnds;

  constructor(next: LineReader) {
    this.#next = next;
    this.#records = new FieldRecords(next);
    this.#joined = new JoinedLines(this.#records);
    this.#ends = new LineEnds(this.#joined);
  }

  get isWithin(): boolean {
    return this.#next.isWithin;
  }

  take(part: LinePart): void {
    const isIdle = this.#ends.isIdle && this.#joined.isIdle && this.#records.isIdle;
    if (isIdle && ORDINARY.has(part.text.charCodeAt(0)) && !mayEndWithMark(part.text)) this.#next.take(part);
    else this.#ends.take(part);
  }

  end(): void {
    this.#ends.end();
  }
}
