import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, onTestFinished } from 'vitest';
import { KSTACK, type Line, parseClassic, shell, temporaryFolder, testRequires } from './harness.ts';

export const LOG = `kstack_${hostname()}.out`;

export interface Run {
  readonly code: number | null;
  /** 0 where none was started. */
  readonly pid: number;
  /** What has been said until now. */
  messages(): string;
}

/** Starts `kstack -b` with these options; what it starts ends with the test. */
export async function background(directory: string, args: readonly string[], intervalMs = 20): Promise<Run> {
  testRequires('root');
  const said = join(temporaryFolder(), 'said');
  const env = { ...process.env, KSTACK_INTERVAL_MS: String(intervalMs) };
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

export function exit(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once('exit', resolve));
}

export function isAlive(pid: number): boolean {
  const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'latin1') : '';
  return stat !== '' && !stat.includes(') Z ');
}

export async function until(condition: () => boolean, milliseconds = 20_000): Promise<void> {
  const deadline = performance.now() + milliseconds;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within ${milliseconds} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export async function end(pid: number, signal: NodeJS.Signals): Promise<void> {
  if (!isAlive(pid)) return;
  process.kill(pid, signal);
  await until(() => !isAlive(pid));
}

export function rotated(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.startsWith(`${LOG}-`));
}

/** What the run says of itself, without a look at the log, which may be in the middle of a rotation. */
export function stateOf(directory: string): { pid: number; samples: number } {
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
