import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, readdirSync, readFileSync, readSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, inject, onTestFinished, type TestContext, TestRunner } from 'vitest';

/** The command as it is in the package. */
export const NODE_BUILD = join(import.meta.dirname, '../dist/kstack.cjs');

export const NODE_MODULES = join(import.meta.dirname, '../node_modules');

// The tests may have been started by npx, and advice of the command is as it was typed.
delete process.env['npm_command'];

/** The command under test. */
export const KSTACK = process.env['KSTACK_BIN'] ?? NODE_BUILD;

/** Whether that is the executable with its runtime inside. */
export const isExecutable = firstBytes(KSTACK, 4) === '\x7fELF';

function firstBytes(path: string, count: number): string {
  const bytes = Buffer.alloc(count);
  if (existsSync(path)) readSync(openSync(path, 'r'), bytes);
  return bytes.toString('latin1');
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly milliseconds: number;
}

/** Runs a command to its end. */
export function run(command: string, args: readonly string[], options: SpawnOptions = {}): Promise<Ended> {
  const started = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  return ended(child, started);
}

export function kstack(args: readonly string[], options: SpawnOptions = {}): Promise<Ended> {
  return run(KSTACK, args, options);
}

/** Resolves when a child has ended, with all it wrote. */
export function ended(child: ChildProcess, started = performance.now()): Promise<Ended> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on('data', (bytes: Buffer) => stdout.push(bytes));
  child.stderr?.on('data', (bytes: Buffer) => stderr.push(bytes));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const text = (parts: Buffer[]) => Buffer.concat(parts).toString();
      resolve({ code, signal, stdout: text(stdout), stderr: text(stderr), milliseconds: performance.now() - started });
    });
  });
}

/** What a test may need of the machine, each with a look whether it is there. */
const AVAILABLE = {
  root: () => process.getuid?.() === 0 && readable('/proc/self/stack'),
  loop: () => existsSync('/dev/loop-control'),
  compiler: () => 'folder' in inject('fixtures'),
  'the build for Node.js': () => existsSync(NODE_BUILD),
  'musl-gcc': () => onPath('musl-gcc'),
  setcap: () => onPath('setcap'),
  strace: () => onPath('strace'),
  python3: () => onPath('python3'),
  go: () => onPath('go'),
  jq: () => onPath('jq'),
  script: () => onPath('script'),
  tmux: () => onPath('tmux'),
  cgroup2: () => / cgroup2 /.test(readFileSync('/proc/mounts', 'utf8')),
  'a hierarchy of control groups that freezes': () => existsSync('/sys/fs/cgroup/freezer/cgroup.procs'),
  'a hierarchy of control groups that counts PIDs': () => existsSync('/sys/fs/cgroup/pids/cgroup.procs'),
  ip: () => onPath('ip'),
  openssl: () => onPath('openssl'),
  curl: () => onPath('curl'),
  nginx: () => onPath('nginx'),
  'systemd-analyze': () => onPath('systemd-analyze'),
  man: () => onPath('man'),
  bpftool: () => onPath('bpftool'),
  protoc: () => onPath('protoc'),
  sos: () => existsSync('/usr/lib/python3/dist-packages/sos/report/plugins'),
  'clickhouse-server': () => onPath('clickhouse-server'),
  '@duckdb/node-api (npm install --no-save)': () => existsSync(join(NODE_MODULES, '@duckdb/node-api')),
  'prometheus and promtool': () => onPath('prometheus') && onPath('promtool'),
  'XFS and mkfs.xfs': () =>
    /\bxfs$/m.test(readFileSync('/proc/filesystems', 'latin1')) && existsSync('/usr/sbin/mkfs.xfs'),
  'btrfs and mkfs.btrfs': () =>
    /\bbtrfs$/m.test(readFileSync('/proc/filesystems', 'latin1')) && onPath('mkfs.btrfs') && onPath('btrfs'),
  browser: () => existsSync(BROWSER),
  BTF: () => existsSync('/sys/kernel/btf/vmlinux'),
  'libbpf.so.1': () => shell('ldconfig -p').includes('libbpf.so.1'),
  'bindfs and /dev/fuse': () => onPath('bindfs') && existsSync('/dev/fuse'),
  'bash, bash-completion, zsh, fish and script': () =>
    ['/bin/bash', '/usr/share/bash-completion/bash_completion', '/bin/zsh', '/usr/bin/fish', '/usr/bin/script'].every(
      (path) => existsSync(path),
    ),
};

function onPath(name: string): boolean {
  return shell(`command -v ${name} || true`) !== '';
}

function readable(path: string): boolean {
  try {
    return readFileSync(path).length > 0;
  } catch {
    return false;
  }
}

/** Debian's chromium. */
export const BROWSER = '/usr/bin/chromium';

/** How long Node.js takes to start where times in tests are from. */
const NODE_MS = 120;

/** So long may take here and now what takes `milliseconds` there: machines are slow, and busy with other things. */
export function withinMs(milliseconds: number): number {
  const starts = [1, 2, 3].map(() => {
    const started = performance.now();
    execFileSync(process.execPath, ['-e', '0']);
    return performance.now() - started;
  });
  return milliseconds * Math.max(1, ...starts.map((start) => start / NODE_MS));
}

/** Whether something has taken longer than `milliseconds` there, and than that takes here and now. */
export const isOverdue = (took: number, milliseconds: number): boolean =>
  took > milliseconds && took > withinMs(milliseconds);

/** That something took at most so long; at most what that would be here and now, where it took longer. */
export function expectWithin(took: number, milliseconds: number): void {
  if (took >= milliseconds) expect(took).toBeLessThan(withinMs(milliseconds));
}

/** Resolves when something is so. The time is one that nothing takes, on a slow machine that is busy. */
export async function until(isSo: () => boolean, milliseconds = 60_000): Promise<void> {
  const deadline = performance.now() + milliseconds;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error(`not within ${milliseconds} ms: ${isSo}`);
    await pause(5);
  }
}

export type Need = keyof typeof AVAILABLE;

export const isAvailable = (what: Need): boolean => AVAILABLE[what]();

/** Skips the test where the machine lacks something, with the reason; under CI it fails instead. */
export function requires(context: TestContext, ...wanted: Need[]): void {
  const missing = wanted.filter((what) => !isAvailable(what));
  if (missing.length === 0) return;
  if (process.env['CI'] === 'true') throw new Error(`under CI this machine must have: ${missing.join(', ')}`);
  context.skip(`needs: ${missing.join(', ')}`);
}

/** The same for the test that runs: for what tests share, which knows best what it needs. */
export function testRequires(...wanted: Need[]): void {
  const test = TestRunner.getCurrentTest();
  if (test !== undefined) requires(test.context, ...wanted);
}

/** For beforeEach() in a describe all of whose tests need the same. */
export const needs =
  (...wanted: Need[]) =>
  (context: TestContext) =>
    requires(context, ...wanted);

export function fixturePath(name: string): string {
  const fixtures = inject('fixtures');
  if ('missing' in fixtures) throw new Error(`needs ${fixtures.missing}`);
  return join(fixtures.folder, name);
}

/** Programs, and what `tasks` is told to do, that only root may. */
const FIXTURES_OF_ROOT = new Set(['command-lines', 'rewrite', 'count', 'huge', 'vfork-of-nobody']);

function fixtureNeeds(name: string, [what = '']: readonly string[]): Need[] {
  if (name === 'mmap-lock') return ['compiler', 'root', 'loop'];
  if (name === 'stuck-loop.sh' || name === 'open-handle.sh' || name === 'full-log.sh')
    return ['root', 'loop', 'bindfs and /dev/fuse'];
  if (name === 'contended-locks') return ['compiler', 'root', 'bindfs and /dev/fuse'];
  if (name === 'hung-swap.sh') return ['compiler', 'root', 'loop', 'bindfs and /dev/fuse'];
  return FIXTURES_OF_ROOT.has(name) || FIXTURES_OF_ROOT.has(what) ? ['compiler', 'root'] : ['compiler'];
}

/**
 * Starts a program of test/fixtures/, which ends with the test; skips the test where that is not possible. Resolves to
 * the PIDs it says it has ready.
 */
export function fixture(name: string, args: readonly string[], input = ''): Promise<number[]> {
  testRequires(...fixtureNeeds(name, args));
  const child = spawn(fixturePath(name), args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const end = ended(child);
  onTestFinished(async () => {
    child.stdin.end();
    await end;
  });
  child.stdin.write(input);
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (bytes: Buffer) => {
      text += bytes;
      if (text.includes('\n')) resolve(text.trim().split(' ').slice(1).map(Number));
    });
    child.on('close', () => reject(new Error(`${name} ${args.join(' ')} ended before it was ready`)));
  });
}

/** The processes that read /proc, or write a log, for a kstack. */
export function readersOf(pid: number): number[] {
  const threads = existsSync(`/proc/${pid}/task`) ? readdirSync(`/proc/${pid}/task`) : [];
  return threads
    .flatMap((tid) => textOf(`/proc/${pid}/task/${tid}/children`).split(' '))
    .filter((child) => textOf(`/proc/${child}/comm`).startsWith('kstack-reader'))
    .map(Number);
}

/** The text of a file; empty if it is not there, as that of a process that has gone. */
export function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

/** Starts python3 with a thread of that name, which waits. Resolves to the numbers of both. */
export async function namedThread(name: string): Promise<[pid: number, tid: number]> {
  const script = `import sys, threading
thread = threading.Thread(target=sys.stdin.read)
thread.start()
open(f"/proc/self/task/{thread.native_id}/comm", "w").write(sys.argv[1])
print(thread.native_id, flush=True)
thread.join()`;
  const child = spawn('python3', ['-c', script, name], { stdio: ['pipe', 'pipe', 'inherit'] });
  const end = ended(child);
  onTestFinished(async () => {
    child.stdin.end();
    await end;
  });
  const tid = await new Promise<number>((resolve) => child.stdout.once('data', (bytes) => resolve(Number(bytes))));
  return [child.pid ?? 0, tid];
}

/** A new folder that goes with the test. */
export function temporaryFolder(parent = tmpdir()): string {
  const folder = mkdtempSync(join(parent, 'kstack-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A new certificate that nobody vouches for but itself, and its key: the names of their files. */
export function certificate(extension: string): { readonly key: string; readonly cert: string } {
  testRequires('openssl');
  const folder = temporaryFolder();
  const [key, cert] = [join(folder, 'key'), join(folder, 'cert')];
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=test', '-addext', extension];
  execFileSync('openssl', [...request, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  return { key, cert };
}

/** A port of 127.0.0.1 that is free. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** A process line of the classic text. */
export interface Line {
  readonly pid: number;
  readonly state: string;
  readonly started: string;
  readonly command: string;
  readonly stack: string;
}

/** Reads classic text strictly: throws at the first byte that is not in the form of docs/oled.md. */
export function parseClassic(text: string): { header: string; lines: Line[] } {
  const [, header = '', body = ''] = /^(zzz <[^\n]*)\n\n(.*)$/s.exec(text) ?? [];
  if (header === '') throw new Error(`no separator line: ${JSON.stringify(text.slice(0, 200))}`);
  const lines: Line[] = [];
  let rest = body;
  while (rest !== '') {
    const group = /^((?:PID: [^\n]*\n)+)Stack:\n((?:[^\n]+\n)+|\n)\n/.exec(rest);
    if (group === null) throw new Error(`not a group: ${JSON.stringify(rest.slice(0, 200))}`);
    const [whole, heads = '', stack = ''] = group;
    for (const head of heads.slice(0, -1).split('\n')) {
      const parts =
        /^PID: ( *\d+) {3}State: ( \S) {3}Start Time: (\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d|unknown) {3}Cmd: (.*)$/.exec(
          head,
        );
      const [, pid = '', state = '', started = '', command = ''] = parts ?? [];
      if (parts === null || pid.length < 5) throw new Error(`not a process line: ${JSON.stringify(head)}`);
      lines.push({ pid: Number(pid), state: state.trim(), started, command, stack: stack === '\n' ? '' : stack });
    }
    rest = rest.slice(whole.length);
  }
  return { header, lines };
}

export function lineOf(text: string, pid: number): Line | undefined {
  return parseClassic(text).lines.find((line) => line.pid === pid);
}

/** What a shell command prints, trimmed. */
export function shell(command: string, env: NodeJS.ProcessEnv = {}): string {
  return execFileSync('sh', ['-c', command], { env: { ...process.env, ...env } })
    .toString()
    .trim();
}
