import { changesBetween } from '../model/changes.ts';
import { edgesIn } from '../model/edge.ts';
import type { Sample } from '../model/sample.ts';

/**
 * The last of these samples in which somebody waits for a task or for a resource. The work follows what changes from
 * sample to sample: most often, nobody does.
 */
export function lastLinked(samples: readonly Sample[]): Sample | undefined {
  const later = new Map<string | undefined, Sample>();
  return samples.findLast((sample) => {
    const { host, holders, edges } = sample;
    const next = later.get(host);
    later.set(host, sample);
    // What stays until a later sample is known to wait for nobody.
    const observations = next === undefined ? sample.observations : changesBetween(sample, next).gone;
    return edgesIn({ observations, holders, ...(edges !== undefined && { edges }) }).length > 0;
  });
}
