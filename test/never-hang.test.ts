import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import {
  ended,
  expectWithin,
  fixture,
  KSTACK,
  kstack,
  lineOf,
  parseClassic,
  readersOf,
  run,
  temporaryFolder,
  testRequires,
  textOf,
} from './harness.ts';

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
      const before = commandLines();
      const without = await kstack(args(sleeper));
      const [pid = 0] = await fixture('mmap-lock', [temporaryFolder(), '1']);
      expect(blocks(`/proc/${pid}/cmdline`)).toBe(true);
      const { code, stdout, stderr, milliseconds } = await kstack(args(pid));
      expect(lineOf(stdout, pid)).toMatchObject({ state: 'D', command: 'mmap-stuck' });
      expect(lineOf(stdout, pid)?.stack).toContain('ext4_page_mkwrite+0x');
      expect(stderr).toMatch(unreadLine(pid));
      expect(stderr).not.toContain('bystander');
      if (args(pid).includes('-a')) expectAllStillThere(without.stdout, stdout, before);
      expect(code).toBe(0);
      expectWithin(milliseconds - without.milliseconds, 2000);
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
    expectWithin(milliseconds - without.milliseconds, 3000);
  });

  it('keeps nobody else from being shown when there are more of them than kstack has threads', async () => {
    const before = commandLines();
    const without = await kstack(['-a', ...PROCFS]);
    const pids = await fixture('mmap-lock', [temporaryFolder(), '60']);
    const { stdout, stderr, milliseconds } = await kstack(['-a', ...PROCFS]);
    for (const pid of pids) expect(lineOf(stdout, pid)?.stack).toContain('ext4_page_mkwrite+0x');
    expect(stderr).toMatch(/^kstack: 60 processes mmap-stuck \(.*\): command line could not be read in time/m);
    expectAllStillThere(without.stdout, stdout, before);
    // Its own threads are in D then, in those reads.
    expect(
      parseClassic(stdout)
        .lines.map(({ command }) => command)
        .filter((command) => command.endsWith(`${KSTACK} -a ${PROCFS.join(' ')} `)),
    ).toHaveLength(1);
    expectWithin(milliseconds, 4000);
  });
});

describe('sixty of them, where threads are few', () => {
  it.each([14, 18, 40])(
    '(%i) leave room for the threads of kstack, and keep nobody else from being shown',
    async (limit) => {
      testRequires('a hierarchy of control groups that counts PIDs');
      const pids = await fixture('mmap-lock', [temporaryFolder(), '60']);
      const [bystander = 0] = await fixture('tasks', ['comm'], 'bystander\n');
      const group = `/sys/fs/cgroup/pids/kstack-stuck-${process.pid}`;
      const script = `mkdir ${group} && echo ${limit} >${group}/pids.max && echo $$ >${group}/cgroup.procs
      "$0" -a --source procfs; code=$?; echo $$ >/sys/fs/cgroup/pids/cgroup.procs
      for try in $(seq 50); do rmdir ${group} 2>/dev/null && break; sleep 0.1; done; exit $code`;
      const { code, stdout, stderr, milliseconds } = await run('bash', ['-c', script, KSTACK]);
      expect([code, stderr]).toEqual([
        0,
        expect.stringMatching(/^kstack: 60 processes mmap-stuck \(.*could not be read in time/m),
      ]);
      for (const pid of pids) expect(lineOf(stdout, pid)?.state).toBe('D');
      expect(lineOf(stdout, bystander)?.command).toMatch(/tasks comm $/);
      expectWithin(milliseconds, 5000);
    },
  );
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
    expectWithin(milliseconds, 3500);
    if (statBlocks) {
      const others = [['-D'], ['-Z'], ['-p', String(child)]].map((args) => kstack([...args, ...PROCFS]));
      const [inD, zombies, alone] = await Promise.all(others);
      expect(inD?.stderr).toContain(`PID ${child} `);
      expect(zombies?.stderr).not.toContain(`PID ${child} `);
      expect(alone?.code).toBe(0);
      expect(lineOf(alone?.stdout ?? '', child)).toMatchObject({
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
    const script = `set -m; "$KSTACK" -p "$PID" --source procfs & child=$!; sleep 0.6
      at=$EPOCHREALTIME; kill -INT $child; wait $child; echo $? $at $EPOCHREALTIME`;
    const output = execFileSync('bash', ['-c', script], {
      env: { ...process.env, KSTACK, PID: String(pid) },
    });
    const [status, asked = 0, ended = 0] = output.toString().split(' ').map(Number);
    expect(status).toBe(130);
    expectWithin((ended - asked) * 1000, 500);
  });
});

describe('a reader process that somebody', () => {
  it.each([
    ['kills', 'SIGKILL', ['-a']],
    ['kills', 'SIGKILL', ['why']],
    ['stops', 'SIGSTOP', ['-a']],
    ['stops', 'SIGSTOP', ['-aL', '-f', 'long']],
    ['stops', 'SIGSTOP', ['why']],
  ] as const)('%s (%s) during kstack %s is replaced, and everything is shown', async (_, signal, args) => {
    testRequires('root');
    const without = await kstack([...args, ...PROCFS]);
    const child = spawn(KSTACK, [...args, ...PROCFS], { stdio: ['ignore', 'pipe', 'pipe'] });
    const end = ended(child);
    let [reader] = readersOf(child.pid ?? 0);
    while (reader === undefined && child.exitCode === null) {
      await pause(1);
      [reader] = readersOf(child.pid ?? 0);
    }
    // On a small host it may be done, and gone.
    const hit = spawnSync('kill', ['-s', signal.slice(3), String(reader)]).status === 0;
    const { code, stdout, stderr, milliseconds } = await end;
    expect([code, stderr]).toEqual([0, expect.not.stringContaining('ERROR')]);
    if (hit && stderr.includes('the process that reads /proc ended'))
      expect(stderr).toMatch(
        new RegExp(`^kstack: the process that reads /proc ended \\(it was \\w+ by ${signal}\\); an`),
      );
    if (args[0] === '-a') expect(parseClassic(stdout).lines.map((line) => line.pid)).toContain(process.pid);
    expectWithin(milliseconds - without.milliseconds, 3000);
  });
});

/** The command lines of all processes, as the kernel has them. Not for a host on which reading them hangs. */
function commandLines(): Map<number, string> {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return new Map(pids.map((pid) => [Number(pid), textOf(`/proc/${pid}/cmdline`)]));
}

/**
 * Every process of the earlier sample that still lives is in the later one, with the same command line where it had the
 * same all the time. (Kernel workers change their names.)
 */
function expectAllStillThere(earlier: string, later: string, before: ReadonlyMap<number, string>): void {
  const commands = new Map(parseClassic(later).lines.map(({ pid, command }) => [pid, command]));
  for (const { pid, command } of parseClassic(earlier).lines) {
    if (textOf(`/proc/${pid}/comm`) === '') continue;
    const changes = command.startsWith('kworker/') || before.get(pid) !== textOf(`/proc/${pid}/cmdline`);
    expect([pid, commands.get(pid)]).toEqual([pid, changes ? expect.any(String) : command]);
  }
}
