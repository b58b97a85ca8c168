import { changesBetween } from '../../model/changes.ts';
import type { Finding } from '../../model/finding.ts';
import type { Observation, Sample } from '../../model/sample.ts';
import { blockedFinding } from './blocked-runs.ts';
import { Pace } from './pace.ts';

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
  /** By host, and by what is recorded of it at a time. */
  readonly #hosts = new Map<string, Map<number, StreamCounts>>();
  readonly moments: BlockedMoment[] = [];

  add(sample: Sample): void {
    const { timeMs, host = '', stream = 0 } = sample;
    if (timeMs === undefined) return;
    const streams = this.#hosts.get(host) ?? new Map<number, StreamCounts>();
    const counts = streams.get(stream) ?? new StreamCounts();
    this.#hosts.set(host, streams.set(stream, counts));
    counts.add(sample, timeMs);
    this.moments.push({ timeMs, counts: this.#at(timeMs) });
  }

  #at(timeMs: number): ReadonlyMap<string, number> {
    const all = new Map<string, number>();
    for (const streams of this.#hosts.values())
      for (const [name, count] of countsOf([...streams.values()], timeMs)) all.set(name, (all.get(name) ?? 0) + count);
    return all;
  }
}

/** Of a host. A task that several recordings show counts once, and what one that is over showed last does not count. */
function countsOf(streams: readonly StreamCounts[], timeMs: number): ReadonlyMap<string, number> {
  const speaking = streams.length === 1 ? streams : streams.filter(({ untilMs }) => timeMs <= untilMs);
  const [first, ...others] = speaking;
  if (first === undefined) return new Map();
  if (others.length === 0) return first.counts;
  const waits = new Map<unknown, string>();
  for (const each of speaking) for (const [task, name] of each.waits) waits.set(task, name);
  const counts = new Map<string, number>();
  for (const name of waits.values()) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** How many tasks are blocked on what in the latest sample of a recording. */
class StreamCounts {
  readonly counts = new Map<string, number>();
  /** The same by task. */
  readonly waits = new Map<unknown, string>();
  readonly #pace = new Pace(() => undefined);
  #last: Sample | undefined;

  add(sample: Sample, timeMs: number): void {
    this.#pace.arrive(timeMs, sample.intervalMs);
    const { gone, come } = changesBetween(this.#last, sample);
    this.#count(gone, -1);
    this.#count(come, 1);
    this.#last = sample;
  }

  /** Until when the latest sample speaks. */
  get untilMs(): number {
    return this.#pace.untilMs;
  }

  #count(observations: readonly Observation[], sign: number): void {
    for (const observation of observations) {
      const finding = blockedFinding(observation);
      if (finding === undefined) continue;
      const name = waitName(finding);
      const count = (this.counts.get(name) ?? 0) + sign;
      if (count > 0) this.counts.set(name, count);
      else this.counts.delete(name);
      const task = observation.task.id.tid ?? observation;
      if (sign > 0) this.waits.set(task, name);
      else this.waits.delete(task);
    }
  }
}

/** The waits of some moments, those first that add up to the most tasks. */
export function largestWaits(moments: readonly BlockedMoment[]): string[] {
  const sums = new Map<string, number>();
  for (const { counts } of moments) for (const [name, count] of counts) sums.set(name, (sums.get(name) ?? 0) + count);
  return [...sums].sort((a, b) => b[1] - a[1]).map(([name]) => name);
}
