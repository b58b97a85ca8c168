import { type Edge, edgesByEnd, type NodeKey, type Root } from '../../model/edge.ts';

/**
 * Whoever cannot go on without one of these nodes, and these. A task that waits for any of several, such as a reader of
 * a pipe with several writers, is held up only if all of them are.
 * @param edges all of the graph
 */
export function heldUpBy(nodes: Iterable<NodeKey>, edges: readonly Edge[]): Set<NodeKey> {
  const into = edgesByEnd(edges);
  /** How many of those any of which is enough are not held up themselves, by who waits for them. */
  const waysOut = new Map<NodeKey, number>();
  for (const { from, any } of edges) if (any === true) waysOut.set(from, (waysOut.get(from) ?? 0) + 1);
  const held = new Set<NodeKey>(nodes);
  // The set grows during the loop.
  for (const key of held)
    for (const { from, any } of into.get(key) ?? []) {
      const left = (waysOut.get(from) ?? 0) - 1;
      if (any === true) waysOut.set(from, left);
      if (any !== true || left === 0) held.add(from);
    }
  return held;
}

/** Of these roots, those that hold somebody up, each with only such waiters behind it. */
export function withHeldOnly(roots: readonly Root[], held: ReadonlySet<NodeKey>): Root[] {
  return roots.flatMap((root) => {
    const behind = root.edges.filter(({ from, to }) => held.has(from) && held.has(to));
    if (behind.length === root.edges.length) return root;
    const tasks = new Set(behind.flatMap(({ from }) => (typeof from === 'number' ? from : []))).size;
    return behind.length === 0 ? [] : { ...root, edges: behind, tasks };
  });
}
