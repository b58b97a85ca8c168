import type { Frame, Stack } from '../../model/stack.ts';
import { withoutLogPrefix } from './dmesg.ts';
import type { Header, Line } from './line.ts';
import { LINE_PARSERS } from './line-parsers.ts';
import { isSameMoment, type Stamp, Stamps } from './stamps.ts';

/** What was left out of the stacks that were found. */
export interface LeftOut {
  /** Frames marked `?`. If a stack has no other frames, it gets these, except those known to be left over. */
  readonly guesses: number;
  /** Tasks, frames and long lines beyond the limits: a text may be of any size. */
  readonly cut: number;
}

/** A stack found in a text. Equal stacks of one text are the same object. */
export interface TextStack {
  /** The tasks with this stack; empty if the text names none. */
  readonly tasks: readonly Header[];
  readonly stack: Stack;
  /** When and where its first line was written. */
  readonly stamp: Stamp;
  /** What was left out of this stack, and between it and the previous one. */
  readonly leftOut: LeftOut;
}

const MOST_TASKS = 100_000;
const MOST_STACKS = 100_000;
const MOST_FRAMES = 256;
const LONGEST_LINE = 4096;

/** Outermost functions. If nothing else separates two stacks, the next one starts after such a function. */
const OUTERMOST =
  /^(?:ret_from_fork_asm|entry_SYSCALL_\w+|entry_SYSENTER_\w+|entry_INT80_\w+|el0t_64_sync|el0_svc_naked|0xf{8,16}|ret_fast_syscall)$/;

/**
 * Not a caller: a pointer to the start or end of a function, or one of the functions that going to sleep leaves on
 * every stack.
 */
function isLeftOver({ symbol, offset, size }: Frame): boolean {
  return offset === 0 || offset === size || LEFT_OVER.test(symbol);
}

const LEFT_OVER =
  /^(?:prepare_to_\w+|finish_wait|autoremove_wake_function|default_wake_function|wake_\w+|__wake_\w+|try_to_wake_up|ttwu_\w+|(?:add|remove)_wait_queue\w*|__switch_to\w*|finish_task_switch|pick_next_task\w*|(?:en|de)queue_\w+|update_\w+|select_task_rq\w*|task_rq_lock|set_next_entity|put_prev_\w+|need_resched|should_resched|_cond_resched|ktime_get\w*|getrawmonotonic\w*|timekeeping_\w+|read_tsc|native_\w+|(?:local_|kvm_|x2)?(?:sched_)?clock\w*|kvm_clock\w*|pvclock_\w+|xen_\w+|lock_timer_base|(?:try_to_)?del_timer\w*|mod_timer|_(?:raw_)?spin_\w+|load_TLS|fcheck_files|fget_light|__strncpy_from_user|strncpy_from_user|alloc_fd|lock_release|lock_acquire\w*|trace_hardirqs_\w+|__slab_\w+|k(?:mem_cache_)?(?:free|alloc)\w*|dput|mntput\w*)(?:\.\w+)*$/;

/** `<IRQ>`, `<EOI>` and the like before a frame. Since 4.10 they are on a line of their own. */
const MARKED = /^\s{0,20}(<(?:IRQ|NMI|SOFTIRQ|EOI|<EOE>)>)\s{1,20}(\S.*)$/;

/**
 * Finds the stacks in the lines of a text of any known format, or a mix of formats. Never throws. Takes time and memory
 * linear in the text.
 */
export class StackFinder {
  /** The complete stacks. The caller empties the list. */
  found: TextStack[] = [];
  #guesses = 0;
  #cut = 0;
  readonly #interned = new Map<string, Stack>();
  #nextId = 0;
  readonly #stamps = new Stamps();
  #tasks: Header[] = [];
  #frames: Frame[] = [];
  #guessed: Frame[] = [];
  /** Where the CPU was; undefined once a frame has followed. */
  #instruction: Frame | undefined;
  #stamp: Stamp = this.#stamps.now;
  #begun = false;
  #inInterrupt = false;

  /** What was left out since the last complete stack. */
  get leftOut(): LeftOut {
    return { guesses: this.#guesses, cut: this.#cut };
  }

  /** Takes the next line, without its line end. */
  take(line: string): void {
    if (line.length > LONGEST_LINE) this.#cut++;
    // The command line of a Java program has thousands of characters, but the task is named before it.
    const beginning = line.slice(0, LONGEST_LINE);
    this.#stamps.take(beginning);
    const text = withoutLogPrefix(beginning);
    if (text.trim() === '') {
      this.end();
      return;
    }
    const [, mark, behind] = MARKED.exec(text) ?? [];
    if (mark !== undefined) this.#recognize(mark);
    this.#recognize(behind ?? text);
  }

  #recognize(text: string): void {
    const known = recognize(text);
    if (known !== undefined) this.#step(known);
  }

  #step(line: Line): void {
    if (this.#tasks.length === 0 && !this.#hasFrames()) this.#stamp = this.#stamps.now;
    switch (line.kind) {
      case 'frame':
        if (!this.#inInterrupt) this.#add(line.frame);
        return;
      case 'guess':
        if (!this.#inInterrupt && this.#guessed.length < MOST_FRAMES) this.#guessed.push(line.frame);
        else this.#guesses++;
        return;
      case 'call':
        if (this.#inInterrupt) return;
        if (this.#frames.at(-1)?.symbol !== line.callee.symbol) this.#add(line.callee);
        this.#add(line.caller);
        return;
      case 'instruction':
        if (this.#frames.length === 0 && !this.#begun) this.#instruction = line.frame;
        return;
      case 'task':
        if (this.#hasFrames() || this.#begun) this.end();
        // A task that was named hours ago without a stack belongs to another report.
        if (!isSameMoment(this.#stamp, this.#stamps.now)) this.#tasks = [];
        if (this.#tasks.length === 0) this.#stamp = this.#stamps.now;
        this.#name(line.header);
        return;
      case 'sharing-task':
        if (this.#hasFrames() || this.#begun) this.end();
        if (this.#tasks.length === 0) this.#stamp = this.#stamps.now;
        if (this.#tasks.length < MOST_TASKS) this.#tasks.push(line.header);
        else this.#cut++;
        return;
      case 'begin':
        if (this.#hasFrames()) this.end();
        this.#begun = true;
        return;
      case 'interrupt':
        this.#inInterrupt = true;
        if (line.above === undefined) this.#instruction = undefined;
        return;
      default:
        this.#inInterrupt = false;
    }
  }

  /** A hung task is named twice: in the report and by the scheduler. A task followed by another one has no stack. */
  #name(header: Header): void {
    this.#instruction = undefined;
    const last = this.#tasks.at(-1);
    this.#tasks = [last !== undefined && last.tid === header.tid ? { ...last, ...header } : header];
  }

  #hasFrames(): boolean {
    return this.#frames.length > 0 || this.#guessed.length > 0;
  }

  #add(frame: Frame): void {
    if (this.#instruction !== undefined) this.#frames.push(this.#instruction);
    this.#instruction = undefined;
    const last = this.#frames.at(-1);
    if (last !== undefined && OUTERMOST.test(last.symbol) && !OUTERMOST.test(frame.symbol)) {
      this.end();
      this.#stamp = this.#stamps.now;
    }
    if (this.#frames.length < MOST_FRAMES) this.#frames.push(frame);
    else this.#cut++;
  }

  /** Ends the current stack. */
  end(): void {
    const likely = this.#frames.length === 0 ? this.#guessed.filter((frame) => !isLeftOver(frame)) : [];
    for (const frame of likely) this.#frames.push(frame);
    this.#guesses += this.#guessed.length - likely.length;
    if (this.#frames.length > 0 || (this.#begun && this.#tasks.length > 0)) {
      const stack = this.#intern(this.#frames);
      this.found.push({ tasks: this.#tasks, stack, stamp: this.#stamp, leftOut: this.leftOut });
      this.#tasks = [];
      this.#guesses = 0;
      this.#cut = 0;
    }
    this.#frames = [];
    this.#guessed = [];
    this.#instruction = undefined;
    this.#begun = false;
    this.#inInterrupt = false;
  }

  #intern(frames: readonly Frame[]): Stack {
    const key = frames
      .map(({ symbol, offset, size, module }) => `${symbol} ${offset ?? ''} ${size ?? ''} ${module ?? ''}`)
      .join('\n');
    const known = this.#interned.get(key);
    if (known !== undefined) return known;
    if (this.#interned.size >= MOST_STACKS) this.#interned.clear();
    const stack = { id: this.#nextId++, frames };
    this.#interned.set(key, stack);
    return stack;
  }
}

function recognize(line: string): Line | undefined {
  for (const parse of LINE_PARSERS) {
    const known = parse(line);
    if (known !== undefined) return known;
  }
  return undefined;
}
