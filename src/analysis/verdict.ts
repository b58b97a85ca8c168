import { type Edge, edgeKey, edgesByEnd, type NodeKey, type Root, tasksByTid, type WaitGraph } from '../model/edge.ts';
import type { ExplainedGroup, Finding } from '../model/finding.ts';
import { isSearchCut, type Observation, type Sample, type Unread } from '../model/sample.ts';
import { explainObservation } from './explain-sample.ts';
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

/** What holds others up. */
export interface HeldUp {
  readonly root: Root;
  readonly trouble: Trouble;
  /** Of a task. */
  readonly finding: Finding | undefined;
  /** How long the longest of its waiters has waited; undefined if that is not known. */
  readonly longestMs: number | undefined;
}

export interface Deadlock {
  readonly edges: readonly Edge[];
  /** Set if each of these edges is the kernel's word, or was there a moment before too. */
  readonly isConfirmed: boolean;
  /** The tasks that wait for one of these, and are not among them. */
  readonly behind: readonly number[];
  readonly longestMs: number | undefined;
}

/** Tasks that are blocked on the same, and nobody knows who holds them up. */
export interface Blocked extends ExplainedGroup {
  readonly longestMs: number | undefined;
}

export interface Verdict {
  readonly sample: Sample;
  readonly graph: WaitGraph;
  readonly deadlocks: readonly Deadlock[];
  /** The one that holds up most first. */
  readonly heldUp: readonly HeldUp[];
  /** The largest group first. */
  readonly blocked: readonly Blocked[];
  readonly tasks: number;
  /** How many are in D, blocked for long or not. */
  readonly inD: number;
  /** Of all waits that the verdict is about; undefined if there is none, or if no time is known. */
  readonly longestMs: number | undefined;
  /** Whether too little could be read to call the host healthy. */
  readonly isBlind: boolean;
  /** Of how many tasks the kernel stack could not be read. */
  readonly unreadStacks: number;
  /** Whether the search for who waits for whom was cut short. */
  readonly isCut: boolean;
  /** How many tasks are in D that are not accounted for, and nobody knows since when. Few of them say nothing. */
  readonly untimed: number;
}

/**
 * What holds a host up, by a sample of all its tasks. A wait that is short, or that is normal for a healthy host,
 * is not a verdict.
 * @param before the same tasks a moment earlier: for edges that are inferred
 */
export function verdictOf(sample: Sample, before?: Sample): Verdict {
  const graph = waitGraph(sample);
  const byTid = tasksByTid(sample);
  const heldUp = heldUpIn(sample, graph, byTid);
  const deadlocks = graph.cycles.map(({ edges }) => deadlockOf(edges, graph, byTid, before));
  const accounted = new Set<NodeKey>(
    [...heldUp.flatMap(({ root }) => [root.key, ...root.edges.map(({ from }) => from)])].concat(
      deadlocks.flatMap(({ edges, behind }) => [...edges.map(({ from }) => from), ...behind]),
    ),
  );
  const blocked = blockedGroups(sample, accounted);
  const times = [...heldUp, ...deadlocks, ...blocked].flatMap(({ longestMs }) => longestMs ?? []);
  const { observations } = sample;
  const unreadStacks = observations.filter(({ stack }) => 'unread' in stack).length;
  return {
    sample,
    graph,
    deadlocks,
    heldUp: heldUp.sort((a, b) => b.root.tasks - a.root.tasks),
    blocked,
    tasks: observations.length,
    inD: observations.filter(({ state }) => state === 'D').length,
    longestMs: largest(times),
    isBlind: observations.length === 0 || unreadStacks === observations.length || hiddenIn(sample) !== undefined,
    unreadStacks,
    isCut: isSearchCut(sample),
    untimed: untimedIn(sample, accounted),
  };
}

/** Tasks that a procfs hides, and that nothing else shows: those of other users, or of other PID namespaces. */
export function hiddenIn({ unread }: Sample): Unread | undefined {
  return unread.find(({ what, why }) => (what === 'processes' || what === 'namespaces') && why === 'hidden');
}

/** Whether there is something to say. */
export function isHeldUp({ deadlocks, heldUp, blocked }: Verdict): boolean {
  return deadlocks.length + heldUp.length + blocked.length > 0;
}

function heldUpIn(sample: Sample, graph: WaitGraph, byTid: ReadonlyMap<number, Observation>): HeldUp[] {
  const isAwaited = (root: Root) => troubleOf(root, sample, byTid)?.trouble === 'awaited';
  const stuck = graph.roots.filter((root) => troubleOf(root, sample, byTid) !== undefined && !isAwaited(root));
  const deadlocked = graph.cycles.flatMap(({ edges }) => edges.map(({ from }) => from));
  const isHeld = heldUpBy([...stuck.map(({ key }) => key), ...deadlocked], graph.edges);
  const awaited = rootsThatAct(sample, graph, isHeld).filter(isAwaited);
  const roots = [...stuck, ...awaited];
  const held = heldUpBy([...roots.map(({ key }) => key), ...deadlocked], graph.edges);
  return withHeldOnly(roots, held).flatMap((root) => troubleOf(root, sample, byTid) ?? []);
}

/**
 * The roots, where a task that listens to several of which one is well waits for nobody: if others wait for a lock that
 * it holds meanwhile, that is not the fault of any of these.
 */
function rootsThatAct(sample: Sample, graph: WaitGraph, isHeld: ReadonlySet<NodeKey>): readonly Root[] {
  const edges = sample.edges?.filter(
    ({ from, by, any }) => any !== true || PATIENCE_MS[by] !== undefined || isHeld.has(from),
  );
  return edges === undefined || edges.length === sample.edges?.length
    ? graph.roots
    : waitGraph({ ...sample, edges }).roots;
}

function troubleOf(
  root: Root,
  sample: Pick<Sample, 'pressure'>,
  byTid: ReadonlyMap<number, Observation>,
): HeldUp | undefined {
  const { observation, resource, edges } = root;
  const finding = observation === undefined ? undefined : explainObservation(observation);
  const held = (trouble: Trouble): HeldUp => ({ root, trouble, finding, longestMs: heldUpMs(root, trouble, byTid) });
  if (observation?.state === 'T') return held('stopped');
  if (observation?.state === 't' && tracedMs(observation, byTid) >= TRACED_MS) return held('traced');
  if (resource?.hangs === true) return held('hangs');
  if (observation !== undefined && isBlockedForLong(observation, sample)) return held('blocked');
  const leastMs = observation?.state === 'R' ? RUNNING_MS : 0;
  return edges.some((edge) => isOverdue(edge, leastMs, edges, byTid)) ? held('awaited') : undefined;
}

/** A tracer such as strace stops a task for a moment only. If other tasks have a time, this one has just been stopped. */
function tracedMs({ facts }: Observation, byTid: ReadonlyMap<number, Observation>): number {
  if (facts?.offCpuMs !== undefined) return facts.offCpuMs;
  for (const other of byTid.values()) if (other.facts?.offCpuMs !== undefined) return 0;
  return TRACED_MS;
}

/**
 * How long the longest of its waiters has been held up: not before the root was, where that is a task, and not by a
 * wait that is normal for any time.
 */
function heldUpMs(
  { key, observation, edges }: Root,
  trouble: Trouble,
  byTid: ReadonlyMap<number, Observation>,
): number | undefined {
  const counted = trouble === 'awaited' ? edges.filter(({ by }) => PATIENCE_MS[by] !== undefined) : edges;
  const longestMs = largest(counted.flatMap(({ from }) => waitedMs(from, byTid) ?? []));
  const ownMs = trouble === 'awaited' || observation === undefined ? undefined : waitedMs(key, byTid);
  return longestMs === undefined || ownMs === undefined ? longestMs : Math.min(longestMs, ownMs);
}

function isOverdue(
  edge: Edge,
  leastMs: number,
  all: readonly Edge[],
  byTid: ReadonlyMap<number, Observation>,
): boolean {
  const { from, by } = edge;
  const patienceMs = PATIENCE_MS[by];
  if (patienceMs === undefined || typeof from !== 'number') return false;
  const waited = waitedMs(from, byTid);
  if (waited === undefined || waited < Math.max(patienceMs, leastMs)) return false;
  // A debugger stops a program for as long as somebody looks at it. That concerns others only if they wait for it.
  if (by === 'ptrace') return all.some(({ to }) => to === from);
  return !awaitsItsTurn(edge, byTid);
}

function isBlockedForLong(observation: Observation, sample: Pick<Sample, 'pressure'>): boolean {
  const { state, facts, task } = observation;
  if (state !== 'D' || task.own === true) return false;
  const { kind } = explainObservation(observation);
  if (kind === 'idle' || kind === 'running') return false;
  return (facts?.offCpuMs ?? 0) >= blockedPatienceMs(observation, sample);
}

/** A busy host has some tasks in D at any moment, and one of them may have ended before its time was read. */
const FEW_UNTIMED = 10;

function untimedIn({ observations }: Sample, accounted: ReadonlySet<NodeKey>): number {
  const untimed = observations.filter((observation) => {
    const { state, facts, task } = observation;
    if (state !== 'D' || facts?.offCpuMs !== undefined || task.own === true || accounted.has(task.id.tid ?? ''))
      return false;
    const { kind } = explainObservation(observation);
    return kind === 'blocked' || kind === 'unexplained';
  }).length;
  return untimed > FEW_UNTIMED ? untimed : 0;
}

function waitedMs(key: NodeKey, byTid: ReadonlyMap<number, Observation>): number | undefined {
  return typeof key === 'number' ? byTid.get(key)?.facts?.offCpuMs : undefined;
}

function deadlockOf(
  edges: readonly Edge[],
  { edges: all }: WaitGraph,
  byTid: ReadonlyMap<number, Observation>,
  before: Sample | undefined,
): Deadlock {
  const then = new Set(before?.edges?.map(edgeKey));
  const members = new Set<NodeKey>(edges.map(({ from }) => from));
  const reached = new Set<NodeKey>(members);
  const into = edgesByEnd(all);
  // The set grows during the loop.
  for (const key of reached) for (const { from } of into.get(key) ?? []) reached.add(from);
  const behind = [...reached].flatMap((key) => (typeof key === 'number' && !members.has(key) ? key : []));
  return {
    edges,
    isConfirmed: edges.every((edge) => edge.inferred !== true || then.has(edgeKey(edge))),
    behind,
    longestMs: largest([...reached].flatMap((key) => waitedMs(key, byTid) ?? [])),
  };
}

/** Tasks in D for long that are not accounted for, by what they wait for. */
function blockedGroups(sample: Sample, accounted: ReadonlySet<NodeKey>): Blocked[] {
  const groups = new Map<Finding, Observation[]>();
  for (const observation of sample.observations) {
    if (accounted.has(observation.task.id.tid ?? '') || !isBlockedForLong(observation, sample)) continue;
    const finding = explainObservation(observation);
    const group = groups.get(finding);
    if (group === undefined) groups.set(finding, [observation]);
    else group.push(observation);
  }
  const blocked = Array.from(groups, ([finding, some]): Blocked => {
    const { stack } = some[0] ?? {};
    return {
      finding,
      observations: some,
      stack: stack !== undefined && 'value' in stack ? stack.value : undefined,
      longestMs: largest(some.flatMap(({ facts }) => facts?.offCpuMs ?? [])),
    };
  });
  return blocked.sort((a, b) => b.observations.length - a.observations.length);
}

/** Undefined of none. */
function largest(numbers: readonly number[]): number | undefined {
  return numbers.length === 0 ? undefined : numbers.reduce((a, b) => Math.max(a, b));
}
