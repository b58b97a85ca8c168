import type { LockWait } from '../../../model/sample.ts';
import type { LockWords, Waiter } from './waiters.ts';

export type LockType = 'mutex' | 'rwsem' | 'semaphore';

type Pass = ReadonlyMap<number, Waiter>;
type Pair = readonly [Waiter, Waiter];

/** MUTEX_FLAG_WAITERS of kernel/locking/mutex.h, RWSEM_FLAG_WAITERS of rwsem.c: set as long as somebody waits. */
const MUTEX_WAITERS = 1n;
const RWSEM_WAITERS = 2n;
/** RWSEM_WRITER_LOCKED, and the readers' count, of rwsem.c. */
const RWSEM_WRITER = 1n;
const RWSEM_READERS = ~0xffn;
/** RWSEM_READER_OWNED: the owner is the last one who took it to read, and may have given it back since. */
const LAST_READER = 1n;
const OWNER_FLAGS = 7n;

/**
 * The locks that tasks wait for, from two passes over the stacks of waiters. A task counts if it was not on a CPU from
 * its turn in the first pass to its turn in the second: all that time its waiter stood in the list of the same lock.
 * Two such waiters wait for the same lock if one leads to the other in both passes. The lock lies around the head of
 * the list, and must look like one of its kind in both.
 * @param typeOf the kind of lock, by the function that waits
 */
export function locksIn(
  first: Pass,
  second: Pass,
  typeOf: (waiter: Waiter) => LockType | undefined,
): Map<number, LockWait> {
  const steady = new Map<bigint, Pair>();
  for (const [tid, before] of first) {
    const after = second.get(tid);
    if (after !== undefined && isSteady(before, after)) steady.set(after.waiter, [before, after]);
  }
  const locks = new Map<number, LockWait>();
  for (const list of listsOf(steady)) {
    const type = typeOf(list[0][1]);
    if (type === undefined || list.some(([, after]) => typeOf(after) !== type)) continue;
    const lock = lockOf(list, type, first, second);
    if (lock === undefined) continue;
    for (const [, { tid, type: rwsemType }] of list) {
      const kind = type === 'rwsem' ? RWSEM_KINDS[rwsemType] : type;
      if (kind !== undefined) locks.set(tid, { kind, ...lock });
    }
  }
  return locks;
}

/** enum rwsem_waiter_type. */
const RWSEM_KINDS = ['rwsem-write', 'rwsem-read'] as const;

function isSteady(before: Waiter, after: Waiter): boolean {
  return (
    before.waiter !== 0n &&
    before.waiter === after.waiter &&
    before.task === after.task &&
    before.switches === after.switches &&
    !before.onCpu &&
    !after.onCpu
  );
}

/** The waiters of each list, as far as they are known to be in one. */
function listsOf(steady: ReadonlyMap<bigint, Pair>): [Pair, ...Pair[]][] {
  const lists: [Pair, ...Pair[]][] = [];
  const done = new Set<bigint>();
  for (const [address, pair] of steady) {
    if (done.has(address)) continue;
    const list: [Pair, ...Pair[]] = [pair];
    done.add(address);
    for (const [before, after] of list)
      for (const link of ['next', 'previous'] as const) {
        const neighbour = before[link] === after[link] ? steady.get(after[link]) : undefined;
        if (neighbour === undefined || done.has(after[link])) continue;
        done.add(after[link]);
        list.push(neighbour);
      }
    lists.push(list);
  }
  return lists;
}

/** The lock at the head of a list; undefined if it is not certain to be one. */
function lockOf(list: readonly Pair[], type: LockType, first: Pass, second: Pass): Omit<LockWait, 'kind'> | undefined {
  const ends = list.flatMap(([{ lock: before }, { lock: after }]) =>
    before !== undefined && after !== undefined && before.head === after.head ? [[before, after] as const] : [],
  );
  const [end] = ends;
  if (end === undefined || ends.some(([, { head }]) => head !== end[1].head)) return undefined;
  if (!end.every((lock) => looksLike[type](lock))) return undefined;
  const [before, after] = end;
  const address = after[type].address.toString(16);
  const place = `${WAITERS[type]} on its kernel stack`;
  // A semaphore does not tell who holds it.
  if (type === 'semaphore') return { address, place };
  const owner = ownerOf(before[type], after[type], first, second);
  if (owner === undefined || (type === 'rwsem' && !isHeld(after.rwsem.count))) return { address, place };
  const isReader = type === 'rwsem' && (after.rwsem.owner & LAST_READER) !== 0n;
  return { address, owner, ...(isReader && { inferred: true }), place };
}

const WAITERS = { mutex: 'mutex_waiter', rwsem: 'rwsem_waiter', semaphore: 'semaphore_waiter' } as const;

type Lock = NonNullable<Waiter['lock']>;

const looksLike: Readonly<Record<LockType, (lock: Lock) => boolean>> = {
  mutex: ({ mutex }) => (mutex.owner & MUTEX_WAITERS) !== 0n,
  rwsem: ({ rwsem }) => (rwsem.count & RWSEM_WAITERS) !== 0n,
  semaphore: ({ semaphore }) => semaphore.count === 0,
};

function isHeld(count: bigint): boolean {
  return (count & RWSEM_WRITER) !== 0n || (BigInt.asUintN(63, count) & RWSEM_READERS) !== 0n;
}

/** The TID of the owner, if both passes found it, and found that task at the address that the lock records. */
function ownerOf(before: LockWords, after: LockWords, first: Pass, second: Pass): number | undefined {
  const address = after.owner & ~OWNER_FLAGS;
  if (address === 0n || (before.owner & ~OWNER_FLAGS) !== address) return undefined;
  const tid = after.ownerTid;
  return first.get(tid)?.task === address && second.get(tid)?.task === address ? tid : undefined;
}
