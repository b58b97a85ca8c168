import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { describeBpf } from '../../../test/bpf-source.ts';
import { ended } from '../../../test/harness.ts';
import { systemClock } from '../../native/clock.ts';
import { Reader } from '../../native/reader/reader.ts';
import { live } from './live.ts';

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
    const clock = systemClock();
    const reader = new Reader('/proc');
    onTestFinished(() => reader.close());
    const options = {
      clock,
      root: '/proc',
      reader,
      fields: [],
      source: 'bpf',
      facts: false,
      steady: true,
      rememberMs: 10,
      tell: () => undefined,
    } as const;
    const samples = live({ all: true, threads: true }, options);
    const commandLine = async () => {
      const { value } = await samples.next();
      const tids = value.observations.map(({ task }) => task.tid);
      expect(new Set(tids).size).toBe(tids.length);
      return value.observations.find(({ task }) => task.pid === child.pid)?.task.commandLine;
    };
    const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
    await wait(100);
    const first = await commandLine();
    expect(first).toEqual({ value: expect.stringMatching(/^sh -c read line;/) });
    // Long after it was to be remembered, and the process sleeps: not read again, the very same object.
    await wait(200);
    await commandLine();
    await wait(200);
    expect(await commandLine()).toBe(await commandLine());
    child.stdin.write('\n');
    while (!readFileSync(`/proc/${child.pid}/cmdline`, 'latin1').startsWith('sh\0-c\0sleep')) await wait(10);
    expect(await commandLine()).toEqual({ value: 'sh -c sleep 60; : changed ' });
  });
});
