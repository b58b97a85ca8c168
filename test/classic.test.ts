import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  fixture,
  KSTACK,
  kstack,
  lineOf,
  needs,
  parseClassic,
  run,
  shell,
  temporaryFolder,
  testRequires,
} from './harness.ts';

const ZONES = [
  'UTC',
  'Europe/Paris',
  'America/New_York',
  'Asia/Kolkata',
  'EST5EDT',
  'CET-1CEST,M3.5.0,M10.5.0/3',
  '<+0330>-3:30',
];

/** What a second program prints for these processes by the rules of the interface, without the first line. */
function expectedGroups(pids: readonly number[], env: NodeJS.ProcessEnv = {}): string {
  testRequires('python3');
  const script = join(import.meta.dirname, 'fixtures', 'classic.py');
  return execFileSync('python3', [script, ...pids.map(String)], {
    env: { ...process.env, ...env },
    maxBuffer: 64 << 20,
  }).toString();
}

/** A sample without its first line and the empty one behind it. */
function groupsOf(stdout: string): string {
  return stdout.slice(stdout.indexOf('\n\n') + 2);
}

/** Command lines of every shape, by what they are. */
const COMMAND_LINES: Readonly<Record<string, string | Buffer>> = {
  'one argument': '-bash\0',
  'two arguments': 'sleep\x080\0',
  'an empty argv': '',
  'one empty argument': '\0',
  'empty arguments only': '\0\0\0',
  'empty arguments in the middle and at the end': 'a\0\0b\0\0',
  'white space in front': ' \t\n a\0b\0',
  'white space behind the last NUL': 'a\0b\0 \n',
  'white space before the last NUL': 'a\0b \0',
  'blanks only': '    \0',
  'blanks only, without a NUL': '    ',
  'separators that only Python strips': '\x1c\x1d\x1e\x1f\x85a\x85\x1f',
  'a mark that only JavaScript strips': '\ufeffa\ufeff',
  'spaces of Unicode': '\u3000\u2003a\u2003\u00a0',
  'a title that a process set for itself': 'nginx: worker process',
  'a title with blanks behind it': 'postgres: writer   ',
  'controls and directions': 'a\x1b]0;x\x07\0b\u202e\0',
  newlines: 'sh\0-c\0a\nb\r\n\0',
  'a forged line': 'a\nPID:     1   State:  D   Start Time: 2026/01/01 00:00:00   Cmd: init\0',
  'bytes that are not UTF-8': Buffer.from([0xff, 0xfe, 0x00, 0x85, 0xa0, 0x00]),
  'such bytes between blanks': Buffer.from([0x20, 0x85, 0x20]),
  'a character cut in the middle': Buffer.from([0x61, 0xe2, 0x82]),
  'another script': 'Иван\0日本\0',
  'very many arguments': 'x\0'.repeat(50_000),
  'a very long one': `${'y'.repeat(100_000)}\0`,
};

describe('a sample as text', { tags: ['source'] }, () => {
  beforeEach(needs('root'));

  it.each(ZONES)('is to the byte what the interface says, in TZ=%s', async (zone) => {
    const [pid = 0] = await fixture('tasks', ['vfork']);
    const before = Math.floor(Date.now() / 1000);
    const { code, stdout, stderr } = await kstack(['-p', String(pid)], {
      env: { ...process.env, TZ: zone, LC_ALL: 'de_DE.UTF-8' },
    });
    const after = Math.floor(Date.now() / 1000);
    const headers = [];
    for (let second = before; second <= after; second++) {
      headers.push(
        `zzz <${shell(`LC_ALL=C date -d @${second} '+%a %b %d %H:%M:%S %Z %Y'`, { TZ: zone })} - ${hostname()}`,
      );
    }
    const { header } = parseClassic(stdout);
    expect(headers).toContain(header);
    expect(stdout).toBe(`${header}\n\n${expectedGroups([pid], { TZ: zone })}`);
    expect([code, stderr]).toEqual([0, '']);
  });

  it.each(Object.entries(COMMAND_LINES))('has to the byte the command line that is %s', async (_, text) => {
    const bytes = Buffer.from(text);
    const [pid = 0] = await fixture('command-lines', [], `${bytes.toString('hex') || '-'}\n\n`);
    const { code, stdout, stderr } = await kstack(['-p', String(pid)]);
    expect([code, groupsOf(stdout), stderr]).toEqual([0, expectedGroups([pid]), '']);
  });

  it('has the same command lines in a sample of all, behind one another', async () => {
    const lines = Object.values(COMMAND_LINES).map((text) => Buffer.from(text).toString('hex') || '-');
    const pids = await fixture('command-lines', [], `${lines.join('\n')}\n\n`);
    expect(pids).toHaveLength(lines.length);
    const { stdout } = await kstack(['-p', pids.join(',')]);
    expect(groupsOf(stdout)).toBe(expectedGroups(pids));
    const { stdout: all } = await kstack(['-a']);
    for (const line of expectedGroups(pids).match(/^PID: .*$/gm) ?? []) expect(all).toContain(`\n${line}\n`);
  });

  it('alone has the space at the end of a command line: json has the arguments', async () => {
    const [pid = 0] = await fixture('command-lines', [], `${Buffer.from('a\0b\0').toString('hex')}\n\n`);
    const { stdout } = await kstack(['-p', String(pid), '-f', 'json']);
    expect(JSON.parse(stdout).tasks).toMatchObject([{ pid, commandLine: 'a b', arguments: ['a', 'b'] }]);
  });

  it('has two empty lines behind Stack: where there is no stack', async () => {
    const [pid = 0] = await fixture('tasks', ['zombie']);
    const { stdout } = await kstack(['-p', String(pid)]);
    expect(groupsOf(stdout)).toBe(expectedGroups([pid]));
    expect(stdout).toMatch(/Cmd: tasks\nStack:\n\n\n$/);
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

describe('selection', { tags: ['source'] }, () => {
  beforeEach(needs('root'));

  it('takes every process with -a, in ascending order of PID within a group, and nothing else counts beside it', async () => {
    const [zombie = 0] = await fixture('tasks', ['zombie']);
    const { code, stdout, stderr } = await kstack(['-Z', '-a', '-p', '2147483647']);
    const seen = parseClassic(stdout).lines;
    // Others end meanwhile.
    const stats = shell('cat /proc/[0-9]*/stat 2>/dev/null || true').split('\n');
    const now = stats.filter((stat) => stat.includes(') S 2 ')).map((stat) => Number.parseInt(stat, 10));
    expect(seen.map(({ pid }) => pid)).toEqual(
      expect.arrayContaining([2, zombie, ...now.filter((pid) => pid < zombie)]),
    );
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

  it.each([['-DZp', 'PID'], ['-D', '-Z', '-p', 'PID'], ['-p', 'PID', '-ZD'], ['-DZpPID']])(
    'adds up: %s %s %s %s',
    async (...args) => {
      const [waiter = 0] = await fixture('tasks', ['vfork']);
      const [zombie = 0] = await fixture('tasks', ['zombie']);
      const [sleeper = 0] = await fixture('tasks', ['comm'], 'asked\n');
      const { stdout } = await kstack(args.map((word) => word.replace('PID', String(sleeper))));
      const { lines } = parseClassic(stdout);
      expect(lines.map(({ pid }) => pid)).toEqual(expect.arrayContaining([waiter, zombie, sleeper]));
      expect(lines.filter(({ state }) => state !== 'D' && state !== 'Z').map(({ pid }) => pid)).toEqual([sleeper]);
    },
  );

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
  it('says of a missing PID that it is missing, and fails only when no PID was found', {
    tags: ['source'],
  }, async () => {
    testRequires('root');
    const [pid = 0] = await fixture('tasks', ['comm'], 'here\n');
    const some = await kstack(['-p', `2147483647,${pid}`]);
    expect([some.code, some.stderr]).toEqual([0, 'kstack: PID 2147483647: no such process\n']);
    expect(parseClassic(some.stdout).lines.map((line) => line.pid)).toEqual([pid]);
    const none = await kstack(['-p', '2147483646,2147483647']);
    expect([none.code, none.stderr]).toEqual([
      1,
      'kstack: PID 2147483646: no such process\nkstack: PID 2147483647: no such process\n',
    ]);
  });

  it.each(['0', '-1', 'nginx', '1,x', '1,,2', '', '1.5', '1e3', '0x10', '99999999999999999999'])(
    'takes -p %j for wrong usage',
    async (pids) => {
      const { code, stdout, stderr } = await kstack(['-p', pids]);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toContain('is not a PID: give whole numbers from 1 to 2147483647');
    },
  );
});

const HINT = "Try 'kstack -h' for more.\n";

describe('usage', () => {
  it.each([[[]], [['-v']], [['-t', '1']]])(
    'is shown on standard error, exit 2, for %j, which selects nothing',
    async (args) => {
      const { code, stdout, stderr } = await kstack(args);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(/^kstack: at least one of -a -p .*\nusage: kstack /);
      expect(stderr.endsWith(`\n${HINT}`)).toBe(true);
    },
  );

  it.each([[['-q']], [['-a', 'stray']], [['-p']], [['--verbosse']], [['-a', '--user', 'nobody-of-that-name']]])(
    'is not shown for the mistake in %j: it is said in two lines or three, exit 2',
    async (args) => {
      const { code, stdout, stderr } = await kstack(args);
      expect([code, stdout]).toEqual([2, '']);
      const [message, ...rest] = stderr.split(/(?<=\n)/);
      expect(message).toMatch(/^kstack: /);
      expect(rest.filter((line) => line !== '(Did you mean --verbose?)\n')).toEqual([HINT]);
    },
  );

  it.each([30, 70])('is wrapped on a terminal of %i columns', async (columns) => {
    testRequires('script');
    const whole = (await kstack(['why', '-h'])).stdout;
    const { code, stdout } = await run('script', ['-qec', `stty cols ${columns}; ${KSTACK} why -h`, '/dev/null']);
    const lines = stdout.replaceAll('\r', '').split('\n');
    expect(code).toBe(0);
    expect(lines.filter((line) => line.length > columns)).toEqual([]);
    expect(lines.join(' ').split(/\s+/)).toEqual(whole.split(/\s+/));
  });

  it.each(['-h', '--help'])(
    'is shown whole on standard output by %s, exit 0, whatever else is given',
    async (option) => {
      const { code, stdout, stderr } = await kstack(['-a', option]);
      expect([code, stderr]).toEqual([0, '']);
      for (const each of ['-a', '-p', '-D', '-R', '-S', '-Z', '-v, --verbose', '-h, --help'])
        expect(stdout).toContain(`\n  ${each} `);
    },
  );

  it('is told of by -v, on standard error and with the time, while the sample stays the same', async () => {
    testRequires('root');
    const [pid = 0] = await fixture('tasks', ['comm'], 'told\n');
    const { code, stdout, stderr } = await kstack(['-vp', String(pid)]);
    expect(code).toBe(0);
    expect(lineOf(stdout, pid)?.state).toBe('S');
    for (const line of stderr.trim().split('\n'))
      expect(line).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} DEBUG - ./);
  });
});

describe('what the original took', () => {
  it.each([
    [['-p=PID']],
    [['-p', '+PID']],
    [['-p', ' PID ']],
    [['-Zp=PID']],
    [['--verb', '-p', 'PID']],
    [['--v', '-p', 'PID']],
    [['-p', 'PID', '-i', '9', '-x', '101', '-m', '0', '-t', '0']],
    [['-p', 'PID', '-n', '0', '-t', '-1', '-d', '/nowhere']],
    [['-c', 'status', '-p', 'PID', '--command=kept']],
  ])('is taken: %j', async (words) => {
    testRequires('root');
    const [pid = 0] = await fixture('tasks', ['comm'], 'kept\n');
    const { code, stdout } = await kstack(words.map((word) => word.replace('PID', String(pid))));
    expect([code, lineOf(stdout, pid)?.state]).toEqual([0, 'S']);
  });

  it('with options of background mode, but a line says that these have no effect', async () => {
    testRequires('root');
    const one = await kstack(['-p', '2', '-i', '9']);
    const three = await kstack(['-p', '2', '-n', '0', '-t', '-1', '-m', '0']);
    expect([one.code, one.stderr]).toEqual([0, 'kstack: -i has no effect without -b\n']);
    expect([three.code, three.stderr]).toEqual([0, 'kstack: -t, -m, -n have no effect without -b\n']);
  });

  it('-h may be abbreviated too', async () => {
    expect((await kstack(['--he'])).stdout).toBe((await kstack(['-h'])).stdout);
  });

  it('-t 0 takes one sample, and -x above 100 does not look at the file system', async () => {
    testRequires('root');
    const directory = temporaryFolder();
    const env = { ...process.env, KSTACK_INTERVAL_MS: '50' };
    expect(await kstack(['-bp', '2', '-t', '0', '-x', '101', '-d', directory], { env })).toMatchObject({ code: 0 });
    while ((await kstack(['status', '-d', directory])).code === 0);
    const log = readFileSync(join(directory, `kstack_${hostname()}.out`), 'utf8');
    expect(log.match(/^zzz /gm)).toHaveLength(1);
  });
});
