import { compared, noteChanges, withObservations } from '../../model/changes.ts';
import type { Observation, Sample } from '../../model/sample.ts';
import type { ClassicBlocks, ClassicLine } from './classic-blocks.ts';
import { Stamps } from './stamps.ts';

const LINE_FEED = 10;
const BEGIN = Buffer.from('zzz <');
const NEXT = Buffer.from('\nzzz <');
const PID = Buffer.from('PID:');
const STACK = Buffer.from('Stack:\n');
const BLANK_LINE = Buffer.from('\n\n');
/** A host name has at most 255 characters. */
const LONGEST_HEAD = 1024;
/** A sample takes no more memory than this; one that is longer is read line by line. */
const LONGEST_SAMPLE = 64 << 20;
/** Groups that are new or gone shift the others by so many places. */
const MOST_SHIFTED = 3;

/** The tasks that share a stack, as they were printed. */
interface Block {
  /** Where it begins and ends in its sample. */
  readonly from: number;
  readonly to: number;
  readonly observations: readonly Observation[];
  /** Lines that were too long to be read whole. */
  readonly cut: number;
}

/** The bytes of a sample behind its head, and what is in them. */
interface Body {
  readonly bytes: Buffer;
  readonly blocks: readonly Block[];
}

const NOTHING: Body = { bytes: Buffer.alloc(0), blocks: [] };

/**
 * Reads the classic text in blocks: most of a sample stands in the one before, byte by byte. What is not exactly the
 * classic text is passed on, to be read line by line.
 */
export class ClassicLog {
  /** What was found, in the order of the text: samples, and bytes to read line by line. The caller empties the list. */
  readonly found: (Sample | Buffer)[] = [];
  readonly #lines: ClassicBlocks;
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;
  /** Where the current sample begins; its blocks up to `#at` are known. */
  #at = 0;
  #head: Pick<Sample, 'timeMs' | 'host'> | undefined;
  #bodyAt = 0;
  #blocks: Block[] = [];
  #gone: Block[] = [];
  #come: Block[] = [];
  #guess = 0;
  #before: Body = NOTHING;
  #last: Sample | undefined;
  /** Whether the bytes up to the next sample are to be read line by line. */
  #isOther: boolean;

  constructor(lines: ClassicBlocks) {
    this.#lines = lines;
    this.#isOther = true;
  }

  take(chunk: Uint8Array): void {
    this.#append(chunk);
    this.#advance(false);
  }

  end(): void {
    this.#advance(true);
  }

  #append(chunk: Uint8Array): void {
    if (this.#length + chunk.length > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(1 << 18, 2 * (this.#length + chunk.length)));
      this.#bytes.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    this.#bytes.set(chunk, this.#length);
    this.#length += chunk.length;
  }

  /** Forgets the bytes before a place. */
  #drop(to: number): void {
    this.#bytes.copyWithin(0, to, this.#length);
    this.#length -= to;
    this.#at = 0;
  }

  #advance(isLast: boolean): void {
    for (;;) {
      if (this.#isOther) {
        if (!this.#passOther(isLast)) break;
      } else if (this.#head === undefined) {
        const length = this.#takeHead();
        if (length === 'more' && !isLast) break;
        if (typeof length === 'string') {
          if (this.#length === this.#at) break;
          this.#fail();
        } else this.#at += length;
      } else {
        const step = this.#step(isLast);
        if (step === 'more') break;
        if (step === 'sample') this.#finish();
        else if (step === 'other') this.#fail();
      }
    }
    const kept = this.#isOther || this.#head === undefined ? this.#at : this.#sampleAt;
    if (kept > this.#length / 2 || kept > 1 << 20) this.#shift(kept);
  }

  #sampleAt = 0;

  #shift(to: number): void {
    const [at, bodyAt, sampleAt] = [this.#at, this.#bodyAt, this.#sampleAt];
    this.#drop(to);
    this.#at = at - to;
    this.#bodyAt = bodyAt - to;
    this.#sampleAt = sampleAt - to;
  }

  /** Passes on what stands before the next sample. Returns whether one follows. */
  #passOther(isLast: boolean): boolean {
    const bytes = this.#bytes.subarray(0, this.#length);
    const isHere = bytes.length - this.#at >= BEGIN.length && this.#isAt(BEGIN, this.#at) && this.#atLineStart;
    const next = isHere ? this.#at : bytes.indexOf(NEXT, this.#at);
    // The end of the bytes may be the beginning of a mark.
    const keeps = isLast ? 0 : Math.min(NEXT.length, this.#length - this.#at);
    const to = next === -1 ? this.#length - keeps : isHere ? next : next + 1;
    if (to > this.#at) {
      this.found.push(Buffer.from(bytes.subarray(this.#at, to)));
      this.#atLineStart = bytes[to - 1] === LINE_FEED;
    }
    this.#at = to;
    if (next === -1) return false;
    this.#isOther = false;
    this.#sampleAt = this.#at;
    return true;
  }

  #atLineStart = true;

  #isAt(mark: Buffer, at: number): boolean {
    return at + mark.length <= this.#length && this.#bytes.compare(mark, 0, mark.length, at, at + mark.length) === 0;
  }

  /** The length of the head at this place. */
  #takeHead(): number | 'more' | 'other' {
    const [from, end] = [this.#at, this.#bytes.subarray(0, this.#length).indexOf(LINE_FEED, this.#at)];
    if (end === -1 || end + 1 >= this.#length) return this.#length - from > LONGEST_HEAD ? 'other' : 'more';
    if (!this.#isAt(BEGIN, from) || this.#bytes[end + 1] !== LINE_FEED || end - from > LONGEST_HEAD) return 'other';
    const stamps = new Stamps();
    const line = this.#lines.textOf(this.#bytes.subarray(from, end));
    if (line === undefined) return 'other';
    stamps.take(line);
    if (stamps.now.begun === 0) return 'other';
    this.#head = stamps.now.told;
    this.#bodyAt = end + 2;
    return end + 2 - from;
  }

  /** Takes the next block, if it is here. */
  #step(isLast: boolean): 'block' | 'sample' | 'more' | 'other' {
    const at = this.#at;
    const left = this.#length - at;
    if (at - this.#bodyAt > LONGEST_SAMPLE) return 'other';
    if (left === 0 && isLast) return 'sample';
    if (left < BEGIN.length) return isLast ? 'other' : 'more';
    if (this.#isAt(BEGIN, at)) return 'sample';
    if (this.#takeKnown(at, left)) return 'block';
    return this.#takeNew(isLast);
  }

  /** A block that stood at about the same place of the sample before. */
  #takeKnown(at: number, left: number): boolean {
    const { bytes, blocks } = this.#before;
    for (let next = this.#guess; next < Math.min(blocks.length, this.#guess + MOST_SHIFTED); next++) {
      const block = blocks[next];
      if (block === undefined || block.to - block.from > left) continue;
      const length = block.to - block.from;
      if (this.#bytes.compare(bytes, block.from, block.to, at, at + length) !== 0) continue;
      for (const skipped of blocks.slice(this.#guess, next)) this.#gone.push(skipped);
      this.#guess = next + 1;
      this.#add({ ...block, from: at - this.#bodyAt, to: at - this.#bodyAt + length });
      return true;
    }
    return false;
  }

  #add(block: Block): void {
    this.#blocks.push(block);
    this.#at = this.#bodyAt + block.to;
  }

  #takeNew(isLast: boolean): 'block' | 'more' | 'other' {
    const bytes = this.#bytes.subarray(0, this.#length);
    const short = () => (isLast || bytes.length - this.#at > LONGEST_SAMPLE ? 'other' : 'more');
    const tasks: ClassicLine[] = [];
    let at = this.#at;
    let cut = 0;
    while (this.#isAt(PID, at)) {
      const end = bytes.indexOf(LINE_FEED, at);
      if (end === -1) return short();
      const line = this.#lines.task(bytes, at, end);
      if (line === undefined) return 'other';
      tasks.push(line);
      if (line.isCut) cut++;
      at = end + 1;
    }
    if (bytes.length - at < STACK.length + 2) return short();
    if (tasks.length === 0 || !this.#isAt(STACK, at)) return 'other';
    at += STACK.length;
    // An empty stack is an empty line.
    const end = bytes[at] === LINE_FEED ? at : bytes.indexOf(BLANK_LINE, at);
    if (end === -1) return short();
    if (bytes[end + 1] !== LINE_FEED) return end + 1 < bytes.length ? 'other' : short();
    const stack = this.#lines.stack(bytes, at, end);
    if (stack === undefined) return 'other';
    const block = {
      from: this.#at - this.#bodyAt,
      to: end + 2 - this.#bodyAt,
      observations: tasks.map((task) => this.#lines.observation(task, stack)),
      cut,
    };
    this.#add(block);
    this.#come.push(block);
    return 'block';
  }

  #finish(): void {
    const { blocks } = this.#before;
    for (const skipped of blocks.slice(this.#guess)) this.#gone.push(skipped);
    const now = this.#blocks;
    const cut = now.reduce((sum, block) => sum + block.cut, 0);
    const sample = withObservations(
      {
        ...this.#head,
        source: { name: 'text' },
        threads: true,
        fields: [],
        holders: [],
        leftOut: cut > 0 ? { lines: cut } : {},
        unread: [],
      },
      () => now.flatMap(({ observations }) => observations),
    );
    if (this.#last !== undefined) {
      const [gone, come] = [this.#gone, this.#come].map((list) => list.flatMap(({ observations }) => observations));
      noteChanges(this.#last, sample, compared(gone ?? [], come ?? []));
    }
    this.found.push(sample);
    this.#last = sample;
    this.#before = { bytes: Buffer.from(this.#bytes.subarray(this.#bodyAt, this.#at)), blocks: now };
    this.#begin();
    this.#lines.trim();
  }

  #begin(): void {
    this.#head = undefined;
    this.#blocks = [];
    this.#gone = [];
    this.#come = [];
    this.#guess = 0;
    this.#sampleAt = this.#at;
  }

  /** This sample is read line by line. */
  #fail(): void {
    const from = this.#sampleAt;
    this.#begin();
    this.#at = from;
    this.#sampleAt = from;
    this.#isOther = true;
    // Its own head is no end.
    const bytes = this.#bytes.subarray(0, this.#length);
    const to = Math.min(this.#length, from + BEGIN.length);
    this.found.push(Buffer.from(bytes.subarray(from, to)));
    this.#atLineStart = false;
    this.#at = to;
  }
}
