import { readFileSync } from 'node:fs';
import type { PrintSymbols } from './symbol-programs.ts';

/**
 * By /proc/kallsyms, which is read when symbols are first asked for. @throws Error where it cannot be read or hides
 * its addresses
 */
export function openKallsymsPrinter(path: string): PrintSymbols {
  const print = parseKallsyms(readFileSync(path));
  if (print === undefined) throw new Error(`${path} has no addresses (kernel.kptr_restrict)`);
  return print;
}

const NEWLINE = 10;
const ADDRESS_DIGITS = 16;
/** Where the symbol's name begins: `ffffffff81000000 T name`, behind which modules have `\t[module]`. */
const NAME = ADDRESS_DIGITS + 3;
/** The last function of a module is taken to end with its page, as its code does. */
const PAGE_BYTES = 4096;
/** Where the addresses of the kernel begin, as {@link numberOf} tells them. */
const KERNEL = 0;
/** What is no module, and of which the sizes are not told. */
const WITHOUT_SIZES = /^(?:bpf|__builtin__\w+)$/;

/** Symbols by address. */
class SymbolTable {
  readonly #starts: Float64Array;
  readonly #names: readonly string[];

  constructor(starts: Float64Array, names: readonly string[]) {
    this.#starts = starts;
    this.#names = names;
  }

  /**
   * The first of the symbols that begin at the greatest address up to this one, and where the next one begins: as
   * kernel/kallsyms.c, get_symbol_pos.
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

/** What prints addresses by the content of /proc/kallsyms; undefined where that shows no addresses. */
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
    // Marks between data and code (kernel/module/kallsyms.c, is_mapping_symbol).
    if (name === '' || name.startsWith('.L') || name.startsWith('$')) continue;
    shown ||= start > KERNEL;
    lines.starts.push(start);
    lines.names.push(name);
    if (!name.endsWith(']')) core = lines.starts.length;
  }
  if (!shown) return undefined;
  // The kernel's own are in the order of their addresses, those of modules in that of their symbol tables.
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
 * As __sprint_symbol of kernel/kallsyms.c prints it for sprint_backtrace: a return address may be behind the end of
 * its function.
 */
function print(core: SymbolTable, modules: SymbolTable, text: string): string {
  const bytes = Buffer.from(text, 'latin1');
  const address = numberOf(bytes.readUInt32LE(4), bytes.readUInt32LE(0));
  const hex = (number: number) => `0x${number.toString(16)}`;
  const found = core.find(address - 1);
  // Below the kernel there are modules on some architectures, and far below the places of per-CPU variables.
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

/** Of kernel addresses the highest twelve bits are set: without them a number is exact, and the order stays. */
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
