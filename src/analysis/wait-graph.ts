import { type Edge, edgesIn, type NodeKey, type Root, tasksByTid, type WaitGraph } from '../model/edge.ts';
import type { Sample } from '../model/sample.ts';

/**
 * Who holds up whom: the edges of a sample, joined. Most tasks wait for one thing at a time. One that waits for any of
 * several goes on when one of them does; one that waits for all of several is held up by each.
 */
export function waitGraph(sample: Pick<Sample, 'observations' | 'holders' | 'edges' | 'resources'>): WaitGraph {
  const edges = edgesIn(sample);
  if (edges.length === 0) return { edges, roots: [], cycles: [] };
  const [out, into] = [new Map<NodeKey, Edge[]>(), new Map<NodeKey, Edge[]>()];
  for (const edge of edges) {
    listIn(out, edge.from).push(edge);
    listIn(into, edge.to).push(edge);
  }
  const deadlocked = deadlockedNodes(out, into);
  const cycles = cyclesOf(deadlocked, out);
  const observations = tasksByTid(sample);
  const resources = new Map(sample.resources?.map((resource) => [resource.key, resource]));
  const roots: Root[] = [];
  for (const key of into.keys()) {
    if (out.has(key)) continue;
    const behind = edgesBehind(key, into, deadlocked);
    if (behind.length === 0) continue;
    const tasks = new Set(behind.flatMap(({ from }) => (typeof from === 'number' ? from : []))).size;
    const observation = typeof key === 'number' ? observations.get(key) : undefined;
    const resource = typeof key === 'string' ? resources.get(key) : undefined;
    roots.push({ key, observation, resource, tasks, edges: behind });
  }
  return { edges, roots: roots.sort((a, b) => b.tasks - a.tasks || compareKeys(a.key, b.key)), cycles };
}

/** Every edge that leads to a node, nearest first. Those of deadlocked nodes lead nowhere else. */
function edgesBehind(
  key: NodeKey,
  into: ReadonlyMap<NodeKey, readonly Edge[]>,
  deadlocked: ReadonlySet<NodeKey>,
): Edge[] {
  const reached = new Set([key]);
  const behind: Edge[] = [];
  // The set grows during the loop.
  for (const node of reached)
    for (const edge of into.get(node) ?? []) {
      if (deadlocked.has(edge.from)) continue;
      behind.push(edge);
      reached.add(edge.from);
    }
  return behind;
}

/**
 * The nodes that wait for ever, as far as the edges tell: what is left when everything that could go on has done so. A
 * node goes on when all nodes do that it waits for, and one of those of which any is enough.
 */
function deadlockedNodes(
  out: ReadonlyMap<NodeKey, readonly Edge[]>,
  into: ReadonlyMap<NodeKey, readonly Edge[]>,
): Set<NodeKey> {
  const left = new Set<NodeKey>(out.keys());
  const free: NodeKey[] = [...into.keys()].filter((key) => !out.has(key));
  const goesOn = (key: NodeKey) => {
    const edges = out.get(key) ?? [];
    const anyOf = edges.filter(({ any }) => any === true);
    return (
      edges.every(({ any, to }) => any === true || !left.has(to)) &&
      (anyOf.length === 0 || anyOf.some(({ to }) => !left.has(to)))
    );
  };
  // The list grows during the loop.
  for (const key of free)
    for (const { from } of into.get(key) ?? [])
      if (left.has(from) && goesOn(from)) {
        left.delete(from);
        free.push(from);
      }
  return left;
}

/** The edges among the deadlocked nodes, a list for each set of nodes that can be reached from each other. */
function cyclesOf(deadlocked: ReadonlySet<NodeKey>, out: ReadonlyMap<NodeKey, readonly Edge[]>): Edge[][] {
  const edgesOf = (key: NodeKey) => (out.get(key) ?? []).filter(({ to }) => deadlocked.has(to));
  return components(deadlocked, (key) => edgesOf(key).map(({ to }) => to)).flatMap((nodes) => {
    const members = new Set(nodes);
    const edges = nodes.flatMap((key) => edgesOf(key).filter(({ to }) => members.has(to)));
    return edges.length === 0 ? [] : [edges];
  });
}

interface Visit {
  readonly key: NodeKey;
  readonly next: readonly NodeKey[];
  at: number;
  readonly number: number;
  low: number;
}

/**
 * Strongly connected components (R. Tarjan, Depth-first search and linear graph algorithms, 1972), without recursion:
 * a chain of waiters may be as long as the host has tasks. Each starts with the node that was reached first.
 */
function components(keys: Iterable<NodeKey>, nextOf: (key: NodeKey) => readonly NodeKey[]): NodeKey[][] {
  const found: NodeKey[][] = [];
  const visits = new Map<NodeKey, Visit>();
  const open: NodeKey[] = [];
  const isOpen = new Set<NodeKey>();
  const begin = (key: NodeKey) => {
    const visit = { key, next: nextOf(key), at: 0, number: visits.size, low: visits.size };
    visits.set(key, visit);
    open.push(key);
    isOpen.add(key);
    return visit;
  };
  for (const start of keys) {
    const path: Visit[] = visits.has(start) ? [] : [begin(start)];
    for (let visit = path.at(-1); visit !== undefined; visit = path.at(-1)) {
      const key = visit.next[visit.at++];
      if (key !== undefined) {
        const known = visits.get(key);
        if (known === undefined) path.push(begin(key));
        else if (isOpen.has(key)) visit.low = Math.min(visit.low, known.number);
        continue;
      }
      path.pop();
      const parent = path.at(-1);
      if (parent !== undefined) parent.low = Math.min(parent.low, visit.low);
      if (visit.low !== visit.number) continue;
      const component = open.splice(open.lastIndexOf(visit.key));
      for (const each of component) isOpen.delete(each);
      found.push(component);
    }
  }
  return found;
}

function listIn<K, V>(lists: Map<K, V[]>, key: K): V[] {
  let list = lists.get(key);
  if (list === undefined) {
    list = [];
    lists.set(key, list);
  }
  return list;
}

/** Tasks by number, then resources by name. */
function compareKeys(a: NodeKey, b: NodeKey): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'number' || typeof b === 'number') return typeof a === 'number' ? -1 : 1;
  return a < b ? -1 : 1;
}
