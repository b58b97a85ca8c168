import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fixture, KSTACK, kstack, lineOf, parseClassic, temporaryFolder } from './harness.ts';

/**
 * True when reading the file does not end by itself within half a second, in a process of its own that is then killed.
 */
function blocks(path: string): boolean {
  return spawnSync('cat', [path], { timeout: 500, killSignal: 'SIGKILL' }).signal === 'SIGKILL';
}

/** What hangs hangs there; bpf takes no locks. */
const PROCFS = ['--source', 'procfs'];

/** By the source procfs, and by bpf, which sees the lock. */
const unreadLine = (pid: number) =>
  new RegExp(
    `^kstack: PID ${pid} \\(mmap-stuck\\): command line (could not be read in time|not read: a thread holds)`,
    'm',
  );

describe('a process whose mmap lock a stuck thread holds', () => {
  it.each([
    ['-p', (pid: number) => ['-p', String(pid)]],
    ['-S -p', (pid: number) => ['-Sp', String(pid)]],
    ['-a', () => ['-a']],
    ['-D', () => ['-D']],
  ])(
    'is shown by kstack %s with its comm and its stack, within 2 seconds more, and the rest with it',
    async (_, args) => {
      const [sleeper = 0] = await fixture('tasks', ['comm'], 'bystander\n');
      const without = await kstack(args(sleeper));
      const [pid = 0] = await fixture('mmap-lock', [temporaryFolder(), '1']);
      expect(blocks(`/proc/${pid}/cmdline`)).toBe(true);
      const { code, stdout, stderr, milliseconds } = await kstack(args(pid));
      expect(lineOf(stdout, pid)).toMatchObject({ state: 'D', command: 'mmap-stuck' });
      expect(lineOf(stdout, pid)?.stack).toContain('ext4_page_mkwrite+0x');
      expect(stderr).toMatch(unreadLine(pid));
      expect(stderr).not.toContain('bystander');
      if (args(pid).includes('-a')) expectAllStillThere(without.stdout, stdout);
      expect(code).toBe(0);
      expect(milliseconds).toBeLessThan(without.milliseconds + 2000);
    },
  );

  it('costs no more when there are ten of them', async () => {
    const without = await kstack(['-a']);
    const pids = await fixture('mmap-lock', [temporaryFolder(), '10']);
    const { code, stdout, stderr, milliseconds } = await kstack(['-a']);
    for (const pid of pids) {
      expect(lineOf(stdout, pid)).toMatchObject({ state: 'D', command: 'mmap-stuck' });
    }
    expect(stderr).toMatch(
      /^kstack: 10 processes mmap-stuck \(\d+(, \d+){7}, \.\.\.\): command line (could not be read in time|not read: a thread holds)/m,
    );
    expect(code).toBe(0);
    expect(milliseconds).toBeLessThan(without.milliseconds + 3000);
  });

  it('keeps nobody else from being shown when there are more of them than kstack has threads', async () => {
    const without = await kstack(['-a', ...PROCFS]);
    const pids = await fixture('mmap-lock', [temporaryFolder(), '60']);
    const { stdout, stderr, milliseconds } = await kstack(['-a', ...PROCFS]);
    for (const pid of pids) expect(lineOf(stdout, pid)?.stack).toContain('ext4_page_mkwrite+0x');
    expect(stderr).toMatch(/^kstack: 60 processes mmap-stuck \(.*\): command line could not be read in time/m);
    expectAllStillThere(without.stdout, stdout);
    // Its own threads are in D then, in those reads.
    expect(
      parseClassic(stdout)
        .lines.map(({ command }) => command)
        .filter((command) => command.endsWith(`${KSTACK} -a ${PROCFS.join(' ')} `)),
    ).toHaveLength(1);
    expect(milliseconds).toBeLessThan(4000);
  });
});

describe('a child of vfork that executes a program while that lock is held', () => {
  it('is shown with what its status tells where not even its stat can be read, and costs 2 seconds at most', async () => {
    const [pid = 0, child = 0] = await fixture('mmap-lock', [temporaryFolder(), '1', 'exec']);
    expect(blocks(`/proc/${child}/stack`)).toBe(true);
    // Kernels take exec_update_lock for stat since 6.18 or thereabouts.
    const statBlocks = blocks(`/proc/${child}/stat`);
    const { code, stdout, stderr, milliseconds } = await kstack(['-a', ...PROCFS]);
    expect(lineOf(stdout, pid)?.command).toBe('mmap-stuck');
    if (statBlocks)
      expect(stderr).toContain(`kstack: PID ${child} (mmap-stuck, state D): process could not be read in time`);
    else expect(stderr).toContain(`kstack: PID ${child} (mmap-stuck): kernel stack could not be read in time`);
    expect(code).toBe(0);
    expect(milliseconds).toBeLessThan(3500);
    if (statBlocks) {
      expect((await kstack(['-D', ...PROCFS])).stderr).toContain(`PID ${child} `);
      expect((await kstack(['-Z', ...PROCFS])).stderr).not.toContain(`PID ${child} `);
      const alone = await kstack(['-p', String(child), ...PROCFS]);
      expect(alone.code).toBe(0);
      expect(lineOf(alone.stdout, child)).toMatchObject({
        state: 'D',
        started: 'unknown',
        command: 'mmap-stuck',
        stack: '',
      });
    }
  });
});

describe('Ctrl-C while a read hangs', () => {
  it('ends kstack at once, with the status 130 that a shell gives', async () => {
    const [pid = 0] = await fixture('mmap-lock', [temporaryFolder(), '1']);
    const script =
      'set -m; "$KSTACK" -p "$PID" --source procfs & child=$!; sleep 0.6; kill -INT $child; wait $child; echo $?';
    const started = performance.now();
    const output = execFileSync('bash', ['-c', script], {
      env: { ...process.env, KSTACK, PID: String(pid) },
    });
    expect(output.toString()).toBe('130\n');
    expect(performance.now() - started).toBeLessThan(1100);
  });
});

/**
 * Every process of the earlier sample that still lives is in the later one, and of its own children with the same
 * command line: kernel workers and other programs may change theirs.
 */
function expectAllStillThere(earlier: string, later: string): void {
  const commands = new Map(parseClassic(later).lines.map(({ pid, command }) => [pid, command]));
  for (const { pid, command } of parseClassic(earlier).lines) {
    if (!isAlive(pid)) continue;
    expect(commands.has(pid)).toBe(true);
    if (isOurs(pid)) expect([pid, commands.get(pid)]).toEqual([pid, command]);
  }
}

/** Whether this process, or the one that started it, is its parent. */
function isOurs(pid: number): boolean {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return [process.pid, process.ppid].includes(Number(/^PPid:\t(\d+)$/m.exec(status)?.[1]));
}

function isAlive(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/comm`).length > 0;
  } catch {
    return false;
  }
}
