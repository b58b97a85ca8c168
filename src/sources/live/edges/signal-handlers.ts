import type { Edge, NodeKey } from '../../../model/edge.ts';
import type { EdgeContext } from './edge-source.ts';
import { statusOf } from './thread-numbers.ts';

/** SIGCANCEL (32) and SIGSETXID (33). */
const SIGNALS_OF_GLIBC = (1n << 31n) | (1n << 32n);

/** Of these processes those that catch no signal (SigCgt of /proc/PID/status), but for the two that glibc keeps for itself. */
export async function deafOf(pids: ReadonlySet<number>, context: EdgeContext): Promise<Set<number>> {
  const deaf = new Set<number>();
  for (const pid of pids) {
    const caught = /^SigCgt:\t([0-9a-f]{1,16})$/m.exec((await statusOf(`${pid}`, context)) ?? '')?.[1];
    if (caught !== undefined && (BigInt(`0x${caught}`) & ~SIGNALS_OF_GLIBC) === 0n) deaf.add(pid);
  }
  return deaf;
}

/**
 * Those of the edges that lead from a task which listens to a parent that waits for it, and that catches signals: a
 * handler may write what the task listens for, so that this is no deadlock.
 * @param known edges that were found before, those to children among them
 */
export async function parentsThatMayWrite(
  edges: readonly Edge[],
  known: readonly Edge[],
  context: EdgeContext,
): Promise<ReadonlySet<Edge>> {
  const pidOf = (key: NodeKey) => (typeof key === 'number' ? (context.tasks.get(key)?.task.pid ?? key) : 0);
  const children = new Map<number, number[]>();
  for (const { from, to, by } of known)
    if (by === 'child') children.set(pidOf(from), [...(children.get(pidOf(from)) ?? []), pidOf(to)]);
  const circles = edges.filter(
    ({ from, to, by }) => by !== 'pipe-reader' && isAncestor(pidOf(to), pidOf(from), children),
  );
  if (circles.length === 0) return new Set();
  const deaf = await deafOf(new Set(circles.map(({ to }) => pidOf(to))), context);
  return new Set(circles.filter(({ to }) => !deaf.has(pidOf(to))));
}

/** Whether a process waits for another one, directly or over others that wait for their children. */
function isAncestor(parent: number, pid: number, children: ReadonlyMap<number, readonly number[]>): boolean {
  const reached = new Set(children.get(parent));
  // The set grows during the loop.
  for (const each of reached) for (const child of children.get(each) ?? []) reached.add(child);
  return reached.has(pid);
}
