import { attachIterator, descriptorOf, type LoadedBpf, readIterator, updateElements } from '../../native/bpf.ts';

/** MOST_SYMBOLS of bpf/kstack.bpf.c. */
const AT_ONCE = 4096;
/** After so long addresses are resolved anew: a module may have gone and another come in its place. */
const FRESH_MS = 60_000;
const MOST_STACKS = 50_000;

/**
 * Turns the addresses of stacks into the text that /proc/PID/stack has for them. The kernel resolves each address once, by an iterator that prints with %pB:
 * reading /proc/kallsyms instead makes the kernel print some hundred thousand symbols, which takes longer than a sample of a whole host, and it has no offsets.
 */
export class Symbols {
  readonly #monotonicMs: () => number;
  readonly #mapFd: number;
  readonly #iterator: number;
  readonly #texts = new Map<string, string>();
  /** The text of each stack, by its addresses. */
  readonly #stacks = new Map<string, string>();
  /** How many elements of the map are in use. */
  #used = 0;
  #sinceMs: number;

  constructor({ maps, programs }: LoadedBpf, monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
    this.#mapFd = descriptorOf(maps, 'symbols_wanted');
    this.#iterator = attachIterator(descriptorOf(programs, 'symbols'), this.#mapFd);
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
    const unknown = new Set(fresh.flatMap(split).filter((address) => !this.#texts.has(address)));
    this.#lookUp([...unknown]);
    for (const addresses of fresh) {
      const lines = split(addresses).map((address) => `[<0>] ${this.#texts.get(address) ?? hex(address)}`);
      this.#stacks.set(addresses, lines.join('\n'));
    }
    return this.#stacks;
  }

  #lookUp(addresses: readonly string[]): void {
    for (let from = 0; from < addresses.length; from += AT_ONCE) {
      const some = addresses.slice(from, from + AT_ONCE);
      const count = Math.max(some.length, this.#used);
      const keys = Buffer.alloc(count * 4);
      for (let index = 0; index < count; index++) keys.writeUInt32LE(index, index * 4);
      const values = Buffer.alloc(count * 8);
      values.write(some.join(''), 'latin1');
      updateElements(this.#mapFd, keys, values, count);
      this.#used = some.length;
      const pieces: Buffer[] = [];
      for (const bytes of readIterator(this.#iterator)) pieces.push(Buffer.from(bytes));
      const lines = Buffer.concat(pieces).toString('latin1').split('\n');
      for (const [index, address] of some.entries()) this.#texts.set(address, lines[index] ?? hex(address));
    }
  }
}

function split(addresses: string): string[] {
  const each: string[] = [];
  for (let at = 0; at < addresses.length; at += 8) each.push(addresses.slice(at, at + 8));
  return each;
}

function hex(address: string): string {
  return `0x${Buffer.from(address, 'latin1').readBigUInt64LE().toString(16).padStart(16, '0')}`;
}
