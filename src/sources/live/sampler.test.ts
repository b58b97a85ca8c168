import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { beforeEach, expect, it, onTestFinished, type TestContext } from 'vitest';
import { describeBpf } from '../../../test/bpf-source.ts';
import { ended, requires } from '../../../test/harness.ts';
import { systemClock } from '../../native/clock.ts';
import { openSampler } from './sampler.ts';

beforeEach((context: TestContext) => requires(context, 'root', 'BPF: libbpf.so.1, bpftool, strace and BTF'));

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
