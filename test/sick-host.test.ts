import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Sample } from '../src/model/sample.ts';
import { systemClock } from '../src/native/clock.ts';
import { openSampler } from '../src/sources/live/sampler.ts';
import {
  ended,
  fixture,
  fixturePath,
  KSTACK,
  kstack,
  parseClassic,
  temporaryFolder,
  testRequires,
  withinMs,
} from './harness.ts';

const PROCFS = ['--source', 'procfs'];
/** What the issue gives a sample of a sick host. */
const SAMPLE_MS = 4000;

/** Processes that sleep, with a higher PID than all there are. */
async function sleepers(count: number): Promise<number[]> {
  const children: ChildProcess[] = [];
  onTestFinished(async () => {
    const ends = children.map((child) => ended(child));
    for (const child of children) child.kill('SIGKILL');
    await Promise.all(ends);
  });
  for (let each = 0; each < count; each++) children.push(spawn('sleep', ['300'], { stdio: 'ignore' }));
  const pids = children.map(({ pid = 0 }) => pid);
  while (!pids.every((pid) => readFileSync(`/proc/${pid}/status`, 'latin1').includes('State:\tS'))) await pause(20);
  return pids;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** The children of a process, and theirs; needs no lock of theirs. */
function descendants(pid: number): number[] {
  const path = `/proc/${pid}/task/${pid}/children`;
  const children = existsSync(path) ? readFileSync(path, 'latin1').trim().split(' ').filter(Boolean).map(Number) : [];
  return children.flatMap((child) => [child, ...descendants(child)]);
}

/** Runs kstack and counts its threads and processes meanwhile; resolves to what it gave and the most there were. */
async function counted(args: readonly string[]): Promise<{ most: number } & Awaited<ReturnType<typeof kstack>>> {
  const child = spawn(KSTACK, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const end = ended(child);
  let most = 0;
  const timer = setInterval(() => {
    try {
      const threads = Number(/^Threads:\t(\d+)$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'latin1'))?.[1]);
      most = Math.max(most, threads + descendants(child.pid ?? 0).length);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error;
    }
  }, 10);
  const result = await end;
  clearInterval(timer);
  return { ...result, most };
}

describe.each([5, 500, 3000])('with %i processes of which reads hang, by mmap lock and in execve', (count) => {
  it('every healthy process is shown whole, in time, with few threads, and the next sample of a stream is as good', async () => {
    const stuck = await fixture('mmap-lock', [temporaryFolder(), String(count), 'mixed']);
    const healthy = await sleepers(100);
    const limit = withinMs(SAMPLE_MS);
    const { code, stdout, stderr, milliseconds, most } = await counted(['-a', ...PROCFS]);
    const lines = new Map(parseClassic(stdout).lines.map((line) => [line.pid, line]));
    for (const pid of healthy)
      expect(lines.get(pid)).toMatchObject({ command: 'sleep 300 ', stack: expect.stringContaining('[<0>]') });
    for (const pid of stuck.slice(0, count))
      expect(lines.get(pid)).toMatchObject({ state: 'D', command: 'mmap-stuck' });
    expect(stderr.split('\n').length).toBeLessThan(25);
    expect(code).toBe(0);
    expect(most).toBeLessThan(64);
    expect(milliseconds).toBeLessThan(limit);

    const options = { source: 'procfs', fields: [], facts: false, steady: true } as const;
    const sampler = await openSampler(
      { clock: systemClock(), root: '/proc' },
      { selection: { all: true }, ...options },
    );
    onTestFinished(() => sampler.close());
    for (let round = 0; round < 3; round++) {
      const started = performance.now();
      const sample = await sampler.next();
      expect(performance.now() - started).toBeLessThan(limit);
      expect(wholeIn(sample, healthy)).toBe(healthy.length);
    }
  }, 180_000);
});

/** How many of these have a stack and a command line in a sample. */
function wholeIn({ observations }: Sample, pids: readonly number[]): number {
  const wanted = new Set(pids);
  return observations.filter(({ task, stack }) => {
    return (
      wanted.has(task.pid ?? 0) && 'value' in task.commandLine && task.commandLine.value !== '' && 'value' in stack
    );
  }).length;
}

describe.each([1, 60])('with the arguments of %i processes swapped out to a device that does not answer', (count) => {
  it('kstack ends in time, also in $(...), and shows a healthy process whole', async () => {
    const folder = temporaryFolder();
    const pids = await fixture('hung-swap.sh', [fixturePath('.'), folder, '4096', String(count)]);
    const [healthy = 0] = await sleepers(1);
    const limit = withinMs(SAMPLE_MS);
    const started = performance.now();
    const script = 'out=$("$0" "$@" 2>"$ERRORS"); code=$?; printf "%s\\n" "$out"; exit $code';
    const list = [...pids, healthy].join(',');
    const errors = join(folder, 'errors');
    const stdout = execFileSync('bash', ['-c', script, KSTACK, '-p', list, ...PROCFS], {
      env: { ...process.env, ERRORS: errors },
    }).toString();
    expect(performance.now() - started).toBeLessThan(limit);
    const lines = parseClassic(`${stdout.trimEnd()}\n\n`).lines;
    expect(lines.find(({ pid }) => pid === healthy)).toMatchObject({ command: 'sleep 300 ' });
    expect(lines).toHaveLength(count + 1);
    expect(readFileSync(errors, 'utf8')).toContain('command line');
  }, 180_000);
});

describe('with 6 MB of arguments swapped out to a device that takes 0.9 s for each read', () => {
  it('a sample takes no longer than usual: the deadline is one of the whole command line', async () => {
    const folder = temporaryFolder();
    const args = [fixturePath('.'), folder, String(6 << 20), '1', '0.9'];
    const [swapped = 0] = await fixture('hung-swap.sh', args);
    const [healthy = 0] = await sleepers(1);
    const limit = withinMs(SAMPLE_MS);
    const { code, stdout, stderr, milliseconds } = await kstack(['-p', `${swapped},${healthy}`, ...PROCFS]);
    expect([code, milliseconds < limit]).toEqual([0, true]);
    const { lines } = parseClassic(stdout);
    expect(lines.find(({ pid }) => pid === healthy)).toMatchObject({ command: 'sleep 300 ' });
    expect(lines.map(({ pid }) => pid)).toContain(swapped);
    expect(stderr).toContain('command line');
  }, 180_000);
});

describe('a system call with an argument on a page of a file system that does not answer', () => {
  it('is shown without that argument by -f long, and kstack ends', async () => {
    testRequires('root', 'compiler', 'bindfs and /dev/fuse');
    const folder = temporaryFolder();
    execFileSync('sh', ['-c', 'mkdir data mount && head -c 65536 /dev/urandom >data/file && chmod -R a+rX .'], {
      cwd: folder,
    });
    const server = spawn('bindfs', ['-f', join(folder, 'data'), join(folder, 'mount')], { stdio: 'ignore' });
    const end = ended(server);
    onTestFinished(async () => {
      server.kill('SIGCONT');
      server.kill('SIGKILL');
      execFileSync('umount', ['-l', join(folder, 'mount')]);
      await end;
    });
    while (!existsSync(join(folder, 'mount', 'file'))) await pause(50);
    const child = spawn(fixturePath('fuse-argument'), [join(folder, 'mount', 'file')], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const pid = Number(
      await new Promise<string>((resolve) => child.stdout.once('data', (bytes: Buffer) => resolve(String(bytes)))),
    );
    await pause(100);
    server.kill('SIGSTOP');
    const limit = withinMs(SAMPLE_MS);
    for (const format of ['json', 'long']) {
      const { code, stdout, milliseconds } = await kstack(['-p', String(pid), '-f', format]);
      expect(code).toBe(0);
      expect(stdout).toContain('clock_nanosleep');
      expect(milliseconds).toBeLessThan(limit);
    }
  });
});
