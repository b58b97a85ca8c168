import type { ClassicBlocks, ClassicLine } from './classic-blocks.ts';

const LINE_FEED = 10;
const PID = Buffer.from('PID:');
/** After so many lines that do not match, the blocks have little in common. */
const MOST_MISSES = 8;

/** The lines about tasks of a block of the sample before. */
export interface OldLines {
  readonly from: number;
  readonly lines: readonly ClassicLine[];
  /** Where each line ends, from the beginning of the block. */
  readonly ends: readonly number[];
}

/** The lines about tasks of a block. */
export interface NewLines {
  readonly lines: readonly ClassicLine[];
  readonly ends: readonly number[];
  /** Of each line, which one of the old ones it is; -1 for others. */
  readonly kept: readonly number[];
}

/** Finds the lines of a block that are the same as in the sample before: most are, in long runs. */
export class MatchingLines {
  readonly #blocks: ClassicBlocks;
  readonly #oldBytes: Buffer;
  readonly #old: OldLines | undefined;
  #lines: ClassicLine[] = [];
  #ends: number[] = [];
  #kept: number[] = [];

  constructor(blocks: ClassicBlocks, oldBytes: Buffer, old: OldLines | undefined) {
    this.#blocks = blocks;
    this.#oldBytes = oldBytes;
    this.#old = old;
  }

  /** The lines about tasks that begin here. `more`: their end is not here yet. `other`: they are no such lines. */
  take(bytes: Buffer, from: number): NewLines | 'more' | 'other' {
    const count = this.#old?.lines.length ?? 0;
    let at = from;
    let next = 0;
    let misses = 0;
    for (;;) {
      if (next < count && misses < MOST_MISSES) {
        let run = this.#runAt(bytes, at, next, count);
        // The next old line may be gone.
        if (run === 0 && next + 1 < count) {
          run = this.#runAt(bytes, at, next + 1, count);
          if (run > 0) next++;
        }
        if (run > 0) {
          at = this.#keep(next, run, from);
          next += run;
          misses = 0;
        } else misses++;
      }
      if (bytes.length - at < PID.length) return 'more';
      if (bytes.compare(PID, 0, PID.length, at, at + PID.length) !== 0)
        return { lines: this.#lines, ends: this.#ends, kept: this.#kept };
      const end = bytes.indexOf(LINE_FEED, at);
      if (end === -1) return 'more';
      const line = this.#blocks.task(bytes, at, end);
      if (line === undefined) return 'other';
      at = end + 1;
      this.#lines.push(line);
      this.#ends.push(at - from);
      this.#kept.push(-1);
    }
  }

  /** How many old lines from `next` on stand here. */
  #runAt(bytes: Buffer, at: number, next: number, count: number): number {
    const ends = this.#old?.ends ?? [];
    const oldAt = this.#old?.from ?? 0;
    const start = next === 0 ? 0 : (ends[next - 1] ?? 0);
    const isHere = (to: number) => {
      const length = (ends[to - 1] ?? 0) - start;
      if (at + length > bytes.length) return false;
      return bytes.compare(this.#oldBytes, oldAt + start, oldAt + start + length, at, at + length) === 0;
    };
    if (!isHere(next + 1)) return 0;
    if (isHere(count)) return count - next;
    let [least, most] = [next + 1, count - 1];
    while (least < most) {
      const middle = (least + most + 1) >> 1;
      if (isHere(middle)) least = middle;
      else most = middle - 1;
    }
    return least - next;
  }

  /** Takes a run of old lines. Returns where it ends. */
  #keep(next: number, run: number, from: number): number {
    const { lines = [], ends = [] } = this.#old ?? {};
    const start = next === 0 ? 0 : (ends[next - 1] ?? 0);
    const base = (this.#ends.at(-1) ?? 0) - start;
    for (let each = next; each < next + run; each++) {
      const line = lines[each];
      if (line === undefined) break;
      this.#lines.push(line);
      this.#ends.push(base + (ends[each] ?? 0));
      this.#kept.push(each);
    }
    return from + (this.#ends.at(-1) ?? 0);
  }
}
