import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { InputError } from '../files/input-file.ts';
import type { Sample } from '../model/sample.ts';
import { InternedStacks, TextParts } from '../sources/text/index.ts';
import { readLog } from './classic-batches.ts';
import { type Batch, ClassicThread } from './classic-thread.ts';
import { samplesOf } from './samples.ts';

function sampleAt(minute: number): string {
  const time = `Wed Nov 25 03:${String(minute % 60).padStart(2, '0')}:00 UTC 2026`;
  const task = 'PID:     7   State:  D   Start Time: 2026/11/25 01:00:00   Cmd: tar\n';
  return `zzz <${time} - db1\n\n${task}Stack:\n[<0>] io_schedule+0x46/0x70\n\n`;
}

const LOG = Buffer.from(Array.from({ length: 60 }, (_, minute) => sampleAt(minute)).join(''));

/** Reads as from a file. */
function readAt(bytes: Buffer, room: Uint8Array, offset: number): number {
  return bytes.copy(room, 0, offset, offset + 1000);
}

function batchesOf(readInto: (room: Uint8Array, offset: number) => number): Batch[] {
  const batches: Batch[] = [];
  readLog(readInto, new Int32Array(new SharedArrayBuffer(4)), (batch) => batches.push(batch));
  return batches;
}

function minutesIn(batches: readonly Batch[]): (number | undefined)[] {
  const parts = new TextParts(new InternedStacks(), {}, { known: new Set(), assumeTimeMs: undefined });
  const samples: Sample[] = [];
  for (const batch of batches) samples.push(...parts.take(batch.parts));
  return [...samples, ...parts.end()].map(({ timeMs }) => timeMs && new Date(timeMs).getUTCMinutes());
}

const ALL = Array.from({ length: 60 }, (_, minute) => minute);

it('a log that cannot be read on has what was read of it, and then why', () => {
  const batches = batchesOf((room, offset) => {
    if (offset >= LOG.length / 2) throw new InputError('cannot read a.out: EIO');
    return readAt(LOG, room, offset);
  });
  expect(batches.map(({ isLast, failure }) => [isLast, failure])).toEqual([[true, 'cannot read a.out: EIO']]);
  const minutes = minutesIn(batches);
  expect(minutes.length).toBeGreaterThan(20);
  expect(minutes).toEqual(ALL.slice(0, minutes.length));
});

it('a log that shrinks while it is read ends where it is torn', () => {
  const half = LOG.subarray(0, LOG.length / 2 - 50);
  const batches = batchesOf((room, offset) => readAt(offset > half.length / 2 ? half : LOG, room, offset));
  expect(batches.at(-1)?.odd?.count).toBe(1);
  expect(minutesIn(batches).slice(0, 29)).toEqual(ALL.slice(0, 29));
});

it('a log is read without a thread where that cannot begin', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kstack-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'kstack.out');
  writeFileSync(file, LOG);
  // The code of the thread is built into a file that is not there.
  const thread = new ClassicThread(file);
  const options = {
    notes: {},
    stacks: new InternedStacks(),
    known: () => new Set<string>(),
    damaged: () => undefined,
    thread,
  };
  const minutes: number[] = [];
  for await (const { timeMs = 0 } of samplesOf(file, options)) minutes.push(new Date(timeMs).getUTCMinutes());
  expect(minutes).toEqual(ALL);
});
