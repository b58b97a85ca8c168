import { readFileSync } from 'node:fs';
import type { PrintSymbols } from './symbol-programs.ts';

/** Prints symbols from /proc/kallsyms. @throws Error if it cannot be read or hides its addresses */
export function openKallsymsPrinter(path: string): PrintSymbols {
  const print = parseKallsyms(readFileSync(path));
  if (print === undefined) throw new Error(`${path} has no addresses (kernel.kptr_restrict)`);
  return print;
}

const NEWLINE = 10;
const ADDRESS_DIGITS = 16;
/** Offset of the name in `ffffffff81000000 T name`, which `\t[module]` follows for a module's symbol. */
const NAME = ADDRESS_DIGITS + 3;
/** kallsyms has no sizes. The last function of a module is taken to end with its page, as module code does. */
const PAGE_BYTES = 4096;
/** The lowest kernel address, as {@link numberOf} returns it. */
const KERNEL = 0;
/** Not modules; the kernel prints these symbols as addresses. */
const WITHOUT_SIZES = /^(?:bpf|__builtin__\w+)$/;

class SymbolTable {
  readonly #starts: Float64Array;
  readonly #names: readonly string[];

  constructor(starts: Float64Array, names: readonly string[]) {
    this.#starts = starts;
    this.#names = names;
  }

  /**
   * The symbol at or below the address, and the start of the next one. Of several symbols with the same start it is the
   * first, as in kernel/kallsyms.c, get_symbol_pos.
   */
  find(address: number): { start: number; name: string; next: number | undefined; nextName: string } | undefined {
    const starts = this.#starts;
    let low = 0;
    let high = starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= address) low = middle + 1;
      else high = middle;
    }
    const start = starts[low - 1];
    if (start === undefined) return undefined;
    let first = low - 1;
    while (starts[first - 1] === start) first--;
    return { start, name: this.#names[first] ?? '', next: starts[low], nextName: this.#names[low] ?? '' };
  }
}

/** A printer from the content of /proc/kallsyms; undefined if the addresses are hidden. */
export function parseKallsyms(bytes: Buffer): PrintSymbols | undefined {
  const lines = { starts: [] as number[], names: [] as string[] };
  let core = 0;
  let shown = false;
  for (let at = 0; at < bytes.length; ) {
    const newline = bytes.indexOf(NEWLINE, at);
    const end = newline < 0 ? bytes.length : newline;
    const start = numberOf(hexWord(bytes, at), hexWord(bytes, at + 8));
    const name = bytes.toString('latin1', at + NAME, end);
    at = end + 1;
    // Mapping symbols, which mark data and code (kernel/module/kallsyms.c, is_mapping_symbol).
    if (name === '' || name.startsWith('.L') || name.startsWith('$')) continue;
    shown ||= start > KERNEL;
    lines.starts.push(start);
    lines.names.push(name);
    if (!name.endsWith(']')) core = lines.starts.length;
  }
  if (!shown) return undefined;
  // The kernel's own symbols are sorted by address. Those of modules are in the order of their symbol tables.
  const coreTable = new SymbolTable(Float64Array.from(lines.starts.slice(0, core)), lines.names.slice(0, core));
  const order = Array.from(lines.starts.slice(core).keys(), (index) => index + core);
  const startOf = (index: number) => lines.starts[index] ?? 0;
  order.sort((a, b) => startOf(a) - startOf(b));
  const moduleTable = new SymbolTable(
    Float64Array.from(order, startOf),
    order.map((index) => lines.names[index] ?? ''),
  );
  return (addresses) => addresses.map((address) => print(coreTable, moduleTable, address));
}

/**
 * As __sprint_symbol of kernel/kallsyms.c does for sprint_backtrace. It looks up address - 1, because a return address
 * may lie past the end of its function.
 */
function print(core: SymbolTable, modules: SymbolTable, text: string): string {
  const bytes = Buffer.from(text, 'latin1');
  const address = numberOf(bytes.readUInt32LE(4), bytes.readUInt32LE(0));
  const hex = (number: number) => `0x${number.toString(16)}`;
  const found = core.find(address - 1);
  // Below the kernel lie modules on some architectures, and far below the offsets of per-CPU variables.
  if (found?.next !== undefined && found.start >= KERNEL)
    return `${found.name}+${hex(address - found.start)}/${hex(found.next - found.start)}`;
  const other = modules.find(address - 1);
  const [, name = '', module = ''] = /^(.*)\t\[(.*)\]$/.exec(other?.name ?? '') ?? [];
  if (other === undefined || name === '' || WITHOUT_SIZES.test(module))
    return `0x${bytes.readBigUInt64LE().toString(16)}`;
  const pageEnd = Math.ceil(address / PAGE_BYTES) * PAGE_BYTES;
  const end = other.next !== undefined && other.nextName.endsWith(`[${module}]`) ? other.next : pageEnd;
  return `${name}+${hex(address - other.start)}/${hex(end - other.start)} [${module}]`;
}

/** The top twelve bits of a kernel address are set. Without them a double is exact and keeps the order. */
function numberOf(high: number, low: number): number {
  return (high - 0xfff00000) * 2 ** 32 + low;
}

function hexWord(bytes: Buffer, at: number): number {
  let word = 0;
  for (let index = at; index < at + 8; index++) {
    const digit = bytes[index] ?? 0;
    word = word * 16 + (digit < 0x3a ? digit - 0x30 : digit - 0x57);
  }
  return word;
}
