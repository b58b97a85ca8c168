import type { Edge } from '../model/edge.ts';
import type { ExplainedGroup } from '../model/finding.ts';
import { parseFrame } from '../model/stack.ts';
import { explain } from './explain.ts';

/** How the keys of groups of version 1 begin; frozen file systems have edges of the same kind. */
const VERSION_1 = 'cgroup1 ';
const REFRIGERATOR = { id: -1, frames: [parseFrame('__refrigerator')] };

/**
 * The groups, with those of a frozen control group as what they are. Since Linux 6.1, version 1 freezes tasks wherever
 * they sleep (kernel/freezer.c, __set_task_frozen): the stack tells what they waited for before, and has no part in it.
 */
export function withFreezes(groups: readonly ExplainedGroup[], edges: readonly Edge[]): ExplainedGroup[] {
  const isFreeze = ({ by, to }: Edge) => by === 'frozen' && typeof to === 'string' && to.startsWith(VERSION_1);
  const frozen = new Set(edges.filter(isFreeze).map(({ from }) => from));
  return groups.map((group) => {
    const { finding, observations } = group;
    const isKnown = finding.rule?.startsWith('stop-freez') === true;
    const areFrozen = observations.every(({ state, task }) => state === 'D' && frozen.has(task.id.tid ?? ''));
    return isKnown || !areFrozen ? group : { ...group, finding: explain(REFRIGERATOR, 'D') };
  });
}
