import { changesBetween, noteChanges, withObservations } from '../model/changes.ts';
import { type CompiledSelection, takesTask, type Untold } from '../model/compiled-selection.ts';
import { edgesByStart, edgesIn, edgesOf, type NodeKey } from '../model/edge.ts';
import type { Observation, Sample } from '../model/sample.ts';
import { kindOf } from './explain-sample.ts';

/** Tells of a task that is not selected because the sample does not say enough of it. */
type Missed = (what: Untold) => void;

/**
 * The samples with the selected tasks only. A task that is not selected, but that a selected one waits for, is one of
 * the holders, as in a sample that was taken with the selection. So it is with edges and resources.
 */
export async function* selected(
  samples: AsyncIterable<Sample>,
  selection: CompiledSelection,
  missed: Missed,
): AsyncGenerator<Sample> {
  const hosts = new Map<string, Followed>();
  const takes = (observation: Observation) => takesObservation(selection, observation) === true;
  for await (const whole of samples) {
    const { host = '' } = whole;
    const followed: Followed = hosts.get(host) ?? { waiting: new Map() };
    hosts.set(host, followed);
    const { last, waiting } = followed;
    const changes = changesBetween(last?.whole, whole);
    for (const observation of changes.come) {
      const answer = takesObservation(selection, observation);
      if (typeof answer === 'string') missed(answer);
    }
    const [gone, come] = [changes.gone.filter(takes), changes.come.filter(takes)];
    for (const { task } of gone) waiting.delete(task.id.tid);
    for (const observation of come)
      if (edgesOf(observation).length > 0) waiting.set(observation.task.id.tid, observation);
    const isWaiting = waiting.size + whole.holders.length > 0 || whole.edges !== undefined;
    const { holders, ...graph } = isWaiting ? reachedFrom(waiting.values(), whole, takes) : whole;
    const part = withObservations(withGraph(whole, graph), () => whole.observations.filter(takes), holders);
    if (last !== undefined) noteChanges(last.part, part, { gone, come });
    followed.last = { whole, part };
    yield part;
  }
}

interface Followed {
  last?: { readonly whole: Sample; readonly part: Sample };
  /** The selected tasks that wait for others. */
  readonly waiting: Map<number | undefined, Observation>;
}

function takesObservation(selection: CompiledSelection, observation: Observation): boolean | Untold {
  const answer = takesTask(selection, observation);
  if (answer !== true || selection.blocked !== true) return answer;
  return observation.task.own !== true && kindOf(observation) !== 'idle';
}

type Graph = Pick<Sample, 'edges' | 'resources'>;

/**
 * What the selected tasks wait for, directly or through others: tasks that are not selected themselves, edges and
 * resources.
 * @param waiting those of the selected tasks that wait for others, by what is known about themselves
 */
function reachedFrom(
  waiting: Iterable<Observation>,
  whole: Sample,
  takes: (one: Observation) => boolean,
): Graph & Pick<Sample, 'holders'> {
  const others = new Map<NodeKey, Observation>();
  const reached = new Set<NodeKey>();
  const { edges = [], resources = [] } = whole;
  const starts = new Set(edges.map(({ from }) => from));
  for (const observation of whole.observations) {
    const { tid } = observation.task.id;
    if (tid === undefined) continue;
    if (!takes(observation)) others.set(tid, observation);
    else if (starts.has(tid)) reached.add(tid);
  }
  for (const { from, to } of [...waiting].flatMap(edgesOf)) reached.add(from).add(to);
  const from = edgesByStart(edgesIn(whole));
  // The set grows during the loop: what is waited for may wait itself.
  for (const key of reached) for (const { to } of from.get(key) ?? []) reached.add(to);
  const isReached = ({ task }: Observation) => task.id.tid !== undefined && reached.has(task.id.tid);
  return {
    holders: [...whole.holders.filter(isReached), ...[...reached].flatMap((key) => others.get(key) ?? [])],
    ...(whole.edges !== undefined && { edges: kept(edges, ({ from }) => reached.has(from)) }),
    ...(whole.resources !== undefined && { resources: kept(resources, ({ key }) => reached.has(key)) }),
  };
}

/** The list itself if it is all of it, so that a later sample can be seen to have the same one. */
function kept<T>(list: readonly T[], isKept: (element: T) => boolean): readonly T[] {
  const some = list.filter(isKept);
  return some.length === list.length ? list : some;
}

/** The sample with these edges and resources. Its observations stay what is listed when somebody asks for them. */
function withGraph(sample: Sample, { edges, resources }: Graph): Sample {
  if (edges === sample.edges && resources === sample.resources) return sample;
  return Object.defineProperties({} as Sample, {
    ...Object.getOwnPropertyDescriptors(sample),
    edges: { value: edges, enumerable: true, configurable: true },
    resources: { value: resources, enumerable: true, configurable: true },
  });
}
