import type { Group, Observation, Sample } from '../model/sample.ts';
import type { Stack } from '../model/stack.ts';

/**
 * Groups a sample by stack. Groups and the observations in them are in the order first seen. Tasks without a stack are
 * one group.
 */
export function groupByStack(sample: Sample): Group[] {
  const groups = new Map<Stack | undefined, Observation[]>();
  for (const observation of sample.observations) {
    const stack = 'value' in observation.stack ? observation.stack.value : undefined;
    const key = stack !== undefined && stack.frames.length > 0 ? stack : undefined;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [observation]);
    else group.push(observation);
  }
  return Array.from(groups, ([stack, observations]) => ({ stack, observations }));
}
