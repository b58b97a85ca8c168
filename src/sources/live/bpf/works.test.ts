import { expect, it } from 'vitest';
import { steadyWaiters, WORK_RECORDS, type WorkWaiter } from './works.ts';

const waiter: WorkWaiter = {
  worker: 10,
  waiter: 20,
  switches: 7,
  how: 'work',
  work: 0xffff_8880_0000_1000n,
  element: 0xffff_c900_0000_1000n,
  queue: 'xfs-cil/loop0',
};

it('a waiter counts if it waits for the same work in both passes, and slept meanwhile', () => {
  expect(steadyWaiters([waiter], [waiter])).toEqual([waiter]);
  for (const other of [{ switches: 8 }, { work: 1n }, { element: 1n }, { worker: 11 }, { how: 'queue' } as const])
    expect(steadyWaiters([waiter], [{ ...waiter, ...other }])).toEqual([]);
});

it('a record has the name of the work queue, cut or not', () => {
  const bytes = Buffer.alloc(WORK_RECORDS.recordBytes);
  bytes.writeUInt32LE(10, 0);
  bytes.writeUInt32LE(1, 12);
  bytes.write('xfs-cil/loop0', 32);
  expect(WORK_RECORDS.at(bytes, 0)).toMatchObject({ worker: 10, how: 'queue', queue: 'xfs-cil/loop0' });
  bytes.fill('x', 32);
  expect(WORK_RECORDS.at(bytes, 0).queue).toBe('x'.repeat(24));
});
