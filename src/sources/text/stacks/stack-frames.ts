import type { Frame } from '../../../model/stack.ts';
import { interruptFrames, isEntry, isLeftOver, isOutermost, isOwnReport, isScheduler } from '../functions.ts';
import { InterruptPart } from './interrupt-part.ts';
import { isPreempted, ofTask, softirqFrames } from './task-frames.ts';

const MOST_FRAMES = 256;
const MOST_INLINED = 4;

/** The frames of a complete stack. */
interface Whole {
  readonly frames: readonly Frame[];
  /** Frames or other lines tell of an interrupt, or the task has printed its stack itself: it ran. */
  readonly wasInterrupted: boolean;
  /** They show that the task was preempted. */
  readonly isReady: boolean;
  /** The registers tell where the CPU was, and no frame does. */
  readonly isOnCpu: boolean;
  /** How many guesses are left out. */
  readonly guesses: number;
}

/** The frames of the stack that is being assembled: the task's, those of interrupts, guesses, and registers. */
export class StackFrames {
  #frames: Frame[] = [];
  #guessed: Frame[] = [];
  /** So many of them are further in than the last frame that is none. */
  #guessedWithin = 0;
  readonly #interrupt = new InterruptPart();
  /** The frames up to here are those of an interrupt, if others follow. */
  #interrupted = 0;
  /** Where the CPU was; undefined once a frame has followed. */
  #instruction: Frame | undefined;
  #exception: Frame | undefined;
  /** Registers of a CPU stand above the stack. */
  #hasRegisters = false;
  #isOwnReport = false;

  get isEmpty(): boolean {
    return this.#frames.length === 0 && this.#guessed.length === 0 && this.#interrupt.isEmpty;
  }

  /** Whether it has frames of the task that are no guesses. */
  get hasSure(): boolean {
    return this.#frames.length > 0;
  }

  /** The outermost of these so far. */
  get last(): Frame | undefined {
    return this.#frames.at(-1);
  }

  get lastGuess(): Frame | undefined {
    return this.#guessed.at(-1);
  }

  get hasInstruction(): boolean {
    return this.#instruction !== undefined;
  }

  /** Whether the task has printed its stack itself: it ran. */
  get isOwnReport(): boolean {
    return this.#isOwnReport;
  }

  /** Whether the last frame is that of an outermost function. */
  get isWhole(): boolean {
    const { last } = this;
    return last !== undefined && isOutermost(last.symbol, this.#frames.at(-2));
  }

  /** Whether the last frames, some of which may be inlined functions, have this function. */
  endsWith(symbol: string): boolean {
    return this.#frames.slice(-MOST_INLINED).some((frame) => frame.symbol === symbol);
  }

  /** Whether a frame behind an outermost one goes on with the same stack. */
  goesOnWith(frame: Frame): boolean {
    return isOutermost(frame.symbol, this.last) || isEntry(frame);
  }

  /** Takes a frame of the interrupt that the lines are of; false if they are of none. */
  interrupts(frame: Frame): boolean {
    if (!this.#interrupt.isIn) return false;
    this.#interrupt.add(frame, this.#instruction);
    // Guesses alone are of the interrupt that prints this.
    if (!this.#interrupt.isAbove) this.#instruction = undefined;
    return true;
  }

  /** Adds what the registers tell to be further in than this frame. */
  precede(frame: Frame): void {
    if (this.#frames.length === 0) this.#isOwnReport ||= isOwnReport(frame) || this.#isOfCpu;
    // PowerPC and s390 print it as the first frame, too.
    if (this.#instruction !== undefined && this.#instruction.symbol !== frame.symbol)
      this.#frames.push(this.#instruction);
    this.#instruction = undefined;
    if (this.#exception !== undefined && this.#exception.symbol !== frame.symbol) this.#frames.push(this.#exception);
    this.#exception = undefined;
  }

  /** Adds a frame; false if there is no room. */
  add(frame: Frame): boolean {
    this.#guessedWithin = this.#guessed.length;
    if (this.#frames.length >= MOST_FRAMES) return false;
    this.#frames.push(frame);
    return true;
  }

  /** Adds a guess; false if it is left out. */
  guess(frame: Frame): boolean {
    if (this.#interrupt.isIn) return false;
    if (this.#frames.length === 0) this.#isOwnReport ||= isOwnReport(frame) || this.#hasRegisters;
    if (this.#guessed.length >= MOST_FRAMES) return false;
    this.#guessed.push(frame);
    return true;
  }

  /**
   * Takes where the CPU was, by the registers: above a trace, or where an interrupt that the trace begins with ends.
   * False if it is a frame that follows on the others.
   */
  instruct(frame: Frame, hasBegun: boolean): boolean {
    if (this.#interrupt.isIn && !this.#interrupt.isEmpty) this.#interrupt.restart(frame);
    else if (this.#frames.length > 0) return interruptFrames([...this.#frames, frame]) !== this.#frames.length;
    else if (!hasBegun || !this.#interrupt.isEmpty) this.#instruction = frame;
    return true;
  }

  haveRegisters(): void {
    if (this.isEmpty) this.#hasRegisters = true;
  }

  get #isOfCpu(): boolean {
    return this.#hasRegisters || this.#instruction !== undefined;
  }

  forgetInstruction(): void {
    this.#hasRegisters = false;
    this.#instruction = undefined;
  }

  /** Where the CPU was when it was interrupted. */
  except(frame: Frame): void {
    this.#exception = frame;
  }

  enterInterrupt(isAbove: boolean): void {
    this.#interrupt.enter(isAbove);
  }

  leaveInterrupt(): void {
    this.#interrupt.leave();
  }

  /** The frames so far are of an interrupt. */
  markInterrupted(): void {
    this.#interrupted = this.#frames.length;
  }

  /** The stack is complete. `isTold`: something has told of its task or its beginning. */
  complete(isTold: boolean): Whole {
    // Nothing follows on where the CPU was interrupted, or on what caused the fault.
    const { last } = this;
    if (this.#exception !== undefined && last !== undefined && last.symbol !== this.#exception.symbol && !this.isWhole)
      this.#frames.push(this.#exception);
    // Behind the scheduler the kernel's unwinder has given up, unless the stack is cut off before what is not left over.
    const isLost = this.#frames.every(isScheduler);
    const behind = isLost ? this.#guessed.slice(this.#guessedWithin) : [];
    const within = this.#frames.length < 2 || behind.some(isEntry) ? behind : [];
    const likely = within.filter((frame) => this.#isLikely(frame));
    const isReady = isLost && isPreempted([...this.#frames, ...within]);
    // The registers of a task that ran, without a stack or before one of guesses.
    const instruction = this.#frames.length === 0 && isTold ? this.#instruction : undefined;
    if (instruction !== undefined && instruction.symbol !== likely[0]?.symbol) this.#frames.push(instruction);
    for (const frame of likely) this.#frames.push(frame);
    const { frames, wasInterrupted } = this.#ofTask();
    return {
      frames,
      wasInterrupted: wasInterrupted || !this.#interrupt.isEmpty || this.#isOwnReport,
      isReady,
      isOnCpu: instruction !== undefined,
      guesses: this.#guessed.length - likely.length,
    };
  }

  #ofTask(): ReturnType<typeof ofTask> {
    if (this.#frames.length === 0) return ofTask(this.#interrupt.frames, this.#interrupted);
    const { frames, wasInterrupted } = ofTask(this.#frames, this.#interrupted);
    return { frames: [...softirqFrames(this.#interrupt.frames), ...frames].slice(0, MOST_FRAMES), wasInterrupted };
  }

  #isLikely(guess: Frame): boolean {
    return !isLeftOver(guess) && !this.#frames.some(({ symbol }) => symbol === guess.symbol);
  }

  /** Another stack begins. The registers are kept. */
  clear(): void {
    this.#frames = [];
    this.#guessed = [];
    this.#guessedWithin = 0;
    this.#interrupt.clear();
    this.#interrupted = 0;
    this.#exception = undefined;
    this.#hasRegisters = false;
    this.#isOwnReport = false;
  }
}
