/** Something about a task that only a look at it can answer. */
export type Question = DescriptorQuestion | DirectoryQuestion | MemoryQuestion;

/** What a file descriptor refers to. */
export interface DescriptorQuestion {
  readonly kind: 'fd';
  readonly fd: number;
}

/** The working directory. */
export interface DirectoryQuestion {
  readonly kind: 'cwd';
}

/** The bytes at an address in the memory of the task. */
export type MemoryQuestion = {
  readonly kind: 'memory';
  readonly address: bigint;
  readonly bytes: number;
} & (
  | { readonly as: 'string' | 'sockaddr' | 'timespec' | 'timeval' | 'flock' | 'sigset' | 'sigsetpointer' }
  /**
   * Of a path, `from` is what gives it the working directory to start from: the argument before it, which is shown with
   * it, or nothing.
   */
  | { readonly as: 'path'; readonly from: 'AT_FDCWD' | 'nothing' }
  /** `count` is the number of entries, or of descriptors; `bytes` may be for fewer of them. */
  | { readonly as: 'pollfds' | 'fdset'; readonly count: number }
);

/** A socket that is connected, as it is described, and what it is connected to. */
export interface Connection {
  readonly local: string;
  readonly peer: string;
}

/**
 * To `fd` and `cwd` the target of the link, or a description of the socket; to `memory` the bytes that could be read,
 * perhaps fewer than asked for. Undefined where it is not known.
 */
export type Answer = string | Connection | Uint8Array | undefined;

/** An argument: printed text, or what is to be asked before it can be printed. */
export type Part = string | Question;

/** How many of the descriptors are shown that a call waits for. Each is looked at. */
export const MOST_DESCRIPTORS = 8;

/** Equal for questions that have the same answer. */
export function keyOf(question: Question): string {
  if (question.kind === 'memory') return `${question.bytes} bytes at ${question.address}`;
  return question.kind === 'fd' ? `fd ${question.fd}` : question.kind;
}

/** What a descriptor refers to, where it can be one. */
export function descriptor(fd: number): Part {
  return fd < 0 ? `${fd}` : { kind: 'fd', fd };
}

/** sigset_t of the kernel, also for 32-bit tasks: 64 signals (include/linux/signal.h; compat_sigset_t). */
const SIGSET_BYTES = 8;

/** A set of signals in memory. The kernel refuses one of another size. */
export function signalSet(address: bigint, bytes: bigint): Part {
  if (address === 0n || bytes !== BigInt(SIGSET_BYTES)) return pointer(address);
  return { kind: 'memory', address, bytes: SIGSET_BYTES, as: 'sigset' };
}

export function hex(value: bigint | number): string {
  return `0x${value.toString(16)}`;
}

/** An address; `NULL` where it is zero. */
export function pointer(address: bigint): string {
  return address === 0n ? 'NULL' : hex(address);
}
