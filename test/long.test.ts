import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import {
  ended,
  expectWithin,
  fixture,
  KSTACK,
  kstack,
  namedThread,
  needs,
  run,
  shell,
  temporaryFolder,
  testRequires,
} from './harness.ts';

/** Starts a command that is to wait somewhere, and resolves to its PID when it does. */
async function waiting(command: string, args: readonly string[], inCall: RegExp): Promise<number> {
  const child = spawn(command, args, { stdio: ['pipe', 'ignore', 'inherit'] });
  const { pid } = child;
  if (pid === undefined) throw new Error(`cannot start ${command}`);
  const end = ended(child);
  onTestFinished(async () => {
    process.kill(pid, 'SIGKILL');
    await end;
  });
  for (let tries = 0; !inCall.test(shell(`cat /proc/${pid}/syscall; cat /proc/${pid}/stack`)); tries++) {
    if (tries > 1000) throw new Error(`${command} ${args.join(' ')} does not get to ${inCall}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return pid;
}

async function long(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await kstack(['-f', 'long', ...args]);
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
}

/** The calls of the selected tasks: those whom they wait for are shown, too. */
const callsIn = (text: string) =>
  text
    .split('\n\n')
    .filter((paragraph) => !/^\d+ tasks? \(not selected\)/.test(paragraph))
    .flatMap((paragraph) => [...paragraph.matchAll(/^ {2}call {4}(.*)$/gm)].map(([, call]) => call));

describe('a system call', { tags: ['source'] }, () => {
  beforeEach(needs('root'));

  it('that opens a file is shown with its path and flags', async () => {
    const fifo = join(temporaryFolder(), 'a "b"\n\x1b[2J');
    shell('mkfifo "$FIFO"', { FIFO: fifo });
    const pid = await waiting('node', ['-e', `fs.openSync(${JSON.stringify(fifo)})`], /wait_for_partner/);
    expect(callsIn(await long('-p', `${pid}`))).toEqual([
      `openat(AT_FDCWD, "${fifo.replaceAll('"', '\\"').replace('\n', '\\n').replace('\x1b', '\\x1b')}", O_RDONLY|O_CLOEXEC)`,
    ]);
  });

  it('with a path at the very end of the memory there is is shown with that path', async () => {
    const fifo = join(temporaryFolder(), 'fifo');
    shell(`mkfifo ${fifo}`);
    // Arguments lie at the end of the stack.
    const pid = await waiting('cat', [fifo], /wait_for_partner/);
    expect(callsIn(await long('-p', `${pid}`))).toEqual([`openat(AT_FDCWD, "${fifo}", O_RDONLY)`]);
  });

  it('that reads is shown with what is read, and how much at most', async () => {
    const fifo = join(temporaryFolder(), 'fifo');
    shell(`mkfifo ${fifo}`);
    const script = `const fd = fs.openSync('${fifo}', 'r+'); fs.readSync(fd, Buffer.alloc(8192))`;
    const pid = await waiting('node', ['-e', script], /pipe_read/);
    expect(callsIn(await long('-p', `${pid}`))[0]).toMatch(new RegExp(`^read\\(\\d+<${fifo}>, \\.\\.\\., 8192\\)$`));
  });

  it('on a socket is shown with its addresses', async () => {
    const server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('no address');
    const pid = await waiting('bash', ['-c', `exec 3<>/dev/tcp/127.0.0.1/${address.port}; read -ru 3`], /tcp_recvmsg/);
    expect(callsIn(await long('-p', `${pid}`))[0]).toMatch(
      new RegExp(`^read\\(3<tcp 127\\.0\\.0\\.1:\\d+ -> 127\\.0\\.0\\.1:${address.port}>, \\.\\.\\., \\d+\\)$`),
    );
  });

  it.for([
    [
      'of TCP',
      'socket.create_connection(("127.0.0.1", int(sys.argv[1])))',
      /^tcp 127\.0\.0\.1:\d+ -> 127\.0\.0\.1:\d+$/,
    ],
    ['in none of the tables', 'socket.socket(socket.AF_INET, socket.SOCK_DGRAM)', /^socket:\[\d+\]$/],
  ] as const)('on a socket %s has no name that another socket makes up for it', async ([, open, description]) => {
    testRequires('python3');
    const server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('no address');
    const script = `import socket, sys; ${open}.recv(1)`;
    const pid = await waiting('python3', ['-c', script, `${address.port}`], /(tcp|udp)_recvmsg/);
    const inode = /\d+/.exec(shell(`readlink /proc/${pid}/fd/$(($(cut -d' ' -f2 /proc/${pid}/syscall)))`))?.[0] ?? '';
    const spoof = createServer();
    const path = `\0x\nffff888000000000: 00000003 00000000 00000000 0001 03 ${inode.padStart(5)} /run/trusted.sock`;
    await new Promise<void>((resolve) => spoof.listen(path, resolve));
    onTestFinished(() => void spoof.close());
    expect(shell('cat /proc/net/unix')).toContain(`${inode} /run/trusted.sock`);
    const [call = ''] = callsIn(await long('-p', `${pid}`));
    expect(/^recvfrom\(\d+<(.*?)>, /.exec(call)?.[1]).toMatch(description);
  });

  /** Puts a task into a call: what of it is shown, and what the descriptors refer to that the call is about. */
  async function callOf(...args: string[]) {
    const [pid = 0, ...fds] = await fixture('calls', args);
    const targets = fds.map((fd) => (fd < 0 ? '' : `${fd}<${shell(`readlink /proc/${pid}/fd/${fd}`).trim()}>`));
    const [call] = callsIn(await long('-p', `${pid}`));
    return { call, fds, targets };
  }

  it('that polls is shown with what its first descriptors refer to', async () => {
    const { call, targets } = await callOf('poll', '20');
    const pair = `{${targets[0]}, POLLIN}, {-1, 0}`;
    expect(call).toContain(`poll([${pair}, ${pair}, ${pair}, ${pair}, ...], 20, `);
  });

  it('that selects is shown with what its descriptors refer to, how long it waits, and its signals', async () => {
    const { call, fds, targets } = await callOf('pselect6');
    const [toRead, toWrite] = targets;
    expect(call).toBe(`pselect6(${(fds[1] ?? 0) + 1}, [${toRead}], [${toWrite}], NULL, {600 s}, {[INT CHLD], 8})`);
  });

  it('whose arguments were overwritten is shown with what they refer to now, where that is harmless', async () => {
    const { call } = await callOf('tampered');
    const eight = Array.from({ length: 8 }, (_, fd) => `${fd}(?:<(?:[^<>]| -> )*>)?`).join(' ');
    expect(call).toMatch(
      new RegExp(`^pselect6\\(1024, \\[${eight} \\.\\.\\.\\], NULL, NULL, {600 s}, {0xffff888000000000, 8}\\)$`),
    );
  });

  it.for([
    ['ppoll', (target: string) => `ppoll([{${target}, POLLIN}], 1, {600.5 s}, ~[USR1 TERM], 8)`],
    ['epoll_pwait', (target: string) => `epoll_pwait(${target}, ..., 8, 600000, [HUP], 8)`],
    ['rt_sigtimedwait', () => 'rt_sigtimedwait([USR2 34], NULL, NULL, 8)'],
    ['rt_sigsuspend', () => 'rt_sigsuspend(~[], 8)'],
  ] as const)('that waits with signals is shown with them: %s', async ([name, text]) => {
    const { call, targets } = await callOf(name);
    expect(call).toBe(text(targets[0] ?? ''));
  });

  it.for([
    ['sendto', '..., 1, MSG_NOSIGNAL, '],
    ['connect', ''],
  ] as const)('that waits for the socket at an address is shown with the address: %s', async ([name, before]) => {
    const address = `kstack ${process.pid}\n${name}`;
    const { call, fds } = await callOf(name, address);
    const length = 3 + address.length;
    expect(call).toBe(`${name}(${fds[0]}<unix>, ${before}{AF_UNIX @"${address.replace('\n', '\\n')}"}, ${length})`);
  });

  it('with a relative path is shown with the directory that it starts from', async () => {
    const folder = temporaryFolder();
    shell(`mkdir ${folder}/wal && mkfifo ${folder}/wal/1`);
    expect((await callOf('openat', folder)).call).toBe(`openat(AT_FDCWD<${folder}>, "wal/1", O_RDONLY)`);
  });

  it('on a UNIX socket is shown with its peer, where the kernel can tell', async () => {
    // Is loaded by a question, so kstack asks none where it is not.
    const tells = shell(
      `exec 2>/dev/null; modprobe -q unix_diag; cat /sys/module/unix_diag/initstate ||
        zcat /proc/config.gz | grep ^CONFIG_UNIX_DIAG=y || true`,
    );
    const peer = (name: string) => (tells === '' ? '' : ` -> ${name}`);
    const name = `kstack ${process.pid} -> /run/a>`;
    const client = await callOf('unix', name);
    const shown = `@${name.replaceAll('>', '\\x3e')}`;
    expect(client.call).toBe(`read(${client.fds[0]}<unix${peer(shown)}>, ..., 1)`);
    const pair = await callOf('socketpair');
    const other = pair.targets[1]?.replace(/^\d+<(.*)>$/, '$1') ?? '';
    expect(pair.call).toBe(`read(${pair.fds[0]}<unix${peer(other)}>, ..., 1)`);
    // That of another network namespace is told by nobody outside of it.
    const elsewhere = await callOf('elsewhere');
    expect(elsewhere.call).toBe(`read(${elsewhere.fds[0]}<unix>, ..., 1)`);
  });

  // arm64 has no poll but ppoll, which is not resumed.
  it.for(['nanosleep', 'futex', ...(process.arch === 'x64' ? ['poll'] : [])])(
    'that resumes another one is shown with its name: %s',
    async (name) => {
      expect((await callOf('resume', name)).call).toBe(`restart_syscall(<... resuming interrupted ${name} ...>)`);
    },
  );

  it('of equal tasks is shown once, with their number', async () => {
    const pids: number[] = [];
    for (let i = 0; i < 10; i++) pids.push(await waiting('sleep', ['600'], /nanosleep/));
    const text = await long('-p', pids.join(','));
    expect(text).toMatch(
      new RegExp(
        `\\n {2}tasks {3}sleep x 10: ${pids.slice(0, 8).join(' ')} \\.\\.\\. \\(\\+2\\) {2}root {2}S .*cpu [-,\\d]+\\n`,
      ),
    );
    expect(text).toMatch(
      /\n {2}call {4}clock_nanosleep\(CLOCK_REALTIME, 0, .*600.*\) {2}x 8\n {10}\(of the first 8 tasks\)\n/,
    );
    const full = await long('--full', '-p', pids.join(','));
    expect(full).toContain(`  tasks   sleep x 10: ${pids.join(' ')}  root`);
    expect(full).toMatch(/\n {2}call {4}clock_nanosleep\(.*\) {2}x 10\n/);
    expect(full).toMatch(/\n {2}causes /);
  });
});

describe('a process whose mmap lock is held', { tags: ['source'] }, () => {
  beforeEach(needs('root', 'loop'));

  it('has its system calls shown without what its memory would tell, and does not hold kstack up', async () => {
    const [sleeper = 0] = await fixture('tasks', ['comm'], 'bystander\n');
    const without = await kstack(['-Lf', 'long', '-p', `${sleeper}`]);
    const pids = await fixture('mmap-lock', [temporaryFolder(), '6', 'mkdir']);
    const { code, stdout, stderr, milliseconds } = await kstack(['-Lf', 'long', '-p', `${pids.join(',')},${sleeper}`]);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^6 tasks \(\d+\.\d %\) {2}blocked(?: for .*?)? {2}waits for .*\n {2}tasks {3}mmap-stuck x 6: /m,
    );
    const calls = callsIn(stdout).join('\n');
    expect(calls).toMatch(/mkdir\(0x[0-9a-f]+, 0700\)/);
    expect(calls).toMatch(/munmap\(0x[0-9a-f]+, 4096\)/);
    expect(calls).toMatch(/none: it is in a page fault or another exception {2}x 6/);
    expect(stdout).toContain('bystander: ');
    expect(stderr).toMatch(/command line (could not be read in time|not read: a thread holds)/);
    expectWithin(milliseconds - without.milliseconds, 3000);
  });
});

describe('the text', () => {
  beforeEach(needs('root'));

  it('has the share of each group, its frames in columns, its finding, and a line that sums up', async () => {
    const [one = 0] = await fixture('tasks', ['vfork']);
    const [two = 0] = await fixture('tasks', ['vfork']);
    const [three = 0] = await fixture('tasks', ['stopped']);
    const text = await long('-p', `${one},${two},${three}`, '--source', 'procfs');
    expect(text).toMatch(/^\w{3} \w{3} \d\d \d\d:\d\d:\d\d \S+ \d{4} - \S+ - Linux \S+\n\n/);
    expect(text).toMatch(/\n2 tasks \(66\.7 %\) {2}blocked for \d.*? s {2}waits for its vfork child /);
    const frames = [...text.matchAll(/^ {2}(?:stack|[ ]{5}) {3}(\w[\w.]* +)\+0x[0-9a-f]+\/0x[0-9a-f]+$/gm)].map(
      ([, name = '']) => name.length,
    );
    expect(frames.length).toBeGreaterThan(8);
    expect(new Set(frames).size).toBeLessThan(4);
    expect(text).toMatch(/\n {2}causes {2}\S.*\n {2}next {4}\S/);
    expect(text).toMatch(/\n3 tasks seen: [23] blocked, [01] idle, 0 running, 0 unexplained\.\n$/);
  });

  it('has what is blocked first, then what is unexplained, runs and idles, and kstack itself last', async () => {
    await fixture('tasks', ['vfork']);
    await fixture('tasks', ['spin']);
    await fixture('tasks', ['thread']);
    const child = spawn(KSTACK, ['-a', '-f', 'long'], { stdio: ['ignore', 'pipe', 'ignore'] });
    const { stdout } = await ended(child);
    const groups = stdout.split('\n\n').filter((text) => /^\d+ tasks? \(\d+\.\d %\)/.test(text));
    const ofKstack = groups.findIndex((text) => text.includes(`: ${child.pid} `));
    const others = groups.filter((text, at) => at !== ofKstack || !/^1 task /.test(text));
    if (others.length < groups.length) expect(ofKstack).toBe(groups.length - 1);
    const kinds = others.map((text) => /%\) {2}(\w+)/.exec(text)?.[1] ?? '');
    const order = ['blocked', 'unexplained', 'running', 'idle'];
    expect(kinds).toEqual(kinds.toSorted((a, b) => order.indexOf(a) - order.indexOf(b)));
    expect([kinds[0], kinds.at(-1), kinds.includes('running')]).toEqual(['blocked', 'idle', true]);
  });

  it('has the numbers of the first task in the commands to run next', async () => {
    const [pid = 0] = await fixture('tasks', ['stopped']);
    const text = await long('-p', `${pid}`);
    expect(text).toMatch(new RegExp(`\\n  next {4}.*${pid}`));
    expect(text).toContain(`\n  undo    kill -CONT ${pid}   (changes the host)\n`);
    expect(text).not.toMatch(/\bPID\b/);
  });

  it('has the names of both the process and the thread, where they differ', async () => {
    const [pid, tid] = await namedThread('wal-writer');
    const text = await long('-Lp', `${pid}`);
    expect(text).toContain(`  tasks   python3/wal-writer: ${pid}/${tid}  root  S`);
    expect(text).toContain(`  tasks   python3: ${pid}/${pid}  root  S`);
    expect(await long('-p', `${tid}`)).toContain(`  tasks   wal-writer: ${tid}  root  S`);
  });

  it('has colours on a terminal only, unless the environment says otherwise', async () => {
    testRequires('script');
    const command = `${KSTACK} -p 2 -f long`;
    const env = { ...process.env, TERM: 'xterm', NO_COLOR: '', FORCE_COLOR: '' };
    const onTerminal = async (more: NodeJS.ProcessEnv) =>
      (await run('script', ['-qec', command, '/dev/null'], { env: { ...env, ...more } })).stdout;
    expect(await onTerminal({})).toContain('\x1b[');
    expect(await onTerminal({ NO_COLOR: '1' })).not.toContain('\x1b[');
    expect((await kstack(['-p', '2', '-f', 'long'], { env })).stdout).not.toContain('\x1b[');
    expect((await kstack(['-p', '2', '-f', 'long'], { env: { ...env, FORCE_COLOR: '1' } })).stdout).toContain('\x1b[');
  });
});
