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
  btrfsId: 64,
  writerWait: 72,
  commitWait: 80,
  startWait: 88,
  blockedWait: 96,
  size: 104,
} as const;

/**
 * A commit thread of jbd2, a task that may have a transaction of jbd2 open, one that has one of btrfs open, or one that
 * sleeps in a wait queue.
 */
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
  /** Its transaction of btrfs. */
  readonly btrfs: BtrfsTransaction | undefined;
}

/** Of btrfs, with the addresses of the lists of those who wait for it. */
export interface BtrfsTransaction {
  /** The number that the file system gives it. */
  readonly id: bigint;
  /** Until nobody else has it open. */
  readonly writerWait: bigint;
  /** Until it is committed. */
  readonly commitWait: bigint;
  /** Of its file system: until its commit has come so far that they may start the next one; until it has begun. */
  readonly startWait: bigint;
  readonly blockedWait: bigint;
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
      btrfs: word(RECORD.btrfsId) === 0n ? undefined : btrfsAt(word),
    };
  },
};

function btrfsAt(word: (at: number) => bigint): BtrfsTransaction {
  return {
    id: word(RECORD.btrfsId),
    writerWait: word(RECORD.writerWait),
    commitWait: word(RECORD.commitWait),
    startWait: word(RECORD.startWait),
    blockedWait: word(RECORD.blockedWait),
  };
}

/** T_LOCKED: no handles can join it any more, and the commit thread waits for those that have (fs/jbd2/commit.c). */
const LOCKED = 1;

/**
 * The journals, from two passes. Between the passes there was a moment at which all of it was so: who has a transaction
 * open in both had it open all the time if that is locked, as nobody can open it again; who slept has slept on.
 */
export function journalsIn(first: readonly TransactionTask[], second: readonly TransactionTask[]): Journal[] {
  const pairs = pairsOf(first, second);
  const heads = headsIn(pairs);
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
        sleepers: new Set([...heads].flatMap(([tid, head]) => (isWithin(head) && tid !== thread ? tid : []))),
      };
    });
}

/** A task sleeps until others are done with a transaction of btrfs. */
export interface BtrfsWait {
  readonly tid: number;
  /** The number of the transaction. */
  readonly id: bigint;
  /** `writers`: until nobody else has it open; `commit`: for its commit. */
  readonly what: 'writers' | 'commit';
  /** TIDs of those who have it open, without the task itself. */
  readonly open: readonly number[];
  /** Those among them that commit it, and wait until nobody else has it open. */
  readonly committing: readonly number[];
}

/** Of the transactions that somebody had open in both passes, who slept all the time. */
export function btrfsWaitsIn(first: readonly TransactionTask[], second: readonly TransactionTask[]): BtrfsWait[] {
  const pairs = pairsOf(first, second);
  const heads = headsIn(pairs);
  const transactions = new Map<bigint, { readonly of: BtrfsTransaction; readonly tids: number[] }>();
  for (const [then, { tid, btrfs: of }] of pairs) {
    if (of === undefined || then.btrfs?.id !== of.id || then.btrfs.writerWait !== of.writerWait) continue;
    const known = transactions.get(of.writerWait);
    if (known === undefined) transactions.set(of.writerWait, { of, tids: [tid] });
    else known.tids.push(tid);
  }
  return Array.from(transactions.values(), ({ of, tids }) =>
    Array.from(heads, ([tid, head]): BtrfsWait[] => {
      const isCommit = head === of.commitWait || head === of.startWait || head === of.blockedWait;
      if (head !== of.writerWait && !isCommit) return [];
      const open = tids.filter((other) => other !== tid);
      const committing = open.filter((other) => heads.get(other) === of.writerWait);
      return [{ tid, id: of.id, what: isCommit ? 'commit' : 'writers', open, committing }];
    }).flat(),
  ).flat();
}

/** The tasks that both passes have. */
function pairsOf(first: readonly TransactionTask[], second: readonly TransactionTask[]): Pair[] {
  const before = new Map(first.map((task) => [task.tid, task]));
  return second.flatMap((after): Pair[] => {
    const then = before.get(after.tid);
    return then === undefined ? [] : [[then, after]];
  });
}

/** The head of the wait queue of each task that slept on, by TID. */
function headsIn(pairs: readonly Pair[]): Map<number, bigint> {
  const sleeping = new Map(pairs.filter(isAsleep).map(([, task]) => [task.entry, task]));
  return new Map(Array.from(sleeping.values(), (task) => [task.tid, headOf(task, sleeping)]));
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
