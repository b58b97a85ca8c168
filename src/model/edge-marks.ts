import type { Edge, NodeKey } from './edge.ts';
import type { Observation } from './sample.ts';

/** How the keys of control groups of version 1 begin; frozen file systems have edges of the same kind. */
export const VERSION_1 = 'cgroup1 ';

/** The function in which a frozen task sleeps that was not asleep before (kernel/freezer.c). */
export const REFRIGERATOR = '__refrigerator';

/** The observations, with those marked whose edges tell how they wait, where their stacks do not. */
export function withEdgeMarks(observations: readonly Observation[], edges: readonly Edge[]): readonly Observation[] {
  const marks = new Map<NodeKey, NonNullable<Observation['waitsBy']>>();
  for (const { from, to, by } of edges) {
    if (by === 'futex') marks.set(from, by);
    if (by === 'frozen' && typeof to === 'string' && to.startsWith(VERSION_1)) marks.set(from, by);
  }
  if (marks.size === 0) return observations;
  return observations.map((observation) => {
    const waitsBy = marks.get(observation.task.id.tid ?? '');
    const isMarked = waitsBy === 'frozen' ? observation.state === 'D' : observation.state !== 'R';
    return waitsBy !== undefined && isMarked ? { ...observation, waitsBy } : observation;
  });
}
