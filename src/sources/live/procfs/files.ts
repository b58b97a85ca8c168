import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import type { HostState } from '../../../model/host-state.ts';
import { type Reading, type Unreadable, unreadableFrom } from '../../../model/reading.ts';
import { listNumbers } from '../../../native/files.ts';
import { unlessMalformed } from './malformed.ts';
import { parseStatus, type Status } from './status.ts';

/** A stat file has 52 numbers of at most 20 digits and a name of at most 64 bytes. */
const SMALL_BYTES = 4096;

/** The errno name of an error from node:fs. Rethrows anything else. */
export function errnoOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  throw error;
}

/** Reads a small file that never blocks, such as /proc/PID/status. */
export function readSmall(path: string): Reading<Buffer> {
  let fd = -1;
  try {
    fd = openSync(path, 'r');
    const content = Buffer.allocUnsafe(SMALL_BYTES);
    return { value: content.subarray(0, readSync(fd, content, 0, content.length, null)) };
  } catch (error) {
    return { unread: unreadableFrom(errnoOf(error)) };
  } finally {
    if (fd >= 0) closeSync(fd);
  }
}

/** The PIDs of all processes, ascending. */
export function listPids(root: string): number[] {
  const pids = listNumbers(root);
  // The kernel lists them sorted. For thousands of PIDs, checking that is faster than sorting again.
  return pids.every((pid, at) => at === 0 || pid > (pids[at - 1] ?? 0)) ? pids : pids.sort((a, b) => a - b);
}

/** Reads a file of the host that never blocks, such as /proc/stat. A procfs with subset=pid has none. */
function readText(path: string): Reading<string> {
  try {
    return { value: readFileSync(path, 'latin1') };
  } catch (error) {
    return { unread: unreadableFrom(errnoOf(error)) };
  }
}

/** The text of a reading, empty if there is none. */
function textOf(read: Reading<string>): string {
  return 'value' in read ? read.value : '';
}

/** The number of threads: the last but one number of /proc/loadavg (proc_loadavg(5)). NaN if it is missing. */
export function countThreads(root: string): number {
  return Number(/\/(\d+) \d+$/m.exec(textOf(readText(`${root}/loadavg`)))?.[1]);
}

/** The TID given out last: the last number of /proc/loadavg (proc_loadavg(5)). NaN if it is missing. */
export function readLastTid(root: string): number {
  return Number(/ (\d+)$/m.exec(textOf(readText(`${root}/loadavg`)))?.[1]);
}

/** The load averages (proc_loadavg(5)), and the number of CPUs online (proc_stat(5)), as far as they can be read. */
export function readLoad(root: string): HostState {
  const averages = /^(\d+\.\d+) (\d+\.\d+) (\d+\.\d+) /.exec(textOf(readText(`${root}/loadavg`)));
  const [one, five, fifteen] = (averages ?? []).slice(1).map(Number);
  const cpus = textOf(readText(`${root}/stat`)).match(/^cpu\d+ /gm)?.length;
  return {
    ...(one !== undefined && five !== undefined && fifteen !== undefined && { load: [one, five, fifteen] }),
    ...(cpus !== undefined && { cpus }),
  };
}

/** The limit at which TIDs wrap around: kernel.pid_max (proc_sys_kernel(5)). NaN if it cannot be read. */
export function readMostTids(root: string): number {
  const read = readSmall(`${root}/sys/kernel/pid_max`);
  return 'value' in read ? Number(read.value.toString('latin1')) : Number.NaN;
}

/** The number of processes and threads created since boot: `processes` in /proc/stat (proc_stat(5)). NaN if missing. */
export function countForks(root: string): number {
  return forksIn(textOf(readText(`${root}/stat`)));
}

function forksIn(stat: string): number {
  return Number(/^processes (\d+)$/m.exec(stat)?.[1]);
}

/** The TIDs of a process's threads. */
export function listTids(root: string, pid: number): Reading<number[]> {
  try {
    return { value: readdirSync(`${root}/${pid}/task`).map(Number) };
  } catch (error) {
    return { unread: unreadableFrom(errnoOf(error)) };
  }
}

/**
 * The status of a process or thread, by its folder in /proc. Undefined if the task is gone or its status is unreadable
 * or malformed. Unlike stat it never blocks.
 */
export function readStatus(folder: string): Status | undefined {
  const read = readSmall(`${folder}/status`);
  if ('unread' in read) return undefined;
  return unlessMalformed(() => parseStatus(read.value));
}

/** What /proc/stat tells of the host (proc_stat(5)). */
export interface HostStat {
  /** In Unix seconds. */
  readonly bootTimeSeconds?: number;
  /** As {@link countForks}. */
  readonly forks: number;
  /** Why there is nothing else. */
  readonly missed?: { readonly why: Unreadable; readonly detail: string };
}

/** @throws Error naming the file if it has no boot time */
export function readHostStat(root: string): HostStat {
  const path = `${root}/stat`;
  const read = readText(path);
  if ('unread' in read) return { forks: Number.NaN, missed: missedOf(read.unread, path) };
  const seconds = /^btime (\d+)$/m.exec(read.value)?.[1];
  if (seconds === undefined) throw new Error(`${path}: no line 'btime SECONDS'`);
  return { bootTimeSeconds: Number(seconds), forks: forksIn(read.value) };
}

function missedOf(why: Unreadable, path: string): NonNullable<HostStat['missed']> {
  if (why !== 'gone') return { why, detail: path };
  const wayOut = "mount another one with 'mount -t proc proc DIRECTORY', and give kstack --proc DIRECTORY";
  return { why: 'hidden', detail: `there is no ${path}, as in a procfs mounted with subset=pid; ${wayOut}` };
}

/** The id of this boot (random(4)). */
export function readBootId(root: string): Reading<string> {
  const read = readSmall(`${root}/sys/kernel/random/boot_id`);
  return 'unread' in read ? read : { value: read.value.toString('latin1').trim() };
}
