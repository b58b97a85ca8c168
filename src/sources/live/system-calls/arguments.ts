import { nameOf, namingOf, printSignals } from './naming.ts';
import { descriptor, hex, type MemoryQuestion, MOST_DESCRIPTORS, type Part, pointer, signalSet } from './question.ts';

/** The argument registers of a task. */
export interface Registers {
  /** Each as wide as the task's registers, unsigned. */
  readonly words: readonly bigint[];
  readonly bits: 32 | 64;
  /** Of the host, as Node.js names it: some constants depend on it. */
  readonly architecture: string;
}

/** `sizeAt` is the register of the size of a set of signals, in a signature that has one. */
type Show = (registers: Registers, at: number, sizeAt: number) => Part;

/** PATH_MAX of include/uapi/linux/limits.h. */
export const PATH_BYTES = 4096;
/** struct sockaddr_storage, the longest address (include/uapi/linux/socket.h). */
const SOCKADDR_BYTES = 128;
/** Among how many descriptors those are looked for that select waits for. */
const MOST_SELECTED = 1024;
const POLLFD_BYTES = 8;
export const AT_FDCWD = -100;

/**
 * How an argument is shown. Where the parameter of a call is narrower than a register, the rest of the register means
 * nothing.
 */
const KINDS: Readonly<Record<string, Show>> = {
  int: (registers, at) => `${int(registers, at)}`,
  uint: (registers, at) => `${uint(registers, at)}`,
  long: (registers, at) => `${BigInt.asIntN(registers.bits, word(registers, at))}`,
  size: (registers, at) => `${word(registers, at)}`,
  hex: (registers, at) => hex(word(registers, at)),
  hex64: (registers, at) => hex(pair(registers, at)),
  offset: (registers, at) => `${BigInt.asIntN(64, pair(registers, at))}`,
  splitoffset: (registers, at) => `${BigInt.asIntN(64, pair(registers, at))}`,
  /** An offset in pages of 4096 bytes, whatever the size of the pages. */
  pages: (registers, at) => hex(word(registers, at) * 4096n),
  flags: (registers, at) => (uint(registers, at) === 0 ? '0' : hex(uint(registers, at))),
  mode: (registers, at) => octal(uint(registers, at) & 0xffff),
  id: (registers, at) => (int(registers, at) === -1 ? '-1' : `${uint(registers, at)}`),
  pointer: (registers, at) => pointer(word(registers, at)),
  buffer: (registers, at) => (word(registers, at) === 0n ? 'NULL' : '...'),
  fd: (registers, at) => descriptor(int(registers, at)),
  dirfd: (registers, at) => (int(registers, at) === AT_FDCWD ? 'AT_FDCWD' : descriptor(int(registers, at))),
  string: (registers, at) => memory(registers, at, { bytes: PATH_BYTES, as: 'string' }),
  path: (registers, at) => memory(registers, at, { bytes: PATH_BYTES, as: 'path', from: 'nothing' }),
  /** Takes the length from the next register. */
  sockaddr: (registers, at) =>
    memory(registers, at, { bytes: Math.min(int(registers, at + 1), SOCKADDR_BYTES), as: 'sockaddr' }),
  timespec: (registers, at) => memory(registers, at, { bytes: registers.bits / 4, as: 'timespec' }),
  timespec64: (registers, at) => memory(registers, at, { bytes: 16, as: 'timespec' }),
  timeval: (registers, at) => memory(registers, at, { bytes: registers.bits / 4, as: 'timeval' }),
  flock: (registers, at) => memory(registers, at, { bytes: registers.bits === 64 ? 32 : 16, as: 'flock' }),
  flock64: (registers, at) => memory(registers, at, { bytes: registers.bits === 64 ? 32 : 24, as: 'flock' }),
  pollfds: (registers, at) => {
    const count = uint(registers, at + 1);
    return memory(registers, at, { bytes: Math.min(count, MOST_DESCRIPTORS) * POLLFD_BYTES, as: 'pollfds', count });
  },
  fdset: (registers, at) => {
    const count = int(registers, 0);
    return memory(registers, at, { bytes: Math.ceil(Math.min(count, MOST_SELECTED) / 8), as: 'fdset', count });
  },
  sigset: (registers, at, sizeAt) => signalSet(word(registers, at), word(registers, sizeAt)),
  sigsetsize: (registers, at) => `${word(registers, at)}`,
  /** Where a call has no room for both, its last argument is where they are (fs/select.c, get_sigset_argpack). */
  sigsetpointer: (registers, at) => memory(registers, at, { bytes: registers.bits / 4, as: 'sigsetpointer' }),
  /** The first 32 signals, in a register (kernel/signal.c, old_sigset_t). */
  oldsigset: (registers, at) => printSignals(BigInt(uint(registers, at)), 32),
  cloneflags: (registers, at) => cloneFlags(uint(registers, at), registers.architecture),
};

/** How many registers an argument takes, where it is not one. */
function registersOf(kind: string, bits: 32 | 64): number {
  if (kind === 'splitoffset') return 2;
  return bits === 32 && (kind === 'offset' || kind === 'hex64') ? 2 : 1;
}

/** Whether a word of a signature is known. */
export function isKind(kind: string): boolean {
  return kind === '-' || KINDS[kind] !== undefined || namingOf(kind, '') !== undefined;
}

/** The kinds of a call's arguments, and the first register of each. */
export function placesOf(signature: string, bits: 32 | 64): { readonly kind: string; readonly at: number }[] {
  let next = 0;
  const kinds = signature === '' ? [] : signature.split(' ');
  return kinds.map((kind) => {
    const at = next;
    next += registersOf(kind, bits);
    return { kind, at };
  });
}

/** The arguments of a call that has such a signature (see signatures.ts). */
export function argumentsOf(signature: string, registers: Registers): Part[] {
  const parts: Part[] = [];
  const places = placesOf(signature, registers.bits);
  // No argument before it takes two registers.
  const sizeAt = places.findIndex(({ kind }) => kind === 'sigsetsize');
  for (const [index, { kind, at }] of places.entries()) {
    const isShownWithPath = kind === 'dirfd' && places[index + 1]?.kind === 'path' && int(registers, at) === AT_FDCWD;
    if (kind === 'path' && places[index - 1]?.kind === 'dirfd') parts.push(pathBelow(registers, at));
    else if (kind !== '-' && !isShownWithPath) parts.push(show(kind, registers, at, sizeAt));
  }
  return parts;
}

/** A path that starts from the directory in the register before it, unless it is absolute. */
function pathBelow(registers: Registers, at: number): Part {
  if (int(registers, at - 1) !== AT_FDCWD) return show('string', registers, at);
  const path = memory(registers, at, { bytes: PATH_BYTES, as: 'path', from: 'AT_FDCWD' });
  return typeof path === 'string' ? `AT_FDCWD, ${path}` : path;
}

/** The low 32 bits of an argument, unsigned. */
export function uint({ words }: Registers, at: number): number {
  return Number(BigInt.asUintN(32, words[at] ?? 0n));
}

function show(kind: string, registers: Registers, at: number, sizeAt = -1): Part {
  const naming = namingOf(kind, registers.architecture);
  if (naming !== undefined) return nameOf(naming, uint(registers, at));
  return (KINDS[kind] ?? hexWord)(registers, at, sizeAt);
}

function hexWord(registers: Registers, at: number): string {
  return hex(word(registers, at));
}

export function word({ words }: Registers, at: number): bigint {
  return words[at] ?? 0n;
}

export function int(registers: Registers, at: number): number {
  return uint(registers, at) | 0;
}

/** A value of 64 bits, which takes two registers of 32 bits, the low half first. */
function pair(registers: Registers, at: number): bigint {
  return registers.bits === 64 ? word(registers, at) : word(registers, at) | (word(registers, at + 1) << 32n);
}

function octal(value: number): string {
  return value === 0 ? '0' : `0${value.toString(8)}`;
}

/** A question but for the address. Of each of the union by itself, so that what belongs together stays together. */
type Wanted = MemoryQuestion extends infer Each
  ? Each extends MemoryQuestion
    ? Omit<Each, 'kind' | 'address'>
    : never
  : never;

/**
 * What is at the address in a register. There is nothing to ask where the address is NULL, or where the call looks at
 * no bytes.
 */
function memory(registers: Registers, at: number, wanted: Wanted): Part {
  const address = word(registers, at);
  return address === 0n || wanted.bytes <= 0 ? pointer(address) : { kind: 'memory', address, ...wanted };
}

/** The lowest byte is the signal that the parent gets (kernel/fork.c). */
function cloneFlags(value: number, architecture: string): string {
  const signal = value & 0xff;
  const names = [
    [value - signal, namingOf('clonebits', architecture)] as const,
    [signal, namingOf('signal', architecture)] as const,
  ].flatMap(([part, naming]) => (part === 0 || naming === undefined ? [] : nameOf(naming, part)));
  return names.length === 0 ? '0' : names.join('|');
}
