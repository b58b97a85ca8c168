import { openKallsymsPrinter } from './kallsyms.ts';
import { openRunPrinter, openTaskPrinter, type PrintSymbols } from './symbol-programs.ts';

/** After so long addresses are resolved anew: a module may have gone and another come in its place. */
const FRESH_MS = 60_000;
const MOST_STACKS = 50_000;

/** A way to print symbols. */
export interface SymbolSource {
  readonly name: string;
  /** @throws Error saying why it cannot be had */
  open(): PrintSymbols;
}

/** In the order in which they are tried: see docs/sources.md for what each costs. */
export function symbolSources(root: string): readonly SymbolSource[] {
  const kallsyms = `${root}/kallsyms`;
  return [
    { name: 'bpf_snprintf', open: openRunPrinter },
    { name: 'an iterator over tasks', open: openTaskPrinter },
    { name: kallsyms, open: () => openKallsymsPrinter(kallsyms) },
  ];
}

/** Turns the addresses of stacks into the text that /proc/PID/stack has for them. Each address is resolved once. */
export class Symbols {
  readonly #monotonicMs: () => number;
  readonly #texts = new Map<string, string>();
  /** The text of each stack, by its addresses. */
  readonly #stacks = new Map<string, string>();
  readonly #sources: SymbolSource[];
  #print: PrintSymbols | undefined;
  #sinceMs: number;
  /** What was refused, and what is done instead. */
  readonly missing: string[] = [];

  constructor(sources: readonly SymbolSource[], monotonicMs: () => number) {
    this.#sources = [...sources];
    this.#monotonicMs = monotonicMs;
    this.#sinceMs = monotonicMs();
  }

  /** The text of each of these stacks, given by its addresses, 8 bytes each as latin1 text. */
  resolve(all: ReadonlySet<string>): ReadonlyMap<string, string> {
    if (this.#monotonicMs() - this.#sinceMs > FRESH_MS || this.#stacks.size > MOST_STACKS) {
      this.#sinceMs = this.#monotonicMs();
      this.#texts.clear();
      this.#stacks.clear();
    }
    const fresh = [...all].filter((addresses) => !this.#stacks.has(addresses));
    // A zero ends a batch in the programs that print, and has no symbol.
    const unknown = new Set(fresh.flatMap(split).filter((address) => address !== ZERO && !this.#texts.has(address)));
    this.#lookUp([...unknown]);
    for (const addresses of fresh) {
      const lines = split(addresses).map((address) => `[<0>] ${this.#texts.get(address) ?? hex(address)}`);
      this.#stacks.set(addresses, lines.join('\n'));
    }
    return this.#stacks;
  }

  /** Lets go of the programs that print. */
  close(): void {
    this.#print?.close?.();
    this.#print = undefined;
  }

  #lookUp(addresses: readonly string[]): void {
    if (addresses.length === 0) return;
    for (;;) {
      const [source] = this.#sources;
      // All were refused: the addresses stand for themselves, as the kernel prints those that it does not know.
      if (source === undefined) return;
      try {
        this.#print ??= source.open();
        const lines = this.#print(addresses);
        // One too few, and each address behind it would get the symbol of another.
        if (lines.length !== addresses.length)
          throw new Error(`${addresses.length} addresses gave ${lines.length} lines`);
        for (const [index, address] of addresses.entries()) this.#texts.set(address, lines[index] || hex(address));
        return;
      } catch (error) {
        this.#sources.shift();
        this.close();
        const reason = error instanceof Error ? error.message : String(error);
        const next = this.#sources[0]?.name;
        const instead = next === undefined ? 'stacks show addresses' : `by ${next} instead`;
        this.missing.push(`bpf: symbols by ${source.name} unavailable: ${reason}; ${instead}`);
      }
    }
  }
}

const ZERO = '\0'.repeat(8);

function split(addresses: string): string[] {
  const each: string[] = [];
  for (let at = 0; at < addresses.length; at += 8) each.push(addresses.slice(at, at + 8));
  return each;
}

/** As the kernel prints an address that it does not know (kernel/kallsyms.c, __sprint_symbol). */
function hex(address: string): string {
  return `0x${Buffer.from(address, 'latin1').readBigUInt64LE().toString(16)}`;
}
