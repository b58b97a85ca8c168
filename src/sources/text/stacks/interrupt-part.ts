import type { Frame } from '../../../model/stack.ts';
import { reportFrames } from '../functions.ts';

const MOST_FRAMES = 256;

/** The frames between `<IRQ>` and `</IRQ>`, or the like. */
export class InterruptPart {
  #frames: Frame[] = [];
  #isIn = false;
  #isAbove = false;

  get isEmpty(): boolean {
    return this.#frames.length === 0;
  }

  get isIn(): boolean {
    return this.#isIn;
  }

  /** Whether the registers above it are those of what it interrupted: an NMI. */
  get isAbove(): boolean {
    return this.#isAbove;
  }

  get frames(): readonly Frame[] {
    return this.#frames;
  }

  enter(isAbove: boolean): void {
    this.#isIn = true;
    this.#isAbove = isAbove;
  }

  leave(): void {
    this.#isIn = false;
  }

  /** @param instruction where the CPU was, by the registers above the trace: in the interrupt, if it has frames */
  add(frame: Frame, instruction: Frame | undefined): void {
    const isFirst = this.isEmpty && !this.#isAbove && reportFrames([frame]) === 0;
    if (instruction !== undefined && isFirst && instruction.symbol !== frame.symbol) this.#frames.push(instruction);
    if (this.#frames.length < MOST_FRAMES) this.#frames.push(frame);
  }

  /** The registers in the midst of it: another interrupt, which ends here, had interrupted this function of it. */
  restart(instruction: Frame): void {
    if (!this.#isAbove) this.#frames = [instruction];
  }

  clear(): void {
    this.#frames = [];
    this.#isIn = false;
  }
}
