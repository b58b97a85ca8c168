import type { Frame, Stack } from '../../model/stack.ts';
import { classic } from './classic.ts';
import { crash } from './crash.ts';
import { dmesg, withoutLogPrefix } from './dmesg.ts';
import { drgn } from './drgn.ts';
import type { Format, Header, Line } from './format.ts';
import { procStack } from './proc-stack.ts';

export type { Header } from './format.ts';

/** A stack found in a text. Within one text equal stacks are the same object. */
export interface TextStack {
  /** The tasks that the text says it is of; none where it does not say. */
  readonly tasks: readonly Header[];
  readonly stack: Stack;
}

export interface TextStacks {
  readonly stacks: readonly TextStack[];
  /** Frames marked `?` that were left out. */
  readonly guesses: number;
  /** Stacks, frames or long lines that were left out, because a text may be of any size. */
  readonly cut: number;
}

const FORMATS: readonly Format[] = [classic, procStack, crash, dmesg, drgn];
const MOST_STACKS = 100_000;
const MOST_FRAMES = 256;
const LONGEST_LINE = 4096;

/** Outermost functions. What comes behind them is the next stack, where nothing else divides two. */
const OUTERMOST =
  /^(?:ret_from_fork_asm|entry_SYSCALL_\w+|entry_SYSENTER_\w+|entry_INT80_\w+|el0t_64_sync|el0_svc_naked|0xf{8,16}|ret_fast_syscall)$/;

/** Finds the stacks in a text of any known form, also mixed. Never throws; takes time and memory linear in the text. */
export function parseText(text: string): TextStacks {
  const reader = new Reader();
  for (let from = 0; from < text.length; ) {
    const newline = text.indexOf('\n', from);
    const to = newline === -1 ? text.length : newline;
    reader.take(to - from > LONGEST_LINE ? undefined : text.slice(from, to).replace(/\r$/, ''));
    from = to + 1;
  }
  return reader.end();
}

class Reader {
  readonly #stacks: TextStack[] = [];
  readonly #interned = new Map<string, Stack>();
  #tasks: Header[] = [];
  #frames: Frame[] = [];
  #begun = false;
  #inInterrupt = false;
  #guesses = 0;
  #cut = 0;

  take(line: string | undefined): void {
    if (line === undefined) {
      this.#cut++;
      return;
    }
    const text = withoutLogPrefix(line);
    const known = recognize(text);
    if (known !== undefined) this.#step(known);
    else if (text.trim() === '') this.#flush();
  }

  end(): TextStacks {
    this.#flush();
    return { stacks: this.#stacks, guesses: this.#guesses, cut: this.#cut };
  }

  #step(line: Line): void {
    switch (line.kind) {
      case 'frame':
        if (!this.#inInterrupt) this.#add(line.frame);
        return;
      case 'guess':
        this.#guesses++;
        return;
      case 'task':
        if (this.#frames.length > 0 || this.#begun) this.#flush();
        this.#name(line.header);
        return;
      case 'sharing-task':
        if (this.#frames.length > 0 || this.#begun) this.#flush();
        if (this.#tasks.length < MOST_STACKS) this.#tasks.push(line.header);
        else this.#cut++;
        return;
      case 'begin':
        if (this.#frames.length > 0) this.#flush();
        this.#begun = true;
        return;
      default:
        this.#inInterrupt = line.kind === 'interrupt';
    }
  }

  /** A hung task is named twice: in the report and by the scheduler. One that another follows has no stack. */
  #name(header: Header): void {
    const last = this.#tasks.at(-1);
    this.#tasks = [last !== undefined && last.pid === header.pid ? { ...last, ...header } : header];
  }

  #add(frame: Frame): void {
    const last = this.#frames.at(-1);
    if (last !== undefined && OUTERMOST.test(last.symbol) && !OUTERMOST.test(frame.symbol)) this.#flush();
    if (this.#frames.length < MOST_FRAMES) this.#frames.push(frame);
    else this.#cut++;
  }

  #flush(): void {
    if (this.#frames.length > 0 || (this.#begun && this.#tasks.length > 0)) {
      if (this.#stacks.length < MOST_STACKS) this.#stacks.push({ tasks: this.#tasks, stack: this.#intern(this.#frames) });
      else this.#cut++;
      this.#tasks = [];
    }
    this.#frames = [];
    this.#begun = false;
    this.#inInterrupt = false;
  }

  #intern(frames: readonly Frame[]): Stack {
    const key = frames.map(({ symbol, offset, module }) => `${symbol} ${offset ?? ''} ${module ?? ''}`).join('\n');
    const known = this.#interned.get(key);
    if (known !== undefined) return known;
    const stack = { id: this.#interned.size, frames };
    this.#interned.set(key, stack);
    return stack;
  }
}

function recognize(line: string): Line | undefined {
  for (const format of FORMATS) {
    const known = format(line);
    if (known !== undefined) return known;
  }
  return undefined;
}
