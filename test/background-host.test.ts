import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  background,
  end,
  isAlive,
  LOG,
  liveHeap,
  logged,
  samples,
  smallFileSystem,
  stateOf,
  taken,
} from './background-run.ts';
import { fixture, KSTACK, kstack, NODE_BUILD, run, shell, temporaryFolder, testRequires, until } from './harness.ts';

describe('while a process hangs in the kernel', () => {
  it('samples keep coming, and neither threads nor memory grow from sample to sample', {
    timeout: 240_000,
  }, async () => {
    const directory = temporaryFolder();
    const [pid = 0] = await fixture('mmap-lock', [temporaryFolder(), '3']);
    // So that a sample is large against what is compiled, or kept once, in the meantime.
    await fixture('tasks', ['crowd', '1000']);
    const snapshots = temporaryFolder();
    const env = { NODE_OPTIONS: `--heapsnapshot-signal=SIGUSR2 --diagnostic-dir=${snapshots}` };
    // Without a rotation in between, which starts the four threads that Node.js compresses on.
    const run = await background(directory, ['-a', '-m', '100', '--source', 'procfs'], 5, env);
    // The executable does not listen to NODE_OPTIONS, and is of the same sources.
    const heapBytes = () => (KSTACK === NODE_BUILD ? liveHeap(run.pid, snapshots) : Promise.resolve(0));
    const threads = () => Number(/^Threads:\t(\d+)/m.exec(readFileSync(`/proc/${run.pid}/status`, 'latin1'))?.[1]);
    // The first ones load and compile what takes them.
    await until(() => taken(directory) >= 40);
    const early = { threads: threads(), heapBytes: await heapBytes() };
    const from = taken(directory);
    await until(() => taken(directory) >= from + 40);
    const late = { threads: threads(), heapBytes: await heapBytes() };
    await end(run.pid, 'SIGTERM');
    expect(late.threads).toBeLessThanOrEqual(early.threads);
    // A sample takes more than a hundred kilobytes.
    expect((late.heapBytes - early.heapBytes) / 40).toBeLessThan(25_000);
    for (const lines of samples(logged(directory)))
      expect(lines.find((line) => line.pid === pid)).toMatchObject({ state: 'D', command: 'mmap-stuck' });
    // Said once, or together with a process of another test, but not sixty times.
    const named = `(?:PID ${pid} \\(mmap-stuck\\)|mmap-stuck \\([^)]*\\b${pid}\\b[^)]*\\))`;
    const said = new RegExp(`${named}: command line (?:could not be read in time|not read: a thread holds)`, 'g');
    expect([1, 2, 3]).toContain(run.messages().match(said)?.length);
    expect(run.messages().match(/A sample took/g)).toHaveLength(1);
  });
});

describe('hostile processes', () => {
  it('with huge command lines keep nobody from being recorded', async () => {
    const huge = (
      await Promise.all(Array.from({ length: 6 }, () => fixture('tasks', ['rewrite', '2097152', '01'])))
    ).flat();
    const directory = temporaryFolder();
    const { pid, messages } = await background(directory, ['-S'], 300);
    await until(() => existsSync(join(directory, LOG)));
    await until(() => taken(directory) >= 3);
    const peak = Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]);
    await end(pid, 'SIGTERM');
    const [lines = []] = samples(logged(directory));
    expect(lines.map((line) => line.pid)).toEqual(expect.arrayContaining([...huge, 2]));
    expect(messages()).toContain('command line is too long: only its beginning is shown');
    // Between 140 and 170 MB were seen, as V8 collects sooner or later; JavaScriptCore, in the executable of its own,
    // collects later still.
    expect(peak).toBeLessThan((process.env['KSTACK_BIN'] === undefined ? 220 : 300) * 1024);
  });
});

describe('a lock that is not of a run', () => {
  it('is never answered with a signal', async () => {
    testRequires('root', 'python3');
    const directory = temporaryFolder();
    const file = join(directory, `.kstack_${hostname()}.run`);
    // F_OFD_SETLK: a lock that belongs to no process, for which the kernel gives -1.
    const script = `import fcntl, struct, sys, time
f = open(sys.argv[1], 'w+b')
fcntl.fcntl(f, 37, struct.pack('hhqqi', fcntl.F_WRLCK, 0, 0, 0, 0))
print('locked', flush=True)
sys.stdin.read()`;
    const holder = spawn('python3', ['-c', script, file], { stdio: ['pipe', 'pipe', 'inherit'] });
    onTestFinished(() => void holder.stdin.end());
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    const { code, stderr } = await run('unshare', ['-pf', '--mount-proc', KSTACK, 'stop', '-d', directory]);
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('its lock is held by a process in another namespace or on another host'),
    ]);
    expect((await kstack(['status', '-d', directory])).stdout).toContain('PID:     of another namespace or host');
    expect((await background(directory, ['-p', '2'])).code).toBe(1);
    expect(holder.exitCode).toBe(null);
  });
});

describe('a host out of everything', () => {
  it('(threads) loses samples, says so once, and goes on when there are some again', async () => {
    testRequires('root', 'a hierarchy of control groups that counts PIDs');
    const directory = temporaryFolder();
    const group = '/sys/fs/cgroup/pids/kstack-run';
    mkdirSync(group);
    onTestFinished(
      () => void shell(`for i in $(seq 200); do rmdir ${group} 2>/dev/null && exit; sleep 0.05; done; rmdir ${group}`),
    );
    // Longer than the second after which idle threads of the C library end.
    const { pid, messages } = await background(directory, ['-p', '2'], 1500);
    onTestFinished(() => end(pid, 'SIGKILL'));
    writeFileSync(`${group}/cgroup.procs`, String(pid));
    await until(() => existsSync(join(directory, LOG)));
    writeFileSync(`${group}/pids.max`, '1');
    await new Promise((resolve) => setTimeout(resolve, 4000));
    writeFileSync(`${group}/pids.max`, 'max');
    const before = taken(directory);
    await until(() => taken(directory) >= before + 2);
    expect(isAlive(pid)).toBe(true);
    expect(messages()).not.toContain('The run ends');
    expect(samples(logged(directory)).at(-1)).toHaveLength(1);
  });

  it('(a file system that turned read-only) is said once, and the run goes on', async () => {
    const directory = smallFileSystem('ext4', 12);
    const { pid, messages } = await background(directory, ['-p', '2']);
    await until(() => existsSync(join(directory, LOG)));
    shell(`mount -o remount,abort ${directory}`);
    await until(() => messages().includes('ERROR'));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(isAlive(pid)).toBe(true);
    expect(messages().match(/ERROR/g)).toHaveLength(1);
    expect(messages()).toMatch(
      /ERROR - Cannot write to \S+: [^\n(]*\((EROFS|EIO)\)\. Samples are kept in memory until it can be written to again\.$/m,
    );
    await end(pid, 'SIGTERM');
  });
});
describe('a terminal or pipe that takes no messages', () => {
  it.each([
    ['pipe', 'exec 2> >(exec true); sleep 0.1'],
    ['FIFO', 'mkfifo $d/said; exec 3<>$d/said 2>$d/said 3>&-'],
  ])('(a %s) whose reader has gone keeps no run from starting', async (_, redirect) => {
    testRequires('root');
    const directory = temporaryFolder();
    const script = `d=${directory}; ${redirect}; "$KSTACK" -bp 2 -d ${directory}; echo $?`;
    const { stdout } = await run('bash', ['-c', script], { env: { ...process.env, KSTACK, KSTACK_INTERVAL_MS: '20' } });
    expect(stdout).toBe('0\n');
    await until(() => existsSync(join(directory, LOG)));
    expect(await kstack(['stop', '-d', directory])).toMatchObject({ code: 0 });
  });

  it('(a terminal stopped by Ctrl-S) holds up neither the samples nor the end', async () => {
    testRequires('root', 'python3');
    const directory = temporaryFolder();
    const script = `import os, pty, sys
pid, master = pty.fork()
if pid == 0: os.execvp(sys.argv[1], sys.argv[1:])
os.waitpid(pid, 0)
os.write(master, b'\\x13')
print('stopped', flush=True)
sys.stdin.read()`;
    const env = { ...process.env, KSTACK_INTERVAL_MS: '1' };
    const terminal = spawn('python3', ['-c', script, KSTACK, '-bvp', '2', '-d', directory], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env,
    });
    onTestFinished(() => void terminal.stdin.end());
    await new Promise((resolve) => terminal.stdout.once('data', resolve));
    const state = () => stateOf(directory);
    onTestFinished(() => end(state().pid, 'SIGKILL'));
    // A stopped terminal takes nothing: the first message would do.
    await until(() => state().samples > 200);
    expect(await kstack(['stop', '-d', directory])).toMatchObject({ code: 0 });
  });
});

describe('a pipe that somebody reads to its end', () => {
  it('is not kept open, and what is said later can be asked for', async () => {
    testRequires('root');
    const directory = temporaryFolder();
    const { code, stderr, milliseconds } = await run('bash', [
      '-c',
      `"$0" -bp 2147483647 -d ${directory} 2>&1 | cat >&2`,
      KSTACK,
    ]);
    expect(code).toBe(0);
    expect(stderr.match(/ INFO - /g)).toHaveLength(4);
    expect(milliseconds).toBeLessThan(5000);
    const said = /INFO - PID 2147483647: no such process$/m;
    await until(() => /"messages":\["/.test(readFileSync(join(directory, `.kstack_${hostname()}.run`), 'utf8')));
    expect((await kstack(['status', '-d', directory])).stdout).toMatch(
      new RegExp(`^Said: {4}\\S+ \\S+ ${said.source}`, 'm'),
    );
    expect(await kstack(['stop', '-d', directory])).toMatchObject({ code: 0 });
    expect((await kstack(['status', '-d', directory])).stderr).toMatch(said);
  });
});
