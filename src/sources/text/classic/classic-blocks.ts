import { type Frame, parseFrame, type Stack } from '../../../model/stack.ts';
import { decodeBytes } from '../../../native/decode.ts';
import { classic } from '../forms/classic.ts';
import { InternedStacks } from '../interned.ts';
import { type Header, LONGEST_LINE } from '../line.ts';
import { Assembly } from '../stacks/assembly.ts';
import type { Assembled } from '../stacks/text-stack.ts';
import type { ClassicWords } from './classic-told.ts';

/** Bounds memory: all is forgotten once it takes so much. */
const MOST_BYTES = 24 << 20;
const MOST_PIECES = 200_000;
const [NUL, RETURN] = [0, 13];

/** A line about a task. */
interface ClassicLine {
  /** Its number among the lines that are told. */
  readonly line: number;
  /** The number of its task, as it is printed. */
  readonly task: number | undefined;
  readonly isCut: boolean;
  /** The number of what it told last, and with which stack: most tasks stay where they are. */
  seen: number;
  stack: number;
}

/** A stack, as it was printed behind the lines of its tasks: its number among the stacks that are told. */
interface ClassicStack {
  readonly number: number;
}

const NONE = -1;

/**
 * Numbers for the pieces of the classic text: lines about tasks, and stacks. What was read before is not read again. What
 * a line tells with a stack has a number, too.
 */
export class ClassicBlocks {
  readonly #interned = new InternedStacks();
  readonly #ids = new Map<string, number>();
  /** By number. */
  #pieces: (ClassicLine | ClassicStack | undefined)[] = [];
  /** The last line about each task that was looked up. */
  readonly #byNumber = new Map<number, number>();
  readonly #stackNumbers = new Map<Stack, number>();
  #lineCount = 0;
  #seenCount = 0;
  #hasCut = false;
  #bytes = 0;
  /** What is not told yet. */
  #lines: Header[] = [];
  #stacks: (readonly Frame[])[] = [];
  #pairs: number[] = [];
  #isAnew = true;

  /** All numbers of pieces are below. */
  get count(): number {
    return this.#pieces.length;
  }

  /** The number of a line about the task that has this number. */
  ofNumber(number: number): number | undefined {
    return this.#byNumber.get(number);
  }

  /** The number of the line about a task in these bytes; undefined if it is none. */
  line(bytes: Buffer): number | undefined {
    const id = this.#idOf(bytes, (text) => {
      const isCut = text.length > LONGEST_LINE;
      const line = classic(isCut ? text.slice(0, LONGEST_LINE) : text);
      if (line?.kind !== 'sharing-task') return undefined;
      this.#lines.push(line.header);
      return { line: this.#lineCount++, task: line.header.pid ?? line.header.tid, isCut, seen: NONE, stack: NONE };
    });
    const piece = this.#pieces[id];
    if (piece === undefined || !('line' in piece)) return undefined;
    if (piece.task !== undefined) this.#byNumber.set(piece.task, id);
    this.#hasCut ||= piece.isCut;
    return id;
  }

  /** The number of the stack in these bytes; undefined if it has to be read line by line. */
  stack(bytes: Buffer): number | undefined {
    const id = this.#idOf(bytes, (text) => {
      const stack = this.#read(text);
      return stack && { number: this.#numberOf(stack) };
    });
    const piece = this.#pieces[id];
    return piece === undefined || 'line' in piece ? undefined : id;
  }

  #idOf(bytes: Buffer, read: (text: string) => ClassicLine | ClassicStack | undefined): number {
    const key = bytes.toString('latin1');
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const text = this.textOf(bytes);
    const id = this.#pieces.push(text === undefined ? undefined : read(text)) - 1;
    this.#ids.set(key, id);
    this.#bytes += key.length + 500;
    return id;
  }

  #numberOf(stack: Stack): number {
    const known = this.#stackNumbers.get(stack);
    if (known !== undefined) return known;
    const number = this.#stackNumbers.size;
    this.#stackNumbers.set(stack, number);
    this.#stacks.push(stack.frames);
    return number;
  }

  /** What stands for the stack of this number: equal ones have the same. */
  stackOf(id: number): number {
    const piece = this.#pieces[id];
    if (piece === undefined || 'line' in piece) throw new Error('no stack has this number');
    return piece.number;
  }

  /** The number of what a line tells of a task with a stack; the same one while that stays as it is. */
  seen(id: number, stack: number): number {
    const piece = this.#pieces[id];
    if (piece === undefined || !('line' in piece)) throw new Error('no line has this number');
    if (piece.stack === stack) return piece.seen;
    piece.seen = this.#seenCount++;
    piece.stack = stack;
    this.#pairs.push(piece.line, stack);
    return piece.seen;
  }

  /** The lines and stacks that are new since the last call; undefined if none is. */
  newWords(): ClassicWords | undefined {
    const [lines, stacks, isAnew] = [this.#lines, this.#stacks, this.#isAnew];
    if (lines.length + stacks.length === 0) return undefined;
    this.#lines = [];
    this.#stacks = [];
    this.#isAnew = false;
    return { lines, stacks, isAnew };
  }

  /** The line and the stack of each number from {@link seen} that is new since the last call. */
  newPairs(): Int32Array {
    const pairs = new Int32Array(this.#pairs);
    this.#pairs = [];
    return pairs;
  }

  /** How many of these pieces are lines that were cut. */
  cutOf(ids: Int32Array): number {
    if (!this.#hasCut) return 0;
    const isCut = (id: number) => {
      const piece = this.#pieces[id];
      return piece !== undefined && 'line' in piece && piece.isCut;
    };
    return ids.reduce((sum, id) => sum + (isCut(id) ? 1 : 0), 0);
  }

  /** The text of a line; undefined if there is something in it that no line of the classic text has. */
  textOf(bytes: Buffer): string | undefined {
    return bytes.includes(NUL) || bytes.includes(RETURN) ? undefined : decodeBytes(bytes);
  }

  /** Call this between samples, with nothing left to tell. Returns whether all numbers are forgotten. */
  trim(): boolean {
    const isFull = this.#bytes > MOST_BYTES || this.#pieces.length > MOST_PIECES;
    if (!isFull && this.#seenCount <= MOST_PIECES) return false;
    this.#ids.clear();
    this.#byNumber.clear();
    this.#stackNumbers.clear();
    this.#pieces = [];
    this.#lineCount = 0;
    this.#seenCount = 0;
    this.#hasCut = false;
    this.#bytes = 0;
    this.#isAnew = true;
    return true;
  }

  /** Only a stack that the assembly takes as it is. */
  #read(text: string): Stack | undefined {
    if (text === '') return this.#interned.intern([]);
    const frames: Frame[] = [];
    for (const line of text.split('\n')) {
      if (line.length > LONGEST_LINE || classic(line)?.kind !== 'frame') return undefined;
      frames.push(parseFrame(line));
    }
    const found: Assembled[] = [];
    const assembly = new Assembly({ told: {}, begun: 1 }, (assembled) => found.push(assembled));
    const now = { told: {}, begun: 1 };
    assembly.step({ kind: 'sharing-task', header: { tid: 1, state: 'S' } }, now);
    assembly.step({ kind: 'begin' }, now);
    for (const frame of frames) assembly.step({ kind: 'frame', frame }, now);
    assembly.end();
    const [whole, ...more] = found;
    const isPlain = more.length === 0 && whole?.frames.length === frames.length && whole.leftOut.mixed === 0;
    return isPlain && assembly.leftOut.cut === 0 && whole.leftOut.cut === 0 ? this.#interned.intern(frames) : undefined;
  }
}
