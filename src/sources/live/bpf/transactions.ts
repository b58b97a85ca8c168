import { TRANSACTIONS } from './object.ts';
import type { RecordFormat } from './optional-program.ts';

/** struct transaction_task of bpf/transactions.h, in bytes. */
const RECORD = {
  tid: 0,
  switches: 4,
  onCpu: 8,
  journalBytes: 12,
  commits: 16,
  transaction: 24,
  journal: 32,
  transactionId: 40,
  state: 44,
  entry: 48,
  next: 56,
  size: 64,
} as const;

/** A commit thread of jbd2, a task that may have a transaction open, or one that sleeps in a wait queue. */
export interface TransactionTask {
  readonly tid: number;
  /** As in {@link TaskRecord}. */
  readonly switches: number;
  readonly onCpu: boolean;
  /** The size of a journal_t; 0 if the kernel does not tell. */
  readonly journalBytes: number;
  /** The address of the journal whose transactions the thread commits; 0 if it is no such thread. */
  readonly commits: bigint;
  /** What the task has open, if `journal` is one; addresses. */
  readonly transaction: bigint;
  readonly journal: bigint;
  readonly transactionId: number;
  /** t_state of include/linux/jbd2.h. */
  readonly state: number;
  /** Its entry in a wait queue, and the next in the list of that: another entry or the head. */
  readonly entry: bigint;
  readonly next: bigint;
}

/** A task has a transaction open. */
export interface OpenTransaction {
  readonly tid: number;
  /** The number that the journal gives it. */
  readonly id: number;
  /** Whether it is being committed, which waits until nobody has it open any more. */
  readonly isLocked: boolean;
}

/** A journal of jbd2. */
export interface Journal {
  /** TID of the thread that commits its transactions. */
  readonly thread: number;
  /** Whether that thread slept from the first pass to the second. */
  readonly isAsleep: boolean;
  readonly open: readonly OpenTransaction[];
  /** The tasks that sleep in one of its wait queues, without that thread. */
  readonly sleepers: ReadonlySet<number>;
}

export const TRANSACTION_RECORDS: RecordFormat<TransactionTask> = {
  object: TRANSACTIONS,
  program: 'transactions',
  what: 'who has a transaction of a journal open',
  recordBytes: RECORD.size,
  at(bytes, offset) {
    const number = (at: number) => bytes.readUInt32LE(offset + at);
    const word = (at: number) => bytes.readBigUInt64LE(offset + at);
    return {
      tid: number(RECORD.tid),
      switches: number(RECORD.switches),
      onCpu: number(RECORD.onCpu) !== 0,
      journalBytes: number(RECORD.journalBytes),
      commits: word(RECORD.commits),
      transaction: word(RECORD.transaction),
      journal: word(RECORD.journal),
      transactionId: number(RECORD.transactionId),
      state: number(RECORD.state),
      entry: word(RECORD.entry),
      next: word(RECORD.next),
    };
  },
};

/** T_LOCKED: no handles can join it any more, and the commit thread waits for those that have (fs/jbd2/commit.c). */
const LOCKED = 1;

/**
 * The journals, from two passes. Between the passes there was a moment at which all of it was so: who has a transaction
 * open in both had it open all the time if that is locked, as nobody can open it again; who slept has slept on.
 */
export function journalsIn(first: readonly TransactionTask[], second: readonly TransactionTask[]): Journal[] {
  const before = new Map(first.map((task) => [task.tid, task]));
  const pairs = second.flatMap((after) => {
    const then = before.get(after.tid);
    return then === undefined ? [] : [[then, after] as const];
  });
  const sleeping = new Map(pairs.filter(isAsleep).map(([, task]) => [task.entry, task]));
  const heads = [...sleeping.values()].map((task) => [task.tid, headOf(task, sleeping)] as const);
  return pairs
    .filter(([then, now]) => now.commits !== 0n && then.commits === now.commits)
    .map((pair): Journal => {
      const [, { tid: thread, commits, journalBytes }] = pair;
      const isWithin = (address: bigint) => address > commits && address < commits + BigInt(journalBytes);
      return {
        thread,
        isAsleep: isOffCpu(pair),
        open: pairs
          .filter(([then, now]) => now.journal === commits && isSameTransaction(then, now) && now.tid !== thread)
          .map(([then, { tid, transactionId: id, state }]) => ({
            tid,
            id,
            isLocked: then.state === LOCKED && state === LOCKED,
          })),
        sleepers: new Set(heads.flatMap(([tid, head]) => (isWithin(head) && tid !== thread ? tid : []))),
      };
    });
}

type Pair = readonly [before: TransactionTask, after: TransactionTask];

function isOffCpu([before, after]: Pair): boolean {
  return !before.onCpu && !after.onCpu && before.switches === after.switches;
}

function isAsleep(pair: Pair): boolean {
  const [before, after] = pair;
  return isOffCpu(pair) && after.entry !== 0n && before.entry === after.entry;
}

function isSameTransaction(before: TransactionTask, after: TransactionTask): boolean {
  return (
    before.journal === after.journal &&
    before.transaction === after.transaction &&
    before.transactionId === after.transactionId
  );
}

/** What comes behind the last of the entries that are known: the head of the queue, or an entry that is not known. */
function headOf({ next }: TransactionTask, sleeping: ReadonlyMap<bigint, TransactionTask>): bigint {
  let at = next;
  for (let hops = 0; hops < sleeping.size; hops++) {
    const task = sleeping.get(at);
    if (task === undefined) break;
    at = task.next;
  }
  return at;
}
