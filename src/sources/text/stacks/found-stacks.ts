import type { Frame, Stack } from '../../../model/stack.ts';
import type { InternedStacks } from '../interned.ts';
import type { Header } from '../line.ts';
import { isSameMoment, type Stamp } from '../stamps.ts';
import type { SumUnit } from '../traced-sums.ts';
import { goesOn, isScrap, type Part } from './rest.ts';
import type { Assembled, LeftOut, Seam, TextStack } from './text-stack.ts';
import { type Waiter, Waiters } from './waiters.ts';

const MOST_FRAMES = 256;
/** A summary follows on so many tasks. */
const MOST_NAMED = 64;
/** Stacks of fewer functions are the same by chance. */
const LEAST_TOLD = 3;

/**
 * Makes complete stacks of the assembled ones: keeps the latest until it is sure that nothing more belongs to it, and
 * leaves out what is told again.
 */
export class FoundStacks {
  readonly #found: TextStack[];
  readonly #stacks: InternedStacks;
  readonly #isPending: (waiter: Waiter) => boolean;
  readonly #waiters = new Waiters();
  /** The latest complete stack: what the next line says may belong to it. */
  #held: TextStack | undefined;
  #heldSeam: Seam | undefined;
  /** The latest stacks whose tasks have names. */
  #named: Stack[] = [];
  #cut = 0;

  /**
   * @param found gets the complete stacks
   * @param isPending whether the stack of this task has begun, or follows at once
   */
  constructor(found: TextStack[], stacks: InternedStacks, isPending: (waiter: Waiter) => boolean) {
    this.#found = found;
    this.#stacks = stacks;
    this.#isPending = isPending;
  }

  /** What was cut off since the last complete stack. */
  get cut(): number {
    return this.#cut;
  }

  leaveOut(count: number): void {
    this.#cut += count;
  }

  complete({ tasks: named, frames, stamp, leftOut, isUnclaimed, isUntold, seam }: Assembled): void {
    const tasks = this.#waiters.meet(named, stamp);
    this.#releaseUntold(this.#waiters.takeOver(stamp, this.#isPending));
    if (seam !== undefined && tasks.length === 0 && this.#isPart({ frames, stamp, seam }, leftOut)) return;
    const held = this.#held;
    // The kernel may say behind the stack of a task that it ran for long.
    const isToldBefore = isUntold === true && tasks[0]?.tid !== undefined && held?.tasks[0]?.tid === tasks[0].tid;
    if (isToldBefore && held.stack.frames.length > 0 && isSameMoment(held.stamp, stamp)) return;
    // Either header may be that of either trace.
    if (isUnclaimed && held !== undefined) this.#held = { ...held, tasks: [], leftOut: mixedOnce(held.leftOut) };
    const all = isUnclaimed ? mixedOnce(leftOut) : leftOut;
    // Of frames that may be those of another task, nothing is said about this one.
    const isMixed = all.mixed > 0 && frames.length > 0;
    const stack = this.#stacks.intern(frames, isMixed);
    // SPARC prints a trace and, further down, the same again as `Caller[...]`.
    if (tasks.length === 0 && frames[0]?.raw.includes('Caller[') && stack === held?.stack) return;
    this.#release();
    const cut = all.cut + this.#cut;
    this.#cut = 0;
    if (isMixed) for (const task of tasks) this.#untold(task, stamp);
    this.#held = {
      tasks: isMixed ? [] : tasks,
      stack,
      ...(isUntold === true && { untold: true }),
      stamp,
      leftOut: { ...all, cut },
    };
    this.#heldSeam = seam;
    if (tasks.length > 0 && stack !== this.#named[0]) this.#named = [stack, ...this.#named.slice(0, MOST_NAMED - 1)];
  }

  /** A task of which only the function it waits in is known, if any. */
  row(header: Header, wchan: string | undefined, stamp: Stamp): void {
    const symbol = wchan?.replace(/\+$/, '');
    const frames: Frame[] = symbol === undefined ? [] : [{ symbol, raw: symbol }];
    this.#release();
    this.#found.push({
      tasks: [header],
      stack: this.#stacks.intern(frames),
      innermostOnly: true,
      stamp,
      leftOut: { guesses: 0, cut: 0, mixed: 0 },
    });
  }

  /** Whether the latest stack lacks a task. */
  get lacksTask(): boolean {
    return this.#held?.tasks.length === 0;
  }

  /** The task of the latest stack. */
  name(header: Header): void {
    if (this.#held !== undefined) this.#held = { ...this.#held, tasks: [header] };
  }

  /** What a tracer has added up of the latest stack. */
  add(sum: number, unitOf: (innermost: Frame | undefined) => SumUnit): void {
    const held = this.#held;
    if (held === undefined) return;
    const tasks: readonly Header[] = held.tasks.length === 0 ? [{}] : held.tasks;
    const sumUnit = unitOf(held.stack.frames[0]);
    this.#held = { ...held, tasks: tasks.map((task) => ({ ...task, sum, sumUnit })) };
  }

  /** What a task waits for, or for how long, whose stack is the latest or follows. */
  waits(waiter: Header, now: Stamp): void {
    const held = this.#held;
    const last = held?.tasks[0];
    if (held !== undefined && last?.tid === waiter.tid) {
      const { state } = last ?? {};
      this.#held = { ...held, tasks: [{ ...last, ...waiter, ...(state !== undefined && { state }) }] };
      return;
    }
    this.expect(waiter, now);
  }

  /** A task that waits, whose stack may follow. */
  expect(waiter: Header, now: Stamp): void {
    this.#releaseUntold(this.#waiters.expect(waiter, now));
  }

  /** Those without a stack in the text are known by what the kernel said of them. */
  #releaseUntold(waiters: readonly Waiter[]): void {
    if (waiters.length === 0) return;
    this.#release();
    for (const { waiter, stamp } of waiters) this.#untold(waiter, stamp);
  }

  /** Whether this is no stack of its own: the rest of the one before, a scrap, or one that is told again. */
  #isPart(part: Part, leftOut: LeftOut): boolean {
    const held = this.#held;
    const before =
      held === undefined || this.#heldSeam === undefined
        ? undefined
        : { frames: held.stack.frames, stamp: held.stamp, seam: this.#heldSeam };
    if (held !== undefined && before !== undefined && goesOn(before, part)) {
      const frames = [...before.frames, ...part.frames].slice(0, MOST_FRAMES);
      const all = sumOf(held.leftOut, leftOut);
      this.#held = { ...held, stack: this.#stacks.intern(frames, all.mixed > 0), leftOut: all };
      const { ends, endStamp, lastNumber, closes } = part.seam;
      this.#heldSeam = { ...before.seam, ends, endStamp, lastNumber, isOpen: before.seam.isOpen && !closes };
      return true;
    }
    const isLost = isScrap(part, before) || this.#isTold(part);
    if (isLost) this.#cut += leftOut.cut;
    return isLost;
  }

  /** Whether a summary tells the stack of a task again, or a vendor's kernel has printed it twice. */
  #isTold({ frames, seam }: Part): boolean {
    if (frames.length < LEAST_TOLD) return false;
    const stack = this.#stacks.intern(frames);
    if (!seam.begins.isLogged) return this.#named.includes(stack);
    const { uptimeSeconds } = seam.endStamp.told;
    return stack === this.#held?.stack && uptimeSeconds === this.#heldSeam?.endStamp.told.uptimeSeconds;
  }

  /** A task of which the text tells no more than what its header says. */
  #untold(task: Header, stamp: Stamp): void {
    if (task.tid === undefined) return;
    const stack = this.#stacks.intern([]);
    this.#found.push({ tasks: [task], stack, untold: true, stamp, leftOut: { guesses: 0, cut: 0, mixed: 0 } });
  }

  #release(): void {
    if (this.#held !== undefined) this.#found.push(this.#held);
    this.#held = undefined;
  }

  /** Nothing more belongs to any stack: the text is at its end. */
  end(): void {
    this.#release();
    this.#releaseUntold(this.#waiters.takeAll());
  }
}

function sumOf(a: LeftOut, b: LeftOut): LeftOut {
  return { guesses: a.guesses + b.guesses, cut: a.cut + b.cut, mixed: a.mixed + b.mixed };
}

function mixedOnce(leftOut: LeftOut): LeftOut {
  return { ...leftOut, mixed: Math.max(leftOut.mixed, 1) };
}
