import { blockedFinding } from '../analysis/times/blocked-runs.ts';
import {
  type Changes,
  changesBetween,
  type Moves,
  movesBetween,
  noteChanges,
  withObservations,
} from '../model/changes.ts';
import { edgesOf, type NodeKey } from '../model/edge.ts';
import { type Observation, type Sample, streamKey } from '../model/sample.ts';

/**
 * The samples of a stream without what no view of a page shows: when a task that sleeps and is not blocked last ran,
 * how often, and on which CPU. On a host of thousands, that is nearly all that changes from sample to sample. Tasks that
 * wait for others, or that others wait for, keep it: a verdict needs it.
 */
export class PageSamples {
  readonly #streams = new Map<string, HostSamples>();

  next(whole: Sample): Sample {
    const key = streamKey(whole);
    const followed = this.#streams.get(key) ?? new HostSamples();
    this.#streams.set(key, followed);
    return followed.next(whole);
  }
}

/** By number; a task without one is not known again. */
type Tid = number | undefined;

class HostSamples {
  #last: { readonly whole: Sample; readonly shown: Sample } | undefined;
  readonly #byTid = new Map<Tid, Observation>();
  /** The tasks that wait for others, or that others wait for. Never changed: an earlier sample may be listed later. */
  #linked: ReadonlySet<Tid> = new Set();

  next(whole: Sample): Sample {
    const last = this.#last;
    const changes = changesBetween(last?.whole, whole);
    const alike = this.#alike(changes);
    const linking = this.#follow(changes, whole);
    const linked = this.#linked;
    for (const tid of alike) if (linked.has(tid)) alike.delete(tid);
    const shown = withObservations(whole, () => whole.observations.map((one) => shownOf(one, linked)));
    if (last !== undefined) {
      const isChanged = ({ task }: Observation) => !alike.has(task.id.tid);
      const gone = [...changes.gone.filter(isChanged), ...linking];
      const come = [...changes.come.filter(isChanged), ...linking].map((one) => shownOf(one, linked));
      // Nobody knows the places of those that changed only by being linked.
      const moves = linking.length > 0 ? undefined : movesBetween(last.whole, whole);
      const movesShown = moves && shownMoves(moves, isChanged, linked);
      noteChanges(last.shown, shown, { gone, come }, movesShown && (() => movesShown));
    }
    this.#last = { whole, shown };
    return shown;
  }

  /** The tasks among the changes that are shown as before, unless they are linked. */
  #alike({ gone, come }: Changes): Set<Tid> {
    const counts = new Map<Tid, number>();
    for (const { task } of gone) counts.set(task.id.tid, (counts.get(task.id.tid) ?? 0) + 1);
    const alike = new Set<Tid>();
    for (const observation of come) {
      const { tid } = observation.task.id;
      const before = this.#byTid.get(tid);
      // The same task may be in a sample twice.
      if (before === undefined || counts.get(tid) !== 1 || this.#linked.has(tid)) continue;
      counts.delete(tid);
      if (isTimeless(observation) && isAlike(before, observation)) alike.add(tid);
    }
    return alike;
  }

  /** Takes a sample. Returns the tasks that are linked from now on, and have not changed otherwise. */
  #follow({ gone, come }: Changes, { edges, holders }: Sample): Observation[] {
    const [byTid, linked] = [this.#byTid, this.#linked];
    for (const { task } of gone) byTid.delete(task.id.tid);
    for (const observation of come)
      if (observation.task.id.tid !== undefined) byTid.set(observation.task.id.tid, observation);
    const told = edges === this.#last?.whole.edges ? [] : (edges ?? []);
    const ends = [...come.flatMap(edgesOf), ...holders.flatMap(edgesOf), ...told].flatMap(({ from, to }) => [from, to]);
    const linking = new Set(
      ends.flatMap((key) => tidOf(key) ?? []).filter((tid) => byTid.has(tid) && !linked.has(tid)),
    );
    const isLeft = gone.some(({ task: { id } }) => linked.has(id.tid) && !byTid.has(id.tid));
    if (linking.size === 0 && !isLeft) return [];
    this.#linked = new Set([...linked, ...linking].filter((tid) => byTid.has(tid)));
    for (const { task } of come) if (task.id.tid !== undefined) linking.delete(task.id.tid);
    return [...linking].flatMap((tid) => byTid.get(tid) ?? []);
  }
}

function tidOf(key: NodeKey): Tid {
  return typeof key === 'number' ? key : undefined;
}

function shownMoves(
  { gone, put, set }: Moves,
  isChanged: (observation: Observation) => boolean,
  linked: ReadonlySet<Tid>,
): Moves {
  const shown = ({ at, observation }: Moves['put'][number]) => ({ at, observation: shownOf(observation, linked) });
  return { gone, put: put.map(shown), set: set.filter(({ observation }) => isChanged(observation)).map(shown) };
}

/** Whether it does not matter when the task ran, unless it is linked. */
function isTimeless(observation: Observation): boolean {
  const { state } = observation;
  return (state === 'S' || state === 'I') && blockedFinding(observation) === undefined;
}

/** Whether two sightings are shown alike. What else the kernel tells of a task may have changed. */
function isAlike(a: Observation, b: Observation): boolean {
  const [before, now] = [a.stack, b.stack];
  const isSameStack = 'value' in before && 'value' in now && before.value === now.value && before.cut === now.cut;
  if (!isSameStack || !hasTimesOnly(a) || !hasTimesOnly(b)) return false;
  return a.task === b.task && a.state === b.state && a.systemCall === b.systemCall && a.wchan === b.wchan;
}

function hasTimesOnly({ facts }: Observation): boolean {
  if (facts === undefined) return true;
  const { lock, mmapLockOwner, vforkParent, tracer } = facts;
  return (lock ?? mmapLockOwner ?? vforkParent ?? tracer) === undefined;
}

function shownOf(observation: Observation, linked: ReadonlySet<Tid>): Observation {
  if (linked.has(observation.task.id.tid) || !isTimeless(observation)) return observation;
  const { cpu: _, facts, ...rest } = observation;
  if (facts === undefined) return rest;
  const { switches: __, offCpuMs: ___, ...others } = facts;
  return { ...rest, facts: others };
}
