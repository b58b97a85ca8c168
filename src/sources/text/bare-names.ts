import type { Frame } from '../../model/stack.ts';
import { isOutermost, isWellKnown } from './functions.ts';
import { frameOf } from './patterns.ts';

/** One identifier, perhaps numbered, with parentheses, or as Python prints bytes. */
const NAME = /^[\s*•-]{0,60}(?:#?\d{1,3}[.):]? {1,4})?(?:b')?([A-Za-z_][\w.]{1,127}|\[unknown\])(?:\(\))?'?\s{0,20}$/;
const UNKNOWN = '[unknown]';
/** Faults of a program are the outermost function where interrupts are no stacks of their own. */
const FAULT = /^(?:asm_exc_)?page_fault$/;
const LONGEST_RUN = 256;
const LEAST_KNOWN = 2;
const LEAST_NAMES = 3;

/** The name, if the line is nothing else. */
export function bareName(line: string): string | undefined {
  return line.length > 200 ? undefined : NAME.exec(line)?.[1];
}

/**
 * Lines of a single name each are a stack only together: words of a list or a table look the same. Names of the kernel
 * have underscores, mostly, and two of them must be known.
 */
export class BareNames {
  readonly #known: ReadonlySet<string>;
  #names: string[] = [];

  /** `known`: names of functions that the kernel has. */
  constructor(known: ReadonlySet<string>) {
    this.#known = known;
  }

  get isEmpty(): boolean {
    return this.#names.length === 0;
  }

  add(name: string): void {
    if (this.#names.length < LONGEST_RUN) this.#names.push(name);
  }

  /** The frames of the run that ends here; none if it was no stack. */
  take(): Frame[] {
    const names = this.#names;
    this.#names = [];
    const end = names.findIndex((name) => name === UNKNOWN || isOutermost(name, undefined) || FAULT.test(name));
    // What is behind the outermost function is of the program.
    const kernel = end === -1 ? names : names.slice(0, names[end] === UNKNOWN ? end : end + 1);
    return this.#isStack(kernel) ? kernel.map((name) => frameOf(name, name)) : [];
  }

  #isStack(names: readonly string[]): boolean {
    const known = names.filter((name) => this.#known.has(name) || isWellKnown(name)).length;
    if (names.length < LEAST_NAMES) return names.length === LEAST_KNOWN && known === LEAST_KNOWN;
    const alike = names.filter((name) => name.includes('_') || this.#known.has(name) || isWellKnown(name)).length;
    return known >= LEAST_KNOWN && 4 * alike >= 3 * names.length;
  }
}
