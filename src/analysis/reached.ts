import { edgesByStart, edgesIn, edgesOf, type NodeKey } from '../model/edge.ts';
import type { Observation, Sample } from '../model/sample.ts';

/** Who waits for whom in a sample, but for what its tasks know about themselves. */
export type Graph = Pick<Sample, 'edges' | 'resources'>;

/**
 * What the selected tasks wait for, directly or through others: tasks that are not selected themselves, edges and
 * resources.
 * @param waiting those of the selected tasks that wait for others, by what is known about themselves
 */
export function reachedFrom(
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
