import type { Part } from './decode.ts';
import {
  ADVICE,
  AT_FLAGS,
  CLOCKS,
  CLONE_FLAGS,
  DOMAINS,
  EPOLL_OPERATIONS,
  FCNTL_COMMANDS,
  FLOCK_OPERATIONS,
  FUTEX_COMMAND_MASK,
  flags,
  futexOperation,
  IOCTLS,
  IPC_CALLS,
  MAP_FLAGS,
  MESSAGE_FLAGS,
  MOUNT_FLAGS,
  makesFile,
  type Names,
  oneOf,
  openFlags,
  PROTECTIONS,
  PTRACE_REQUESTS,
  SIGNALS,
  SOCKETCALLS,
  SYNC_FLAGS,
  socketType,
  UNMOUNT_FLAGS,
  WAIT_OPTIONS,
  WAITID_TYPES,
  WHENCE,
} from './flags.ts';

export interface ArgumentContext {
  /** All arguments of the call. */
  readonly values: readonly bigint[];
  readonly architecture: string;
  readonly bits: 32 | 64;
}

/** What is printed for an argument of a kind: mostly one part, none where the argument does not count. */
type Decode = (value: bigint, at: number, context: ArgumentContext) => readonly Part[];

/** PATH_MAX, and what sockaddr_storage and the first descriptors of a poll take. */
const PATH_BYTES = 4096;
const SOCKADDR_BYTES = 128n;
const POLLFD_BYTES = 8n;
const MOST_POLLFDS = 16n;

const AT_FDCWD = -100;

/** Arguments of 32 bits have whatever the caller left in the upper half of the register. */
const int = (value: bigint) => Number(BigInt.asIntN(32, value));
const uint = (value: bigint) => Number(BigInt.asUintN(32, value));
const hex = (value: bigint) => `0x${value.toString(16)}`;
const octal = (value: bigint) => `0${(uint(value) & 0o177777).toString(8)}`;
const pointer = (value: bigint) => (value === 0n ? 'NULL' : hex(value));
const wide = (value: bigint, { bits }: ArgumentContext) => String(bits === 32 ? BigInt.asIntN(32, value) : BigInt.asIntN(64, value));

const named =
  (names: Names): Decode =>
  (value) => [oneOf(int(value), names)];
const flagged =
  (names: Names, none = '0'): Decode =>
  (value) => [flags(uint(value), names, none)];

const memory = (as: 'path' | 'sockaddr' | 'timespec' | 'pollfds', address: bigint, bytes: number): readonly Part[] =>
  address === 0n ? ['NULL'] : [{ kind: 'memory', address, bytes, as }];

const fd: Decode = (value) => (int(value) < 0 ? [`${int(value)}`] : [{ kind: 'fd', fd: int(value) }]);

/** The length of an address stands behind it; one that no address has is not believed. */
const sockaddr: Decode = (value, at, { values }) => {
  const length = BigInt(uint(values[at + 1] ?? 0n));
  return memory('sockaddr', value, Number(length < SOCKADDR_BYTES ? length : SOCKADDR_BYTES));
};

const timespec: Decode = (value, _, { bits }) => (bits === 32 ? [pointer(value)] : memory('timespec', value, 16));

/** The kernel reads as many arguments as the operation takes (kernel/futex/syscalls.c). */
const futex: Decode = (value, at, context) => {
  const [, operation = 0n, count = 0n, timeout = 0n, second = 0n, third = 0n] = context.values;
  const shown: Part[] = [hex(value), futexOperation(uint(operation))];
  const command = uint(operation) & FUTEX_COMMAND_MASK;
  switch (command) {
    case 0: // FUTEX_WAIT
      return [...shown, String(uint(count)), ...timespec(timeout, at, context)];
    case 9: // FUTEX_WAIT_BITSET
      return [...shown, String(uint(count)), ...timespec(timeout, at, context), hex(BigInt.asUintN(32, third))];
    case 1: // FUTEX_WAKE
      return [...shown, String(int(count))];
    case 6: // FUTEX_LOCK_PI
    case 13: // FUTEX_LOCK_PI2
      return [...shown, ...timespec(timeout, at, context)];
    case 7: // FUTEX_UNLOCK_PI
    case 8: // FUTEX_TRYLOCK_PI
      return shown;
    case 11: // FUTEX_WAIT_REQUEUE_PI
      return [...shown, String(uint(count)), ...timespec(timeout, at, context), hex(second)];
    default:
      return [...shown, String(int(count)), hex(timeout), hex(second), String(uint(third))];
  }
};

export const KINDS: Readonly<Record<string, Decode>> = {
  int: (value) => [String(int(value))],
  uint: (value) => [String(uint(value))],
  size: (value, _, { bits }) => [String(BigInt.asUintN(bits, value))],
  offset: (value, _, context) => [wide(value, context)],
  hex: (value) => [value === 0n ? '0' : hex(value)],
  mode: (value) => [octal(value)],
  access: flagged(
    [
      [4, 'R_OK'],
      [2, 'W_OK'],
      [1, 'X_OK'],
    ],
    'F_OK',
  ),
  pointer: (value) => [pointer(value)],
  // What the kernel is to fill, or has as it is: its content says nothing about the wait.
  buffer: (value) => [value === 0n ? 'NULL' : '...'],
  skip: () => [],
  milliseconds: (value) => [int(value) < 0 ? '-1' : `${int(value)} ms`],
  fd,
  dirfd: (value, at, context) => (int(value) === AT_FDCWD ? ['AT_FDCWD'] : fd(value, at, context)),
  mapfd: fd,
  path: (value) => memory('path', value, PATH_BYTES),
  sockaddr,
  timespec,
  pollfds: (value, at, { values }) => {
    const count = BigInt(uint(values[at + 1] ?? 0n));
    return count === 0n
      ? [pointer(value)]
      : memory('pollfds', value, Number((count < MOST_POLLFDS ? count : MOST_POLLFDS + 1n) * POLLFD_BYTES));
  },
  futex,
  openflags: (value, _, { architecture }) => [openFlags(uint(value), architecture)],
  openmode: (value, at, { values }) => (makesFile(uint(values[at - 1] ?? 0n)) ? [octal(value)] : []),
  signal: named(SIGNALS),
  clock: named(CLOCKS),
  whence: named(WHENCE),
  epollop: named(EPOLL_OPERATIONS),
  flock: flagged(FLOCK_OPERATIONS),
  prot: flagged(PROTECTIONS, 'PROT_NONE'),
  mapflags: flagged(MAP_FLAGS),
  msgflags: flagged(MESSAGE_FLAGS),
  waitoptions: flagged(WAIT_OPTIONS),
  idtype: named(WAITID_TYPES),
  fcntl: named(FCNTL_COMMANDS),
  ioctl: (value) => [IOCTLS.find(([number]) => number === uint(value))?.[1] ?? hex(BigInt.asUintN(32, value))],
  domain: named(DOMAINS),
  socktype: (value) => [socketType(uint(value))],
  /** The lowest byte is the signal at the end of the child. */
  cloneflags: (value) => {
    const signal = uint(value) & 0x7f;
    const set = flags(uint(value) & ~0x7f, CLONE_FLAGS, '');
    const parts = [set, signal === 0 ? '' : oneOf(signal, SIGNALS)].filter((part) => part !== '');
    return [parts.length === 0 ? '0' : parts.join('|')];
  },
  mountflags: flagged(MOUNT_FLAGS),
  umountflags: flagged(UNMOUNT_FLAGS),
  atflags: flagged(AT_FLAGS),
  advice: named(ADVICE),
  syncflags: flagged(SYNC_FLAGS),
  ptrace: named(PTRACE_REQUESTS),
  socketcall: named(SOCKETCALLS),
  ipccall: (value) => [oneOf(int(value) & 0xffff, IPC_CALLS)],
};
