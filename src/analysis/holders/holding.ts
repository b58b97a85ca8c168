import { type Edge, type NodeKey, type Root, tasksByTid, type WaitGraph } from '../../model/edge.ts';
import type { Observation, Sample } from '../../model/sample.ts';
import { explainObservation } from '../explain/explain-sample.ts';
import { heldUpBy, withHeldOnly } from './no-way-out.ts';
import { blockedPatienceMs, PATIENCE_MS, RUNNING_MS, TRACED_MS } from './patience.ts';
import { awaitsItsTurn } from './turns.ts';
import { waitGraph } from './wait-graph.ts';

/** Why a root counts as what holds others up. */
export type Trouble =
  /** A task that a signal has stopped. */
  | 'stopped'
  /** A task that its tracer has stopped. */
  | 'traced'
  /** A task that is blocked itself, on something without an edge. */
  | 'blocked'
  /** A resource that does not answer until somebody does something about it. */
  | 'hangs'
  /** Nothing is known to be wrong with it, but others have waited for it for too long. */
  | 'awaited';

/** From when on a wait counts, if it is not normal for any time. */
export interface Patience {
  /** @param waitedMs undefined if that is not known */
  isOver(waitedMs: number | undefined, patienceMs: number): boolean;
}

/** For a verdict: only what has lasted for long. */
export const FOR_LONG: Patience = {
  isOver: (waitedMs, patienceMs) => waitedMs !== undefined && waitedMs >= patienceMs,
};

/** For a report, which adds up times itself. */
const AT_ALL: Patience = { isOver: () => true };

/** A root that holds others up, and why; with those only that cannot go on without it. */
export interface Holding {
  readonly root: Root;
  readonly trouble: Trouble;
}

/** What holds others up, of the roots of a graph. */
export function rootsThatHoldUp(
  sample: Pick<Sample, 'pressure' | 'observations' | 'holders' | 'edges' | 'resources'>,
  graph: WaitGraph,
  byTid: ReadonlyMap<number, Observation>,
  patience: Patience,
): Holding[] {
  const troubleOf = (root: Root) => troubleIn(root, { sample, byTid, patience });
  const stuck = graph.roots.filter((root) => ![undefined, 'awaited'].includes(troubleOf(root)));
  const deadlocked = graph.cycles.flatMap(({ edges }) => edges.map(({ from }) => from));
  const isHeld = heldUpBy([...stuck.map(({ key }) => key), ...deadlocked], graph.edges);
  const awaited = rootsThatAct(sample, graph, isHeld).filter((root) => troubleOf(root) === 'awaited');
  const roots = [...stuck, ...awaited];
  const held = heldUpBy([...roots.map(({ key }) => key), ...deadlocked], graph.edges);
  return withHeldOnly(roots, held).flatMap((root) => {
    const trouble = troubleOf(root);
    return trouble === undefined ? [] : { root, trouble };
  });
}

/**
 * The roots of a sample that hold others up, for however long, with all that wait behind them. A shell waits for its
 * child, and a client for its server: that counts only if what they wait for is stuck.
 */
export function holdersIn(
  sample: Pick<Sample, 'pressure' | 'observations' | 'holders' | 'edges' | 'resources'>,
  graph = waitGraph(sample),
): Root[] {
  const all = new Map(graph.roots.map((root) => [root.key, root]));
  const holding = rootsThatHoldUp(sample, graph, tasksByTid(sample), AT_ALL);
  return holding.map(({ root }) => all.get(root.key) ?? root);
}

/** Whether a task in D is blocked, by whatever it is. */
export function isBlocked(observation: Observation, sample: Pick<Sample, 'pressure'>, { isOver }: Patience): boolean {
  const { state, facts, task } = observation;
  if (state !== 'D' || task.own === true) return false;
  const { kind } = explainObservation(observation);
  if (kind === 'idle' || kind === 'running') return false;
  return isOver(facts?.offCpuMs, blockedPatienceMs(observation, sample));
}

export function waitedMs(key: NodeKey, byTid: ReadonlyMap<number, Observation>): number | undefined {
  return typeof key === 'number' ? byTid.get(key)?.facts?.offCpuMs : undefined;
}

/**
 * The roots, where a task that listens to several of which one is well waits for nobody: if others wait for a lock that
 * it holds meanwhile, that is not the fault of any of these.
 */
function rootsThatAct(
  sample: Pick<Sample, 'observations' | 'holders' | 'edges' | 'resources'>,
  graph: WaitGraph,
  isHeld: ReadonlySet<NodeKey>,
): readonly Root[] {
  const edges = sample.edges?.filter(
    ({ from, by, any }) => any !== true || PATIENCE_MS[by] !== undefined || isHeld.has(from),
  );
  return edges === undefined || edges.length === sample.edges?.length
    ? graph.roots
    : waitGraph({ ...sample, edges }).roots;
}

interface Judged {
  readonly sample: Pick<Sample, 'pressure'>;
  readonly byTid: ReadonlyMap<number, Observation>;
  readonly patience: Patience;
}

function troubleIn({ observation, resource, edges }: Root, judged: Judged): Trouble | undefined {
  const { sample, byTid, patience } = judged;
  if (observation?.state === 'T') return 'stopped';
  if (observation?.state === 't' && patience.isOver(tracedMs(observation, byTid), TRACED_MS)) return 'traced';
  // Whoever pauses a container wants it to wait. That concerns others only if they wait for it.
  if (resource?.kind === 'cgroup') return edges.some(({ by }) => by !== 'frozen') ? 'hangs' : undefined;
  if (resource?.hangs === true) return 'hangs';
  if (observation !== undefined && isBlocked(observation, sample, patience)) return 'blocked';
  const leastMs = observation?.state === 'R' ? RUNNING_MS : 0;
  return edges.some((edge) => isOverdue(edge, leastMs, edges, judged)) ? 'awaited' : undefined;
}

/** A tracer such as strace stops a task for a moment only. If other tasks have a time, this one has just been stopped. */
function tracedMs({ facts }: Observation, byTid: ReadonlyMap<number, Observation>): number {
  if (facts?.offCpuMs !== undefined) return facts.offCpuMs;
  for (const other of byTid.values()) if (other.facts?.offCpuMs !== undefined) return 0;
  return TRACED_MS;
}

function isOverdue(edge: Edge, leastMs: number, all: readonly Edge[], { byTid, patience }: Judged): boolean {
  const { from, by } = edge;
  const patienceMs = PATIENCE_MS[by];
  if (patienceMs === undefined || typeof from !== 'number') return false;
  if (!patience.isOver(waitedMs(from, byTid), Math.max(patienceMs, leastMs))) return false;
  // A debugger stops a program for as long as somebody looks at it. That concerns others only if they wait for it.
  if (by === 'ptrace') return all.some(({ to }) => to === from);
  return !awaitsItsTurn(edge, byTid);
}
