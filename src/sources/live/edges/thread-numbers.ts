import { listTids } from '../procfs/files.ts';
import type { EdgeContext } from './edge-source.ts';

const STATUS_BYTES = 4096;
const AT_ONCE = 256;
/** Of a process in another PID namespace, each thread has to be asked for its number there. */
const MOST_THREADS = 4000;

/**
 * The numbers of a task in all PID namespaces that it is in, that of the procfs first: NSpid of /proc/PID/status
 * (proc_pid_status(5)). Empty on kernels without PID namespaces.
 */
export function namespaceNumbers(status: string): number[] {
  return numbersIn(status, 'NSpid');
}

/** The same of its process group. */
export function groupNumbers(status: string): number[] {
  return numbersIn(status, 'NSpgid');
}

function numbersIn(status: string, line: string): number[] {
  const [, numbers = ''] = new RegExp(`^${line}:\\s+([\\d\\t]+)$`, 'm').exec(status) ?? [];
  return numbers.split('\t').filter(Boolean).map(Number);
}

/** How often a task has left a CPU: the sum of the switches of /proc/PID/status. NaN if it does not say. */
export function switchesIn(status: string): number {
  const [voluntary, other] = ['voluntary_ctxt_switches', 'nonvoluntary_ctxt_switches'].map((name) =>
    Number(new RegExp(`^${name}:\\s+(\\d+)$`, 'm').exec(status)?.[1]),
  );
  return (voluntary ?? Number.NaN) + (other ?? Number.NaN);
}

/** The text of a status file; undefined if there is no such task. */
export async function statusOf(folder: string, { files, root }: EdgeContext): Promise<string | undefined> {
  const read = await files.bytes(`${root}/${folder}/status`, 0n, STATUS_BYTES);
  return 'value' in read ? read.value.toString('latin1') : undefined;
}

/** The threads of a process that have these numbers in its PID namespace. */
export interface Threads {
  /** The TID in the procfs; undefined if the process has no such thread, or if that is not known. */
  tid(number: number): number | undefined;
  /** Whether the process certainly has no such thread. */
  lacks(number: number): boolean;
  /** Whether its numbers are those of the procfs. */
  readonly isSameNamespace: boolean;
}

export async function threadsNumbered(
  pid: number,
  numbers: ReadonlySet<number>,
  context: EdgeContext,
): Promise<Threads> {
  const depth = namespaceNumbers((await statusOf(`${pid}`, context)) ?? '').length;
  const found = new Map<number, number>();
  let areAll = true;
  if (depth <= 1) {
    await inSlices([...numbers], async (number) => {
      if (
        context.tasks.get(number)?.task.pid === pid ||
        (await statusOf(`${pid}/task/${number}`, context)) !== undefined
      )
        found.set(number, number);
    });
  } else {
    const listed = listTids(context.root, pid);
    const tids = 'value' in listed ? listed.value : [];
    areAll = 'value' in listed && tids.length <= MOST_THREADS;
    if (tids.length > MOST_THREADS)
      context.tell(`of process ${pid}, in another PID namespace, only ${MOST_THREADS} threads were looked at`);
    await inSlices(tids.slice(0, MOST_THREADS), async (tid) => {
      const number = namespaceNumbers((await statusOf(`${pid}/task/${tid}`, context)) ?? '')[depth - 1];
      if (number !== undefined && numbers.has(number)) found.set(number, tid);
    });
  }
  return {
    tid: (number) => found.get(number),
    lacks: (number) => areAll && !found.has(number),
    isSameNamespace: depth <= 1,
  };
}

/** Does something for each, not more than the reader can do in the time it gives each read. */
export async function inSlices<T>(all: readonly T[], each: (one: T) => Promise<void>): Promise<void> {
  for (let from = 0; from < all.length; from += AT_ONCE) await Promise.all(all.slice(from, from + AT_ONCE).map(each));
}
