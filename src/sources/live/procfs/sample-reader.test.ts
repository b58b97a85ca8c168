import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fixture, requires } from '../../../../test/harness.ts';
import { procFolder, samplerOf, stat } from '../../../../test/proc-folder.ts';
import { everythingUnread, type Sample } from '../../../model/sample.ts';
import type { Selection } from '../../../model/selection.ts';
import type { SamplerOptions } from '../sampler.ts';

async function take(selection: Selection, root: string, options: Partial<SamplerOptions> = {}): Promise<Sample> {
  return (await samplerOf(root, { selection, ...options })).next();
}

describe('a process that goes away between two reads', () => {
  const root = () => {
    const folder = procFolder({
      11: { stat: stat('whole'), stack: '[<0>] f+0x1/0x2\n', cmdline: 'whole\0-x\0' },
      12: { stat: stat('no stack'), cmdline: 'x\0' },
      13: { stat: stat('no cmdline'), stack: '' },
    });
    mkdirSync(join(folder, '14'));
    return folder;
  };

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
    const root = procFolder({
      7: { stat: stat('a) D 1 ('), stack: '[<0>] f+0x1/0x2 [m]\n[<0>] g+0x3/0x4\n', cmdline: '\0 a\0b\0\0' },
    });
    const sample = await take({ states: ['S'] }, root);
    expect(sample).toMatchObject({
      timeMs: 1_700_000_000_123,
      bootTimeSeconds: 1_600_000_000,
      ticksPerSecond: 100,
      bootId: { unread: 'gone' },
      source: { name: 'procfs', why: 'requested with --source or KSTACK_SOURCE' },
      architecture: process.arch,
      threads: false,
      fields: [],
      holders: [],
      leftOut: {},
    });
    expect(sample.observations).toEqual([
      {
        task: {
          id: { tid: 7, startTicks: 4200 },
          pid: 7,
          ppid: 1,
          comm: 'a) D 1 (',
          commandLine: { value: '\0 a\0b\0\0' },
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
    const root = procFolder({
      7: {
        stat: '7 (x) S\n',
        status: 'Name:\tx\nState:\tS (sleeping)\nTgid:\t7\nUid:\t0\t0\t0\t0\n',
        stack: '',
        cmdline: '',
      },
    });
    const sample = await take({ all: true }, root);
    const detail = `${root}/7/stat: field 4: missing`;
    expect(sample.unread).toEqual([{ tid: 7, pid: 7, what: 'task', why: 'malformed', comm: 'x', state: 'S', detail }]);
    expect(sample.observations).toMatchObject([
      { task: { id: { tid: 7 }, comm: 'x' }, state: 'S', stack: { unread: 'malformed', detail } },
    ]);
    expect(everythingUnread(sample)).toEqual(sample.unread);
  });

  it('says of a field in no known form where and what is malformed, of each task its own', async () => {
    const malformed = { stat: stat('x'), stack: '', cmdline: '', cgroup: 'x\n' };
    const root = procFolder({ 7: malformed, 8: malformed, 9: { ...malformed, cgroup: '0::/a\n' } });
    const { observations, fields } = await take({ all: true }, root, { fields: ['cgroup'] });
    const detail = (pid: number) => `${root}/${pid}/cgroup: line 1: "x" is not ID:CONTROLLERS:PATH`;
    expect(observations.map(({ task }) => task.cgroup)).toEqual([
      { unread: 'malformed', detail: detail(7) },
      { unread: 'malformed', detail: detail(8) },
      { value: '/a' },
    ]);
    expect(fields).toEqual(['cgroup']);
  });

  it('names the process of each thread, and its files by thread', async () => {
    const thread = (comm: string, cgroup: string) => ({ stat: stat(comm), stack: '', cmdline: 'x\0', cgroup });
    const root = procFolder({
      '7': { ...thread('main', ''), comm: 'main\n' },
      '7/task/7': thread('main', ''),
      '7/task/8': thread('worker', 'x'),
    });
    const { observations, threads } = await take({ all: true, threads: true }, root, { fields: ['cgroup'] });
    expect(observations.map(({ task }) => [task.id.tid, task.pid, task.comm, task.processName])).toEqual([
      [7, 7, 'main', undefined],
      [8, 7, 'worker', 'main'],
    ]);
    expect(observations[1]?.task.cgroup).toMatchObject({
      detail: expect.stringContaining(`${root}/7/task/8/cgroup: `),
    });
    expect(threads).toBe(true);
    const onlyOne = await take({ states: ['S'], threads: true, command: /^worker$/ }, root);
    expect(onlyOne.observations.map(({ task }) => [task.comm, task.processName])).toEqual([['worker', 'main']]);
  });

  it('gives equal stacks as one object, from sample to sample', async () => {
    const sampler = await samplerOf('/proc', { selection: { pids: [process.pid, 2] }, steady: true });
    const first = await sampler.next();
    const second = await sampler.next();
    const kthreadd = ({ observations }: Sample) => {
      const stack = observations.find(({ task }) => task.pid === 2)?.stack;
      return stack !== undefined && 'value' in stack ? stack.value : stack;
    };
    expect(kthreadd(first)).toEqual(kthreadd(second));
    if (process.getuid?.() === 0) expect(kthreadd(first)).toBe(kthreadd(second));
    expect(first.bootId).toEqual({ value: readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim() });
  });

  it('knows the process of a thread that is asked for by its number', async (context) => {
    requires(context, 'compiler');
    const [pid = 0, tid = 0] = await fixture('tasks', ['thread']);
    const { observations } = await take({ pids: [tid] }, '/proc');
    expect(observations.map(({ task }) => [task.id.tid, task.pid])).toEqual([[tid, pid]]);
  });
});
