import { IteratorProgram } from './iterator-program.ts';
import { WAITERS } from './object.ts';
import { numberKey, RequestMap } from './request-map.ts';

/** struct waiter of bpf/waiters.h, in bytes. */
const WAITER = {
  tid: 0,
  switches: 4,
  onCpu: 8,
  type: 12,
  task: 16,
  waiter: 24,
  next: 32,
  previous: 40,
  head: 48,
  mutex: 56,
  mutexOwner: 64,
  rwsem: 72,
  rwsemCount: 80,
  rwsemOwner: 88,
  semaphore: 96,
  semaphoreCount: 104,
  mutexOwnerTid: 108,
  rwsemOwnerTid: 112,
  below: 120,
  size: 376,
} as const;
/** MOST_ASKED of bpf/waiters.h. */
export const MOST_ASKED = 4096;
const ASKED = 1;

/** A lock, were it of this kind. Words are as in the kernel, owners with their flags. */
export interface LockWords {
  readonly address: bigint;
  readonly owner: bigint;
  readonly ownerTid: number;
}

/** What stands on the kernel stack of a task that waits for a lock, or a task that was asked for. */
export interface Waiter {
  readonly tid: number;
  /** As in {@link TaskRecord}. */
  readonly switches: number;
  readonly onCpu: boolean;
  /**
   * The addresses of the task, of its waiter (0: it has none), and of the waiters or the head beside it in the list.
   */
  readonly task: bigint;
  readonly waiter: bigint;
  readonly next: bigint;
  readonly previous: bigint;
  /** enum rwsem_waiter_type of kernel/locking/rwsem.c, if it waits for an rw-semaphore. */
  readonly type: number;
  /** The list's head with the lock around it; undefined if it was too far away. */
  readonly lock:
    | {
        readonly head: bigint;
        readonly mutex: LockWords;
        readonly rwsem: LockWords & { readonly count: bigint };
        readonly semaphore: { readonly address: bigint; readonly count: number };
      }
    | undefined;
  /** The words below it on the stack, 8 bytes each, the nearest last, as latin1 text. */
  readonly below: string;
}

/** Runs the program of bpf/waiters.bpf.c. */
export class WaiterProgram {
  readonly #program: IteratorProgram;
  readonly #asked: RequestMap<number>;

  /** @throws Error if the kernel refuses it */
  constructor() {
    this.#program = new IteratorProgram(WAITERS, 'waiters');
    this.#asked = new RequestMap(this.#program.map('asked'), numberKey);
  }

  /**
   * One pass over all tasks: those in D that wait for a lock, and those asked for (at most {@link MOST_ASKED}), by TID.
   * @throws BpfError
   */
  read(asked: ReadonlySet<number>): Map<number, Waiter> {
    this.#asked.set(new Map(Array.from(asked, (tid) => [tid, ASKED])));
    const waiters = new Map<number, Waiter>();
    for (const bytes of this.#program.read())
      for (let at = 0; at + WAITER.size <= bytes.length; at += WAITER.size) {
        const waiter = waiterAt(bytes, at);
        waiters.set(waiter.tid, waiter);
      }
    return waiters;
  }

  close(): void {
    this.#program.close();
  }
}

export function waiterAt(bytes: Buffer, at: number): Waiter {
  const number = (offset: number) => bytes.readUInt32LE(at + offset);
  const word = (offset: number) => bytes.readBigUInt64LE(at + offset);
  const head = word(WAITER.head);
  const lock = {
    head,
    mutex: { address: word(WAITER.mutex), owner: word(WAITER.mutexOwner), ownerTid: number(WAITER.mutexOwnerTid) },
    rwsem: {
      address: word(WAITER.rwsem),
      count: word(WAITER.rwsemCount),
      owner: word(WAITER.rwsemOwner),
      ownerTid: number(WAITER.rwsemOwnerTid),
    },
    semaphore: { address: word(WAITER.semaphore), count: number(WAITER.semaphoreCount) },
  };
  return {
    tid: number(WAITER.tid),
    switches: number(WAITER.switches),
    onCpu: number(WAITER.onCpu) !== 0,
    task: word(WAITER.task),
    waiter: word(WAITER.waiter),
    next: word(WAITER.next),
    previous: word(WAITER.previous),
    type: number(WAITER.type),
    lock: head === 0n ? undefined : lock,
    below: bytes.toString('latin1', at + WAITER.below, at + WAITER.size),
  };
}
