import { type Edge, type EdgeKind, edgesByEnd, type NodeKey, type Resource } from '../../../model/edge.ts';
import type { Observation } from '../../../model/sample.ts';

/** Such waits take any time where all is well: a shell for its child, a client for its server. */
const NORMAL: ReadonlySet<EdgeKind> = new Set([
  'child',
  'thread-end',
  'pipe-writer',
  'pipe-reader',
  'socket-peer',
  'terminal',
  'server',
]);

/** Tasks in these states are stuck, or hold others up. */
export const STUCK_STATES: ReadonlySet<Observation['state']> = new Set(['D', 'T', 't']);

/**
 * The tasks and resources of which it matters since when they wait: those in D, T and t, those in waits that end soon
 * where all is well, and all that wait for one of these, or for a resource that hangs. Thousands of idle tasks wait in
 * other ways.
 */
export function timedWaits(
  tasks: Iterable<Observation>,
  edges: readonly Edge[],
  resources: readonly Resource[],
): ReadonlySet<NodeKey> {
  const timed = new Set<NodeKey>();
  for (const { state, task } of tasks) if (STUCK_STATES.has(state) && task.id.tid !== undefined) timed.add(task.id.tid);
  for (const { from, by } of edges) if (!NORMAL.has(by)) timed.add(from);
  for (const { key, hangs } of resources) if (hangs === true) timed.add(key);
  const into = edgesByEnd(edges);
  // The set grows during the loop.
  for (const key of timed) for (const { from } of into.get(key) ?? []) timed.add(from);
  return timed;
}
