import { Stamps } from '../stamps.ts';
import { ByteWindow } from './byte-window.ts';
import { ClassicBlocks } from './classic-blocks.ts';
import { ClassicBody } from './classic-body.ts';
import type { ClassicPart, ClassicSample } from './classic-told.ts';

const [LINE_FEED, RETURN] = [10, 13];
const BEGIN = Buffer.from('zzz <');
const NEXT = Buffer.from('\nzzz <');
/** A host name has at most 255 characters. */
const LONGEST_HEAD = 1024;
/** A sample takes no more memory than this; one that is longer is read line by line. */
const LONGEST_SAMPLE = 64 << 20;

/**
 * Reads the classic text by what differs from the sample before. What is not exactly the classic text is passed on, to
 * be read line by line.
 */
export class ClassicLog {
  /** What was found, in the order of the text. The caller empties the list. */
  readonly found: ClassicPart[] = [];
  /** Samples that are torn, or not quite the classic text, and where the first of them begins. */
  odd = { count: 0, at: 0 };
  readonly #blocks = new ClassicBlocks();
  readonly #window = new ByteWindow();
  readonly #body = new ClassicBody(this.#window, this.#blocks);
  /** Where the current sample begins. */
  #sampleAt = 0;
  /** Of the current sample; its body is being read. */
  #head: Pick<ClassicSample, 'head' | 'localMs'> | undefined;
  /** Up to where it was passed on to be read line by line; undefined within samples. */
  #otherAt: number | undefined = 0;
  #isLineStart = true;

  take(chunk: Uint8Array): void {
    this.#window.append(chunk);
    this.#readOn();
  }

  /** Takes at most so many bytes, which `read` puts into memory. Returns how many. */
  fill(most: number, read: (room: Uint8Array) => number): number {
    const length = this.#window.fill(most, read);
    this.#readOn();
    return length;
  }

  #readOn(): void {
    this.#advance(false);
    this.#window.forget(this.#otherAt ?? Math.min(this.#sampleAt, this.#body.keptFrom));
  }

  end(): void {
    this.#advance(true);
  }

  #advance(isLast: boolean): void {
    for (;;) {
      if (this.#otherAt !== undefined) {
        if (!this.#passOther(this.#otherAt, isLast)) return;
      } else if (this.#head === undefined) {
        const head = this.#readHead();
        if (head === 'more' && !isLast) return;
        if (typeof head === 'string') {
          if (this.#window.end === this.#sampleAt) return;
          this.#fail();
        } else {
          this.#head = head.told;
          this.#body.begin(head.end);
        }
      } else {
        const step = this.#body.read(isLast);
        const { at } = this.#body;
        if (step === 'more' && !isLast && this.#window.end - this.#sampleAt <= LONGEST_SAMPLE) return;
        const isWhole = step === 'end' && (this.#window.has(BEGIN, at) || at === this.#window.end);
        if (isWhole) this.#finish(this.#head);
        else this.#fail();
      }
    }
  }

  /** Passes on what stands before the next sample. Returns whether one follows. */
  #passOther(from: number, isLast: boolean): boolean {
    const window = this.#window;
    const isHere = this.#isLineStart && window.has(BEGIN, from);
    const next = isHere ? from : window.indexOf(NEXT, from);
    // The end of the bytes may be the beginning of a mark.
    const keeps = isLast ? 0 : Math.min(NEXT.length, window.end - from);
    const to = next === -1 ? window.end - keeps : isHere ? next : next + 1;
    if (to > from) {
      this.found.push(Buffer.from(window.slice(from, to)));
      this.#isLineStart = window.at(to - 1) === LINE_FEED;
    }
    this.#otherAt = to;
    if (next === -1) return false;
    this.#otherAt = undefined;
    this.#sampleAt = to;
    this.#body.forget(to);
    return true;
  }

  /** The head of the sample, and where its body begins. */
  #readHead(): { told: Pick<ClassicSample, 'head' | 'localMs'>; end: number } | 'more' | 'other' {
    const window = this.#window;
    const from = this.#sampleAt;
    const end = window.indexOf(LINE_FEED, from);
    if (end === -1 || end + 1 >= window.end) return window.end - from > LONGEST_HEAD ? 'other' : 'more';
    if (!window.has(BEGIN, from) || window.at(end + 1) !== LINE_FEED || end - from > LONGEST_HEAD) return 'other';
    const stamps = new Stamps();
    const line = this.#blocks.textOf(window.slice(from, end));
    if (line === undefined) return 'other';
    stamps.take(line);
    const { begun, told: head, localMs } = stamps.now;
    return begun === 0 ? 'other' : { told: { head, ...(localMs !== undefined && { localMs }) }, end: end + 2 };
  }

  #finish(head: Pick<ClassicSample, 'head' | 'localMs'>): void {
    const told = this.#body.end();
    const words = this.#blocks.newWords();
    if (words !== undefined) this.found.push(words);
    this.found.push({ ...head, ...told });
    this.#body.trim();
    this.#head = undefined;
    this.#sampleAt = this.#body.at;
  }

  /** This sample is read line by line. With other line ends, that is all that is wrong with it. */
  #fail(): void {
    const from = this.#sampleAt;
    const { count, at } = this.odd;
    if (!this.#hasReturns(from)) this.odd = { count: count + 1, at: count === 0 ? from : at };
    this.#head = undefined;
    // Its own head is no end.
    const to = Math.min(this.#window.end, from + BEGIN.length);
    this.found.push(Buffer.from(this.#window.slice(from, to)));
    this.#isLineStart = false;
    this.#otherAt = to;
  }

  /** Whether the line that begins there ends with CR LF. */
  #hasReturns(from: number): boolean {
    const end = this.#window.indexOf(LINE_FEED, from);
    return end > from && this.#window.at(end - 1) === RETURN;
  }
}
