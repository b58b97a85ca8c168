import { spawn } from 'node:child_process';
import { openSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import {
  ended,
  fixture,
  KSTACK,
  kstack,
  needs,
  parseClassic,
  run,
  shell,
  temporaryFolder,
  testRequires,
  until,
} from './harness.ts';

const CLASSIC_SAMPLE = `zzz <Sat Sep 30 17:02:16 GMT 2023 - ol8-1

PID:  8521   State:  S   Start Time: 2023/09/30 16:36:49   Cmd: -bash 
Stack:
[<0>] do_wait+0x15c/0x2e0

`;

describe('standard output', () => {
  it('that nobody reads any more ends kstack quietly', async () => {
    testRequires('root');
    // Longer than a pipe holds, so that kstack is still writing when head has gone.
    const [pid = 0] = await fixture('tasks', ['rewrite', '1000000', '61']);
    const script = `"$0" -p ${pid} | head -1; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = await run('bash', ['-c', script, KSTACK]);
    expect(stdout).toMatch(/^zzz <[^\n]+\n0\n$/);
    expect(stderr).toBe('');
  });

  it.each([
    ['report', '1\n'],
    ['explain', '1\n'],
    ['convert -f long', '1\n'],
    ['diff', '1\n'],
  ])('that nobody reads any more does not hide that %s lacks a file', async (command, code) => {
    const folder = temporaryFolder();
    const file = join(folder, 'log');
    writeFileSync(file, CLASSIC_SAMPLE);
    const script = `"$0" ${command} ${file} ${folder}/none | :; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = await run('bash', ['-c', script, KSTACK]);
    expect([stdout, stderr]).toEqual([code, expect.stringContaining(`${folder}/none`)]);
  });

  it('that is full is an error with its reason', async () => {
    testRequires('root');
    const { code, stderr } = await kstack(['-p', '2'], { stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'] });
    expect([code, stderr]).toEqual([1, 'kstack: cannot write to standard output: no space left on device (ENOSPC)\n']);
  });

  it.each(['-h', '--version'])('that is full is an error with its reason for %s too', async (option) => {
    const { code, stderr } = await kstack([option], { stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'] });
    expect([code, stderr]).toEqual([1, 'kstack: cannot write to standard output: no space left on device (ENOSPC)\n']);
  });

  it('gets all of a sample though it is a full pipe that does not block and is read slowly', async () => {
    testRequires('root', 'python3');
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
    testRequires('root', 'script');
    const [pid = 0] = await fixture('tasks', ['zombie']);
    const terminal = shell(`script -qec '"$KSTACK" -p ${pid}' /dev/null`, { KSTACK }).replaceAll('\r', '');
    expect(terminal.split('\n').slice(1)).toEqual(
      (await kstack(['-p', String(pid)])).stdout.trim().split('\n').slice(1),
    );
  });

  it('of a narrow terminal is broken between words, and a command that it names is not', async () => {
    testRequires('root', 'script');
    const [pid = 0] = await fixture('tasks', ['zombie']);
    const file = join(temporaryFolder(), 'stack');
    writeFileSync(file, '[<0>] folio_wait_bit_common+0x13d/0x350\n[<0>] filemap_fault+0x1/0x9\n');
    const whole = /^ {10}(?=grep )/;
    const commands: string[] = [];
    for (const command of [`why -p ${pid}`, `-p ${pid} -f long`, `explain ${file}`]) {
      const shown = shell(`script -qec 'stty cols 30; "$KSTACK" ${command}' /dev/null`, { KSTACK, NO_COLOR: '1' });
      const lines = shown.replaceAll('\r', '').split('\n');
      expect(lines.length).toBeGreaterThan(4);
      for (const line of lines)
        if (whole.test(line)) commands.push(line.replace(whole, ''));
        else expect(line.length <= 30 || !line.trim().includes(' '), line).toBe(true);
    }
    expect(commands).toEqual(['grep -H . /sys/block/*/inflight']);
  });
});

describe('standard error', () => {
  it.each([
    ['that nobody reads', 'exec 2> >(exec true); sleep 0.1; "$0" "$@"; echo "=$?"'],
    ['that is full', '"$0" "$@" 2>/dev/full; echo "=$?"'],
  ])('%s changes neither the sample nor the exit code', async (_, script) => {
    testRequires('root');
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

describe('Ctrl-C', () => {
  /** Longer than the buffers between kstack and a reader that does not read: it cannot end by itself. */
  const ENDLESS = '2000000';

  it.each([0, 20, 60, 100, 140, 180])('ends kstack as the signal does, %i ms after its start', async (delayMs) => {
    const [pid = 0] = await fixture('tasks', ['rewrite', ENDLESS, '61']);
    const { child, exit } = unread(['-p', `${pid}`]);
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    child.kill('SIGINT');
    expect(await exit).toEqual([null, 'SIGINT']);
  });

  it('ends kstack as the signal does while it waits for somebody to read what it writes', async () => {
    const [pid = 0] = await fixture('tasks', ['rewrite', ENDLESS, '61']);
    const { child, exit } = unread(['-p', `${pid}`]);
    while (!isBlockedInWrite(child.pid)) await new Promise((resolve) => setTimeout(resolve, 10));
    child.kill('SIGINT');
    expect(await exit).toEqual([null, 'SIGINT']);
  });

  it('ends kstack as the signal does while it waits for its input', async () => {
    const { child, exit } = unread(['explain']);
    await new Promise((resolve) => setTimeout(resolve, 300));
    child.kill('SIGINT');
    expect(await exit).toEqual([null, 'SIGINT']);
  });

  /** kstack with pipes that nobody writes to or reads from, and how it ends. */
  function unread(args: readonly string[]) {
    const child = spawn(KSTACK, args, { stdio: 'pipe' });
    onTestFinished(() => void child.kill('SIGKILL'));
    const exit = new Promise((resolve) => child.once('exit', (code, signal) => resolve([code, signal])));
    return { child, exit };
  }

  function isBlockedInWrite(pid = 0): boolean {
    // A thread may end between the two reads.
    const stacks = shell(`cat /proc/${pid}/task/*/stack 2>/dev/null || true`);
    return /sock_alloc_send|pipe_write/.test(stacks);
  }
});

describe('a mistake', () => {
  it.each([
    [
      ['-a', '-o', ''],
      "option '-o, --output <FILE>' argument '' is invalid. Give the name of a file, or - for standard output.",
    ],
    [['-bD', '-d', ''], "option '-d <DIRECTORY>' argument '' is invalid. It must not be empty."],
    [['-a', '--proc='], "option '--proc <DIRECTORY>' argument '' is invalid. It must not be empty."],
    [['--module', ''], "option '--module <NAME>' argument '' is invalid. It must not be empty."],
    [['-a', '--full'], "'--full' needs '-f long', 'json' or 'jsonl'"],
    [['-a', '--annotate', '-f', 'pprof'], "'--annotate' needs '-f folded'"],
    [['-a', '--f', 'json'], "option '--f' is ambiguous: it may be --function, --format, --full"],
    [['-a', 'status'], "'-a' cannot be used with the command 'status'"],
    [['-b', 'why'], "'-b' cannot be used with the command 'why'"],
    [['-Q', 'why'], "unknown option '-Q'"],
    [['-1'], "unknown option '-1'"],
    [['4218'], "unexpected argument '4218'; select a process with -p 4218"],
    [['status', 'extra'], "unexpected argument 'extra'; name a directory with -d extra"],
    [['stop', '-a'], "unknown option '-a'"],
    [['-ef'], "unknown option '-e': all processes are '-a'"],
    [['top', '-b', '-n', '1'], "unknown option '-b': plain blocks are '--batch'"],
    [['completion', 'tcsh'], "argument 'tcsh' is invalid. Allowed choices are bash, zsh, fish."],
  ])('in %j is said, exit 2', async (words, message) => {
    const { code, stdout, stderr } = await kstack(words);
    expect([code, stdout, stderr.split('\n')[0]]).toEqual([2, '', `kstack: ${message}`]);
  });

  it.each([
    [['-d', '/var/log/kstack', 'stop'], '-d', 'stop -d /var/log/kstack'],
    [['-f', 'json', 'why', '--evidence'], '-f', 'why -f json --evidence'],
    [['-c', 'a b', '-D', 'why'], '-c', "why -c 'a b' -D"],
    [['-vDLc', 'x', 'why'], '-D', '-v why -DLc x'],
    [['-v', '--form', 'json', 'why'], '--format', '-v why --format json'],
  ])('is %j: the advice is the command line as it should be', async (words, flag, right) => {
    const { code, stdout, stderr } = await kstack(words);
    const message = `kstack: '${flag}' belongs after the command: ${KSTACK} ${right}`;
    expect([code, stdout, stderr.split('\n')[0]]).toEqual([2, '', message]);
  });

  it.each([['why'], ['-v', 'why'], ['why', '-v'], ['why', '--verbose']])(
    'is -v where it belongs: %j',
    async (...words) => {
      const { code, stderr } = await kstack([...words, '-c', '^no such process$']);
      expect([code, / DEBUG - source: /.test(stderr)]).toEqual([0, words.length > 1]);
    },
  );

  it.each([
    ['-h', 'why'],
    ['--help', 'why'],
    ['-Dh', 'why'],
    ['-c', 'x', '--help', 'why', '--evidence'],
  ])('is none: %s %s shows the help of the command', async (...words) => {
    expect(await kstack(words)).toMatchObject({ code: 0, stderr: '', stdout: (await kstack(['why', '-h'])).stdout });
  });

  it('is an argument that is not UTF-8, which would name another file', async () => {
    testRequires('root');
    const folder = temporaryFolder();
    const run = shell(`cd ${folder}; "$KSTACK" -p 2 -o "$(printf 'a\\377')" 2>&1; echo "=$?"`, { KSTACK });
    expect(run).toMatch(/^kstack: argument 'a\\xff' is not UTF-8\nTry 'kstack -h' for more.\n=2$/);
    expect(readdirSync(folder)).toEqual([]);
    // This one is, and is taken as it is.
    expect(await kstack(['-p', '2', '-o', 'a\ufffd'], { cwd: folder })).toMatchObject({ code: 0 });
    expect(readdirSync(folder)).toEqual(['a\ufffd']);
  });

  it('is none: an empty KSTACK_SOURCE, and /dev/stdout for standard output', async () => {
    testRequires('root');
    const env = { ...process.env, KSTACK_SOURCE: '' };
    const { code, stdout } = await kstack(['-p', '2', '-o', '/dev/stdout'], { env });
    expect([code, parseClassic(stdout).lines.map(({ pid }) => pid)]).toEqual([0, [2]]);
  });

  it.each(['status', 'stop'])('%s before any run says that there is none, exit 1', async (command) => {
    const folder = temporaryFolder();
    for (const directory of [folder, join(folder, 'missing')]) {
      const message = `kstack: no background run is active on ${directory}, and there has been none\n`;
      expect(await kstack([command, '-d', directory])).toMatchObject({ code: 1, stdout: '', stderr: message });
    }
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('-o', () => {
  beforeEach(needs('root'));

  it('says of a FIFO without a reader that it has none, at once', async () => {
    const fifo = join(temporaryFolder(), 'fifo');
    shell(`mkfifo ${fifo}`);
    const { code, stdout, stderr, milliseconds } = await kstack(['-p', '2', '-o', fifo]);
    expect([code, stdout, stderr]).toEqual([
      1,
      '',
      `kstack: cannot write ${fifo}: no process has it open for reading (ENXIO)\n`,
    ]);
    expect(milliseconds).toBeLessThan(10_000);
  });

  it('hands a FIFO all of a sample though its reader is slow', async () => {
    const fifo = join(temporaryFolder(), 'fifo');
    shell(`mkfifo ${fifo}`);
    const [pid = 0] = await fixture('tasks', ['rewrite', '1000000', '61']);
    const reader = spawn('sh', [
      '-c',
      `exec 3<>${fifo}; echo open; sleep 0.5; dd bs=4096 count=200 <&3 2>/dev/null | tr -cd a | wc -c`,
    ]);
    const end = ended(reader);
    await new Promise((resolve) => reader.stdout.once('data', resolve));
    const writer = kstack(['-p', String(pid), '-o', fifo]);
    // The reader leaves off in the middle: with that the FIFO has none any more.
    expect(Number((await end).stdout.replace('open', ''))).toBeGreaterThan(700_000);
    expect(await writer).toMatchObject({ code: 1, stderr: expect.stringContaining('EPIPE') });
    const whole = spawn('sh', ['-c', `exec 3<${fifo}; sleep 0.5; tr -cd a <&3 | wc -c`]);
    const counted = ended(whole);
    const opened = async () => (await kstack(['-p', String(pid), '-o', fifo])).code === 0;
    while (!(await opened()));
    expect(Number((await counted).stdout)).toBeGreaterThanOrEqual(999_999);
  });

  it('writes to a FUSE file system, which cannot make a file without a name', async () => {
    testRequires('bindfs and /dev/fuse');
    const [behind, mount] = [temporaryFolder(), temporaryFolder()];
    const device = statSync(mount).dev;
    const server = spawn('bindfs', ['-f', behind, mount], { stdio: 'ignore' });
    const served = ended(server);
    onTestFinished(async () => {
      shell(`umount -l ${mount}`);
      await served;
    });
    await until(() => statSync(mount).dev !== device);
    const { code, stderr } = await kstack(['-p', `${process.pid}`, '-f', 'json', '-o', join(mount, 'out')]);
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(readFileSync(join(behind, 'out'), 'utf8')).format).toBe('kstack-sample');
    expect(readdirSync(behind)).toEqual(['out']);
  });

  it('gives a new file to who called sudo, and never one that was there before', async () => {
    const folder = temporaryFolder();
    const ownerAfter = async (name: string, env: NodeJS.ProcessEnv) => {
      const file = join(folder, name);
      expect(await kstack(['-p', '2', '-o', file], { env: { ...process.env, ...env } })).toMatchObject({
        code: 0,
        stderr: '',
      });
      const { uid, gid, mode } = statSync(file);
      expect(mode & 0o777).toBe(0o600);
      return [uid, gid];
    };
    const sudo = { SUDO_UID: '65534', SUDO_GID: '1' };
    expect(await ownerAfter('new', sudo)).toEqual([65534, 1]);
    expect(await ownerAfter('new', sudo)).toEqual([65534, 1]);
    writeFileSync(join(folder, 'of-root'), 'before');
    expect(await ownerAfter('of-root', sudo)).toEqual([0, 0]);
    for (const SUDO_UID of ['', '-1', '4294967295', '1x', '99999999999'])
      expect(await ownerAfter(`new${SUDO_UID}`, { ...sudo, SUDO_UID })).not.toEqual([65534, 1]);
    expect(await ownerAfter('without', {})).toEqual([0, 0]);
  });
});

describe('--proc', () => {
  it('refuses at once what is no procfs, whatever is in it', async () => {
    const folder = temporaryFolder();
    shell(`cd ${folder} && mkdir self 2 && mkfifo self/stack stat loadavg 2/stat 2/stack 2/cmdline`);
    for (const args of [['-a'], ['-p', '2'], ['-LD', '-f', 'long'], ['-bD', '-d', join(folder, 'log')]]) {
      const { code, stdout, stderr, milliseconds } = await kstack([...args, '--proc', folder]);
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toContain(`${folder} is not a procfs; give --proc a directory where one is mounted\n`);
      expect(milliseconds).toBeLessThan(10_000);
    }
    expect(await kstack(['-a', '--proc', '/dev/zero'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no procfs is mounted'),
    });
  });
});

describe('what only the source bpf knows', () => {
  beforeEach(needs('root'));

  it('is said to be missing where the source is procfs, with the reason, in long and json', async () => {
    const { stdout: long } = await kstack(['-p', '2', '-f', 'long', '--source', 'procfs']);
    expect(long).toMatch(
      /\nNot shown, since the source is procfs \(requested with [^\n]*: for how long [^\n]*who holds the locks[^\n]*\n1 task seen/,
    );
    const { stdout: json } = await kstack(['-p', '2', '-f', 'json', '--source', 'procfs']);
    expect(JSON.parse(json).source).toEqual({ name: 'procfs', why: expect.stringContaining('--source') });
  });

  it('is missing for want of the initial PID namespace', async () => {
    const { stdout } = await run('unshare', ['-fp', '--mount-proc', '--kill-child', KSTACK, '-a', '-f', 'long']);
    expect(stdout).toMatch(
      /\nNot shown, since the source is procfs \(bpf unavailable: \/proc is not of the initial PID namespace[^\n]*\n/,
    );
  });
});
