import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fixture, requires } from '../../../../test/harness.ts';
import { everythingUnread, type Sample } from '../../../model/sample.ts';
import { Reader } from '../../../native/reader/reader.ts';
import type { CompiledSelection } from '../selection/compiled.ts';
import { procfs, takeSample } from './index.ts';

const clock = {
  nowMs: () => 1_700_000_000_123,
  monotonicMs: () => performance.now(),
  sleep: async () => undefined,
  zoneAt: () => ({ offsetSeconds: 0, abbreviation: 'UTC' }),
};

const stat = (comm: string, state = 'S') =>
  `1 (${comm}) ${state} 1 1 1 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 4200 0 0 0${' 0'.repeat(13)} 5 0\n`;

/** A folder like /proc, of files as they stand there: what has gone between two reads is not in it. */
function folderOf(processes: Record<string, Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'kstack-procfs-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  writeFileSync(join(root, 'stat'), 'cpu 1\nbtime 1600000000\n');
  for (const [pid, files] of Object.entries(processes)) {
    mkdirSync(join(root, pid));
    for (const [name, content] of Object.entries(files)) writeFileSync(join(root, pid, name), content);
  }
  return root;
}

function readerOf(root: string): Reader {
  const reader = new Reader(root);
  onTestFinished(() => reader.close());
  return reader;
}

function take(selection: CompiledSelection, root: string): Promise<Sample> {
  return takeSample(selection, { clock, root, reader: readerOf(root) });
}

describe('a process that goes away between two reads', () => {
  const root = () =>
    folderOf({
      11: { stat: stat('whole'), stack: '[<0>] f+0x1/0x2\n', cmdline: 'whole\0-x\0' },
      12: { stat: stat('no stack'), cmdline: 'x\0' },
      13: { stat: stat('no cmdline'), stack: '' },
      14: {},
    });

  it('is left out without a word', async () => {
    const sample = await take({ all: true }, root());
    expect(sample.observations.map(({ task }) => task.comm)).toEqual(['whole']);
    expect(everythingUnread(sample)).toEqual([]);
  });

  it('is missing where it was asked for', async () => {
    const sample = await take({ pids: [14, 13, 12, 11] }, root());
    expect(sample.observations.map(({ task }) => task.pid)).toEqual([11]);
    expect(sample.unread.map(({ tid, why }) => [tid, why])).toEqual([
      [14, 'gone'],
      [13, 'gone'],
      [12, 'gone'],
    ]);
  });
});

describe('procfs', () => {
  it('gives what the files say', async () => {
    const root = folderOf({
      7: { stat: stat('a) D 1 ('), stack: '[<0>] f+0x1/0x2 [m]\n[<0>] g+0x3/0x4\n', cmdline: '\0 a\0b\0\0' },
    });
    const sample = await take({ states: ['S'] }, root);
    expect(sample).toMatchObject({
      timeMs: 1_700_000_000_123,
      bootTimeSeconds: 1_600_000_000,
      ticksPerSecond: 100,
      bootId: { unread: 'gone' },
    });
    expect(sample.observations).toEqual([
      {
        task: {
          pid: 7,
          tid: 7,
          ppid: 1,
          startTicks: 4200,
          comm: 'a) D 1 (',
          commandLine: { value: '  a b  ' },
          kernelThread: false,
        },
        state: 'S',
        cpu: 5,
        stack: {
          value: {
            id: expect.any(Number),
            frames: [
              { symbol: 'f', offset: 1, size: 2, module: 'm', raw: '[<0>] f+0x1/0x2 [m]' },
              { symbol: 'g', offset: 3, size: 4, raw: '[<0>] g+0x3/0x4' },
            ],
          },
        },
      },
    ]);
  });

  it('says of a stat file in no known form that it is malformed', async () => {
    const root = folderOf({
      7: { stat: '7 (x) S\n', status: 'Name:\tx\nState:\tS (sleeping)\nTgid:\t7\nUid:\t0\t0\t0\t0\n' },
    });
    const sample = await take({ all: true }, root);
    expect(sample.unread).toEqual([{ tid: 7, what: 'task', why: 'malformed', comm: 'x', state: 'S' }]);
  });

  it('gives equal stacks as one object, from sample to sample', async () => {
    const samples = procfs({ pids: [process.pid, 2] }, { clock, root: '/proc', reader: readerOf('/proc') });
    const { value: first } = await samples.next();
    const { value: second } = await samples.next();
    const kthreadd = (sample: Sample) => sample.observations.find(({ task }) => task.pid === 2)?.stack;
    expect(kthreadd(first)).toEqual(kthreadd(second));
    if (process.getuid?.() === 0)
      expect(kthreadd(first)).toHaveProperty('value', (kthreadd(second) as { value: unknown }).value);
    expect(first.bootId).toEqual({ value: readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim() });
  });

  it('knows the process of a thread that is asked for by its number', async (context) => {
    requires(context, 'compiler');
    const [pid = 0, tid = 0] = await fixture('tasks', ['thread']);
    const { observations } = await take({ pids: [tid] }, '/proc');
    expect(observations.map(({ task }) => [task.tid, task.pid])).toEqual([[tid, pid]]);
  });
});
