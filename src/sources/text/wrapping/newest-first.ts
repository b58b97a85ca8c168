import { plainFrame } from '../forms/offsets.ts';
import { isOutermost, isScheduler } from '../functions.ts';
import type { LogRecord } from './containers.ts';
import { bodyOf } from './prefix.ts';

/** A report of all tasks of a host has so many lines. */
const MOST_RECORDS = 20_000;
const MOST_CHARACTERS = 8 * 1024 * 1024;
const LONGEST = 400;

/**
 * Puts the records of a log store back into the order in which they were written. Many stores export the newest one
 * first, and tell the same time for all lines of a stack: only its functions show which of them came first.
 */
export class NewestFirst {
  #held: LogRecord[] = [];
  #characters = 0;
  #lastMs: number | undefined;
  /** So many more pairs of functions stand in the order of the kernel than in the other one. */
  #inOrder = 0;
  #before: string | undefined;

  get isEmpty(): boolean {
    return this.#held.length === 0;
  }

  /** Takes the next record. Returns those whose order is known. */
  take(record: LogRecord): readonly LogRecord[] {
    const { timeMs, text } = record;
    const isLater = timeMs !== undefined && this.#lastMs !== undefined && timeMs > this.#lastMs;
    const isFull = this.#held.length >= MOST_RECORDS || this.#characters > MOST_CHARACTERS;
    const known = isLater || isFull ? this.end() : [];
    this.#held.push(record);
    this.#characters += text.length;
    this.#lastMs = timeMs ?? this.#lastMs;
    this.#compare(text);
    return known;
  }

  /** The records that wait for others. */
  end(): readonly LogRecord[] {
    const records = this.#held;
    if (records.length === 0) return records;
    if (this.#inOrder < 0) records.reverse();
    this.#held = [];
    this.#characters = 0;
    this.#lastMs = undefined;
    this.#inOrder = 0;
    this.#before = undefined;
    return records;
  }

  /** Outside of an outermost function there is none, and none within the scheduler's. */
  #compare(text: string): void {
    const symbol = symbolIn(text);
    const before = this.#before;
    this.#before = symbol;
    if (symbol === undefined || before === undefined) return;
    const [first, second] = [rankOf(before), rankOf(symbol)];
    if (first !== second) this.#inOrder += first < second ? 1 : -1;
  }
}

function symbolIn(text: string): string | undefined {
  if (text.length > LONGEST || !text.includes('+0x') || text.includes('\n')) return undefined;
  const line = plainFrame(bodyOf(text).text);
  return line?.kind === 'frame' ? line.frame.symbol : undefined;
}

function rankOf(symbol: string): number {
  if (isOutermost(symbol, undefined)) return 1;
  return isScheduler({ symbol, raw: symbol }) ? -1 : 0;
}
