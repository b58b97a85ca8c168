import type { Frame } from '../../../model/stack.ts';
import type { Header } from '../line.ts';
import { isSameMoment, type Stamp } from '../stamps.ts';
import { MixedTraces } from './mixed-traces.ts';
import { ProgramStacks } from './program-stacks.ts';
import { SeamMarks } from './seam-marks.ts';
import { StackFrames } from './stack-frames.ts';
import { StackTasks } from './stack-tasks.ts';
import { areOld, asSeen, hasDecimalOffset } from './task-frames.ts';
import type { Assembled, LeftOut } from './text-stack.ts';

/** A log without caller ids may have so many lines of others between the frames of a stack. */
const MOST_STRANGERS = 1;

/** The stack that is being put together, from its header to its end; then the next one. */
export class StackDraft {
  readonly #emit: (assembled: Assembled) => void;
  readonly tasks = new StackTasks();
  readonly frames = new StackFrames();
  readonly seam: SeamMarks;
  readonly #mixed = new MixedTraces();
  readonly #programs = new ProgramStacks();
  #guesses = 0;
  #cut = 0;
  /** The CPU was in a program. */
  isInProgram = false;
  /** When its first line was written. */
  stamp: Stamp;
  #begun = false;
  /** Behind `<TASK>`, and when that was. */
  #inTask = false;
  #openedAt: Stamp;
  #isPast = false;
  /** In the classic text of kstack, an empty stack is one. */
  #isClassic = false;
  /** A header, a title or a mark stood before the stack. */
  #isHeaded = false;
  /** `</TASK>` was the end of the stack so far. */
  #isOver = false;
  /** The latest line was one of a list of tasks. */
  isInList = false;
  #strangers = 0;

  constructor(stamp: Stamp, emit: (assembled: Assembled) => void) {
    this.stamp = stamp;
    this.#openedAt = stamp;
    this.seam = new SeamMarks(stamp);
    this.#emit = emit;
  }

  get leftOut(): LeftOut {
    return { guesses: this.#guesses, cut: this.#cut, mixed: this.#mixed.count };
  }

  get hasFrames(): boolean {
    return !this.frames.isEmpty;
  }

  get hasBegun(): boolean {
    return this.#begun;
  }

  get isPast(): boolean {
    return this.#isPast;
  }

  /** A line of which nothing is known. */
  stranger(isLogged: boolean, isIndented: boolean): void {
    this.#isPast = false;
    this.isInList = false;
    if (!this.hasFrames) {
      if (this.tasks.ages()) this.end();
      return;
    }
    // Between frames with numbers are their arguments, lines of code and what was on the stack.
    if (this.seam.number !== undefined && isIndented) return;
    // In a mail, a line of a log may be broken.
    if ((isLogged || this.seam.place.isLogged) && ++this.#strangers <= MOST_STRANGERS) return;
    this.end();
    this.#inTask = false;
  }

  /** A line of nothing. In a double-spaced text that has no meaning within a stack that has a beginning. */
  blank(isDoubleSpaced: boolean): void {
    if (isDoubleSpaced && this.#begun) return;
    if (this.hasFrames || (this.#begun && this.#isClassic) || this.#isPast) this.end();
    this.#inTask = false;
    // bpftrace(8) puts an empty line before each stack. Other labels and headers may stand above a blank line.
    if (this.tasks.fades()) this.#forget();
  }

  frame(frame: Frame, number: number | undefined, now: Stamp): void {
    if (this.#isPast) return;
    if (this.tasks.isFaded && !hasDecimalOffset(frame)) this.#forget();
    this.tasks.unfade();
    if (number !== undefined && this.seam.number !== undefined && number <= this.seam.number) {
      this.end();
      this.stamp = now;
    }
    this.#touch(now, number);
    this.seam.number = number;
    this.#mixed.frame();
    if (this.frames.interrupts(frame)) return;
    this.frames.precede(frame);
    if (this.frames.isWhole) {
      // A pointer to the start of a function is no caller.
      if (frame.offset === 0 && frame.size !== undefined) {
        this.#guesses++;
        return;
      }
      if (!this.frames.goesOnWith(frame)) {
        this.end();
        this.#programs.followOutermost();
        this.stamp = now;
        this.#touch(now, number);
      }
    }
    if (!this.frames.add(frame)) this.#cut++;
  }

  #touch(now: Stamp, number?: number): void {
    this.isInList = false;
    this.#strangers = 0;
    this.seam.touch(now, number);
  }

  guess(frame: Frame, now: Stamp): void {
    if (this.#isPast) return;
    this.#touch(now);
    if (!this.frames.guess(frame)) this.#guesses++;
  }

  task(header: Header, isAnnounced: boolean, now: Stamp): void {
    const isTogether = this.seam.place.isLogged && isSameMoment(this.stamp, now);
    const { first, last, isWeak } = this.tasks;
    const isAnother = isTogether && last?.tid !== undefined && header.tid !== undefined && last.tid !== header.tid;
    const mayRun = last?.state === 'R' && last.onCpu === undefined;
    const headers = this.#mixed.headersWith({
      isTorn: this.#begun && isAnother && this.frames.hasSure && !this.frames.isWhole,
      isMixed: isAnother && !this.isInProgram && !mayRun && !isWeak,
      hasFrames: this.hasFrames,
      first,
    });
    this.#takeTask(header, now);
    this.#mixed.turnTo(headers, isAnnounced);
  }

  #takeTask(header: Header, now: Stamp): void {
    const isAnother = this.tasks.last?.tid !== header.tid;
    const wasOnCpu = this.frames.hasInstruction || this.isInProgram || !isSameMoment(this.stamp, now);
    if (this.hasFrames || this.#begun || (isAnother && wasOnCpu)) this.end();
    this.#isHeaded = true;
    this.#isPast = false;
    this.#mixed.claim();
    // A task that was named hours ago without a stack belongs to another report.
    if (!isSameMoment(this.stamp, now)) {
      this.tasks.drop();
      this.#mixed.hasUnclaimed = false;
    }
    if (this.tasks.isEmpty || this.tasks.isWeak) this.stamp = now;
    this.frames.forgetInstruction();
    if (this.tasks.head(header)) this.#mixed.hasUnclaimed = true;
  }

  sharingTask(header: Header, now: Stamp): void {
    if (this.hasFrames || this.#begun) this.end();
    if (this.tasks.isEmpty) this.stamp = now;
    this.#isClassic = true;
    this.#isHeaded = true;
    if (!this.tasks.share(header)) this.#cut++;
  }

  label(header: Header, isWeak: boolean, now: Stamp): void {
    // `PID = 1` behind `Allocated:`
    if (this.#isPast && header.tid !== undefined && Object.keys(header).length === 1) return;
    const { last } = this.tasks;
    if (isWeak && !this.hasFrames && last !== undefined && !this.tasks.isWeak) return;
    const isSame = !this.hasFrames && header.tid !== undefined && last?.tid === header.tid;
    this.end();
    this.#inTask = false;
    this.#isHeaded = true;
    this.#mixed.claim();
    this.stamp = now;
    this.tasks.title(isSame ? { ...last, ...header } : header, isWeak);
  }

  behind(header: Header): void {
    if (this.hasFrames) this.tasks.behind(header);
    this.end();
  }

  begin(isTrace: boolean): void {
    this.#isPast = false;
    if (this.hasFrames) this.end();
    this.#mixed.begin(isTrace, this.seam.place.isLogged, !this.tasks.isEmpty);
    this.#begun = true;
    this.#isHeaded = true;
  }

  /** `<TASK>`. Within another one, the stack before was cut off, or both were written into one another. */
  open(now: Stamp): void {
    if (this.#inTask && isSameMoment(this.#openedAt, now)) {
      const { hasFrames } = this;
      if (hasFrames) {
        this.#mixed.mark(1);
        this.end();
      }
      this.#mixed.mark(hasFrames ? 1 : 2);
    }
    this.#openedAt = now;
    this.#inTask = true;
    this.#isHeaded ||= !this.hasFrames;
    this.frames.leaveInterrupt();
  }

  /** `</TASK>` */
  close(): void {
    if (this.hasFrames && !this.#inTask) this.seam.close();
    this.#isOver = this.hasFrames;
    this.#inTask = false;
  }

  /** The stack that follows is not of a task that waits or runs. */
  past(): void {
    this.end(false);
    this.#isPast = true;
  }

  /** What follows is of an interrupt. */
  interrupt(isAbove: boolean): void {
    this.#isHeaded ||= !this.hasFrames;
    this.frames.enterInterrupt(isAbove);
  }

  /** Where the CPU was, by registers. */
  instruct(frame: Frame, now: Stamp): void {
    if (this.#isOver) this.end();
    if (!this.frames.instruct(frame, this.#begun)) this.frame(frame, undefined, now);
  }

  #forget(): void {
    this.isInProgram = false;
    this.#isHeaded = false;
    this.#isClassic = false;
    this.#begun = false;
    this.tasks.forget();
    this.frames.forgetInstruction();
    this.#mixed.forget();
  }

  /** Ends the current stack. `isLast`: no trace of a task that ran can follow. */
  end(isLast = true): void {
    const complete = this.frames.complete(!this.tasks.isEmpty || this.#begun);
    const { frames: found, wasInterrupted, isReady, isOnCpu, guesses } = complete;
    if (this.frames.isOwnReport) this.tasks.runs();
    if (isReady) this.tasks.areReady();
    if (isOnCpu) this.tasks.runs();
    this.#guesses += guesses;
    const { tasks, frames } = this.#mixed.resolve(this.tasks.all, found);
    this.tasks.all = tasks;
    const ran = isLast && !this.hasFrames && this.tasks.ran(this.isInProgram);
    const isWithoutStack = (this.#isClassic && this.#begun) || ran;
    if (frames.length > 0 ? !this.#programs.has(frames) : tasks.length > 0 && isWithoutStack)
      this.#release(tasks, frames, wasInterrupted);
    if (this.frames.isWhole) this.#inTask = false;
    this.#clear();
  }

  #release(tasks: readonly Header[], read: readonly Frame[], wasInterrupted: boolean): void {
    const frames = areOld(read, wasInterrupted, tasks[0]) ? [] : read;
    const isUntitled = !this.#isHeaded && tasks.length === 0;
    this.#mixed.settle(frames, isUntitled);
    this.#programs.follow(frames, this.frames.isWhole);
    this.#emit({
      tasks: tasks.map((header) => asSeen(header, frames, wasInterrupted)),
      frames,
      stamp: this.stamp,
      leftOut: this.leftOut,
      isUnclaimed: this.#mixed.isUnclaimed,
      isUntold: frames.length === 0 && !this.isInProgram && !this.#isClassic,
      seam: this.seam.seam(isUntitled, { isTrace: this.#begun, isOpen: this.#inTask }),
    });
    this.#guesses = 0;
    this.#cut = 0;
    this.#mixed.release();
  }

  #clear(): void {
    this.frames.clear();
    this.seam.clear();
    this.#mixed.clear();
    this.#programs.clear();
    this.#isOver = false;
    this.#isPast = false;
    this.#strangers = 0;
    this.#forget();
  }
}
