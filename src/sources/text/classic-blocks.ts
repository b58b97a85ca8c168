import type { Reading } from '../../model/reading.ts';
import type { Observation } from '../../model/sample.ts';
import { type Frame, parseFrame, type Stack } from '../../model/stack.ts';
import { decodeBytes } from '../../native/decode.ts';
import { Assembly } from './assembly.ts';
import { classic } from './classic.ts';
import type { InternedStacks } from './interned.ts';
import type { Header } from './line.ts';
import { observationsOf } from './observations.ts';
import type { Assembled } from './text-stack.ts';

/** Longer lines are cut, as elsewhere. */
const LONGEST_LINE = 4096;
/** Bounds memory: all is forgotten once it takes so much. */
const MOST_BYTES = 24 << 20;
const MOST_PIECES = 200_000;
const [NUL, RETURN] = [0, 13];

/** A line about a task. */
interface ClassicLine {
  readonly header: Header;
  readonly isCut: boolean;
  /** The number of what it told last, and with which stack: most tasks stay where they are. */
  seen: number;
  stack: Stack | undefined;
}

/** A stack, as it was printed behind the lines of its tasks. */
export interface ClassicStack {
  readonly stack: Stack;
  readonly reading: Reading<Stack>;
}

/**
 * What the pieces of the classic text mean: lines about tasks, and stacks. What was read before is not read again. Each
 * has a number, and so has what a line tells with a stack.
 */
export class ClassicBlocks {
  readonly #stacks: InternedStacks;
  readonly #ids = new Map<string, number>();
  /** By number. */
  #pieces: (ClassicLine | ClassicStack | undefined)[] = [];
  #observations: Observation[] = [];
  /** The last line about each task that was looked up. */
  readonly #byNumber = new Map<number, number>();
  #hasCut = false;
  #bytes = 0;

  constructor(stacks: InternedStacks) {
    this.#stacks = stacks;
  }

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
      return line?.kind === 'sharing-task' ? { header: line.header, isCut, seen: -1, stack: undefined } : undefined;
    });
    const piece = this.#pieces[id];
    if (piece === undefined || !('header' in piece)) return undefined;
    const { tid, pid = tid } = piece.header;
    if (pid !== undefined) this.#byNumber.set(pid, id);
    this.#hasCut ||= piece.isCut;
    return id;
  }

  /** The number of the stack in these bytes; undefined if it has to be read line by line. */
  stack(bytes: Buffer): number | undefined {
    const id = this.#idOf(bytes, (text) => {
      const stack = this.#read(text);
      return stack && { stack, reading: { value: stack } };
    });
    const piece = this.#pieces[id];
    return piece === undefined || 'header' in piece ? undefined : id;
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

  stackOf(id: number): ClassicStack {
    const piece = this.#pieces[id];
    if (piece === undefined || 'header' in piece) throw new Error('no stack has this number');
    return piece;
  }

  /** The number of what a line tells of a task with a stack; the same one while that stays as it is. */
  seen(id: number, { stack, reading }: ClassicStack): number {
    const line = this.#pieces[id];
    if (line === undefined || !('header' in line)) throw new Error('no line has this number');
    if (line.stack === stack) return line.seen;
    const told = this.#observations[line.seen] ?? firstOf(line.header, stack);
    line.seen = this.#observations.push({ ...told, stack: reading }) - 1;
    line.stack = stack;
    return line.seen;
  }

  observation(seen: number): Observation {
    return observationAt(this.#observations, seen);
  }

  /** Lists the observations among these pieces, also when all numbers are forgotten: what is none has one below 0. */
  observations(seen: Int32Array): () => Observation[] {
    const all = this.#observations;
    return () =>
      Array.from(
        seen.filter((number) => number >= 0),
        (number) => observationAt(all, number),
      );
  }

  /** How many of these pieces are lines that were cut. */
  cutOf(ids: Int32Array): number {
    if (!this.#hasCut) return 0;
    const isCut = (id: number) => {
      const piece = this.#pieces[id];
      return piece !== undefined && 'header' in piece && piece.isCut;
    };
    return ids.reduce((sum, id) => sum + (isCut(id) ? 1 : 0), 0);
  }

  /** The text of a line; undefined if there is something in it that no line of the classic text has. */
  textOf(bytes: Buffer): string | undefined {
    return bytes.includes(NUL) || bytes.includes(RETURN) ? undefined : decodeBytes(bytes);
  }

  /** Call this between samples. Returns whether all numbers are forgotten. */
  trim(): boolean {
    const isFull = this.#bytes > MOST_BYTES || this.#pieces.length > MOST_PIECES;
    if (!isFull && this.#observations.length <= MOST_PIECES) return false;
    this.#ids.clear();
    this.#byNumber.clear();
    this.#pieces = [];
    this.#observations = [];
    this.#hasCut = false;
    this.#bytes = 0;
    return true;
  }

  /** Only a stack that the assembly takes as it is. */
  #read(text: string): Stack | undefined {
    if (text === '') return this.#stacks.intern([]);
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
    return isPlain && assembly.leftOut.cut === 0 && whole.leftOut.cut === 0 ? this.#stacks.intern(frames) : undefined;
  }
}

function observationAt(all: readonly Observation[], seen: number): Observation {
  const observation = all[seen];
  if (observation === undefined) throw new Error('no observation has this number');
  return observation;
}

function firstOf(header: Header, stack: Stack): Observation {
  const told = { tasks: [header], stack, stamp: { told: {}, begun: 1 }, leftOut: { guesses: 0, cut: 0, mixed: 0 } };
  const [observation] = observationsOf(told);
  if (observation === undefined) throw new Error('a task has one observation');
  return observation;
}
