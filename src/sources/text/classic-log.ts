import { compared, noteChanges, withObservations } from '../../model/changes.ts';
import type { Observation, Sample } from '../../model/sample.ts';
import type { Stack } from '../../model/stack.ts';
import type { ClassicBlocks, ClassicLine } from './classic-blocks.ts';
import { MatchingLines } from './matching-lines.ts';
import { Stamps } from './stamps.ts';

const LINE_FEED = 10;
const BEGIN = Buffer.from('zzz <');
const NEXT = Buffer.from('\nzzz <');
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
  /** Bytes in all, and before its stack. */
  readonly length: number;
  readonly stackAt: number;
  readonly lines: readonly ClassicLine[];
  /** Where each line ends, from the beginning of the block. */
  readonly ends: readonly number[];
  readonly stack: Stack;
  readonly observations: readonly Observation[];
  /** How many lines were too long to be read whole. */
  readonly cut: number;
}

/** What is in the bytes of a sample behind its head. */
class Body {
  bytes: Buffer = Buffer.alloc(0);
  blocks: Block[] = [];
  /** Where each block begins. */
  starts: number[] = [];

  /** Keeps a copy of these bytes. */
  keep(bytes: Buffer, from: number, to: number): void {
    if (this.bytes.length < to - from) this.bytes = Buffer.allocUnsafe(2 * (to - from));
    bytes.copy(this.bytes, 0, from, to);
  }
}

/**
 * Reads the classic text in blocks: most of a sample stands in the one before, byte by byte. What is not exactly the
 * classic text is passed on, to be read line by line.
 */
export class ClassicLog {
  /** What was found, in the order of the text: samples, and bytes to read line by line. The caller empties the list. */
  readonly found: (Sample | Buffer)[] = [];
  /** Samples that are torn, or not quite the classic text, and where the first of them begins. */
  odd = { count: 0, at: 0 };
  readonly #lines: ClassicBlocks;
  #dropped = 0;
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;
  /** Where the current sample begins; its blocks up to `#at` are known. */
  #at = 0;
  #head: Pick<Sample, 'timeMs' | 'host'> | undefined;
  #bodyAt = 0;
  #blocks: Block[] = [];
  #starts: number[] = [];
  #cut = 0;
  #gone: Observation[] = [];
  #come: Observation[] = [];
  #guess = 0;
  readonly #before = new Body();
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
    this.#dropped += to;
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
    const { bytes, blocks, starts } = this.#before;
    const end = Math.min(blocks.length, this.#guess + MOST_SHIFTED);
    for (let next = this.#guess; next < end; next++) {
      const [block, start] = [blocks[next], starts[next]];
      if (block === undefined || start === undefined || block.length > left) continue;
      if (this.#bytes.compare(bytes, start, start + block.length, at, at + block.length) !== 0) continue;
      this.#skip(next);
      this.#guess = next + 1;
      this.#add(block);
      return true;
    }
    return false;
  }

  /** The blocks of the sample before up to this one are gone. */
  #skip(to: number): void {
    for (; this.#guess < to; this.#guess++) {
      const block = this.#before.blocks[this.#guess];
      for (const observation of block?.observations ?? []) this.#gone.push(observation);
    }
  }

  #add(block: Block): void {
    this.#blocks.push(block);
    this.#starts.push(this.#at - this.#bodyAt);
    this.#cut += block.cut;
    this.#at += block.length;
  }

  #takeNew(isLast: boolean): 'block' | 'more' | 'other' {
    const short = () => (isLast || this.#length - this.#at > LONGEST_SAMPLE ? 'other' : 'more');
    const likely = this.#likely();
    const before = this.#before.blocks[likely];
    const beforeAt = this.#before.starts[likely] ?? 0;
    const matching = new MatchingLines(this.#lines, this.#before.bytes, before && { ...before, from: beforeAt });
    const found = matching.take(this.#bytes.subarray(0, this.#length), this.#at);
    if (typeof found === 'string') return found === 'more' ? short() : 'other';
    const { lines, ends, kept } = found;
    const stackAt = (ends.at(-1) ?? 0) + STACK.length;
    if (this.#length < this.#at + stackAt + 2) return short();
    if (lines.length === 0 || !this.#isAt(STACK, this.#at + stackAt - STACK.length)) return 'other';
    const read = this.#stackAt(this.#at + stackAt, before, beforeAt);
    if (typeof read === 'string') return read === 'more' ? short() : 'other';
    const { stack } = read;
    const stayed = before !== undefined && before.stack === stack ? before.observations : [];
    const observations: Observation[] = [];
    let cut = 0;
    // Loops by number: this runs for each line of a block that changed.
    for (let each = 0; each < lines.length; each++) {
      const line = lines[each];
      if (line === undefined) break;
      const old = stayed[kept[each] ?? -1];
      const observation = old ?? this.#lines.observation(line, stack);
      observations.push(observation);
      if (old === undefined) this.#come.push(observation);
      if (line.isCut) cut++;
    }
    this.#add({ length: read.to - this.#at, stackAt, lines, ends, stack, observations, cut });
    if (before === undefined) return 'block';
    this.#skip(likely);
    this.#guess++;
    let next = 0;
    for (let each = 0; each < before.observations.length; each++) {
      const observation = before.observations[each];
      if (observation === undefined) break;
      // Kept lines come in the order of the old ones.
      while (next < kept.length && (kept[next] ?? -1) < each) next++;
      if (stayed.length === 0 || kept[next] !== each) this.#gone.push(observation);
    }
    return 'block';
  }

  /** The number of the block of the sample before that began with the line that is here; -1 if none did. */
  #likely(): number {
    const { bytes, blocks, starts } = this.#before;
    for (let next = this.#guess; next < Math.min(blocks.length, this.#guess + MOST_SHIFTED); next++) {
      let from = 0;
      for (const end of blocks[next]?.ends.slice(0, 2) ?? []) {
        const [start, length] = [(starts[next] ?? 0) + from, end - from];
        from = end;
        if (this.#at + length > this.#length) continue;
        if (this.#bytes.compare(bytes, start, start + length, this.#at, this.#at + length) === 0) return next;
      }
    }
    return -1;
  }

  /** The stack that begins there, and where its block ends. */
  #stackAt(at: number, before: Block | undefined, beforeAt: number): { stack: Stack; to: number } | 'more' | 'other' {
    if (before !== undefined) {
      const to = at + before.length - before.stackAt;
      const [start, end] = [beforeAt + before.stackAt, beforeAt + before.length];
      if (to <= this.#length && this.#bytes.compare(this.#before.bytes, start, end, at, to) === 0)
        return { stack: before.stack, to };
    }
    const bytes = this.#bytes.subarray(0, this.#length);
    // An empty stack is an empty line.
    const end = bytes[at] === LINE_FEED ? at : bytes.indexOf(BLANK_LINE, at);
    if (end === -1) return 'more';
    if (bytes[end + 1] !== LINE_FEED) return end + 1 < bytes.length ? 'other' : 'more';
    const stack = this.#lines.stack(bytes, at, end);
    return stack === undefined ? 'other' : { stack, to: end + 2 };
  }

  #finish(): void {
    this.#skip(this.#before.blocks.length);
    const now = this.#blocks;
    const cut = this.#cut;
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
      noteChanges(this.#last, sample, compared(this.#gone, this.#come));
    }
    this.found.push(sample);
    this.#last = sample;
    this.#before.keep(this.#bytes, this.#bodyAt, this.#at);
    this.#before.blocks = now;
    this.#before.starts = this.#starts;
    this.#begin();
    this.#lines.trim();
  }

  #begin(): void {
    this.#head = undefined;
    this.#blocks = [];
    this.#starts = [];
    this.#cut = 0;
    this.#gone = [];
    this.#come = [];
    this.#guess = 0;
    this.#sampleAt = this.#at;
  }

  /** This sample is read line by line. */
  #fail(): void {
    const from = this.#sampleAt;
    const { count, at } = this.odd;
    this.odd = { count: count + 1, at: count === 0 ? this.#dropped + from : at };
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
