import type { SystemCall } from '../../../model/system-call.ts';

/** The operations of futex(2) that wait for a word (include/uapi/linux/futex.h). */
const FUTEX_WAIT = 0n;
const FUTEX_LOCK_PI = 6n;
const FUTEX_WAIT_BITSET = 9n;
const FUTEX_LOCK_PI2 = 13n;
const COMMAND_MASK = 0x7fn;
/** FUTEX_PRIVATE_FLAG, and FUTEX2_PRIVATE of futex_wait(2) and futex_waitv(2). */
const PRIVATE = 0x80n;
/** FUTEX2_SIZE_MASK and FUTEX2_SIZE_U32. */
const SIZE_MASK = 3n;
const SIZE_32 = 2n;

/** struct futex_waitv: offsets in bytes. */
const WAITER = { value: 0, address: 8, flags: 16, bytes: 24 } as const;
/** FUTEX_WAITV_MAX */
const MOST_WAITERS = 128;

/** A wait for a 32-bit word in user space to change. */
export interface FutexWait {
  readonly address: bigint;
  /**
   * What the word was when the wait began; undefined for a lock with priority inheritance, which says no such value.
   */
  readonly value: number | undefined;
  /** Whether the word may be in memory that other processes have mapped, too. */
  readonly shared: boolean;
}

/** An array of futexes, one of which ends the wait. */
export interface FutexArray {
  readonly address: bigint;
  readonly count: number;
}

/**
 * What a task in futex(2), futex_wait(2) or futex_waitv(2) waits for. Undefined for other calls, and for operations
 * that no lock waits with (FUTEX_WAIT_REQUEUE_PI is that of condition variables).
 */
export function futexWaitOf(name: string | undefined, { arguments: words }: SystemCall) {
  const [address = 0n, second = 0n, third = 0n, fourth = 0n] = words.slice(0, 4).map(BigInt);
  if (name === 'futex') return waitOf(address, second, third);
  if (name === 'futex_wait') return wordOf(address, second, fourth);
  if (name !== 'futex_waitv' || second === 0n || second > MOST_WAITERS) return undefined;
  return { address, count: Number(second) };
}

function waitOf(address: bigint, operation: bigint, value: bigint): FutexWait | undefined {
  const shared = (operation & PRIVATE) === 0n;
  switch (operation & COMMAND_MASK) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
      return { address, value: Number(BigInt.asUintN(32, value)), shared };
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2:
      return { address, value: undefined, shared };
    default:
      return undefined;
  }
}

function wordOf(address: bigint, value: bigint, flags: bigint): FutexWait | undefined {
  if ((flags & SIZE_MASK) !== SIZE_32) return undefined;
  return { address, value: Number(BigInt.asUintN(32, value)), shared: (flags & PRIVATE) === 0n };
}

export function sizeOf({ count }: FutexArray): number {
  return count * WAITER.bytes;
}

/** The elements of an array of futexes; undefined if one of them is no word of 32 bits, or is missing. */
export function parseFutexArray(bytes: Buffer, { count }: FutexArray): FutexWait[] | undefined {
  const waits: FutexWait[] = [];
  for (let at = 0; at < count * WAITER.bytes; at += WAITER.bytes) {
    if (at + WAITER.bytes > bytes.length) return undefined;
    const flags = BigInt(bytes.readUInt32LE(at + WAITER.flags));
    const wait = wordOf(bytes.readBigUInt64LE(at + WAITER.address), bytes.readBigUInt64LE(at + WAITER.value), flags);
    if (wait === undefined) return undefined;
    waits.push(wait);
  }
  return waits;
}
