import { type BlockedMoment, largestWaits } from '../analysis/times/blocked-series.ts';
import type { Gap } from '../analysis/times/pace.ts';

/** Columns of a stacked chart: times in seconds, and for each wait how high its area reaches. */
export interface Stacked {
  readonly names: readonly string[];
  readonly seconds: readonly number[];
  /** By wait, the upper edge of its area; null in gaps. */
  readonly tops: readonly (readonly (number | null)[])[];
  /** By wait, how many tasks. */
  readonly counts: readonly (readonly (number | null)[])[];
}

export const OTHER_WAITS = 'other waits';

/** Stacks the waits of some moments, the largest lowest. Those beyond `most` are one area together. */
export function stackedWaits(moments: readonly BlockedMoment[], gaps: readonly Gap[], most: number): Stacked {
  const all = largestWaits(moments);
  const apart = all.slice(0, all.length > most ? most - 1 : most);
  const names = all.length > apart.length ? [...apart, OTHER_WAITS] : apart;
  const seconds: number[] = [];
  const counts: (number | null)[][] = names.map(() => []);
  const tops: (number | null)[][] = names.map(() => []);
  const ends = new Set(gaps.map(({ fromMs }) => fromMs));
  for (const { timeMs, counts: by } of moments) {
    seconds.push(timeMs / 1000);
    let top = 0;
    let told = 0;
    for (const [at, name] of names.entries()) {
      const count = name === OTHER_WAITS && at >= apart.length ? sumOf(by) - told : (by.get(name) ?? 0);
      told += count;
      top += count;
      counts[at]?.push(count);
      tops[at]?.push(top);
    }
    if (!ends.has(timeMs)) continue;
    seconds.push((timeMs + 1) / 1000);
    for (const list of [...counts, ...tops]) list.push(null);
  }
  return { names, seconds, counts, tops };
}

function sumOf(counts: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const count of counts.values()) sum += count;
  return sum;
}
