import { changesBetween } from '../model/changes.ts';
import type { Finding } from '../model/finding.ts';
import type { Sample } from '../model/sample.ts';
import { blockedFinding } from './blocked-runs.ts';

/** How many tasks were blocked on what, at one moment, over all hosts. */
export interface BlockedMoment {
  readonly timeMs: number;
  /** By {@link waitName}. */
  readonly counts: ReadonlyMap<string, number>;
}

/** What stands for a wait in a chart: what is waited for, without where. */
export function waitName({ waitsFor }: Finding): string {
  return waitsFor;
}

/**
 * Follows how many tasks are blocked on what, in a stream of samples that come in the order of their times. The work
 * follows what changes.
 */
export class BlockedSeries {
  readonly #hosts = new Map<string, { last: Sample; counts: Map<string, number> }>();
  readonly moments: BlockedMoment[] = [];

  add(sample: Sample): void {
    const { timeMs, host = '' } = sample;
    if (timeMs === undefined) return;
    const known = this.#hosts.get(host);
    const counts = known?.counts ?? new Map<string, number>();
    const { gone, come } = changesBetween(known?.last, sample);
    for (const [observations, sign] of [
      [gone, -1],
      [come, 1],
    ] as const)
      for (const observation of observations) {
        const finding = blockedFinding(observation);
        if (finding === undefined) continue;
        const name = waitName(finding);
        const count = (counts.get(name) ?? 0) + sign;
        if (count > 0) counts.set(name, count);
        else counts.delete(name);
      }
    this.#hosts.set(host, { last: sample, counts });
    this.moments.push({ timeMs, counts: this.#all() });
  }

  #all(): ReadonlyMap<string, number> {
    const all = new Map<string, number>();
    for (const { counts } of this.#hosts.values())
      for (const [name, count] of counts) all.set(name, (all.get(name) ?? 0) + count);
    return all;
  }
}

/** The waits of some moments, those first that add up to the most tasks. */
export function largestWaits(moments: readonly BlockedMoment[]): string[] {
  const sums = new Map<string, number>();
  for (const { counts } of moments) for (const [name, count] of counts) sums.set(name, (sums.get(name) ?? 0) + count);
  return [...sums].sort((a, b) => b[1] - a[1]).map(([name]) => name);
}
