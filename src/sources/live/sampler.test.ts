import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { describeBpf } from '../../../test/bpf-source.ts';
import { ended } from '../../../test/harness.ts';
import { procFolder, samplerOf, stat } from '../../../test/proc-folder.ts';
import type { Sample } from '../../model/sample.ts';
import { taskKey } from '../../model/task.ts';
import { systemClock } from '../../native/clock.ts';
import { openSampler } from './sampler.ts';

const threads = (comm: string, cmdline: string) => ({ stat: stat(comm), stack: '[<0>] f+0x1/0x2\n', cmdline });

/** The tasks of a sample by PID. */
const tasksIn = ({ observations }: Sample) => new Map(observations.map(({ task }) => [task.pid, task]));

describe('a task', () => {
  it('that stays as it is, is the same object in each sample, and another when something about it changes', async () => {
    const file = { stat: stat('x'), stack: '', cmdline: 'x\0', cgroup: '0::/a\n' };
    const root = procFolder({ 7: file, 8: file, 9: file, 10: file, 11: { ...file, cgroup: 'x\n' } });
    const sampler = await samplerOf(root, { steady: true, fields: ['cgroup'] });
    const before = tasksIn(await sampler.next());
    writeFileSync(join(root, '7', 'stat'), stat('x', 'D'));
    writeFileSync(join(root, '8', 'cmdline'), 'y\0');
    writeFileSync(join(root, '9', 'cgroup'), '0::/b\n');
    writeFileSync(join(root, '10', 'stat'), stat('x').replace(' 4200 ', ' 4300 '));
    writeFileSync(join(root, '11', 'cgroup'), 'y\n');
    const sample = await sampler.next();
    const after = tasksIn(sample);
    expect(sample.observations[0]?.state).toBe('D');
    expect(before.get(7)).toBeDefined();
    expect(after.get(7)).toBe(before.get(7));
    expect(after.get(8)?.commandLine).toEqual({ value: 'y\0' });
    expect(after.get(9)?.cgroup).toEqual({ value: '/b' });
    expect(after.get(10)?.id).toEqual({ tid: 10, startTicks: 4300 });
    expect(after.get(11)?.cgroup).toMatchObject({ detail: expect.stringContaining('"y" is not') });
    for (const pid of [8, 9, 10, 11]) expect(after.get(pid)).not.toBe(before.get(pid));
    const third = tasksIn(await sampler.next());
    for (const pid of [7, 8, 9, 10, 11]) expect(third.get(pid)).toBe(after.get(pid));
  });
});

describe('two samplers in one process', () => {
  it('with a /proc each give each its own', async () => {
    const host = (boot: string, seconds: number) => ({
      stat: `cpu 1\nbtime ${seconds}\n`,
      'sys/kernel/random/boot_id': `${boot}\n`,
    });
    const first = await samplerOf(procFolder({ 7: threads('a', 'a\0'), 8: threads('b', 'b\0') }, host('one', 1000)));
    const second = await samplerOf(procFolder({ 7: threads('c', 'c\0') }, host('two', 2000)));
    const samples = [await first.next(), await second.next(), await first.next()];
    const told = samples.map(({ bootId, bootTimeSeconds, observations }) => [
      bootId,
      bootTimeSeconds,
      observations.map(({ task }) => [taskKey(task.id), task.comm, task.commandLine]),
    ]);
    const one = [
      { value: 'one' },
      1000,
      [
        ['one/7/4200', 'a', { value: 'a\0' }],
        ['one/8/4200', 'b', { value: 'b\0' }],
      ],
    ];
    expect(told).toEqual([one, [{ value: 'two' }, 2000, [['two/7/4200', 'c', { value: 'c\0' }]]], one]);
    const stacks = samples.map(({ observations }) => observations[0]?.stack);
    expect(stacks[0]).toEqual(stacks[1]);
    expect(stacks.map((stack) => stack && 'value' in stack && stack.value.id)).toEqual([0, 0, 0]);
  });

  it('name the users of this host, and not those of another', async () => {
    const status = 'Name:\tx\nState:\tS (sleeping)\nTgid:\t7\nPPid:\t1\nUid:\t0\t0\t0\t0\n';
    const other = await samplerOf(procFolder({ 7: { ...threads('a', ''), status } }), { fields: ['uid'] });
    const here = await samplerOf('/proc', { selection: { pids: [1] }, fields: ['uid'] });
    const [[elsewhere], [init]] = [(await other.next()).observations, (await here.next()).observations];
    expect(elsewhere?.task).toMatchObject({ uid: { value: 0 } });
    expect(elsewhere?.task).not.toHaveProperty('user');
    expect(init?.task).toMatchObject({ uid: { value: 0 }, user: 'root' });
  });
});

describe('a sampler', () => {
  it('tells why it does without bpf, once, and each sample has it too', async () => {
    const told: string[] = [];
    const sampler = await samplerOf(procFolder({ 7: threads('a', '') }), {
      steady: true,
      tell: (text) => told.push(text),
    });
    const samples = [await sampler.next(), await sampler.next()];
    const why = 'requested with --source or KSTACK_SOURCE';
    expect(samples.map(({ source }) => source)).toEqual(Array(2).fill({ name: 'procfs', why }));
    expect(told).toEqual([`source: procfs; ${why}`]);
  });

  it('takes samples that survive JSON, of this host and of tasks of which little can be read', async () => {
    const options = { selection: { all: true, threads: true }, fields: ['uid', 'cgroup', 'systemCall'] } as const;
    const sample = await (await samplerOf('/proc', options)).next();
    expect(sample.observations.length).toBeGreaterThan(5);
    expect(JSON.parse(JSON.stringify(sample))).toStrictEqual(sample);
    const status = 'Name:\tx\nState:\tS (sleeping)\nTgid:\t7\nPPid:\t1\nUid:\t0\t0\t0\t0\n';
    const root = procFolder({ 7: { ...threads('x', ''), stat: '', status } }, { 'sys/kernel/random/boot_id': 'one\n' });
    const little = await (await samplerOf(root)).next();
    expect(little.observations.map(({ task }) => task.id)).toStrictEqual([{ bootId: 'one', tid: 7 }]);
    expect(JSON.parse(JSON.stringify(little))).toStrictEqual(little);
  });

  it('can be gone through', async () => {
    const sampler = await samplerOf(procFolder({ 7: threads('a', '') }), { steady: true });
    const names: unknown[] = [];
    for await (const { observations } of sampler) {
      names.push(observations[0]?.task.comm);
      if (names.length === 3) break;
    }
    expect(names).toEqual(['a', 'a', 'a']);
  });
});

describeBpf('with the source bpf', () => {
  it('a stream shows a new command line with the first sample after its process ran, and an old one as long as it sleeps', async () => {
    const child = spawn('sh', ['-c', 'read line; exec sh -c "sleep 60; : changed"'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const end = ended(child);
    onTestFinished(async () => {
      child.kill('SIGKILL');
      await end;
    });
    const host = { clock: systemClock(), root: '/proc' };
    const options = { source: 'bpf', fields: [], facts: false, steady: true, rememberMs: 10 } as const;
    const sampler = await openSampler(host, { selection: { all: true, threads: true }, ...options });
    onTestFinished(() => sampler.close());
    const commandLine = async () => {
      const { observations } = await sampler.next();
      const tids = observations.map(({ task }) => task.id.tid);
      expect(new Set(tids).size).toBe(tids.length);
      return observations.find(({ task }) => task.pid === child.pid)?.task.commandLine;
    };
    const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
    await wait(100);
    const first = await commandLine();
    expect(first).toEqual({ value: expect.stringMatching(/^sh\0-c\0read line;/) });
    // Long after it was to be remembered, and the process sleeps: not read again, the very same object.
    await wait(200);
    await commandLine();
    await wait(200);
    expect(await commandLine()).toBe(await commandLine());
    child.stdin.write('\n');
    while (!readFileSync(`/proc/${child.pid}/cmdline`, 'latin1').startsWith('sh\0-c\0sleep')) await wait(10);
    expect(await commandLine()).toEqual({ value: 'sh\0-c\0sleep 60; : changed\0' });
  });
});
