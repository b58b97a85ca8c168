import type { State } from '../../../model/task.ts';
import { isScheduler } from '../functions.ts';
import type { Header, Line } from '../line.ts';
import type { Stamp } from '../stamps.ts';
import { NO_PLACE } from './position.ts';
import { StackDraft } from './stack-draft.ts';
import type { Assembled, LeftOut, Place } from './text-stack.ts';

/** Puts the lines of one caller together to stacks, one after the other. */
export class Assembly {
  readonly #draft: StackDraft;
  /** Of the tasks of `foreach UN bt`. */
  #stateOfAll: State | undefined;

  constructor(stamp: Stamp, emit: (assembled: Assembled) => void) {
    this.#draft = new StackDraft(stamp, emit);
  }

  get leftOut(): LeftOut {
    return this.#draft.leftOut;
  }

  get stamp(): Stamp {
    return this.#draft.stamp;
  }

  get hasFrames(): boolean {
    return this.#draft.hasFrames;
  }

  /** Whether the stack has its outermost function. */
  get isWhole(): boolean {
    return this.#draft.frames.isWhole;
  }

  /** Whether the lines before name its task. */
  get hasTask(): boolean {
    return !this.#draft.tasks.isEmpty;
  }

  /** Whether a function of the scheduler can only be that of another stack. */
  get isBeyondScheduler(): boolean {
    const { last } = this.#draft.frames;
    return last !== undefined && !isScheduler(last);
  }

  /** Whether a name alone in its line is a frame: behind `Call Trace:`, if the frames so far have no offsets. */
  get takesNames(): boolean {
    const { hasBegun, frames } = this.#draft;
    return hasBegun && frames.lastGuess?.offset === undefined && frames.last?.offset === undefined;
  }

  get hasOffsets(): boolean {
    return this.#draft.frames.last?.offset !== undefined;
  }

  /** Whether nothing is kept: lines without a frame or a header have no effect. */
  get isIdle(): boolean {
    const { frames, tasks, hasBegun, isPast } = this.#draft;
    return frames.isEmpty && tasks.isEmpty && !hasBegun && !isPast && !frames.hasInstruction;
  }

  /** Whether the stack that has begun, or that follows, is of this task. */
  isOf(tid: number | undefined): boolean {
    return this.#draft.tasks.has(tid);
  }

  step(line: Line, now: Stamp, place: Place = NO_PLACE): void {
    const draft = this.#draft;
    draft.seam.place = place;
    if (draft.tasks.isEmpty && !draft.hasFrames) draft.stamp = now;
    switch (line.kind) {
      case 'frame':
        this.#frameLine(line, now);
        return;
      case 'guess':
        if (line.isInTrace && !draft.hasBegun && !draft.hasFrames) return;
        draft.guess(line.frame, now);
        return;
      case 'lines':
        for (const part of line.lines) this.step(part, now, place);
        return;
      case 'call':
        if (draft.isPast) return;
        // Functions that were inlined into the callee may have been added behind it.
        if (!draft.frames.endsWith(line.callee.symbol)) draft.frame(line.callee, undefined, now);
        if (line.caller !== undefined) draft.frame(line.caller, undefined, now);
        return;
      case 'instruction':
        draft.instruct(line.frame, now);
        return;
      case 'registers':
        draft.frames.haveRegisters();
        return;
      case 'program':
        draft.isInProgram = true;
        return;
      case 'exception':
        draft.frames.except(line.frame);
        return;
      case 'hung':
        draft.task(line.header, true, now);
        return;
      case 'task':
        draft.task(
          this.#stateOfAll === undefined ? line.header : { state: this.#stateOfAll, ...line.header },
          line.isAnnounced === true,
          now,
        );
        return;
      case 'sharing-task':
        draft.sharingTask(line.header, now);
        return;
      case 'label':
        draft.label(draft.isInList && line.isList ? {} : line.header, line.weak === true, now);
        draft.isInList = line.isList === true;
        if (line.weak === undefined) this.#stateOfAll = line.ofAll;
        return;
      case 'about':
        if (!draft.hasFrames) draft.tasks.about(line.header);
        return;
      case 'behind':
        draft.behind(line.header);
        return;
      case 'named':
        if (draft.hasFrames) draft.behind(line.header);
        else if (line.isPast) this.step({ kind: 'past' }, now);
        else draft.label(line.header, false, now);
        return;
      case 'begin':
        draft.begin(line.isTrace === true);
        return;
      case 'past':
        draft.past();
        return;
      case 'task-begin':
        draft.open(now);
        return;
      case 'task-end':
        draft.close();
        return;
      case 'interrupt':
        draft.interrupt(line.above === true);
        return;
      case 'interrupt-end':
        draft.frames.leaveInterrupt();
        return;
      case 'interrupted':
        draft.frames.markInterrupted();
        return;
      default:
    }
  }

  #frameLine({ frame, number, isInTrace, isUnsure, isPrint }: Line & { kind: 'frame' }, now: Stamp): void {
    const draft = this.#draft;
    if (isInTrace && !draft.hasBegun && !draft.hasFrames) return;
    // Behind the link register, PowerPC prints the same function once more.
    if (isUnsure && (!draft.hasFrames || draft.frames.last?.symbol === frame.symbol)) {
      draft.guess(frame, now);
      return;
    }
    if (isPrint && number !== (draft.seam.number ?? -1) + 1) return;
    draft.frame(frame, number, now);
  }

  /** A line of which nothing is known. */
  stranger(isLogged: boolean, isIndented: boolean): void {
    this.#draft.stranger(isLogged, isIndented);
  }

  /** A line of nothing. In a double-spaced text that has no meaning within a stack that has a beginning. */
  blank(isDoubleSpaced: boolean): void {
    this.#draft.blank(isDoubleSpaced);
  }

  /** What the kernel says about a task whose header was here, and whose stack is not complete yet. */
  adds(header: Header): boolean {
    return this.#draft.hasFrames && this.#draft.tasks.adds(header);
  }

  /** Ends the current stack. */
  end(): void {
    this.#draft.end();
  }
}
