import { describe, expect, it } from 'vitest';
import {
  type BtrfsTransaction,
  btrfsWaitsIn,
  journalsIn,
  TRANSACTION_RECORDS,
  type TransactionTask,
} from './transactions.ts';

const JOURNAL = 0xffff_8880_0000_1000n;
const TRANSACTION = 0xffff_8880_0001_0000n;
const [RUNNING, LOCKED] = [0, 1];
const NOTHING: TransactionTask = {
  tid: 0,
  switches: 7,
  onCpu: false,
  journalBytes: 1408,
  commits: 0n,
  transaction: 0n,
  journal: 0n,
  transactionId: 0,
  state: 0,
  entry: 0n,
  next: 0n,
  btrfs: undefined,
};
const thread = { ...NOTHING, tid: 10, commits: JOURNAL };
const opener = { ...NOTHING, tid: 20, transaction: TRANSACTION, journal: JOURNAL, transactionId: 5, state: LOCKED };
const stack = (tid: number) => 0xffff_c900_0000_0000n + BigInt(tid) * 0x10000n;
const sleeper = (tid: number, next: bigint) => ({ ...NOTHING, tid, entry: stack(tid), next });

/** The only journal of two passes, which are the same unless told. */
function journalOf(first: readonly TransactionTask[], second = first) {
  const [journal] = journalsIn(first, second);
  return journal;
}

describe('journals from two passes', () => {
  it('have their thread, and who has a transaction open', () => {
    expect(journalsIn([thread, opener], [thread, opener])).toEqual([
      { thread: 10, isAsleep: true, open: [{ tid: 20, id: 5, isLocked: true }], sleepers: new Set() },
    ]);
  });

  it('have a transaction that is committed only if it was in both', () => {
    const running = { ...opener, state: RUNNING };
    expect(journalOf([thread, running], [thread, opener])?.open).toEqual([{ tid: 20, id: 5, isLocked: false }]);
  });

  it('do not have what was open in one pass only, or what belongs to something else', () => {
    expect(journalOf([thread, opener], [thread, { ...opener, transactionId: 6 }])?.open).toEqual([]);
    expect(journalOf([thread], [thread, opener])?.open).toEqual([]);
    expect(journalOf([thread, { ...opener, journal: JOURNAL + 8n }])?.open).toEqual([]);
    expect(journalsIn([opener], [opener])).toEqual([]);
  });

  it('have no thread that sleeps if it ran meanwhile', () => {
    expect(journalOf([thread], [{ ...thread, switches: 8 }])?.isAsleep).toBe(false);
    expect(journalOf([thread], [{ ...thread, onCpu: true }])?.isAsleep).toBe(false);
  });

  it('have sleepers, however many others stand before the head of the queue', () => {
    const head = JOURNAL + 160n;
    const tasks = [thread, sleeper(30, head), sleeper(31, stack(30)), sleeper(32, stack(31))];
    expect(journalOf(tasks)?.sleepers).toEqual(new Set([30, 31, 32]));
  });

  it('do not have those whose queue is beyond the journal, or that ran meanwhile', () => {
    const head = JOURNAL + 160n;
    expect(journalOf([thread, sleeper(30, JOURNAL + 1408n)])?.sleepers).toEqual(new Set());
    expect(journalOf([{ ...thread, journalBytes: 0 }, sleeper(30, head)])?.sleepers).toEqual(new Set());
    const [slept, ran] = [sleeper(30, head), { ...sleeper(30, head), switches: 8 }];
    expect(journalOf([thread, slept, sleeper(31, stack(30))], [thread, ran, sleeper(31, stack(30))])?.sleepers).toEqual(
      new Set(),
    );
  });

  it('end with a list that leads in a circle', () => {
    expect(journalOf([thread, sleeper(30, stack(31)), sleeper(31, stack(30))])?.sleepers).toEqual(new Set());
  });

  it('are read from records', () => {
    const bytes = Buffer.alloc(TRANSACTION_RECORDS.recordBytes);
    bytes.writeUInt32LE(20, 0);
    bytes.writeUInt32LE(1408, 12);
    bytes.writeBigUInt64LE(JOURNAL, 32);
    bytes.writeUInt32LE(5, 40);
    bytes.writeUInt32LE(LOCKED, 44);
    expect(TRANSACTION_RECORDS.at(bytes, 0)).toMatchObject({
      tid: 20,
      journalBytes: 1408,
      journal: JOURNAL,
      transactionId: 5,
      state: LOCKED,
    });
  });
});

describe('waits for transactions of btrfs, from two passes', () => {
  const FS = 0xffff_8880_0004_0000n;
  const transaction = (id: bigint): BtrfsTransaction => ({
    id,
    writerWait: TRANSACTION + id * 0x1000n + 64n,
    commitWait: TRANSACTION + id * 0x1000n + 88n,
    startWait: FS + 512n,
    blockedWait: FS + 536n,
  });
  const has = (tid: number, id = 7n) => ({ ...NOTHING, tid, btrfs: transaction(id) });
  const commits = { ...sleeper(20, transaction(7n).writerWait), btrfs: transaction(7n) };
  const waitsOf = (first: readonly TransactionTask[], second = first) =>
    btrfsWaitsIn(first, second).map(({ tid, id, what, open, committing }) => [tid, id, what, open, committing]);

  it('are those of a commit for all others that have it open, and of others for the commit', () => {
    const { commitWait, startWait, blockedWait } = transaction(7n);
    const others = [sleeper(30, commitWait), sleeper(31, startWait), sleeper(32, blockedWait)];
    expect(waitsOf([has(10), has(11), commits, ...others])).toEqual([
      [20, 7n, 'writers', [10, 11], []],
      [30, 7n, 'commit', [10, 11, 20], [20]],
      [31, 7n, 'commit', [10, 11, 20], [20]],
      [32, 7n, 'commit', [10, 11, 20], [20]],
    ]);
  });

  it('are of who had the same transaction open in both passes, and slept all the time', () => {
    expect(waitsOf([has(10), commits], [has(10, 8n), commits])).toEqual([[20, 7n, 'writers', [], []]]);
    expect(waitsOf([has(10), commits], [has(10), { ...commits, switches: 8 }])).toEqual([]);
    expect(waitsOf([has(10), sleeper(30, FS + 8n)])).toEqual([]);
  });
});
