import type { Stamp } from '../stamps.ts';
import { NO_PLACE } from './position.ts';
import type { Place, Seam } from './text-stack.ts';

/** Where, when and with which numbers the frames of a stack begin and end. */
export class SeamMarks {
  /** Where the latest line was. */
  place: Place = NO_PLACE;
  #begins: Place | undefined;
  #ends: Place = NO_PLACE;
  #endStamp: Stamp;
  #firstNumber: number | undefined;
  #number: number | undefined;
  #closes = false;

  constructor(stamp: Stamp) {
    this.#endStamp = stamp;
  }

  /** The number of the latest frame, in formats that number frames. */
  get number(): number | undefined {
    return this.#number;
  }

  set number(number: number | undefined) {
    this.#number = number;
  }

  /** A frame was here. */
  touch(now: Stamp, number?: number): void {
    if (this.#begins === undefined) {
      this.#begins = this.place;
      this.#firstNumber = number;
    }
    this.#ends = this.place;
    this.#endStamp = now;
  }

  /** `</TASK>` without `<TASK>` followed the frames. */
  close(): void {
    this.#closes = true;
  }

  /** `isUntitled`: neither a header, a title nor a mark stands before the stack. */
  seam(isUntitled: boolean, { isTrace, isOpen }: Pick<Seam, 'isTrace' | 'isOpen'>): Seam {
    return {
      isRest: isUntitled && this.#firstNumber !== 0,
      begins: this.#begins ?? NO_PLACE,
      ends: this.#ends,
      endStamp: this.#endStamp,
      firstNumber: this.#firstNumber,
      lastNumber: this.#number,
      isTrace,
      isOpen,
      closes: this.#closes,
    };
  }

  /** Another stack begins. */
  clear(): void {
    this.#number = undefined;
    this.#begins = undefined;
    this.#closes = false;
  }
}
