import type { State } from '../../../model/task.ts';
import { decodeBytes } from '../../../native/decode.ts';
import { listTids, readSmall, readStatus } from '../procfs/files.ts';
import type { Mount } from '../procfs/mountinfo.ts';
import type { EdgeContext } from './edge-source.ts';
import { waitWithin } from './file-system-waits.ts';

/** Threads looked at of a daemon; most have fewer than ten. */
const MOST_THREADS = 256;
const STACK_BYTES = 16 << 10;
const COMMAND_LINE_BYTES = 16 << 10;

/** Of a type such as `fuse.sshfs`. */
export function isFuse({ type }: Mount): boolean {
  return /^fuse(?:blk)?(?:\.|$)/.test(type);
}

/** How fdinfo and /sys/fs/fuse/connections name a connection: the number of its device (fs/fuse/control.c). */
export function connectionOf(device: string): number {
  const [major = 0, minor = 0] = device.split(':').map(Number);
  return major * 2 ** 20 + minor;
}

/** As long as a comm can be (TASK_COMM_LEN). */
export function subtypeOf({ type }: Mount): string {
  return type.slice(type.indexOf('.') + 1).slice(0, 15);
}

export function commOf(pid: number, root: string): string {
  const read = readSmall(`${root}/${pid}/comm`);
  return 'value' in read ? decodeBytes(read.value).replace(/\n$/, '') : '';
}

/** What tells a daemon apart from others where the kernel does not. */
export interface FuseProcess {
  readonly pid: number;
  readonly comm: string;
  readonly commandLine: readonly string[];
}

export async function describeProcess(pid: number, { root, files }: EdgeContext): Promise<FuseProcess> {
  const read = await files.bytes(`${root}/${pid}/cmdline`, 0n, COMMAND_LINE_BYTES);
  const commandLine = 'value' in read ? decodeBytes(read.value).split('\0') : [];
  return { pid, comm: commOf(pid, root), commandLine };
}

/**
 * Which of the processes that have /dev/fuse open serves a mount: the only one that was started with its mount point,
 * or the only one with the name of its subtype, or the only one at all. Undefined if that is not clear.
 */
export function likelyDaemon(
  mount: Mount,
  processes: readonly FuseProcess[],
): { pid: number; why: string } | undefined {
  const signs: readonly (readonly [sign: (process: FuseProcess) => boolean, why: string])[] = [
    [({ commandLine }) => commandLine.includes(mount.point), `was started with ${mount.point}`],
    [({ comm }) => mount.type.includes('.') && comm === subtypeOf(mount), `is called as the type ${mount.type}`],
    [() => true, 'is the only one that has /dev/fuse open'],
  ];
  for (const [sign, why] of signs) {
    const fitting = processes.filter(sign);
    const [process] = fitting;
    if (process !== undefined && fitting.length === 1) return { pid: process.pid, why };
  }
  return undefined;
}

/** A thread of a daemon. */
export interface DaemonThread {
  readonly tid: number;
  readonly state: State;
  /** Functions of its stack, innermost first; none if it could not be read. */
  readonly functions: readonly string[];
}

/** A process's threads, as far as they still exist. */
export async function threadsOf(pid: number, { root, files }: EdgeContext): Promise<DaemonThread[]> {
  const tids = listTids(root, pid);
  if ('unread' in tids) return [];
  const threads = await Promise.all(
    tids.value.slice(0, MOST_THREADS).map(async (tid) => {
      const state = readStatus(`${root}/${pid}/task/${tid}`)?.state;
      if (state === undefined) return [];
      const stack = await files.bytes(`${root}/${pid}/task/${tid}/stack`, 0n, STACK_BYTES);
      const text = 'value' in stack ? stack.value.toString('latin1') : '';
      return [{ tid, state, functions: Array.from(text.matchAll(/\] (\w+)/g), ([, name = '']) => name) }];
    }),
  );
  return threads.flat();
}

/** Where a daemon waits for the next request (fs/fuse/dev.c, dev_uring.c). */
const IDLE: ReadonlySet<string> = new Set(['fuse_dev_do_read', 'fuse_dev_splice_read', 'fuse_uring_cmd']);
const STOPPED: ReadonlySet<State> = new Set(['T', 't']);

export interface Serving {
  readonly threads: readonly DaemonThread[];
  /** All of the daemon's threads are stopped, or it has only one: then it is certain who serves. */
  readonly certain: boolean;
  /** None of the threads is stuck, and one waits for the next request. */
  readonly ready: boolean;
}

/**
 * Which threads of a daemon its callers wait for: if all are stopped, the main one; else those that are stopped, in D
 * or inside a file system; else the main one, as the kernel does not tell which thread has whose request.
 */
export function servingThreads(pid: number, threads: readonly DaemonThread[]): Serving {
  const living = threads.filter(({ state }) => state !== 'Z' && state !== 'X');
  const main = living.find(({ tid }) => tid === pid) ?? living[0];
  if (main === undefined) return { threads: [], certain: false, ready: false };
  const isIdle = ({ functions }: DaemonThread) => functions.some((name) => IDLE.has(name));
  const areStopped = living.every(({ state }) => STOPPED.has(state));
  const stuck = living.filter(
    (thread) =>
      STOPPED.has(thread.state) || (!isIdle(thread) && (thread.state === 'D' || waitWithin(thread.functions))),
  );
  return {
    threads: areStopped || stuck.length === 0 ? [main] : stuck,
    certain: areStopped || living.length === 1,
    ready: stuck.length === 0 && living.some(isIdle),
  };
}
