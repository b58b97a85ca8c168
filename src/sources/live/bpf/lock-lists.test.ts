import { describe, expect, it } from 'vitest';
import { locksIn } from './lock-lists.ts';
import type { Waiter } from './waiters.ts';

const HEAD = 0xffff888100000010n;
const OWNER = 0xffff888200000000n;
const stackOf = (tid: number) => 0xffffc90000000000n + BigInt(tid) * 0x8000n;

interface Situation {
  readonly waiters: readonly number[];
  /** How far from the head the program looks. */
  readonly near?: number;
  readonly change?: (waiter: Waiter) => Partial<Waiter>;
}

/** A pass over waiters in the order of their list, and the owner, TID 1. */
function pass({ waiters, near = 1, change = () => ({}) }: Situation): Map<number, Waiter> {
  const words = { address: HEAD - 16n, owner: OWNER | 1n, ownerTid: 1 };
  const lock = {
    head: HEAD,
    mutex: words,
    rwsem: { ...words, count: 3n },
    semaphore: { address: HEAD - 8n, count: 0 },
  };
  const none = { switches: 5, onCpu: false, type: 0, below: '' };
  const all: Waiter[] = waiters.map((tid, index) => ({
    ...none,
    tid,
    task: 0xffff888300000000n + BigInt(tid),
    waiter: stackOf(tid),
    next: index + 1 < waiters.length ? stackOf(waiters[index + 1] ?? 0) : HEAD,
    previous: index > 0 ? stackOf(waiters[index - 1] ?? 0) : HEAD,
    lock: waiters.length - index <= near ? lock : undefined,
  }));
  all.push({ ...none, tid: 1, task: OWNER, waiter: 0n, next: 0n, previous: 0n, lock: undefined });
  return new Map(all.map((waiter) => [waiter.tid, { ...waiter, ...change(waiter) }]));
}

const mutex = () => 'mutex' as const;
const MUTEX = {
  kind: 'mutex',
  address: 'ffff888100000000',
  owner: 1,
  place: 'mutex_waiter on its kernel stack',
};

describe('the locks in two passes', () => {
  it('are those at the head of the list, also for waiters from which the program does not reach it', () => {
    const seen = pass({ waiters: [10, 11, 12, 13] });
    expect(locksIn(seen, seen, mutex)).toEqual(new Map([13, 12, 11, 10].map((tid) => [tid, MUTEX])));
  });

  it('have no owner if it differs, is another task by now, or is not the task at that address', () => {
    const seen = pass({ waiters: [10] });
    const { owner: _, ...unowned } = MUTEX;
    const changes: ((waiter: Waiter) => Partial<Waiter>)[] = [
      ({ lock }) => (lock ? { lock: { ...lock, mutex: { ...lock.mutex, owner: OWNER + 65n } } } : {}),
      ({ tid }) => (tid === 1 ? { task: OWNER + 64n } : {}),
    ];
    for (const change of changes)
      expect(locksIn(seen, pass({ waiters: [10], change }), mutex).get(10)).toEqual(unowned);
  });

  it('are none of a task that ran in between, of an unknown function, or without the flag of waiters', () => {
    const seen = pass({ waiters: [10, 11] });
    const changes: ((waiter: Waiter) => Partial<Waiter>)[] = [
      () => ({ switches: 6 }),
      () => ({ onCpu: true }),
      ({ waiter }) => ({ waiter: waiter + 8n }),
      ({ lock }) => (lock ? { lock: { ...lock, mutex: { ...lock.mutex, owner: OWNER } } } : {}),
      ({ lock }) => (lock ? { lock: { ...lock, head: HEAD + 64n } } : {}),
    ];
    for (const change of changes) expect(locksIn(seen, pass({ waiters: [10, 11], change }), mutex)).toEqual(new Map());
    expect(locksIn(seen, seen, () => undefined)).toEqual(new Map());
  });

  it('join no waiters that lead to each other in one pass only', () => {
    const [first, second] = [pass({ waiters: [10, 11] }), pass({ waiters: [11, 10] })];
    expect(locksIn(first, second, mutex)).toEqual(new Map());
  });

  it('are inferred if the owner of an rw-semaphore is the last of its readers, who may be done with it', () => {
    const seen = pass({
      waiters: [10],
      change: ({ lock }) => (lock ? { type: 1, lock: { ...lock, rwsem: { ...lock.rwsem, count: 0x102n } } } : {}),
    });
    const place = 'rwsem_waiter on its kernel stack';
    expect(locksIn(seen, seen, () => 'rwsem').get(10)).toEqual({
      kind: 'rwsem-read',
      address: 'ffff888100000000',
      owner: 1,
      inferred: true,
      place,
    });
  });

  it('have no owner where they do not record it, or where nobody holds them', () => {
    const seen = pass({
      waiters: [10],
      change: ({ lock }) => (lock ? { lock: { ...lock, rwsem: { ...lock.rwsem, count: 2n } } } : {}),
    });
    expect(locksIn(seen, seen, () => 'rwsem').get(10)?.owner).toBe(undefined);
    expect(locksIn(seen, seen, () => 'semaphore').get(10)).toEqual({
      kind: 'semaphore',
      address: 'ffff888100000008',
      place: 'semaphore_waiter on its kernel stack',
    });
  });
});
