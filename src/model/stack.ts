/** One line of a kernel stack. `raw` is the line as printed; the other fields are parsed from it. */
export interface Frame {
  /** The function; the bare address (`0xffffffffc0`) if the kernel knew none; the whole line if it is neither. */
  readonly symbol: string;
  /** Bytes from the function's start to the return address. */
  readonly offset?: number;
  /** The function's size in bytes. */
  readonly size?: number;
  readonly module?: string;
  readonly raw: string;
}

/** Frames, innermost first. Equal stacks from one {@link StackTable} are the same object. */
export interface Stack {
  readonly id: number;
  readonly frames: readonly Frame[];
  /** Its frames are those of several stacks that were written into one another: nobody can tell which of them is whose. */
  readonly mixed?: true;
}

const FRAME =
  /^\s*\[<[0-9a-f]+>\]\s+(?:(?<symbol>\S+)\+0x(?<offset>[0-9a-f]+)\/0x(?<size>[0-9a-f]+)(?:\s+\[(?<module>[^\]\s]+)[^\]]*\])?|(?<address>0x[0-9a-f]+))\s*$/;

/**
 * Parses one line of /proc/PID/stack (fs/proc/base.c, proc_pid_stack; lib/vsprintf.c, %pB): `[<0>] f+0x1/0x2 [module]`.
 * Before 4.15 the kernel printed addresses between the angle brackets. The symbol may be a bare address. Accepts any
 * text and never throws.
 */
export function parseFrame(raw: string): Frame {
  const parts = FRAME.exec(raw)?.groups;
  if (parts === undefined) return { symbol: raw.trim(), raw };
  const { symbol, offset, size, module, address } = parts;
  if (symbol === undefined || offset === undefined || size === undefined) return { symbol: address ?? raw.trim(), raw };
  const frame = { symbol, offset: Number.parseInt(offset, 16), size: Number.parseInt(size, 16), raw };
  return module === undefined ? frame : { ...frame, module };
}

/** Splits a stack into frames, one per line. {@link printFrames} restores the same text, whatever it is. */
export function parseFrames(text: string): Frame[] {
  return text === '' ? [] : text.split('\n').map(parseFrame);
}

export function printFrames(frames: readonly Frame[]): string {
  return frames.map((frame) => frame.raw).join('\n');
}

/** Interns stacks by their text. Forgets all of them beyond `limit`, to bound memory in a long recording. */
export class StackTable {
  readonly #stacks = new Map<string, Stack>();
  readonly #limit: number;
  #nextId = 0;

  constructor(limit = 20_000) {
    this.#limit = limit;
  }

  /** Call this between samples, never within one: the stacks of a sample must stay comparable. */
  trim(): void {
    if (this.#stacks.size > this.#limit) this.#stacks.clear();
  }

  intern(text: string): Stack {
    let stack = this.#stacks.get(text);
    if (stack === undefined) {
      stack = { id: this.#nextId++, frames: parseFrames(text) };
      this.#stacks.set(text, stack);
    }
    return stack;
  }
}
