import {
  type Edge,
  edgeKey,
  edgesByEnd,
  type NodeKey,
  type Root,
  tasksByTid,
  type WaitGraph,
} from '../../model/edge.ts';
import type { ExplainedGroup, Finding } from '../../model/finding.ts';
import { isSearchCut, type Observation, type Sample, type Unread } from '../../model/sample.ts';
import { explainObservation } from '../explain/explain-sample.ts';
import { FOR_LONG, isBlocked, rootsThatHoldUp, type Trouble, waitedMs } from './holding.ts';
import { isShortOfCpu, PATIENCE_MS } from './patience.ts';
import { waitGraph } from './wait-graph.ts';

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

export interface Stopped {
  readonly bySignal: readonly number[];
  readonly byFreezer: readonly number[];
}

export interface Verdict {
  readonly sample: Sample;
  /** The same tasks a moment earlier, if that was looked at: it confirms deadlocks. */
  readonly before: Sample | undefined;
  readonly graph: WaitGraph;
  /** Those that are certain first, then the one that holds up most. They come before all else: none ends by itself. */
  readonly deadlocks: readonly Deadlock[];
  /** The one that holds up most first. */
  readonly heldUp: readonly HeldUp[];
  /** The largest group first. */
  readonly blocked: readonly Blocked[];
  /** One task of each process that a signal has stopped, or a control group froze, and that is known to hold up nobody. */
  readonly stopped: Stopped;
  /** Tasks that are on a CPU or ready to run, of a host that is so short of CPUs that they wait for one. */
  readonly ready: readonly number[];
  /** How many wait for long for a lock or an event of their program of which nobody is known who would wake them. */
  readonly ownerless: number;
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
  const deadlocks = graph.cycles.map(({ edges }) => deadlockOf(edges, graph, byTid, before)).sort(compareDeadlocks);
  const accounted = new Set<NodeKey>(
    [...heldUp.flatMap(({ root }) => [root.key, ...root.edges.map(({ from }) => from)])].concat(
      deadlocks.flatMap(({ edges, behind }) => [...edges.map(({ from }) => from), ...behind]),
      frozenGroupTasks(sample),
    ),
  );
  const blocked = blockedGroups(sample, accounted);
  const holding = new Set(heldUp.flatMap(({ root }) => [root.key, ...root.edges.map(({ from }) => from)]));
  const times = [...heldUp, ...deadlocks, ...blocked].flatMap(({ longestMs }) => longestMs ?? []);
  const { observations } = sample;
  const unreadStacks = observations.filter(({ stack }) => 'unread' in stack).length;
  return {
    sample,
    before,
    graph,
    deadlocks,
    heldUp: heldUp.sort((a, b) => b.root.tasks - a.root.tasks),
    blocked,
    stopped: stoppedIn(sample, holding),
    ready: readyIn(sample),
    ownerless: ownerlessIn(sample),
    tasks: observations.length,
    inD: observations.filter(({ state }) => state === 'D').length,
    longestMs: largest(times),
    isBlind: observations.length === 0 || unreadStacks === observations.length || hiddenIn(sample) !== undefined,
    unreadStacks,
    isCut: isSearchCut(sample),
    untimed: untimedIn(sample, accounted),
  };
}

/** The tasks of frozen control groups. */
function frozenGroupTasks({ edges, resources }: Sample): NodeKey[] {
  const groups = new Set<NodeKey>(resources?.flatMap(({ kind, key }) => (kind === 'cgroup' ? key : [])));
  return edges?.flatMap(({ from, to }) => (groups.has(to) ? from : [])) ?? [];
}

function stoppedIn(sample: Sample, holding: ReadonlySet<NodeKey>): Stopped {
  const frozen = new Set(frozenGroupTasks(sample));
  const seen = new Set<number>();
  const stopped = { bySignal: [] as number[], byFreezer: [] as number[] };
  for (const { task, state } of sample.observations) {
    const { tid } = task.id;
    const { pid = tid } = task;
    if (tid === undefined || pid === undefined || seen.has(pid) || task.own === true) continue;
    const isFrozen = frozen.has(tid);
    if (!isFrozen && state !== 'T') continue;
    seen.add(pid);
    if (!holding.has(tid)) (isFrozen ? stopped.byFreezer : stopped.bySignal).push(tid);
  }
  return stopped;
}

function readyIn({ observations, pressure }: Sample): number[] {
  if (!isShortOfCpu(pressure)) return [];
  return observations.flatMap(({ task, state }) => (state === 'R' && task.own !== true ? (task.id.tid ?? []) : []));
}

function ownerlessIn(sample: Sample): number {
  const waiters = new Set(sample.edges?.map(({ from }) => from));
  const least = PATIENCE_MS.futex ?? 0;
  return sample.observations.filter((observation) => {
    const { task, facts } = observation;
    if (task.own === true || (facts?.offCpuMs ?? 0) < least || waiters.has(task.id.tid ?? '')) return false;
    return explainObservation(observation).rule === 'futex';
  }).length;
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
  return rootsThatHoldUp(sample, graph, byTid, FOR_LONG).map(({ root, trouble }) => {
    const { observation } = root;
    const finding = observation === undefined ? undefined : explainObservation(observation);
    return { root, trouble, finding, longestMs: heldUpMs(root, trouble, byTid) };
  });
}

/**
 * How long the longest of its waiters has been held up: not before the root was, where that is a task, and not by a
 * wait that is normal for any time. Two that wait for the same lease wake each other all the time (fs/locks.c,
 * __break_lease): when they left the CPU says nothing.
 */
function heldUpMs(
  { key, observation, edges }: Root,
  trouble: Trouble,
  byTid: ReadonlyMap<number, Observation>,
): number | undefined {
  const counted = trouble === 'awaited' ? edges.filter(({ by }) => PATIENCE_MS[by] !== undefined) : edges;
  const leases = edges.filter(({ by }) => by === 'lease').length;
  const timed = counted.filter(({ by }) => by !== 'lease' || leases < 2);
  const longestMs = largest(timed.flatMap(({ from }) => waitedMs(from, byTid) ?? []));
  const ownMs = trouble === 'awaited' || observation === undefined ? undefined : waitedMs(key, byTid);
  return longestMs === undefined || ownMs === undefined ? longestMs : Math.min(longestMs, ownMs);
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

function compareDeadlocks(a: Deadlock, b: Deadlock): number {
  const size = ({ edges, behind }: Deadlock) => edges.length + behind.length;
  return Number(b.isConfirmed) - Number(a.isConfirmed) || size(b) - size(a);
}

/** Tasks in D for long that are not accounted for, by what they wait for. */
function blockedGroups(sample: Sample, accounted: ReadonlySet<NodeKey>): Blocked[] {
  const groups = new Map<Finding, Observation[]>();
  for (const observation of sample.observations) {
    if (accounted.has(observation.task.id.tid ?? '') || !isBlocked(observation, sample, FOR_LONG)) continue;
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
