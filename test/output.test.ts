import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { beforeEach, describe, expect, it, type TestContext } from 'vitest';
import { ended, fixture, KSTACK, kstack, requires, run, shell } from './harness.ts';

beforeEach((context: TestContext) => requires(context, 'root', 'compiler'));

describe('standard output', () => {
  it('that nobody reads any more ends kstack quietly', async () => {
    // Longer than a pipe holds, so that kstack is still writing when head has gone.
    await fixture('tasks', ['rewrite', '1000000', '61']);
    const { stdout, stderr } = await run('bash', ['-c', '"$0" -a | head -1; echo "${PIPESTATUS[0]}"', KSTACK]);
    expect(stdout).toMatch(/^zzz <[^\n]+\n0\n$/);
    expect(stderr).toBe('');
  });

  it('that is full is an error with its reason', async () => {
    const { code, stderr } = await kstack(['-a'], { stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'] });
    expect([code, stderr]).toEqual([1, 'kstack: cannot write to standard output: ENOSPC: no space left on device, write\n']);
  });

  it.each(['-h', '--version'])('that is full is an error with its reason for %s too', async (option) => {
    const { code, stderr } = await kstack([option], { stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'] });
    expect([code, stderr]).toEqual([1, 'kstack: cannot write to standard output: ENOSPC: no space left on device, write\n']);
  });

  it('gets all of a sample though it is a full pipe that does not block and is read slowly', async () => {
    const [pid = 0] = await fixture('tasks', ['rewrite', '1000000', '61']);
    const slow = `import os, sys, time, fcntl, subprocess
r, w = os.pipe()
fcntl.fcntl(w, fcntl.F_SETFL, os.O_NONBLOCK)
p = subprocess.Popen(sys.argv[1:], stdout=w)
os.close(w)
n = 0
while True:
    b = os.read(r, 65536)
    if not b: break
    n += b.count(b'a')
    time.sleep(0.002)
print(p.wait(), n >= 999999)`;
    expect(shell(`python3 -c "${slow}" "$KSTACK" -p ${pid}`, { KSTACK })).toBe('0 True');
  });

  it('of a terminal shows what a pipe gets', async () => {
    const [pid = 0] = await fixture('tasks', ['zombie']);
    const terminal = shell(`script -qec '"$KSTACK" -p ${pid}' /dev/null`, { KSTACK }).replaceAll('\r', '');
    expect(terminal.split('\n').slice(1)).toEqual((await kstack(['-p', String(pid)])).stdout.trim().split('\n').slice(1));
  });
});

describe('standard error', () => {
  it.each([
    ['that nobody reads', 'exec 2> >(exec true); sleep 0.1; "$0" "$@"; echo "=$?"'],
    ['that is full', '"$0" "$@" 2>/dev/full; echo "=$?"'],
  ])('%s changes neither the sample nor the exit code', async (_, script) => {
    const status = async (...args: string[]) => (await run('bash', ['-c', script, KSTACK, ...args])).stdout;
    expect(await status('-q')).toBe('=2\n');
    expect(await status('-p', '2147483647')).toMatch(/^zzz [^\n]*\n\n=1\n$/);
    expect(await status('-vp', '2')).toMatch(/^zzz [^\n]*\n\nPID: {5}2 .*\n\n=0\n$/s);
  });

  it('repeats nothing of what was typed as it is', async () => {
    for (const args of [['-p', '\x1b[31mX'], ['\x1b[31mX'], ['--proc', '/\x1b[31mX', '-a']]) {
      const { stderr } = await kstack(args);
      expect(stderr).toContain('\\x1b[31mX');
      expect(stderr).not.toContain('\x1b');
    }
  });
});

describe('Ctrl-C in a terminal', () => {
  it('ends kstack with status 130 wherever it is', async () => {
    await fixture('tasks', ['rewrite', '2000000', '61']);
    for (const delayMs of [20, 60, 100, 140, 180]) {
      const child = spawn(KSTACK, ['-a'], { stdio: ['ignore', 'pipe', 'pipe'] });
      const end = ended(child);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      child.kill('SIGINT');
      const { code, signal } = await end;
      if (code !== 0) expect([code, signal]).toEqual([null, 'SIGINT']);
    }
  });
});
