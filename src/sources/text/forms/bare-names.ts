import type { Frame } from '../../../model/stack.ts';
import { isOutermost, isScheduler, isWellKnown } from '../functions.ts';
import type { Line } from '../line.ts';
import { frameOf, MODULE, REMARK } from './patterns.ts';

/** A number is that of a task. */
const OF_MODULE = String.raw`\[(?!\d{1,10}\])([\w-]{2,64})\]`;
/** One identifier, perhaps numbered, with parentheses, or as Python prints bytes, and its module. */
const NAME = new RegExp(
  String.raw`^[\s*•-]{0,60}(?:#?\d{1,3}[.):]? {1,4})?(?:b')?([A-Za-z_][\w.]{1,127}|\[unknown\])(?:\(\))?'?` +
    String.raw`(?: ${OF_MODULE})?\s{0,20}(?:${REMARK})?$`,
);
const UNKNOWN = '[unknown]';
/** Faults of a program are the outermost function where interrupts are no stacks of their own. */
const FAULT = /^(?:asm_exc_)?page_fault$/;
/** A name that is no function's, and microseconds or a number of times. */
const COMM = /^\s{2,60}([A-Za-z<][\w./:<>@+-]{0,15})(?: \[(\d{1,10})\])?$/;
const COUNT = /^\s{2,60}(\d{1,15})\s{0,4}$/;
const LONGEST_RUN = 256;
const LEAST_KNOWN = 2;
const LEAST_NAMES = 3;
/** A drawing of calls that goes in so often, and out again, has branches. */
const LEAST_STEPS = 2;

/** The name, if the line is nothing else but a module. */
export function bareName(line: string): string | undefined {
  return named(line)?.symbol;
}

function named(line: string): Frame | undefined {
  const [, name, module] = line.length > 200 ? [] : (NAME.exec(line) ?? []);
  return name === undefined ? undefined : frameOf(name, name, { module });
}

const IN_TRACE = new RegExp(String.raw`^\s{1,20}(\? )?([A-Za-z_][\w.]{1,127})(?: ${MODULE})?\s{0,8}$`);

/** The function in a line of a log that has nothing else, behind `Call Trace:`: some kernels print no offsets. */
export function nameInTrace(line: string): Line | undefined {
  const [, guess, name, module] = line.length > 200 ? [] : (IN_TRACE.exec(line) ?? []);
  if (name === undefined || !(name.includes('_') || isWellKnown(name))) return undefined;
  return { kind: guess === undefined ? 'frame' : 'guess', frame: frameOf(name, line.trim(), { module }) };
}

/** A frame of /proc/PID/stack without an offset. */
export function isNameOnly(line: Line | undefined): boolean {
  return line?.kind === 'frame' && line.frame.offset === undefined && /^\[<\w+>\] [a-zA-Z_]/.test(line.frame.raw);
}

/**
 * Lines of a single name each are a stack only together: words of a list or a table look the same. Names of the kernel
 * have underscores, mostly, and two of them must be known.
 */
export class BareNames {
  readonly #known: ReadonlySet<string>;
  #frames: Frame[] = [];
  #tail: string | undefined;
  #tid: string | undefined;
  #count: number | undefined;
  /** How far each name is indented. */
  #indents: number[] = [];

  /** `known`: names of functions that the kernel has. */
  constructor(known: ReadonlySet<string>) {
    this.#known = known;
  }

  /** Takes a line behind the names that belongs to them; false if it does not. */
  takesTail(line: string): boolean {
    const count = COUNT.exec(line)?.[1];
    if (count !== undefined) {
      this.#count = Number(count);
      return true;
    }
    if (this.#tail !== undefined || bareName(line) !== undefined) return false;
    const [, comm, tid] = COMM.exec(line) ?? [];
    this.#tail = comm;
    this.#tid = tid;
    return this.#tail !== undefined;
  }

  /** The count or the time that followed, with which a stack ends. */
  get count(): number | undefined {
    return this.#count;
  }

  /** The task, which older versions of offcputime of bcc print in a line of its own, before the time. */
  get comm(): string | undefined {
    if (this.#count === undefined) return undefined;
    const end = endOf(this.#frames);
    if (this.#tail !== undefined) return this.#tail;
    // stackcount prints no task, and an address behind the outermost function may have a name.
    const last = this.#frames.slice(end + 1).at(-1)?.symbol;
    return last === undefined || last.includes('_') || this.#isFunction(last) ? undefined : last;
  }

  /** The process, by stackcount(8) with -P. */
  get tid(): string | undefined {
    return this.comm === undefined ? undefined : this.#tid;
  }

  get isEmpty(): boolean {
    return this.#frames.length === 0;
  }

  /** Takes a line with a name; false if it has none. */
  add(line: string): boolean {
    const frame = named(line);
    if (frame === undefined) return false;
    if (this.#frames.length < LONGEST_RUN) {
      this.#frames.push(frame);
      this.#indents.push(line.search(/\S/));
    }
    return true;
  }

  /** The frames of the run that ends here; none if it was no stack. */
  take(): Frame[] {
    const named = this.#tail === undefined && this.comm !== undefined ? this.#frames.slice(0, -1) : this.#frames;
    const isReverse = isOutermostFirst(named) || this.#isTree;
    const branches = this.#branches;
    const frames = isReverse ? named.toReversed() : named;
    const end = endOf(frames);
    this.#frames = [];
    this.#tail = undefined;
    this.#tid = undefined;
    this.#count = undefined;
    this.#indents = [];
    if (branches) return [];
    // What is behind the outermost function is of the program.
    const kernel = end === -1 ? frames : frames.slice(0, frames[end]?.symbol === UNKNOWN ? end : end + 1);
    return this.#isStack(kernel.map(({ symbol }) => symbol)) ? kernel : [];
  }

  /** Each function stands a bit further in than its caller in the line before. */
  get #isTree(): boolean {
    const indents = this.#indents;
    return indents.length >= LEAST_NAMES && indents.slice(1).every((indent, at) => indent > (indents[at] ?? 0));
  }

  /** Notes on code draw what a function calls one after the other: a stack is one branch of that. */
  get #branches(): boolean {
    const steps = this.#indents.slice(1).map((indent, at) => indent - (this.#indents[at] ?? 0));
    return steps.filter((step) => step > 0).length >= LEAST_STEPS && steps.some((step) => step < 0);
  }

  #isFunction(name: string): boolean {
    return this.#known.has(name) || isWellKnown(name);
  }

  #isStack(names: readonly string[]): boolean {
    const known = names.filter((name) => this.#isFunction(name)).length;
    if (names.length < LEAST_NAMES) return names.length === LEAST_KNOWN && known === LEAST_KNOWN;
    const alike = names.filter((name) => name.includes('_') || this.#isFunction(name)).length;
    return known >= LEAST_KNOWN && 4 * alike >= 3 * names.length;
  }
}

/** perf-report(1) and drawings of calls begin with the outermost function. Nothing is further in than the scheduler. */
function isOutermostFirst(frames: readonly Frame[]): boolean {
  const [first] = frames;
  const last = frames.at(-1);
  if (first === undefined || last === undefined) return false;
  if (isScheduler(last) && !isScheduler(first)) return true;
  return frames.length >= LEAST_NAMES && isOutermost(first.symbol, undefined) && !isOutermost(last.symbol, undefined);
}

function endOf(frames: readonly Frame[]): number {
  return frames.findIndex(({ symbol }) => symbol === UNKNOWN || isOutermost(symbol, undefined) || FAULT.test(symbol));
}
