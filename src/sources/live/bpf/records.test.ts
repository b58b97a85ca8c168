import { expect, it } from 'vitest';
import { readRecords, type TaskRecord } from './records.ts';

const RECORD_BYTES = 112;
const NAME_AT = 96;
const KERNEL_NAME_BYTES = 104;

/** The name of a kernel thread from a struct record and a struct kernel_name of bpf/records.h. */
function nameFrom(comm: string, full: string, description: string, atWork: boolean): string | undefined {
  const bytes = Buffer.alloc(RECORD_BYTES + KERNEL_NAME_BYTES);
  bytes.writeUInt32LE(bytes.length, 0);
  bytes.writeUInt32LE(0x00200020, 24);
  bytes.write(comm, NAME_AT, 15, 'latin1');
  bytes.write(full, RECORD_BYTES, 63, 'latin1');
  bytes.write(description, RECORD_BYTES + 64, 31, 'latin1');
  bytes.writeUInt32LE(Number(atWork), RECORD_BYTES + 96);
  const taken: TaskRecord[] = [];
  readRecords(bytes, {
    names: new Map(),
    recall: () => undefined,
    take: (record) => taken.push(record),
    miss: () => undefined,
    noteTime: () => undefined,
  });
  return taken[0]?.stat.comm;
}

it.each([
  ['kworker/0:1', '', '', false, 'kworker/0:1'],
  ['kworker/0:1', '', 'events', false, 'kworker/0:1-events'],
  ['kworker/0:1', '', 'events', true, 'kworker/0:1+events'],
  ['ext4-rsv-conver', '', '', false, 'ext4-rsv-conver'],
  ['kworker/R-inet_', 'kworker/R-inet_frag_wq', '', false, 'kworker/R-inet_frag_wq'],
  ['kworker/u2052:1', 'kworker/u2052:12', 'writeback', true, 'kworker/u2052:12+writeback'],
  [
    'kworker/R-aaaaa',
    `kworker/R-${'a'.repeat(31)}`,
    'b'.repeat(31),
    true,
    `kworker/R-${'a'.repeat(31)}+${'b'.repeat(21)}`,
  ],
])(
  'a kernel thread %j with full name %j and work %j gets the name that /proc shows',
  (comm, full, description, atWork, name) => {
    expect(nameFrom(comm, full, description, atWork)).toBe(name);
  },
);
