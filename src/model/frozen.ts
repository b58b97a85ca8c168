import type { Edge, NodeKey } from './edge.ts';
import type { Observation } from './sample.ts';

/** How the keys of control groups of version 1 begin; frozen file systems have edges of the same kind. */
export const VERSION_1 = 'cgroup1 ';

/** The observations, with those marked that wait for the thaw of a control group of version 1. */
export function withFrozen(observations: readonly Observation[], edges: readonly Edge[]): readonly Observation[] {
  const isFreeze = ({ by, to }: Edge) => by === 'frozen' && typeof to === 'string' && to.startsWith(VERSION_1);
  const frozen = new Set<NodeKey>(edges.filter(isFreeze).map(({ from }) => from));
  if (frozen.size === 0) return observations;
  const isFrozen = ({ state, task }: Observation) => state === 'D' && frozen.has(task.id.tid ?? '');
  return observations.map((each) => (isFrozen(each) ? { ...each, frozen: true } : each));
}
