import type { Frame } from '../../../model/stack.ts';
import type { Header } from '../line.ts';
import { isAlternating, isDoubled } from './task-frames.ts';

/** The headers of tasks before a stack. */
export interface Headers {
  /** The latest came in the middle of a trace: if frames follow at once, they may be of either. */
  readonly isTorn: boolean;
  /** How many of other tasks came before the frames, each as if its own stack followed. */
  readonly count: number;
  /** Those tasks. */
  readonly others: readonly Header[];
}

const NONE: Headers = { isTorn: false, count: 0, others: [] };

/** What shows that traces were written into one another: it is not sure which frames or which task are theirs. */
export class MixedTraces {
  #count = 0;
  #headers = NONE;
  #hadHeader = false;
  /** The latest stack was one of those. */
  #wasMixed = false;
  /** Behind `Call Trace:`, before its frames. */
  #isTrace = false;
  #isUnclaimed = false;
  /** A task whose header was followed by that of another one instead of by its stack. */
  #hasUnclaimed = false;
  /** The latest stack had one. */
  #hadUnclaimed = false;

  /** How many stacks are mixed with this one, itself among them: as far as it is known. */
  get count(): number {
    return this.#count;
  }

  /** Whether the header before the stack may be that of another one. */
  get isUnclaimed(): boolean {
    return this.#isUnclaimed;
  }

  /** The headers with another one, of a task behind `first`. `isMixed`: its stack should have followed before. */
  headersWith({ isTorn, isMixed, hasFrames, first }: NextHeader): Headers {
    const { count, others } = this.#headers;
    if (hasFrames) return { isTorn, count: 0, others };
    if (!isMixed || !this.#hadHeader) return { isTorn, count, others };
    return { isTorn, count: count + 1, others: first === undefined ? others : [...others, first] };
  }

  /** `isAnnounced`: another header of the same task follows. */
  turnTo(headers: Headers, isAnnounced: boolean): void {
    this.#headers = headers;
    this.#hadHeader = !isAnnounced;
  }

  /** A stack belongs to the header before it. */
  claim(): void {
    this.#hadUnclaimed = false;
  }

  /** Whether the task before had no stack. */
  set hasUnclaimed(hasUnclaimed: boolean) {
    this.#hasUnclaimed = hasUnclaimed;
  }

  /** A trace begins, `isSecond`: if another one has begun, in the lines of a log. */
  begin(isTrace: boolean, isLogged: boolean, hasTasks: boolean): void {
    const { others, count } = this.#headers;
    const isAgain = this.#isTrace && isTrace && isLogged;
    this.#headers = { isTorn: false, others, count: isAgain ? Math.max(count, 1) : count };
    this.#isTrace = isTrace;
    // Two headers came before the latest trace, and this one has none.
    if (this.#hadUnclaimed && !hasTasks) this.#isUnclaimed = true;
    this.#hadUnclaimed = false;
  }

  /** A frame follows. */
  frame(): void {
    if (!this.#headers.isTorn) return;
    this.#count = 2;
    this.#headers = { ...this.#headers, isTorn: false };
  }

  /** So many stacks were written into one another. */
  mark(count: number): void {
    this.#count = count;
  }

  /**
   * The tasks and the frames of the complete stack, which is of all tasks whose headers came before it. Of two CPUs
   * that printed the same one at once, each line stands there twice.
   */
  resolve(tasks: readonly Header[], frames: readonly Frame[]): Resolved {
    if (this.#headers.count === 0) return { tasks, frames };
    const byTid = new Map([...this.#headers.others, ...tasks].map((task) => [task.tid, task]));
    const all = [...byTid.values()];
    if (byTid.size !== 2 || !isDoubled(frames)) return { tasks: all, frames };
    this.#headers = { ...this.#headers, count: 0 };
    return { tasks: all, frames: frames.filter((_, at) => at % 2 === 0) };
  }

  /** Tells by the frames how many stacks are mixed. `isUntitled`: nothing stands before it. */
  settle(frames: readonly Frame[], isUntitled: boolean): void {
    if (frames.length > 0 && this.#count === 0) this.#count = isAlternating(frames) ? 2 : this.#headers.count;
    // What follows without a beginning is the rest of one of both.
    if (this.#wasMixed && isUntitled) this.#count = Math.max(this.#count, 1);
    this.#wasMixed = this.#count > 0;
  }

  /** The stack was found. */
  release(): void {
    this.#count = 0;
    this.#hadUnclaimed = this.#hasUnclaimed;
  }

  /** Another stack begins. */
  clear(): void {
    this.#isUnclaimed = false;
    this.forget();
  }

  /** Forgets the headers. */
  forget(): void {
    this.#headers = NONE;
    this.#hadHeader = false;
    this.#hasUnclaimed = false;
    this.#isTrace = false;
  }
}

interface NextHeader {
  readonly isTorn: boolean;
  readonly isMixed: boolean;
  readonly hasFrames: boolean;
  /** The first of the tasks named before. */
  readonly first: Header | undefined;
}

interface Resolved {
  readonly tasks: readonly Header[];
  readonly frames: readonly Frame[];
}
