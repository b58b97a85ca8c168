import type { Edge, NodeKey } from '../../../model/edge.ts';
import type { Observation } from '../../../model/sample.ts';
import { isTrapped } from './freezers.ts';
import type { FoundFiles } from './open-file.ts';
import { holdersOf } from './stream-edges.ts';
import type { StreamAt } from './stream-ends.ts';
import { STUCK_STATES } from './timed-waits.ts';

/**
 * Those of which a verdict may be about the wait: who waits there is connected, over any number of such waits, with a
 * process of which a task is stuck, waits in another way or is waited for in another way; or it is the only thread that
 * has the other end open. All others listen for the next request of processes that listen themselves, or run.
 * @param edges what is known of other waits
 */
export function relevantStreams(
  streams: readonly StreamAt[],
  found: FoundFiles,
  edges: readonly Edge[],
  tasks: ReadonlyMap<number, Observation>,
): StreamAt[] {
  const suspects = suspectsIn(streams, edges, tasks);
  const threads = new Map<number | undefined, number>();
  for (const { task } of tasks.values()) threads.set(task.pid, (threads.get(task.pid) ?? 0) + 1);
  const relevant = new Set<StreamAt>();
  const byPid = new Map<number, { readonly stream: StreamAt; readonly pids: readonly number[] }[]>();
  for (const stream of streams) {
    const { others, own } = holdersOf(stream, found) ?? NOBODY;
    const { pid } = stream.wait;
    if (own !== undefined && others.size === 0 && threads.get(pid) === 1) relevant.add(stream);
    const pids = [pid, ...others.keys()];
    for (const each of pids) {
      // It is not known what that one does.
      if (!threads.has(each)) suspects.add(each);
      const waits = byPid.get(each);
      if (waits === undefined) byPid.set(each, [{ stream, pids }]);
      else waits.push({ stream, pids });
    }
  }
  // The set grows during the loop.
  for (const suspect of suspects)
    for (const { stream, pids } of byPid.get(suspect) ?? []) {
      relevant.add(stream);
      for (const pid of pids) suspects.add(pid);
    }
  return streams.filter((stream) => relevant.has(stream));
}

const NOBODY = { others: new Map<number, unknown>(), own: undefined };

/** PIDs. Whoever writes waits for a reader that does not read. */
function suspectsIn(
  streams: readonly StreamAt[],
  edges: readonly Edge[],
  tasks: ReadonlyMap<number, Observation>,
): Set<number> {
  const suspects = new Set(streams.flatMap(({ wait }) => (isListening(wait.does) ? [] : wait.pid)));
  const add = (key: NodeKey) => {
    if (typeof key === 'number') suspects.add(tasks.get(key)?.task.pid ?? key);
  };
  for (const [tid, task] of tasks) if (STUCK_STATES.has(task.state) || isTrapped(task)) add(tid);
  for (const { from, to } of edges) for (const key of [from, to]) add(key);
  return suspects;
}

/** A poll may be to read. */
function isListening(does: StreamAt['wait']['does']): boolean {
  return does === 'read' || does === 'any';
}
