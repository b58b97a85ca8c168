import type { Edge, Evidence } from '../../../model/edge.ts';
import type { Observation } from '../../../model/sample.ts';
import { listTids } from '../procfs/files.ts';
import { nameOfCall } from '../system-calls/decode.ts';
import { type ChildWait, childWaitOf } from './child-wait.ts';
import { type EdgeContext, type EdgeSource, type FoundEdges, waitsIn } from './edge-source.ts';
import { groupNumbers, inSlices, namespaceNumbers, statusOf } from './thread-numbers.ts';

/** wait4(2) and waitid(2) sleep in do_wait (kernel/exit.c). */
const FUNCTIONS = new Set(['do_wait']);

const CHILDREN_BYTES = 1 << 20;
const FDINFO_BYTES = 4096;
/** Each thread has children of its own. */
const MOST_THREADS = 1000;

export interface Waiter {
  readonly pid: number;
  readonly tid: number;
  /** Undefined if it is not known. */
  readonly wait: ChildWait | undefined;
}

/** A child, and what says so. */
export interface Child {
  readonly pid: number;
  readonly evidence: Evidence;
  readonly inferred?: true;
}

/** A parent that waits for its children: for one of them, or for any. */
export const children: EdgeSource = {
  name: 'children',
  concerns: (observation) => waitsIn(observation, FUNCTIONS),
  async ofTasks(tasks, context): Promise<FoundEdges> {
    const found = new Map<Observation, Edge[]>();
    const tracers = tracersOfOthers(context);
    await inSlices(tasks, async (task) => {
      const waiter = waiterOf(task);
      if (waiter === undefined || tracers.has(waiter.pid)) return;
      if (context.clock.monotonicMs() > context.untilMs)
        context.tell('not all parents were asked for their children: no time left');
      else found.set(task, await edgesFrom(waiter, context));
    });
    const edges = tasks.flatMap((task) => found.get(task) ?? []);
    return { edges: [...edges, ...(await ofEndedMainThreads(edges, context))], resources: [] };
  },
};

function waiterOf({ task, systemCall }: Observation): Waiter | undefined {
  const { pid, id } = task;
  const call = systemCall !== undefined && 'value' in systemCall ? systemCall.value : undefined;
  if (pid === undefined || id.tid === undefined) return undefined;
  if (typeof call !== 'object') return { pid, tid: id.tid, wait: undefined };
  return { pid, tid: id.tid, wait: childWaitOf(call.name ?? nameOfCall(call, process.arch), call) };
}

async function edgesFrom(waiter: Waiter, context: EdgeContext): Promise<Edge[]> {
  const all = await waitedFor(waiter, context);
  const reported = await Promise.all(all.map(({ pid }) => isStoppedFor(waiter.pid, pid, context)));
  const waited = all.filter((_, at) => reported[at] === false);
  const any = waited.length > 1;
  return waited.map(({ pid, evidence, inferred }) => ({
    from: waiter.tid,
    to: pid,
    by: 'child',
    ...(any && { any }),
    ...((inferred === true || waiter.wait === undefined) && { inferred: true }),
    evidence: [evidence],
  }));
}

/**
 * Whether a child is stopped by its parent as a tracer. The parent is about to be told: strace is at each system call, so
 * that both seem to wait for each other.
 */
async function isStoppedFor(parent: number, pid: number, context: EdgeContext): Promise<boolean> {
  const child = context.tasks.get(pid);
  if (child !== undefined && child.state !== 't') return false;
  const status = (await statusOf(`${pid}`, context)) ?? '';
  if (child === undefined && !/^State:\tt/m.test(status)) return false;
  const tracer = child?.facts?.tracer ?? Number(/^TracerPid:\t(\d+)$/m.exec(status)?.[1] ?? 0);
  return (context.tasks.get(tracer)?.task.pid ?? tracer) === parent;
}

/** Processes that trace others than their children: they wait for these as well, and not all of them may be known. */
function tracersOfOthers({ tasks }: EdgeContext): Set<number> {
  const tracers = new Set<number>();
  for (const { task, facts } of tasks.values()) {
    if (facts?.tracer === undefined) continue;
    const tracer = tasks.get(facts.tracer)?.task.pid ?? facts.tracer;
    if (tracer !== task.ppid) tracers.add(tracer);
  }
  return tracers;
}

async function waitedFor(waiter: Waiter, context: EdgeContext): Promise<Child[]> {
  const which = waiter.wait?.which ?? { all: true };
  if ('pidfd' in which) return childOfPidfd(waiter, which.pidfd, context);
  const own = (await statusOf(`${waiter.pid}`, context)) ?? '';
  const depth = Math.max(1, namespaceNumbers(own).length);
  if ('pid' in which && depth === 1) return childNumbered(waiter, which.pid, context);
  const all = await childrenOf(waiter, context);
  if ('all' in which) return all;
  const group = 'group' in which && which.group === 0 ? groupNumbers(own)[depth - 1] : undefined;
  const matches = (status: string) =>
    'pid' in which
      ? namespaceNumbers(status)[depth - 1] === which.pid
      : groupNumbers(status)[depth - 1] === (group ?? which.group);
  const statuses = new Map<Child, string>();
  await inSlices(all, async (child) => {
    statuses.set(child, (await statusOf(`${child.pid}`, context)) ?? '');
  });
  return all.filter((child) => matches(statuses.get(child) ?? ''));
}

/** The child with that number, if it is one. */
async function childNumbered({ pid: parent }: Waiter, pid: number, context: EdgeContext): Promise<Child[]> {
  const line = /^PPid:\s+(\d+)$/m.exec((await statusOf(`${pid}`, context)) ?? '');
  if (Number(line?.[1]) !== parent) return [];
  return [{ pid, evidence: { place: `/proc/${pid}/status`, text: `PPid: ${parent}` } }];
}

/** fdinfo of a pidfd has the PID in the namespace of the procfs (kernel/fork.c or fs/pidfs.c, pidfd_show_fdinfo). */
async function childOfPidfd({ pid, tid }: Waiter, fd: number, { files, root }: EdgeContext): Promise<Child[]> {
  const place = `/proc/${pid}/task/${tid}/fdinfo/${fd}`;
  const read = await files.bytes(`${root}/${pid}/task/${tid}/fdinfo/${fd}`, 0n, FDINFO_BYTES);
  const child = 'value' in read ? /^Pid:\s+(\d+)$/m.exec(read.value.toString('latin1'))?.[1] : undefined;
  return child === undefined || child === '0'
    ? []
    : [{ pid: Number(child), evidence: { place, text: `Pid: ${child}` } }];
}

/** All children of a process, or of a thread if it waits for no others: of each thread, the oldest first. */
export async function childrenOf({ pid, tid, wait }: Waiter, context: EdgeContext): Promise<Child[]> {
  const listed = wait?.ofThread === true ? { value: [tid] } : listTids(context.root, pid);
  const tids = 'value' in listed ? listed.value : [tid];
  if (tids.length > MOST_THREADS)
    context.tell(`only ${MOST_THREADS} threads of process ${pid} were asked for their children`);
  const found = new Map<number, Child[]>();
  let isTold = false;
  await inSlices(tids.slice(0, MOST_THREADS), async (thread) => {
    const path = `${pid}/task/${thread}/children`;
    const read = await context.files.bytes(`${context.root}/${path}`, 0n, CHILDREN_BYTES);
    if ('unread' in read) return;
    isTold = true;
    const pids = read.value.toString('latin1').split(' ').filter(Boolean).map(Number);
    found.set(
      thread,
      pids.map((child) => ({ pid: child, evidence: { place: `/proc/${path}`, text: `${child}` } })),
    );
  });
  // The file needs CONFIG_PROC_CHILDREN (fs/proc/array.c).
  return isTold ? tids.flatMap((thread) => found.get(thread) ?? []) : childrenSeen(pid, context);
}

/** Those among the tasks that were seen. There may be others. */
function childrenSeen(pid: number, { tasks }: EdgeContext): Child[] {
  const seen = [...tasks.values()].filter(({ task }) => task.ppid === pid && task.id.tid === task.pid);
  return seen.flatMap(({ task }): Child[] =>
    task.pid === undefined
      ? []
      : [{ pid: task.pid, inferred: true, evidence: { place: `/proc/${task.pid}/stat`, text: `ppid ${pid}` } }],
  );
}

/** A main thread that has ended is a zombie that nobody can wait for until all other threads have ended, too. */
async function ofEndedMainThreads(edges: readonly Edge[], context: EdgeContext): Promise<Edge[]> {
  const ended: Edge[] = [];
  const pids = new Set(edges.flatMap(({ to }) => (typeof to === 'number' ? to : [])));
  await inSlices([...pids], async (pid) => {
    const state =
      context.tasks.get(pid)?.state ?? /^State:\s+(.)/m.exec((await statusOf(`${pid}`, context)) ?? '')?.[1];
    if (state !== 'Z') return;
    const tids = listTids(context.root, pid);
    for (const tid of 'value' in tids ? tids.value : [])
      if (tid !== pid) {
        const evidence = [{ place: `/proc/${pid}/task`, text: `${pid} has ended, ${tid} has not` }];
        ended.push({ from: pid, to: tid, by: 'thread-end', evidence });
      }
  });
  return ended;
}
