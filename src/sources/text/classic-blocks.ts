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
/** Bounds memory: lines are forgotten once they take so much. */
const MOST_BYTES = 24 << 20;
const MOST_LINES = 200_000;
const [NUL, RETURN] = [0, 13];

/** A line about a task. */
export interface ClassicLine {
  readonly header: Header;
  readonly isCut: boolean;
  /** As it was seen last: most tasks stay where they are. */
  last?: Observation;
  lastStack?: Stack;
}

/** What the lines of the classic text mean. A line that was read before is not read again. */
export class ClassicBlocks {
  readonly #stacks: InternedStacks;
  readonly #lines = new Map<string, ClassicLine>();
  readonly #known = new Map<string, Stack | 'other'>();
  #bytes = 0;

  constructor(stacks: InternedStacks) {
    this.#stacks = stacks;
  }

  /** The line about a task in these bytes; undefined if it is none. */
  task(bytes: Buffer, from: number, to: number): ClassicLine | undefined {
    const key = bytes.toString('latin1', from, to);
    const known = this.#lines.get(key);
    if (known !== undefined) return known;
    const text = this.textOf(bytes.subarray(from, to));
    if (text === undefined) return undefined;
    const isCut = text.length > LONGEST_LINE;
    const line = classic(isCut ? text.slice(0, LONGEST_LINE) : text);
    if (line?.kind !== 'sharing-task') return undefined;
    const task = { header: line.header, isCut };
    this.#lines.set(key, task);
    this.#bytes += key.length + 500;
    return task;
  }

  /** The stack in these bytes; undefined if it has to be read line by line. */
  stack(bytes: Buffer, from: number, to: number): Stack | undefined {
    const key = bytes.toString('latin1', from, to);
    let known = this.#known.get(key);
    if (known === undefined) {
      known = this.#read(bytes.subarray(from, to)) ?? 'other';
      this.#known.set(key, known);
      this.#bytes += key.length + 100;
    }
    return known === 'other' ? undefined : known;
  }

  /** What was seen of a task; the same object while it stays as it is. */
  observation(line: ClassicLine, stack: Stack): Observation {
    if (line.last !== undefined && line.lastStack === stack) return line.last;
    const stamp = { told: {}, begun: 1 };
    const [observation] = observationsOf({
      tasks: [line.header],
      stack,
      stamp,
      leftOut: { guesses: 0, cut: 0, mixed: 0 },
    });
    if (observation === undefined) throw new Error('a task has one observation');
    const kept = line.last === undefined ? observation : { ...observation, task: line.last.task };
    line.last = kept;
    line.lastStack = stack;
    return kept;
  }

  /** The text of a line; undefined if there is something in it that no line of the classic text has. */
  textOf(bytes: Buffer): string | undefined {
    return bytes.includes(NUL) || bytes.includes(RETURN) ? undefined : decodeBytes(bytes);
  }

  /** Call this between samples. */
  trim(): void {
    if (this.#bytes <= MOST_BYTES && this.#lines.size <= MOST_LINES) return;
    this.#lines.clear();
    this.#known.clear();
    this.#bytes = 0;
  }

  /** Only a stack that the assembly takes as it is. */
  #read(bytes: Buffer): Stack | undefined {
    if (bytes.length === 0) return this.#stacks.intern([]);
    const text = this.textOf(bytes);
    if (text === undefined) return undefined;
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
