import { openKallsymsPrinter } from './kallsyms.ts';
import { openRunPrinter, openTaskPrinter, type PrintSymbols } from './symbol-programs.ts';

/** How long symbols are cached: a module may be unloaded and another loaded at its addresses. */
const FRESH_MS = 60_000;
const MOST_STACKS = 50_000;

/** A way to print symbols. */
export interface SymbolSource {
  readonly name: string;
  /** @throws Error saying why it is unavailable */
  open(): PrintSymbols;
}

/** The sources in the order in which they are tried. docs/sources.md says what each costs. */
export function symbolSources(root: string): readonly SymbolSource[] {
  const kallsyms = `${root}/kallsyms`;
  return [
    { name: 'bpf_snprintf', open: openRunPrinter },
    { name: 'an iterator over tasks', open: openTaskPrinter },
    { name: kallsyms, open: () => openKallsymsPrinter(kallsyms) },
  ];
}

/** Turns addresses of stacks into the text of /proc/PID/stack. Resolves each address once. */
export class Symbols {
  readonly #monotonicMs: () => number;
  readonly #texts = new Map<string, string>();
  /** The text of each stack, by its addresses. */
  readonly #stacks = new Map<string, string>();
  readonly #sources: SymbolSource[];
  #print: PrintSymbols | undefined;
  #sinceMs: number;
  /** Messages about sources that failed, and what replaces them. */
  readonly missing: string[] = [];

  constructor(sources: readonly SymbolSource[], monotonicMs: () => number) {
    this.#sources = [...sources];
    this.#monotonicMs = monotonicMs;
    this.#sinceMs = monotonicMs();
  }

  /** The text of each stack, keyed by its addresses (8 bytes each, as a latin1 string). */
  resolve(all: ReadonlySet<string>): ReadonlyMap<string, string> {
    if (this.#monotonicMs() - this.#sinceMs > FRESH_MS || this.#stacks.size > MOST_STACKS) {
      this.#sinceMs = this.#monotonicMs();
      this.#texts.clear();
      this.#stacks.clear();
    }
    const fresh = [...all].filter((addresses) => !this.#stacks.has(addresses));
    // Zero has no symbol, and would end a batch in the printing programs.
    const unknown = new Set(fresh.flatMap(split).filter((address) => address !== ZERO && !this.#texts.has(address)));
    this.#lookUp([...unknown]);
    for (const addresses of fresh) {
      const lines = split(addresses).map((address) => `[<0>] ${this.#texts.get(address) ?? hex(address)}`);
      this.#stacks.set(addresses, lines.join('\n'));
    }
    return this.#stacks;
  }

  /** Unloads the printing programs. */
  close(): void {
    this.#print?.close?.();
    this.#print = undefined;
  }

  #lookUp(addresses: readonly string[]): void {
    if (addresses.length === 0) return;
    for (;;) {
      const [source] = this.#sources;
      // All failed. Addresses are shown as such, as the kernel prints those without a symbol.
      if (source === undefined) return;
      try {
        this.#print ??= source.open();
        const lines = this.#print(addresses);
        // One line too few would give every later address the symbol of another.
        if (lines.length !== addresses.length)
          throw new Error(`${addresses.length} addresses gave ${lines.length} lines`);
        for (const [index, address] of addresses.entries()) this.#texts.set(address, lines[index] || hex(address));
        return;
      } catch (error) {
        this.#sources.shift();
        this.close();
        const reason = error instanceof Error ? error.message : String(error);
        const next = this.#sources[0]?.name;
        const instead = next === undefined ? 'stacks show addresses' : `using ${next} instead`;
        this.missing.push(`bpf: symbols from ${source.name} unavailable: ${reason}; ${instead}`);
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

/** As the kernel prints an address without a symbol (kernel/kallsyms.c, __sprint_symbol). */
function hex(address: string): string {
  return `0x${Buffer.from(address, 'latin1').readBigUInt64LE().toString(16)}`;
}
