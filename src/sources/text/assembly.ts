import type { Frame } from '../../model/stack.ts';
import type { State } from '../../model/task.ts';
import { interruptFrames, isEntry, isLeftOver, isOutermost, isOwnReport, isScheduler } from './functions.ts';
import { InterruptPart } from './interrupt-part.ts';
import type { Header, Line } from './line.ts';
import { isSameMoment, type Stamp } from './stamps.ts';
import {
  asSeen,
  hasDecimalOffset,
  hasNoSize,
  isAlternating,
  isDoubled,
  isLikeProgram,
  isPreempted,
  ofTask,
  softirqFrames,
} from './task-frames.ts';
import type { Assembled, LeftOut, Place, Seam } from './text-stack.ts';

const MOST_TASKS = 100_000;
const MOST_FRAMES = 256;
/** A header is forgotten if its stack does not follow within this many lines. */
const LONGEST_REPORT = 200;
/** The same for a title. */
const LONGEST_TITLE = 25;
const MOST_INLINED = 4;
/** A log without caller ids may have so many lines of others between the frames of a stack. */
const MOST_STRANGERS = 1;
export const NO_PLACE: Place = {
  isLogged: false,
  quotes: 0,
  caller: undefined,
  gap: { lines: 0, words: 0, quotes: 0, cuts: 0 },
};

/** Puts the lines of one caller together to stacks, one after the other. */
export class Assembly {
  readonly #emit: (assembled: Assembled) => void;
  #guesses = 0;
  #cut = 0;
  #mixed = 0;
  #tasks: Header[] = [];
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
  /** The CPU was in a program. */
  #isInProgram = false;
  #number: number | undefined;
  #stamp: Stamp;
  #begun = false;
  /** Behind `<TASK>`, and when that was. */
  #inTask = false;
  #openedAt: Stamp;
  #isPast = false;
  #isWeak = false;
  /** A blank line followed on that. */
  #isFaded = false;
  #isTitle = false;
  /** In the classic text of kstack, an empty stack is one. */
  #isClassic = false;
  /** Where the latest line, the first frame and the last frame were. */
  #place: Place = NO_PLACE;
  #begins: Place | undefined;
  #ends: Place = NO_PLACE;
  #endStamp: Stamp;
  #firstNumber: number | undefined;
  /** A header, a title or a mark stood before the stack. */
  #isHeaded = false;
  /** `</TASK>` without `<TASK>` followed the frames. */
  #closes = false;
  #isUnclaimed = false;
  /** A task whose header was followed by that of another one instead of by its stack. */
  #hasUnclaimed = false;
  /** The latest stack had one. */
  #hadUnclaimed = false;
  /** Of the tasks of `foreach UN bt`. */
  #stateOfAll: State | undefined;
  /** The header of a task came in the middle of a trace: if frames follow at once, they may be of either. */
  #isTorn = false;
  /** The headers of other tasks came before the frames, each as if its own stack followed. */
  #mixedHeaders = 0;
  /** Those tasks. */
  #others: readonly Header[] = [];
  #hadHeader = false;
  /** The latest stack was one of those. */
  #wasMixed = false;
  /** Behind `Call Trace:`, before its frames. */
  #isTrace = false;
  /** The task has printed its stack itself: it ran. */
  #isOwnReport = false;
  /** `</TASK>` was the end of the stack so far. */
  #isOver = false;
  /** Behind an outermost function, without anything between. */
  #isBehindOutermost = false;
  /** The latest line was one of a list of tasks. */
  #isInList = false;
  #strangers = 0;
  #age = 0;
  /** The last stack of decimal offsets went out to its outermost function: the next may be the program's. */
  #isProgramNext = false;

  constructor(stamp: Stamp, emit: (assembled: Assembled) => void) {
    this.#stamp = stamp;
    this.#openedAt = stamp;
    this.#endStamp = stamp;
    this.#emit = emit;
  }

  get leftOut(): LeftOut {
    return { guesses: this.#guesses, cut: this.#cut, mixed: this.#mixed };
  }

  get stamp(): Stamp {
    return this.#stamp;
  }

  get hasFrames(): boolean {
    return this.#frames.length > 0 || this.#guessed.length > 0 || !this.#interrupt.isEmpty;
  }

  /** Whether a name alone in its line is a frame: behind `Call Trace:`, if the frames so far have no offsets. */
  get takesNames(): boolean {
    return this.#begun && this.#guessed.at(-1)?.offset === undefined && this.#frames.at(-1)?.offset === undefined;
  }

  get hasOffsets(): boolean {
    return this.#frames.at(-1)?.offset !== undefined;
  }

  /** Whether nothing is kept: lines without a frame or a header have no effect. */
  get isIdle(): boolean {
    return (
      !this.hasFrames && this.#tasks.length === 0 && !this.#begun && !this.#isPast && this.#instruction === undefined
    );
  }

  /** Whether the stack that has begun, or that follows, is of this task. */
  isOf(tid: number | undefined): boolean {
    return this.#tasks.some((task) => task.tid === tid);
  }

  step(line: Line, now: Stamp, place: Place = NO_PLACE): void {
    this.#place = place;
    if (this.#tasks.length === 0 && !this.hasFrames) this.#stamp = now;
    switch (line.kind) {
      case 'frame':
        if (line.isInTrace && !this.#begun && !this.hasFrames) return;
        // Behind the link register, PowerPC prints the same function once more.
        if (line.isUnsure && (!this.hasFrames || this.#frames.at(-1)?.symbol === line.frame.symbol)) {
          this.#guess(line.frame, now);
          return;
        }
        if (line.isPrint && line.number !== (this.#number ?? -1) + 1) return;
        this.#frame(line.frame, line.number, now);
        return;
      case 'guess':
        if (line.isInTrace && !this.#begun && !this.hasFrames) return;
        this.#guess(line.frame, now);
        return;
      case 'lines':
        for (const part of line.lines) this.step(part, now, place);
        return;
      case 'call':
        if (this.#isPast) return;
        // Functions that were inlined into the callee may have been added behind it.
        if (!this.#frames.slice(-MOST_INLINED).some(({ symbol }) => symbol === line.callee.symbol))
          this.#frame(line.callee, undefined, now);
        if (line.caller !== undefined) this.#frame(line.caller, undefined, now);
        return;
      case 'instruction':
        this.#instructed(line.frame, now);
        return;
      case 'program':
        this.#isInProgram = true;
        return;
      case 'exception':
        this.#exception = line.frame;
        return;
      case 'hung':
        this.#task(line.header, true, now);
        return;
      case 'task':
        this.#task(
          this.#stateOfAll === undefined ? line.header : { state: this.#stateOfAll, ...line.header },
          line.isAnnounced === true,
          now,
        );
        return;
      case 'sharing-task':
        if (this.hasFrames || this.#begun) this.end();
        if (this.#tasks.length === 0) this.#stamp = now;
        this.#isClassic = true;
        this.#isHeaded = true;
        if (this.#tasks.length < MOST_TASKS) this.#tasks.push(line.header);
        else this.#cut++;
        return;
      case 'label':
        this.#label(this.#isInList && line.isList ? {} : line.header, line.weak === true, now);
        this.#isInList = line.isList === true;
        if (line.weak === undefined) this.#stateOfAll = line.ofAll;
        return;
      case 'about':
        this.#about(line.header);
        return;
      case 'behind':
        this.#behind(line.header);
        return;
      case 'named':
        if (this.hasFrames) this.#behind(line.header);
        else if (line.isPast) this.step({ kind: 'past' }, now);
        else this.#label(line.header, false, now);
        return;
      case 'begin':
        this.#begin(line.isTrace === true);
        return;
      case 'past':
        this.end(false);
        this.#isPast = true;
        return;
      case 'task-begin':
        if (this.#inTask && isSameMoment(this.#openedAt, now)) this.#mix();
        this.#openedAt = now;
        this.#inTask = true;
        this.#isHeaded ||= !this.hasFrames;
        this.#interrupt.leave();
        return;
      case 'task-end':
        this.#closes ||= this.hasFrames && !this.#inTask;
        this.#isOver = this.hasFrames;
        this.#inTask = false;
        return;
      case 'interrupt':
        this.#isHeaded ||= !this.hasFrames;
        this.#interrupt.enter(line.above === true);
        return;
      case 'interrupt-end':
        this.#interrupt.leave();
        return;
      case 'interrupted':
        this.#interrupted = this.#frames.length;
        return;
      default:
    }
  }

  /** Registers: above a trace, or where an interrupt that the trace begins with ends. */
  #instructed(frame: Frame, now: Stamp): void {
    if (this.#isOver) this.end();
    if (this.#interrupt.isIn && !this.#interrupt.isEmpty) this.#interrupt.restart(frame);
    else if (this.#frames.length > 0 && interruptFrames([...this.#frames, frame]) === this.#frames.length)
      this.#frame(frame, undefined, now);
    else if (this.#frames.length === 0 && (!this.#begun || !this.#interrupt.isEmpty)) this.#instruction = frame;
  }

  /** A line of which nothing is known. */
  stranger(isLogged: boolean, isIndented: boolean): void {
    this.#isPast = false;
    this.#isInList = false;
    if (!this.hasFrames) {
      this.#age++;
      if (this.#isWeak || this.#age > (this.#isTitle ? LONGEST_TITLE : LONGEST_REPORT)) this.end();
      return;
    }
    // Between frames with numbers are their arguments, lines of code and what was on the stack.
    if (this.#number !== undefined && isIndented) return;
    // In a mail, a line of a log may be broken.
    if ((isLogged || this.#place.isLogged) && ++this.#strangers <= MOST_STRANGERS) return;
    this.end();
    this.#inTask = false;
  }

  /** A line of nothing. In a double-spaced text that has no meaning within a stack that has a beginning. */
  blank(isDoubleSpaced: boolean): void {
    if (isDoubleSpaced && this.#begun) return;
    if (this.hasFrames || (this.#begun && this.#isClassic) || this.#isPast) this.end();
    this.#inTask = false;
    // bpftrace(8) puts an empty line before each stack.
    if (this.#isWeak && this.#isFaded) this.#forget();
    this.#isFaded = this.#isWeak;
    // Other labels and headers may stand above a blank line.
  }

  /** What the kernel says about a task whose header was here, and whose stack is not complete yet. */
  adds(header: Header): boolean {
    const at = this.#tasks.findIndex(({ tid }) => tid === header.tid);
    if (!this.hasFrames) return false;
    if (this.#tasks.length === 0) this.#tasks = [header];
    const known = this.#tasks[at];
    if (known === undefined) return this.#tasks[0] === header;
    this.#tasks[at] = { ...known, ...header, ...(known.state !== undefined && { state: known.state }) };
    return true;
  }

  #frame(frame: Frame, number: number | undefined, now: Stamp): void {
    if (this.#isPast) return;
    if (this.#isFaded && !hasDecimalOffset(frame)) this.#forget();
    this.#isFaded = false;
    if (number !== undefined && this.#number !== undefined && number <= this.#number) {
      this.end();
      this.#stamp = now;
    }
    this.#touch(now, number);
    this.#number = number;
    this.#strangers = 0;
    if (this.#isTorn) {
      this.#mixed = 2;
      this.#isTorn = false;
    }
    if (this.#interrupt.isIn) {
      this.#interrupt.add(frame, this.#instruction);
      // Guesses alone are of the interrupt that prints this.
      if (!this.#interrupt.isAbove) this.#instruction = undefined;
      return;
    }
    if (this.#frames.length === 0) this.#isOwnReport ||= isOwnReport(frame) || this.#instruction !== undefined;
    // PowerPC and s390 print it as the first frame, too.
    if (this.#instruction !== undefined && this.#instruction.symbol !== frame.symbol)
      this.#frames.push(this.#instruction);
    this.#instruction = undefined;
    if (this.#exception !== undefined && this.#exception.symbol !== frame.symbol) this.#frames.push(this.#exception);
    this.#exception = undefined;
    const last = this.#frames.at(-1);
    if (last !== undefined && this.#isOutermost(this.#frames.length - 1)) {
      // A pointer to the start of a function is no caller.
      if (frame.offset === 0 && frame.size !== undefined) {
        this.#guesses++;
        return;
      }
      if (!isOutermost(frame.symbol, last) && !isEntry(frame)) {
        this.end();
        this.#isBehindOutermost = true;
        this.#stamp = now;
        this.#touch(now, number);
      }
    }
    this.#guessedWithin = this.#guessed.length;
    if (this.#frames.length < MOST_FRAMES) this.#frames.push(frame);
    else this.#cut++;
  }

  #isOutermost(at: number): boolean {
    const frame = this.#frames[at];
    return frame !== undefined && isOutermost(frame.symbol, this.#frames[at - 1]);
  }

  /** A frame was here. */
  #touch(now: Stamp, number?: number): void {
    this.#isInList = false;
    if (this.#begins === undefined) {
      this.#begins = this.#place;
      this.#firstNumber = number;
    }
    this.#ends = this.#place;
    this.#endStamp = now;
  }

  #guess(frame: Frame, now: Stamp): void {
    if (this.#isPast) return;
    if (!this.#interrupt.isIn && this.#frames.length === 0) this.#isOwnReport ||= isOwnReport(frame);
    this.#touch(now);
    this.#strangers = 0;
    if (!this.#interrupt.isIn && this.#guessed.length < MOST_FRAMES) this.#guessed.push(frame);
    else this.#guesses++;
  }

  /** What the header of a task shows of traces that were written into one another. */
  #mixAt(header: Header, now: Stamp): { readonly isTorn: boolean; readonly mixed: number } {
    const isTogether = this.#place.isLogged && isSameMoment(this.#stamp, now);
    const last = this.#tasks.at(-1);
    const isAnother = last?.tid !== undefined && header.tid !== undefined && last.tid !== header.tid;
    const isInTrace = this.#begun && isTogether && isAnother;
    const isTorn = isInTrace && this.#frames.length > 0 && !this.#isOutermost(this.#frames.length - 1);
    const isBetween = !this.hasFrames && isAnother && isTogether && this.#hadHeader && !this.#isInProgram;
    const mayRun = last?.state === 'R' && last.onCpu === undefined;
    const mixed = isBetween && !mayRun && !this.#isWeak ? this.#mixedHeaders + 1 : this.#mixedHeaders;
    return { isTorn, mixed: this.hasFrames ? 0 : mixed };
  }

  #task(header: Header, isAnnounced: boolean, now: Stamp): void {
    const { isTorn, mixed } = this.#mixAt(header, now);
    const [last] = this.#tasks;
    const others = mixed > this.#mixedHeaders && last !== undefined ? [...this.#others, last] : this.#others;
    this.#takeTask(header, now);
    this.#others = others;
    this.#isTorn = isTorn;
    this.#mixedHeaders = mixed;
    this.#hadHeader = !isAnnounced;
  }

  #takeTask(header: Header, now: Stamp): void {
    const isAnother = this.#tasks.at(-1)?.tid !== header.tid;
    const wasOnCpu = this.#instruction !== undefined || this.#isInProgram || !isSameMoment(this.#stamp, now);
    if (this.hasFrames || this.#begun || (isAnother && wasOnCpu)) this.end();
    this.#isHeaded = true;
    this.#isPast = false;
    this.#hadUnclaimed = false;
    this.#age = 0;
    // A task that was named hours ago without a stack belongs to another report.
    if (!isSameMoment(this.#stamp, now)) {
      this.#tasks = [];
      this.#hasUnclaimed = false;
    }
    if (this.#tasks.length === 0 || this.#isWeak) this.#stamp = now;
    this.#instruction = undefined;
    const last = this.#tasks.at(-1);
    const isSame = last !== undefined && (last.tid === header.tid || header.tid === undefined);
    // A hung task is named twice: in the report and by the scheduler. A task followed by another one has no stack.
    if (!isSame && last?.tid !== undefined && !this.#isWeak) this.#hasUnclaimed = true;
    this.#tasks = [isSame ? { ...last, ...header } : header];
    this.#isWeak = false;
    this.#isTitle = false;
  }

  #label(header: Header, isWeak: boolean, now: Stamp): void {
    // `PID = 1` behind `Allocated:`
    if (this.#isPast && header.tid !== undefined && Object.keys(header).length === 1) return;
    const last = this.#tasks.at(-1);
    if (isWeak && !this.hasFrames && last !== undefined && !this.#isWeak) return;
    const isSame = !this.hasFrames && header.tid !== undefined && last?.tid === header.tid;
    this.end();
    this.#inTask = false;
    this.#isHeaded = true;
    this.#hadUnclaimed = false;
    this.#stamp = now;
    this.#tasks = isEmpty(header) ? [] : [isSame ? { ...last, ...header } : header];
    this.#isWeak = isWeak;
    this.#isTitle = true;
  }

  #about(header: Header): void {
    const last = this.#tasks.at(-1) ?? {};
    if (!this.hasFrames) this.#tasks = [...this.#tasks.slice(0, -1), { ...last, ...header }];
  }

  #behind(header: Header): void {
    if (this.hasFrames && !isEmpty(header)) this.#tasks = [{ ...this.#tasks.at(-1), ...header }];
    this.end();
  }

  #begin(isTrace: boolean): void {
    this.#isPast = false;
    this.#isTorn = false;
    if (this.hasFrames) this.end();
    else if (this.#isTrace && isTrace && this.#place.isLogged) this.#mixedHeaders = Math.max(this.#mixedHeaders, 1);
    this.#isTrace = isTrace;
    // Two headers came before the latest trace, and this one has none.
    if (this.#hadUnclaimed && this.#tasks.length === 0) this.#isUnclaimed = true;
    this.#hadUnclaimed = false;
    this.#begun = true;
    this.#isHeaded = true;
  }

  /** The stack before and the one that follows were written into one another, or the one before was cut off. */
  #mix(): void {
    if (!this.hasFrames) this.#mixed = 2;
    else {
      this.#mixed = 1;
      this.end();
      this.#mixed = 1;
    }
  }

  /** Whether the task ran in a program, or the kernel only says that it ran. */
  #isWithoutStack(): boolean {
    const [task] = this.#tasks;
    return !this.hasFrames && (task?.ranLong === true || (this.#isInProgram && task?.onCpu === true));
  }

  #seam(): Seam {
    return {
      isRest: !this.#isHeaded && this.#tasks.length === 0 && this.#firstNumber !== 0,
      begins: this.#begins ?? NO_PLACE,
      ends: this.#ends,
      endStamp: this.#endStamp,
      firstNumber: this.#firstNumber,
      lastNumber: this.#number,
      isTrace: this.#begun,
      isOpen: this.#inTask,
      closes: this.#closes,
    };
  }

  #forget(): void {
    this.#isInProgram = false;
    this.#isHeaded = false;
    this.#isClassic = false;
    this.#tasks = [];
    this.#instruction = undefined;
    this.#begun = false;
    this.#isWeak = false;
    this.#isFaded = false;
    this.#age = 0;
    this.#hasUnclaimed = false;
    this.#isTorn = false;
    this.#mixedHeaders = 0;
    this.#others = [];
    this.#hadHeader = false;
    this.#isTrace = false;
  }

  /**
   * The stack is of all tasks whose headers came before it. Of two CPUs that printed the same one at once, each line
   * stands there twice.
   */
  #undouble(frames: readonly Frame[]): readonly Frame[] {
    const byTid = new Map([...this.#others, ...this.#tasks].map((task) => [task.tid, task]));
    this.#tasks = [...byTid.values()];
    if (byTid.size !== 2 || !isDoubled(frames)) return frames;
    this.#mixedHeaders = 0;
    return frames.filter((_, at) => at % 2 === 0);
  }

  #isLikely(guess: Frame): boolean {
    return !isLeftOver(guess) && !this.#frames.some(({ symbol }) => symbol === guess.symbol);
  }

  /** Ends the current stack. `isLast`: no trace of a task that ran can follow. */
  end(isLast = true): void {
    // Nothing follows on where the CPU was interrupted.
    if (this.#exception !== undefined && this.#frames.length > 0) {
      const count = this.#frames.length;
      if (interruptFrames([...this.#frames, this.#exception]) === count) this.#frames.push(this.#exception);
    }
    // Behind the scheduler the kernel's unwinder has given up.
    const isLost = this.#frames.every(isScheduler);
    const likely = isLost ? this.#guessed.slice(this.#guessedWithin).filter((frame) => this.#isLikely(frame)) : [];
    // The registers of a task that ran, without a stack or before one of guesses.
    const isTold = this.#tasks.length > 0 || this.#begun;
    if (this.#isOwnReport && this.#tasks.length === 0) this.#tasks = [{ onCpu: true }];
    const isReady = isLost && isPreempted([...this.#frames, ...this.#guessed.slice(this.#guessedWithin)]);
    if (isReady) this.#tasks = asReady(this.#tasks);
    const instruction = this.#frames.length === 0 && isTold ? this.#instruction : undefined;
    if (instruction !== undefined && this.#tasks.length === 0) this.#tasks = [{ onCpu: true }];
    if (instruction !== undefined && instruction.symbol !== likely[0]?.symbol) this.#frames.push(instruction);
    for (const frame of likely) this.#frames.push(frame);
    this.#guesses += this.#guessed.length - likely.length;
    const all = this.#frames.length === 0 ? this.#interrupt.frames : this.#frames;
    const ofCpu = ofTask(all, this.#interrupted);
    const found =
      this.#frames.length === 0 ? ofCpu : [...softirqFrames(this.#interrupt.frames), ...ofCpu].slice(0, MOST_FRAMES);
    const frames = this.#mixedHeaders === 0 ? found : this.#undouble(found);
    // Tracers print the stack of the program behind that of the kernel.
    const isProgram =
      (this.#isProgramNext && isLikeProgram(frames, hasDecimalOffset)) ||
      (this.#isBehindOutermost && isLikeProgram(frames, hasNoSize));
    const isWithoutStack = (this.#isClassic && this.#begun) || (isLast && this.#isWithoutStack());
    const isEmptyStack = this.#tasks.length > 0 && isWithoutStack;
    if (frames.length > 0 ? !isProgram : isEmptyStack) {
      if (frames.length > 0 && this.#mixed === 0) this.#mixed = isAlternating(frames) ? 2 : this.#mixedHeaders;
      // What follows without a beginning is the rest of one of both.
      if (this.#wasMixed && this.#tasks.length === 0 && !this.#isHeaded) this.#mixed = Math.max(this.#mixed, 1);
      this.#wasMixed = this.#mixed > 0;
      this.#isProgramNext = frames.every(hasDecimalOffset) && this.#isOutermost(this.#frames.length - 1);
      this.#emit({
        tasks: this.#tasks.map((header) =>
          asSeen(header, frames, this.#interrupted > 0 || !this.#interrupt.isEmpty || this.#isOwnReport),
        ),
        frames,
        stamp: this.#stamp,
        leftOut: this.leftOut,
        isUnclaimed: this.#isUnclaimed,
        isUntold: frames.length === 0 && !this.#isInProgram && !this.#isClassic,
        seam: this.#seam(),
      });
      this.#guesses = 0;
      this.#cut = 0;
      this.#mixed = 0;
      this.#hadUnclaimed = this.#hasUnclaimed;
    }
    const last = this.#frames.length - 1;
    if (this.#isOutermost(last)) this.#inTask = false;
    this.#frames = [];
    this.#guessed = [];
    this.#guessedWithin = 0;
    this.#interrupt.clear();
    this.#interrupted = 0;
    this.#exception = undefined;
    this.#number = undefined;
    this.#begins = undefined;
    this.#closes = false;
    this.#isUnclaimed = false;
    this.#isBehindOutermost = false;
    this.#isOwnReport = false;
    this.#isOver = false;
    this.#isPast = false;
    this.#strangers = 0;
    this.#forget();
  }
}

/** The tasks, or the unknown one, of a stack that shows that they were preempted. */
function asReady(tasks: readonly Header[]): Header[] {
  return (tasks.length === 0 ? [{}] : tasks).map((header) => ({ state: 'R', ...header }));
}

function isEmpty(header: Header): boolean {
  return Object.keys(header).length === 0;
}
