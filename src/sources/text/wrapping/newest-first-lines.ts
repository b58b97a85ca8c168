import type { LinePart } from './lines.ts';
import type { LineReader } from './prefixed-lines.ts';

/** A report of all tasks of a host has so many lines. */
const MOST_LINES = 20_000;
const MOST_CHARACTERS = 8 * 1024 * 1024;
/** `+0x1/0x2 [module]` */
const LONGEST_END = 100;
const LONGEST_FRAME = 260;
const [ZERO, NINE, A, F, BRACKET, BLANK] = [48, 57, 97, 102, 93, 32];
/** A frame at the end of a line, and the mark of one that may be left over. */
const FRAME = /(?:^|[^\w.$])(\? )?([\w.$]{1,128})\+0x[0-9a-f]{1,16}\/0x[0-9a-f]{1,16}(?: \[[\w-]{1,64}\])?\s{0,8}$/;
/** Nothing calls these. */
const OUTERMOST =
  /^(?:entry_(?:SYSCALL|INT80|SYSENTER)\w*|ret_from_(?:fork|kernel_thread)\w*|ret_(?:fast_syscall|to_user)|system_call\w*|el0t?_\w*sync\w*|kernel_thread_starter|(?:secondary|common)_startup\w*)$/;
const TRACE = /\b(?:Call [Tt]race|[Bb]acktrace)\b[^:]{0,10}:/;
/** Within so many lines behind the frames, the beginning of their trace stands: `<TASK>` may stand before it. */
const NEAR = 3;
/** Shorter stacks may be parts of others. */
const LEAST_FRAMES = 3;
const STAMP = /\[ {0,12}(\d{1,12}\.\d{1,9})\]|\b(\d\d):(\d\d):(\d\d(?:\.\d{1,9})?)/;

/** Frames in lines one behind the other. */
interface Run {
  readonly from: number;
  /** Where the line behind the last one is. */
  to: number;
  /** Whether the first and the last one are of functions that nothing calls. */
  readonly begins: boolean;
  ends: boolean;
}

/**
 * Puts the lines of a log whose newest line stands first back into order, as `journalctl -r` and `tac` print it: its
 * stacks begin with the function that nothing calls, and end before their `Call Trace:`. Where only the frames are
 * the wrong way round, only these are turned.
 */
export class NewestFirstLines implements LineReader {
  readonly #next: LineReader;
  #wasFrame = false;
  /** The lines from the first such stack on. */
  #held: LinePart[] = [];
  #characters = 0;
  #runs: Run[] = [];
  /** Whether all lines are the wrong way round. */
  #isReverse = false;

  constructor(next: LineReader) {
    this.#next = next;
  }

  get isWithin(): boolean {
    return this.#next.isWithin;
  }

  take(part: LinePart): void {
    const isFrame = mayEndWithFrame(part.text);
    if (this.#held.length > 0) this.#hold(part, isFrame);
    else if (isFrame && !this.#wasFrame && this.#begins(part)) this.#hold(part, isFrame);
    else this.#next.take(part);
    this.#wasFrame = isFrame;
  }

  end(): void {
    this.#release(this.#held.length);
    this.#next.end();
  }

  #begins({ text, begins, ends }: LinePart): boolean {
    return begins && ends && OUTERMOST.test(symbolIn(text) ?? '') && !this.#next.isWithin;
  }

  #hold(part: LinePart, isFrame: boolean): void {
    const at = this.#held.push(part) - 1;
    this.#characters += part.text.length;
    const symbol = isFrame ? symbolIn(part.text) : undefined;
    const isOutermost = symbol !== undefined && OUTERMOST.test(symbol);
    const last = this.#runs.at(-1);
    if (isFrame && last?.to === at) {
      last.to = at + 1;
      if (symbol !== undefined) last.ends = isOutermost;
    } else if (isFrame) this.#runs.push({ from: at, to: at + 1, begins: isOutermost, ends: isOutermost });
    else if (last !== undefined) this.#end(last, at, part.text);
    const isLong = this.#held.length >= MOST_LINES || this.#characters > MOST_CHARACTERS;
    if (isLong || !part.begins || !part.ends) this.#release(this.#held.length);
  }

  /** A line follows that is no frame. */
  #end(run: Run, at: number, text: string): void {
    if (at - run.to >= NEAR) return;
    const [first = run] = this.#runs;
    if (isTurned(first) && TRACE.test(text)) this.#isReverse = true;
    if (first === run && !isTurned(run)) this.#release(this.#held.length);
    else if (at === run.to && !run.begins && run.ends && run.to - run.from >= LEAST_FRAMES) {
      this.#release(this.#beginningOf(run));
      this.#release(this.#held.length);
    }
  }

  /** Where the lines begin that belong to a stack that is the right way round. */
  #beginningOf(run: Run): number {
    const before = this.#runs.at(-2)?.to ?? 0;
    for (let at = before; at < run.from; at++) {
      const [earlier, now] = [this.#held[at - 1], this.#held[at]].map((part) => part?.text ?? '');
      if (now?.trim() === '' || secondsIn(now ?? '') > secondsIn(earlier ?? '')) return at;
    }
    return run.from;
  }

  /** Passes on so many of the lines. */
  #release(count: number): void {
    const lines = this.#held.splice(0, count);
    const runs = this.#runs.filter(({ to }) => to <= count);
    if (this.#isReverse) lines.reverse();
    else for (const run of runs) if (isTurned(run)) turn(lines, run);
    this.#isReverse = false;
    this.#runs = [];
    this.#characters = this.#held.reduce((sum, { text }) => sum + text.length, 0);
    for (const part of lines) this.#next.take(part);
  }
}

/** Cheap: a log has millions of lines that do not. */
function mayEndWithFrame(text: string): boolean {
  const last = text.charCodeAt(text.length - 1);
  const isHex = (last >= ZERO && last <= NINE) || (last >= A && last <= F);
  return (isHex || last === BRACKET || last === BLANK) && text.indexOf('+0x', text.length - LONGEST_END) !== -1;
}

function symbolIn(text: string): string | undefined {
  const [, guess, symbol] = FRAME.exec(text.slice(-LONGEST_FRAME)) ?? [];
  return guess === undefined ? symbol : undefined;
}

function isTurned({ from, to, begins, ends }: Run): boolean {
  return begins && !ends && to - from > 1;
}

function turn(lines: LinePart[], { from, to }: Run): void {
  for (const [at, part] of lines.slice(from, to).reverse().entries()) lines[from + at] = part;
}

/** Of a line without a time, no number. */
function secondsIn(text: string): number {
  const [, uptime, hours, minutes, seconds] = STAMP.exec(text) ?? [];
  return uptime === undefined ? 3600 * Number(hours) + 60 * Number(minutes) + Number(seconds) : Number(uptime);
}
