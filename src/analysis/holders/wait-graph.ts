import {
  type Cycle,
  type Edge,
  type EdgeKind,
  edgesByEnd,
  edgesByStart,
  edgesIn,
  isCertain,
  type NodeKey,
  type Root,
  tasksByTid,
  type WaitGraph,
} from '../../model/edge.ts';
import type { Observation, Sample } from '../../model/sample.ts';

/** Two that only listen to each other are idle: each goes on when its own next request comes, from elsewhere. */
const LISTENS: ReadonlySet<EdgeKind> = new Set(['pipe-writer', 'socket-peer']);

/** Any thread of the process that such an edge leads to can end the wait, whichever it names. */
const OF_PROCESSES: ReadonlySet<EdgeKind> = new Set([
  'child',
  'flock',
  'posix-lock',
  'lease',
  'pipe-writer',
  'pipe-reader',
  'socket-peer',
  'terminal',
  'served-by',
]);

type Lists = ReadonlyMap<NodeKey, readonly Edge[]>;

/**
 * The most edges that are followed for all roots together, apart from those of the first one. Where a thousand roots
 * each hold up the same hundred thousand tasks, the others count only those that wait for them directly.
 */
const MAX_FOLLOWED = 1_000_000;

/**
 * Who holds up whom: the edges of a sample, joined. Most tasks wait for one thing at a time. One that waits for any of
 * several goes on when one of them does; one that waits for all of several is held up by each.
 */
export function waitGraph(sample: Pick<Sample, 'observations' | 'holders' | 'edges' | 'resources'>): WaitGraph {
  const edges = edgesIn(sample);
  if (edges.length === 0) return { edges, roots: [], cycles: [] };
  const throughThreads = withThreads(edges, sample);
  const deadlocked = deadlockedNodes(edgesByStart(throughThreads), edgesByEnd(throughThreads));
  const joined = throughThreads === edges ? edges : withoutRings(edges, throughThreads, deadlocked);
  const [out, into] = [edgesByStart(joined), edgesByEnd(joined)];
  return { edges, roots: rootsOf(sample, { out, into, deadlocked }), cycles: cyclesOf(deadlocked, out) };
}

interface Joined {
  readonly out: Lists;
  readonly into: Lists;
  readonly deadlocked: ReadonlySet<NodeKey>;
}

/** The nodes that wait for nothing, the one first that holds up the most tasks. */
function rootsOf(
  sample: Pick<Sample, 'observations' | 'holders' | 'resources'>,
  { out, into, deadlocked }: Joined,
): Root[] {
  const observations = tasksByTid(sample);
  const resources = new Map(sample.resources?.map((resource) => [resource.key, resource]));
  const ends = [...into].filter(([key]) => !out.has(key)).sort(([, a], [, b]) => b.length - a.length);
  const roots: Root[] = [];
  let followed = 0;
  for (const [key] of ends) {
    const isAtLeast = followed > MAX_FOLLOWED;
    const behind = edgesBehind(key, { into, deadlocked }, isAtLeast);
    if (behind.length === 0) continue;
    followed += behind.length;
    roots.push({
      key,
      observation: typeof key === 'number' ? observations.get(key) : undefined,
      resource: typeof key === 'string' ? resources.get(key) : undefined,
      tasks: new Set(behind.flatMap(({ from }) => (typeof from === 'number' ? from : []))).size,
      edges: behind,
      ...(isAtLeast && { isAtLeast }),
    });
  }
  return roots.sort((a, b) => b.tasks - a.tasks || compareKeys(a.key, b.key));
}

/** Every edge that leads to a node, nearest first. Those of deadlocked nodes lead nowhere else. */
function edgesBehind(key: NodeKey, { into, deadlocked }: Omit<Joined, 'out'>, isDirectOnly: boolean): Edge[] {
  const reached = new Set([key]);
  const behind: Edge[] = [];
  // The set grows during the loop.
  for (const node of reached) {
    for (const edge of into.get(node) ?? []) {
      if (deadlocked.has(edge.from)) continue;
      behind.push(edge);
      reached.add(edge.from);
    }
    if (isDirectOnly) break;
  }
  return behind;
}

/**
 * The edges in the same order, with those that wait for a process leading to any of its threads, as far as these were
 * seen. A parent waits for its child in vain only if no thread of that can go on, whatever the main one does.
 */
function withThreads(
  edges: readonly Edge[],
  { observations, holders }: Pick<Sample, 'observations' | 'holders'>,
): readonly Edge[] {
  const ends = new Set(edges.flatMap(({ to, by }) => (OF_PROCESSES.has(by) && typeof to === 'number' ? to : [])));
  if (ends.size === 0) return edges;
  const pids = new Map<NodeKey, number>();
  for (const some of [observations, holders])
    for (const { task } of some)
      if (task.pid !== undefined && task.id.tid !== undefined && ends.has(task.id.tid)) pids.set(task.id.tid, task.pid);
  const threads = threadsOf(new Set(pids.values()), [observations, holders]);
  const led = edges.map((edge) => {
    const pid = OF_PROCESSES.has(edge.by) ? pids.get(edge.to) : undefined;
    return pid !== undefined && threads.has(pid) ? { ...edge, to: `process ${pid}` } : edge;
  });
  const toThreads = Array.from(threads, ([pid, tids]) =>
    Array.from(tids, (to): Edge => ({ from: `process ${pid}`, to, by: 'thread-end', any: true, evidence: [] })),
  );
  return [...led, ...toThreads.flat()];
}

/**
 * Without waits for processes in circles that are no deadlocks, because another thread of the process can end them: who
 * waits so is where these circles lead to.
 */
function withoutRings(
  edges: readonly Edge[],
  throughThreads: readonly Edge[],
  deadlocked: ReadonlySet<NodeKey>,
): readonly Edge[] {
  const out = edgesByStart(edges);
  const rings = new Map<NodeKey, number>();
  for (const [at, nodes] of components(out.keys(), (key) => (out.get(key) ?? []).map(({ to }) => to)).entries())
    if (nodes.length > 1) for (const node of nodes) rings.set(node, at);
  return edges.filter(({ from, to }, at) => {
    const ring = deadlocked.has(from) ? undefined : rings.get(from);
    return ring === undefined || rings.get(to) !== ring || throughThreads[at]?.to === to;
  });
}

/** The threads of these processes of which more than one was seen. */
function threadsOf(pids: ReadonlySet<number>, lists: readonly (readonly Observation[])[]): Map<number, Set<number>> {
  const threads = new Map<number, Set<number>>();
  for (const { task } of lists.flat()) {
    const { pid, id } = task;
    if (pid === undefined || id.tid === undefined || !pids.has(pid)) continue;
    const tids = threads.get(pid);
    if (tids === undefined) threads.set(pid, new Set([id.tid]));
    else tids.add(id.tid);
  }
  for (const [pid, tids] of threads) if (tids.size === 1) threads.delete(pid);
  return threads;
}

/**
 * The nodes that wait for ever, as far as the edges tell: what is left when everything that could go on has done so. A
 * node goes on when all nodes do that it waits for, and one of those of which any is enough.
 */
function deadlockedNodes(out: Lists, into: Lists): Set<NodeKey> {
  const left = new Set<NodeKey>(out.keys());
  // Nearly every task waits for one thing.
  const needs = new Map<NodeKey, { all: number; any: number }>();
  for (const [key, edges] of out) {
    if (edges.length === 1) continue;
    const alternatives = edges.filter(({ any }) => any === true).length;
    needs.set(key, { all: edges.length - alternatives, any: Math.min(1, alternatives) });
  }
  const free: NodeKey[] = [...into.keys()].filter((key) => !out.has(key));
  // The list grows during the loop.
  for (const key of free)
    for (const { from, any } of into.get(key) ?? []) {
      const need = needs.get(from);
      if (need !== undefined) {
        if (any === true) need.any = 0;
        else need.all--;
        if (need.all + need.any > 0) continue;
      }
      if (left.delete(from)) free.push(from);
    }
  return left;
}

/** The edges among the deadlocked nodes, a list for each set of nodes that can be reached from each other. */
function cyclesOf(deadlocked: ReadonlySet<NodeKey>, out: Lists): Cycle[] {
  const edgesOf = (key: NodeKey) => (out.get(key) ?? []).filter(({ to }) => deadlocked.has(to));
  return components(deadlocked, (key) => edgesOf(key).map(({ to }) => to)).flatMap((nodes) => {
    const members = new Set(nodes);
    const edges = nodes.flatMap((key) => edgesOf(key).filter(({ to }) => members.has(to)));
    return edges.every(({ by }) => LISTENS.has(by)) ? [] : [{ edges, isCertain: isCertain(edges) }];
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

/** Tasks by number, then resources by name. */
function compareKeys(a: NodeKey, b: NodeKey): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'number' || typeof b === 'number') return typeof a === 'number' ? -1 : 1;
  return a < b ? -1 : 1;
}
