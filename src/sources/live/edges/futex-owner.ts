import type { FutexWait } from './futex-wait.ts';

/** include/uapi/linux/futex.h: the word of a lock with priority inheritance, and of one that survives its owner. */
const FUTEX_WAITERS = 0x80000000;
const FUTEX_TID_MASK = 0x3fffffff;

/** How much around a futex's word the C libraries' structures need. */
export const BYTES_BEFORE = 64;
export const BYTES_AFTER = 48;

/** glibc's struct __pthread_mutex_s on 64-bit machines (struct_mutex.h): offsets from its first word, the lock. */
const MUTEX = { count: 4, owner: 8, users: 12, kind: 16 } as const;
/** PTHREAD_MUTEX_RECURSIVE_NP, _ADAPTIVE_NP, and the bits of nptl/pthreadP.h beside the kind. */
const RECURSIVE = 1;
const MOST_KIND = 3;
const ROBUST = 0x10;
const PSHARED_OR_ELISION = 0x380;
const ALL_KIND_BITS = 0x3ff;
/** The lock words of nptl/lowlevellock.h: with waiters. */
const LOCKED_WITH_WAITERS = 2;
/** More threads than a process can have at once use no mutex. */
const MOST_USERS = 1 << 22;

/** glibc's _IO_lock_t of streams, and its recursive locks (stdio-lock.h): offsets from the lock. */
const STREAM = { count: 4, owner: 8 } as const;

/** glibc's struct __pthread_rwlock_arch_t on 64-bit machines (struct_rwlock.h). */
const RWLOCK = { readers: 0, phase: 8, writers: 12, pad3: 16, pad4: 20, writer: 24, shared: 28, flags: 48 } as const;
/** nptl/pthread_rwlock_common.c: a writer has it; the word of a futex that somebody waits for. */
const WRITE_PHASE_LOCKED = 3;
const WRITE_LOCKED_WITH_WAITERS = 3;
const MOST_RWLOCK_FLAGS = 2;

/**
 * musl's pthread_mutex_t (pthread_impl.h): offsets from _m_lock. In a normal mutex, which has type 0, it names nobody.
 */
const MUSL_MUTEX = { type: -4, waiters: 4 } as const;
const MUSL_TYPES = 7;
const MUSL_PSHARED = 128;
const MUSL_ROBUST = 4;

/** Offsets of struct pthread: of musl's tid and detach_state, and of glibc's tid (nptl/descr.h). */
interface ThreadLayout {
  readonly muslTid: number;
  readonly glibcTid: number;
  /** Where in glibc's header the structure's own address stands (tcbhead_t). */
  readonly glibcSelf: readonly number[];
}

const THREADS: Readonly<Record<string, ThreadLayout>> = {
  x64: { muslTid: 48, glibcTid: 720, glibcSelf: [0, 16] },
  arm64: { muslTid: 32, glibcTid: 208, glibcSelf: [] },
};
/** musl: detach_state stands two words behind tid, and is DT_JOINABLE until the thread ends. */
const MUSL_DETACH_STATE = 8;
const MUSL_JOINABLE = 2;

/** Bytes of a process's memory that were read, by address. */
export interface Memory {
  /** Undefined if it was not read. */
  u32(address: bigint): number | undefined;
  u64(address: bigint): bigint | undefined;
}

/** Who is said to hold up a waiter. */
export interface Claim {
  readonly by: 'futex' | 'thread-end';
  /** The TID as the process itself counts, in its PID namespace; undefined if only the thread's structure is known. */
  readonly tid: number | undefined;
  /** The address of the thread's structure of glibc, which must have that TID. */
  readonly thread?: bigint;
  /** Set if the kernel frees the lock when its owner ends. */
  readonly robust?: true;
  /** Which structure says so: `__owner of a mutex of glibc`. */
  readonly says: string;
}

/**
 * Whether a wait may be for a lock or a thread that names somebody: of most waits, such as those for condition
 * variables and semaphores, the value alone tells that they do not.
 */
export function mayNameSomebody({ value, shared }: FutexWait): boolean {
  if (value === undefined) return true;
  if ((value & FUTEX_WAITERS) !== 0)
    return (value & FUTEX_TID_MASK) !== 0 && (value & FUTEX_TID_MASK) !== FUTEX_TID_MASK;
  const isLock = value === LOCKED_WITH_WAITERS || value === WRITE_LOCKED_WITH_WAITERS;
  return isLock || (shared && value > 0 && value <= FUTEX_TID_MASK);
}

/**
 * Who holds the lock, or is the thread, that a task waits for, by what stands in the memory around the word. Undefined
 * where no known structure fits: a word alone may mean anything.
 */
export function claimOf(wait: FutexWait, memory: Memory, architecture: string): Claim | undefined {
  const word = memory.u32(wait.address);
  if (word === undefined) return undefined;
  if (wait.value === undefined) return ofPi(word);
  if (word !== wait.value) return undefined;
  const layout = THREADS[architecture];
  if (layout === undefined) return undefined;
  const { address, value, shared } = wait;
  const at = (offset: number) => memory.u32(address + BigInt(offset));
  if ((value & FUTEX_WAITERS) !== 0) return ofRobust(value & FUTEX_TID_MASK, at) ?? ofMusl(value & FUTEX_TID_MASK, at);
  const ofLock =
    value === LOCKED_WITH_WAITERS
      ? (ofMutex(at) ?? ofStream(address, memory) ?? ofMuslJoin(wait, memory, layout))
      : value === WRITE_LOCKED_WITH_WAITERS && ofRwlock(address, memory);
  return ofLock || (shared ? ofJoin(address, value, memory, layout) : undefined);
}

function ofPi(word: number): Claim | undefined {
  const tid = word & FUTEX_TID_MASK;
  return tid === 0 ? undefined : { by: 'futex', tid, robust: true, says: 'a futex with priority inheritance' };
}

type At = (offset: number) => number | undefined;

/** What all mutexes of glibc have in common: who has it, how many use it, and a kind that there is. */
function mutexOf(at: At) {
  const [owner = 0, users = 0, kind = -1, count = -1] = [MUTEX.owner, MUTEX.users, MUTEX.kind, MUTEX.count].map(at);
  const isKind = kind >= 0 && kind <= ALL_KIND_BITS;
  if (!isKind || owner === 0 || owner > FUTEX_TID_MASK || users === 0 || users > MOST_USERS) return undefined;
  return { owner, count, kind: kind & ~PSHARED_OR_ELISION };
}

function ofMutex(at: At): Claim | undefined {
  const mutex = mutexOf(at);
  if (mutex === undefined || mutex.kind > MOST_KIND) return undefined;
  if (mutex.kind === RECURSIVE ? mutex.count <= 0 : mutex.count !== 0) return undefined;
  return { by: 'futex', tid: mutex.owner, says: '__owner of a mutex of glibc' };
}

function ofRobust(tid: number, at: At): Claim | undefined {
  const mutex = mutexOf(at);
  if (mutex === undefined || mutex.owner !== tid || (mutex.kind & ~MOST_KIND) !== ROBUST) return undefined;
  return { by: 'futex', tid, robust: true, says: 'a robust mutex of glibc' };
}

function ofMusl(tid: number, at: At): Claim | undefined {
  const [type = 0, waiters = 0] = [at(MUSL_MUTEX.type), at(MUSL_MUTEX.waiters)];
  const kind = type & ~MUSL_PSHARED;
  if (tid === 0 || kind === 0 || kind > MUSL_TYPES || waiters === 0 || waiters > MOST_USERS) return undefined;
  return { by: 'futex', tid, ...((kind & MUSL_ROBUST) !== 0 && { robust: true }), says: 'a mutex of musl' };
}

function ofStream(address: bigint, memory: Memory): Claim | undefined {
  const count = memory.u32(address + BigInt(STREAM.count)) ?? 0;
  const thread = memory.u64(address + BigInt(STREAM.owner)) ?? 0n;
  if (count === 0 || count > MOST_USERS || !isPointer(thread)) return undefined;
  return { by: 'futex', tid: undefined, thread, says: 'the owner of a lock of a stream of glibc' };
}

/** Waits for the end of a writer's turn are waits for one of two words, which the alignment tells apart. */
function ofRwlock(address: bigint, memory: Memory): Claim | undefined {
  const base = address - BigInt(address % 8n === 0n ? RWLOCK.phase : RWLOCK.writers);
  const at = (offset: number) => memory.u32(base + BigInt(offset));
  const [readers = 0, writer = 0, flags = -1, shared = -1] = [
    at(RWLOCK.readers),
    at(RWLOCK.writer),
    at(RWLOCK.flags),
    at(RWLOCK.shared),
  ];
  const isPadded = at(RWLOCK.pad3) === 0 && at(RWLOCK.pad4) === 0;
  const isOne = flags >= 0 && flags <= MOST_RWLOCK_FLAGS && shared >= 0 && shared <= 1 && isPadded;
  if (!isOne || (readers & WRITE_PHASE_LOCKED) !== WRITE_PHASE_LOCKED || writer <= 0 || writer > FUTEX_TID_MASK)
    return undefined;
  return { by: 'futex', tid: writer, says: '__cur_writer of an rwlock of glibc' };
}

/** pthread_join() of musl waits for the state of the thread. */
function ofMuslJoin({ address, value }: FutexWait, memory: Memory, { muslTid }: ThreadLayout): Claim | undefined {
  const thread = address - BigInt(muslTid + MUSL_DETACH_STATE);
  const tid = memory.u32(address - BigInt(MUSL_DETACH_STATE));
  if (value !== MUSL_JOINABLE || memory.u64(thread) !== thread || tid === undefined || tid === 0) return undefined;
  return { by: 'thread-end', tid, says: 'tid of a thread of musl' };
}

/** pthread_join() of glibc waits for the word that the kernel clears when the thread ends. */
function ofJoin(address: bigint, value: number, memory: Memory, layout: ThreadLayout): Claim | undefined {
  if (!areLinks(address, memory)) return undefined;
  const thread = address - BigInt(layout.glibcTid);
  return { by: 'thread-end', tid: value, thread, says: 'tid of a thread of glibc' };
}

/** In front of the TID are the links of the list of threads. */
function areLinks(tidAddress: bigint, memory: Memory): boolean {
  return [16n, 8n].every((offset) => isPointer(memory.u64(tidAddress - offset) ?? 0n));
}

function isPointer(value: bigint): boolean {
  return value >= 0x10000n && value < 1n << 52n && value % 8n === 0n;
}

/** How much of a thread's structure tells its TID. */
export function threadBytes(architecture: string): number {
  return (THREADS[architecture]?.glibcTid ?? 0) + 4;
}

/** The TID in a thread's structure of glibc; undefined if it is none. */
export function tidOfThread(thread: bigint, memory: Memory, architecture: string): number | undefined {
  const layout = THREADS[architecture];
  if (layout === undefined) return undefined;
  if (layout.glibcSelf.some((offset) => memory.u64(thread + BigInt(offset)) !== thread)) return undefined;
  const at = thread + BigInt(layout.glibcTid);
  const tid = memory.u32(at);
  return tid === undefined || !areLinks(at, memory) || tid === 0 || tid > FUTEX_TID_MASK ? undefined : tid;
}
