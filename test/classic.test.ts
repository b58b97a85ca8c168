import { readdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { beforeEach, describe, expect, it, type TestContext } from 'vitest';
import { fixture, kstack, lineOf, parseClassic, requires, shell } from './harness.ts';

beforeEach((context: TestContext) => requires(context, 'root', 'compiler'));

const ZONES = ['UTC', 'Europe/Paris', 'America/New_York', 'Asia/Kolkata', 'EST5EDT', 'CET-1CEST,M3.5.0,M10.5.0/3', '<+0330>-3:30'];

/** What COMPAT.md says a sleeping or waiting process looks like, put together from /proc and date(1). */
function expectedGroup(pid: number, command: string, zone: string): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const bootTime = /^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'latin1'))?.[1];
  const started = Math.floor(Number(fields[19]) / Number(shell('getconf CLK_TCK'))) + Number(bootTime);
  const when = shell(`date -d @${started} '+%Y/%m/%d %H:%M:%S'`, { TZ: zone });
  const stack = readFileSync(`/proc/${pid}/stack`, 'latin1').trim();
  return `PID: ${String(pid).padStart(5)}   State:  ${fields[0]}   Start Time: ${when}   Cmd: ${command}\nStack:\n${stack}\n\n`;
}

describe('a sample as text', () => {
  it.each(ZONES)('is to the byte what the interface says, in TZ=%s', async (zone) => {
    const [pid = 0] = await fixture('tasks', ['vfork']);
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    const before = Math.floor(Date.now() / 1000);
    const { code, stdout, stderr } = await kstack(['-p', String(pid)], { env: { ...process.env, TZ: zone, LC_ALL: 'de_DE.UTF-8' } });
    const after = Math.floor(Date.now() / 1000);
    const headers = [];
    for (let second = before; second <= after; second++) {
      headers.push(`zzz <${shell(`LC_ALL=C date -d @${second} '+%a %b %d %H:%M:%S %Z %Y'`, { TZ: zone })} - ${hostname()}`);
    }
    const { header } = parseClassic(stdout);
    expect(headers).toContain(header);
    expect(stdout).toBe(`${header}\n\n${expectedGroup(pid, command, zone)}`);
    expect([code, stderr]).toEqual([0, '']);
  });

  it('ends a group without a stack right behind Stack:', async () => {
    const [pid = 0] = await fixture('tasks', ['zombie']);
    const { stdout } = await kstack(['-p', String(pid)]);
    expect(stdout).toMatch(/Cmd: tasks\nStack:\n\n$/);
  });

  it('puts processes with the same stack together, in the order first seen', async () => {
    const [sleeper = 0] = await fixture('tasks', ['comm'], 'same\n');
    const [waiter = 0] = await fixture('tasks', ['vfork']);
    const [other = 0] = await fixture('tasks', ['comm'], 'same\n');
    const { stdout } = await kstack(['-p', `${other},${waiter},${sleeper}`]);
    expect(parseClassic(stdout).lines.map(({ pid }) => pid)).toEqual([other, sleeper, waiter]);
    expect(stdout.match(/^Stack:$/gm)).toHaveLength(2);
  });
});

describe('selection', () => {
  it('takes every process with -a, in ascending order of PID within a group, and nothing else counts beside it', async () => {
    const [zombie = 0] = await fixture('tasks', ['zombie']);
    const { code, stdout, stderr } = await kstack(['-Z', '-a', '-p', '2147483647']);
    const seen = parseClassic(stdout).lines;
    const now = readdirSync('/proc').filter(
      (name) => /^\d+$/.test(name) && readFileSync(`/proc/${name}/stat`, 'latin1').includes(') S 2 '),
    );
    expect(seen.map(({ pid }) => pid)).toEqual(expect.arrayContaining([2, zombie, ...now.map(Number).filter((pid) => pid < zombie)]));
    for (const stack of new Set(seen.map(({ stack }) => stack))) {
      const pids = seen.filter((line) => line.stack === stack).map(({ pid }) => pid);
      expect(pids).toEqual(pids.toSorted((a, b) => a - b));
    }
    expect(code).toBe(0);
    expect(stderr).not.toContain('2147483647');
  });

  it.each([
    ['-D', 'D', ['vfork']],
    ['-R', 'R', ['spin']],
    ['-S', 'S', ['comm']],
    ['-Z', 'Z', ['zombie']],
  ])('takes with %s the processes in state %s and no others', async (option, state, args) => {
    const [pid = 0] = await fixture('tasks', args, 'state\n');
    const { code, stdout } = await kstack([option]);
    const { lines } = parseClassic(stdout);
    expect(lines.map((line) => line.pid)).toContain(pid);
    expect(new Set(lines.map((line) => line.state))).toEqual(new Set([state]));
    expect(code).toBe(0);
  });

  it.each([['-DZp', 'PID'], ['-D', '-Z', '-p', 'PID'], ['-p', 'PID', '-ZD'], ['-DZpPID']])('adds up: %s %s %s %s', async (...args) => {
    const [waiter = 0] = await fixture('tasks', ['vfork']);
    const [zombie = 0] = await fixture('tasks', ['zombie']);
    const [sleeper = 0] = await fixture('tasks', ['comm'], 'asked\n');
    const { stdout } = await kstack(args.map((word) => word.replace('PID', String(sleeper))));
    const { lines } = parseClassic(stdout);
    expect(lines.map(({ pid }) => pid)).toEqual(expect.arrayContaining([waiter, zombie, sleeper]));
    expect(lines.filter(({ state }) => state !== 'D' && state !== 'Z').map(({ pid }) => pid)).toEqual([sleeper]);
  });

  it('takes the PIDs of several -p together, each once, blanks and zeros allowed', async () => {
    const [one = 0] = await fixture('tasks', ['comm'], 'one\n');
    const [two = 0] = await fixture('tasks', ['comm'], 'two\n');
    const { code, stdout } = await kstack(['-p', `${two}, 0${one}`, '-p', `${two},${two}`]);
    expect(parseClassic(stdout).lines.map(({ pid }) => pid)).toEqual([two, one]);
    expect(code).toBe(0);
  });

  it('shows a thread that is asked for by its number', async () => {
    const [pid = 0, tid = 0] = await fixture('tasks', ['thread']);
    const { stdout } = await kstack(['-p', `${tid},${pid}`]);
    expect(parseClassic(stdout).lines.map((line) => line.pid)).toEqual([tid, pid]);
  });

  it('prints the separator line alone when nothing is in the state', async () => {
    const { code, stdout } = await kstack(['-Zp', '2147483647']);
    expect(parseClassic(stdout).lines.filter(({ state }) => state !== 'Z')).toEqual([]);
    expect(code).toBe(1);
  });
});

describe('PIDs that are none', () => {
  it('says of a missing PID that it is missing, and fails only when no PID was found', async () => {
    const [pid = 0] = await fixture('tasks', ['comm'], 'here\n');
    const some = await kstack(['-p', `2147483647,${pid}`]);
    expect([some.code, some.stderr]).toEqual([0, 'kstack: PID 2147483647: no such process\n']);
    expect(parseClassic(some.stdout).lines.map((line) => line.pid)).toEqual([pid]);
    const none = await kstack(['-p', '2147483646,2147483647']);
    expect([none.code, none.stderr]).toEqual([1, 'kstack: PID 2147483646: no such process\nkstack: PID 2147483647: no such process\n']);
  });

  it.each(['0', '-1', 'nginx', '1,x', '1,,2', '', '1.5', '1e3', '0x10', '99999999999999999999'])(
    'takes -p %j for wrong usage',
    async (pids) => {
      const { code, stdout, stderr } = await kstack(['-p', pids]);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toContain('is not a PID: give whole numbers from 1 to 2147483647');
      expect(stderr).toContain('usage: kstack');
    },
  );
});

describe('usage', () => {
  it.each([[], ['-v'], ['-q'], ['-a', 'stray'], ['-p'], ['--verbos']])('is shown on standard error, exit 2, for %j', async (...args) => {
    const { code, stdout, stderr } = await kstack(args.flat());
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^kstack: [^\n]+\n(\(Did you mean --verbose\?\)\n)?usage: kstack /);
  });

  it.each(['-h', '--help'])('is shown whole on standard output by %s, exit 0, whatever else is given', async (option) => {
    const { code, stdout, stderr } = await kstack(['-a', option]);
    expect([code, stderr]).toEqual([0, '']);
    for (const each of ['-a', '-p', '-D', '-R', '-S', '-Z', '-v, --verbose', '-h, --help']) expect(stdout).toContain(`\n  ${each} `);
  });

  it('is told of by -v, on standard error and with the time, while the sample stays the same', async () => {
    const [pid = 0] = await fixture('tasks', ['comm'], 'told\n');
    const { code, stdout, stderr } = await kstack(['-vp', String(pid)]);
    expect(code).toBe(0);
    expect(lineOf(stdout, pid)?.state).toBe('S');
    for (const line of stderr.trim().split('\n')) expect(line).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} DEBUG - ./);
  });
});
