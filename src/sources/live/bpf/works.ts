import { decodeBytes } from '../../../native/decode.ts';
import { WORKS } from './object.ts';
import type { RecordFormat } from './optional-program.ts';

/** struct work_waiter of bpf/works.h, in bytes. */
const RECORD = { worker: 0, waiter: 4, switches: 8, how: 12, work: 16, element: 24, queue: 32, size: 56 } as const;
/** Its enum. */
const HOW = ['work', 'queue', 'maybe-queue'] as const;

/** A worker of the kernel runs a work, and a task waits for that. */
export interface WorkWaiter {
  /** TIDs. */
  readonly worker: number;
  readonly waiter: number;
  /** Of the waiter, as in {@link TaskRecord}. */
  readonly switches: number;
  /** For this work; for all that were in the queue, of which this is one; or is perhaps one. */
  readonly how: (typeof HOW)[number];
  /** Addresses: of the work, and of what the waiter put into the list. */
  readonly work: bigint;
  readonly element: bigint;
  /** The name of the work queue. */
  readonly queue: string;
}

export const WORK_RECORDS: RecordFormat<WorkWaiter> = {
  object: WORKS,
  program: 'works',
  what: 'which worker runs what others wait for',
  recordBytes: RECORD.size,
  at(bytes, offset) {
    const number = (at: number) => bytes.readUInt32LE(offset + at);
    const name = bytes.subarray(offset + RECORD.queue, offset + RECORD.size);
    const end = name.indexOf(0);
    return {
      worker: number(RECORD.worker),
      waiter: number(RECORD.waiter),
      switches: number(RECORD.switches),
      how: HOW[number(RECORD.how)] ?? 'maybe-queue',
      work: bytes.readBigUInt64LE(offset + RECORD.work),
      element: bytes.readBigUInt64LE(offset + RECORD.element),
      queue: decodeBytes(name.subarray(0, end === -1 ? name.length : end)),
    };
  },
};

/** Who waited all the time from the first pass to the second, for the same work of the same worker. */
export function steadyWaiters(first: readonly WorkWaiter[], second: readonly WorkWaiter[]): WorkWaiter[] {
  const before = new Set(first.map(keyOf));
  return second.filter((record) => before.has(keyOf(record)));
}

function keyOf({ worker, waiter, switches, how, work, element }: WorkWaiter): string {
  return [worker, waiter, switches, how, work, element].join(' ');
}
