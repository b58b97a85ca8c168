import type { Frame } from '../../../model/stack.ts';
import { hasDecimalOffset, hasNoSize, isLikeProgram } from './task-frames.ts';

/** Tells the stacks of programs, which tracers print behind those of the kernel. */
export class ProgramStacks {
  /** The last stack of decimal offsets went out to its outermost function: the next may be the program's. */
  #isNext = false;
  /** Behind an outermost function, without anything between. */
  #isBehindOutermost = false;

  /** The stack that begins follows at once on an outermost function. */
  followOutermost(): void {
    this.#isBehindOutermost = true;
  }

  has(frames: readonly Frame[]): boolean {
    return (
      (this.#isNext && isLikeProgram(frames, hasDecimalOffset)) ||
      (this.#isBehindOutermost && isLikeProgram(frames, hasNoSize))
    );
  }

  /** A stack of the kernel: `isWhole`, if it goes out to its outermost function. */
  follow(frames: readonly Frame[], isWhole: boolean): void {
    this.#isNext = frames.every(hasDecimalOffset) && isWhole;
  }

  /** Another stack begins. */
  clear(): void {
    this.#isBehindOutermost = false;
  }
}
