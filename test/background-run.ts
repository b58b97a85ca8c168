import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, onTestFinished } from 'vitest';
import { KSTACK, type Line, parseClassic, shell, temporaryFolder, testRequires, until } from './harness.ts';

export const LOG = `kstack_${hostname()}.out`;

export interface Run {
  readonly code: number | null;
  /** 0 where none was started. */
  readonly pid: number;
  /** What has been said until now. */
  messages(): string;
}

/** Starts `kstack -b` with these options; what it starts ends with the test. */
export async function background(
  directory: string,
  args: readonly string[],
  intervalMs = 20,
  more: NodeJS.ProcessEnv = {},
): Promise<Run> {
  testRequires('root');
  const said = join(temporaryFolder(), 'said');
  const env = { ...process.env, ...more, KSTACK_INTERVAL_MS: String(intervalMs) };
  const child = spawn(KSTACK, ['-b', '-d', directory, ...args], {
    stdio: ['ignore', 'ignore', openSync(said, 'w')],
    env,
  });
  const code = await exit(child);
  const messages = () => readFileSync(said, 'utf8');
  const pid = Number(/Background PID: (\d+)/.exec(messages())?.[1] ?? 0);
  if (pid > 0) onTestFinished(() => end(pid, 'SIGKILL'));
  return { code, pid, messages };
}

/**
 * Starts a run that takes a sample after the other, and kills it at a moment: when a call is held up as `inject` says, in
 * the words of `strace -e inject=`. Resolves when all of its processes have ended.
 * @param start what starts such a run
 */
export async function killedAt(
  inject: string,
  directory: string,
  args: readonly string[],
  start = '-b',
): Promise<void> {
  const folder = temporaryFolder();
  const [calls, said] = [join(folder, 'calls'), join(folder, 'said')];
  const [call = ''] = inject.split(':');
  const tracing = ['-f', '--seccomp-bpf', '-o', calls, '-e', `trace=${call}`, '-e', `inject=${inject}`];
  const child = spawn('strace', [...tracing, KSTACK, start, '-d', directory, ...args], {
    stdio: ['ignore', 'ignore', openSync(said, 'w')],
    env: { ...process.env, KSTACK_INTERVAL_MS: '1' },
  });
  const ended = exit(child);
  const [, when = '1'] = /:when=(\d+)$/.exec(inject) ?? [];
  // Not of the streams that a process closes at its end.
  const line = new RegExp(`^(\\d+) +${call}\\((?![12]\\))`, 'gm');
  const isHeldUp = () => {
    const counts = new Map<string, number>();
    for (const [, task = ''] of readFileSync(calls, 'latin1').matchAll(line))
      counts.set(task, (counts.get(task) ?? 0) + 1);
    return Math.max(0, ...counts.values()) >= Number(when);
  };
  await until(() => existsSync(calls) && isHeldUp());
  const { pid } = stateOf(directory);
  process.kill(pid, 'SIGKILL');
  await ended;
}

/** The bytes of the objects that are alive in the heap of a run that was told to write a snapshot of it by SIGUSR2. */
export async function liveHeap(pid: number, folder: string): Promise<number> {
  const before = readdirSync(folder).length;
  process.kill(pid, 'SIGUSR2');
  const text = () => readFileSync(join(folder, readdirSync(folder).sort().at(-1) ?? ''), 'utf8');
  await until(() => readdirSync(folder).length > before && text().trimEnd().endsWith('}'));
  const { snapshot, nodes } = JSON.parse(text());
  const fields: string[] = snapshot.meta.node_fields;
  let bytes = 0;
  for (let at = fields.indexOf('self_size'); at < nodes.length; at += fields.length) bytes += nodes[at];
  return bytes;
}

export function exit(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once('exit', resolve));
}

export function isAlive(pid: number): boolean {
  const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'latin1') : '';
  return stat !== '' && !stat.includes(') Z ');
}

export async function end(pid: number, signal: NodeJS.Signals): Promise<void> {
  if (!isAlive(pid)) return;
  process.kill(pid, signal);
  await until(() => !isAlive(pid));
}

export function rotated(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.startsWith(`${LOG}-`));
}

interface State {
  readonly pid: number;
  readonly samples: number;
  /** Of the sample that was appended last, or was about to be. */
  readonly append?: { readonly sizeBefore: number; readonly bytes: number };
}

/** What the run says of itself, without a look at the log, which may be in the middle of a rotation. */
export function stateOf(directory: string): State {
  return JSON.parse(readFileSync(join(directory, `.kstack_${hostname()}.run`), 'utf8'));
}

export function taken(directory: string): number {
  return stateOf(directory).samples;
}

/** All that the log's files hold, in their order. */
export function logged(directory: string): string {
  const files = rotated(directory).sort(
    (a, b) => Number(/-(\d+)/.exec(a.slice(LOG.length))?.[1]) - Number(/-(\d+)/.exec(b.slice(LOG.length))?.[1]),
  );
  const current = join(directory, LOG);
  const zipped = files.map((name) => {
    const content = readFileSync(join(directory, name));
    return (name.endsWith('.gz') ? gunzipSync(content) : content).toString();
  });
  return zipped.join('') + (existsSync(current) ? readFileSync(current, 'utf8') : '');
}

/** The samples of a log, each parsed strictly. */
export function samples(text: string): Line[][] {
  return text === '' ? [] : text.split(/^(?=zzz )/m).map((sample) => parseClassic(sample).lines);
}

/** The counts that a `tasks count` process showed, sample by sample. */
export function counts(directory: string, pid: number): number[] {
  return samples(logged(directory)).map((lines) =>
    Number.parseInt(lines.find((line) => line.pid === pid)?.command.slice(0, 8) ?? '', 16),
  );
}

export function expectAscending(numbers: readonly number[]): void {
  for (const [i, number] of numbers.entries()) if (i > 0) expect(number).toBeGreaterThan(numbers[i - 1] ?? 0);
}

/** A file system of its own, of so many MB, that goes with the test. */
export function smallFileSystem(kind: 'tmpfs' | 'ext4', megabytes: number): string {
  testRequires('root', ...(kind === 'ext4' ? (['loop'] as const) : []));
  const folder = temporaryFolder();
  const mounted = join(folder, 'mounted');
  mkdirSync(mounted);
  if (kind === 'tmpfs') shell(`mount -t tmpfs -o size=${megabytes}m none ${mounted}`);
  else
    shell(
      `truncate -s ${megabytes}M ${folder}/image && mkfs.ext4 -q ${folder}/image && mount -o loop ${folder}/image ${mounted}`,
    );
  onTestFinished(() => void shell(`umount -l ${mounted}`));
  return mounted;
}
