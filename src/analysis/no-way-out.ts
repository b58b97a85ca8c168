import { type Edge, edgesByEnd, type NodeKey, type Root } from '../model/edge.ts';

/**
 * Of these roots, those that somebody cannot go on without, each with only such waiters behind it. A task that waits for
 * any of several, such as a reader of a pipe with several writers, is held up only if all of them are.
 * @param edges all of the graph
 * @param deadlocked nodes that hold others up, too
 */
export function withoutWayOut(roots: readonly Root[], edges: readonly Edge[], deadlocked: Iterable<NodeKey>): Root[] {
  const into = edgesByEnd(edges);
  /** How many of those any of which is enough are not held up themselves, by who waits for them. */
  const waysOut = new Map<NodeKey, number>();
  for (const { from, any } of edges) if (any === true) waysOut.set(from, (waysOut.get(from) ?? 0) + 1);
  const held = new Set<NodeKey>(roots.map(({ key }) => key));
  for (const key of deadlocked) held.add(key);
  // The set grows during the loop.
  for (const key of held)
    for (const { from, any } of into.get(key) ?? []) {
      const left = (waysOut.get(from) ?? 0) - 1;
      if (any === true) waysOut.set(from, left);
      if (any !== true || left === 0) held.add(from);
    }
  return roots.flatMap((root) => {
    const behind = root.edges.filter(({ from, to }) => held.has(from) && held.has(to));
    if (behind.length === root.edges.length) return root;
    const tasks = new Set(behind.flatMap(({ from }) => (typeof from === 'number' ? from : []))).size;
    return behind.length === 0 ? [] : { ...root, edges: behind, tasks };
  });
}
