import type { Sample } from '../model/sample.ts';

/** After a pause this many times as long as the usual interval, nothing is known about the time in between. */
const GAP_INTERVALS = 3;
const USUAL_OF = 31;

/** A sample, and for how many seconds it speaks: until the next one of its host. */
export interface TimedSample {
  readonly sample: Sample;
  readonly seconds: number;
}

/** A time about which a recording says nothing. */
export interface Gap {
  readonly host: string | undefined;
  readonly fromMs: number;
  readonly toMs: number;
}

/** One host's stream up to now. */
interface HostState {
  last: Sample | undefined;
  intervals: number[];
}

/**
 * Tells of each sample for how long it speaks. A sample before a gap, and the last one, speak for the usual interval;
 * samples without a time for none. Those of each host have to come in the order of their times.
 */
export async function* timed(
  samples: Iterable<Sample> | AsyncIterable<Sample>,
  foundGap: (gap: Gap) => void,
): AsyncGenerator<TimedSample> {
  const hosts = new Map<string, HostState>();
  for await (const sample of samples) {
    const { timeMs, host } = sample;
    if (timeMs === undefined) {
      yield { sample, seconds: 0 };
      continue;
    }
    const state = hosts.get(host ?? '') ?? { last: undefined, intervals: [] };
    hosts.set(host ?? '', state);
    const { last, intervals } = state;
    state.last = sample;
    if (last?.timeMs === undefined) continue;
    const interval = Math.max(0, timeMs - last.timeMs);
    const usualMs = usual(intervals);
    // Two files of one host, or a clock with whole seconds, have several samples at a time.
    if (interval > 0) state.intervals = [...intervals, interval].slice(-USUAL_OF);
    const isGap = intervals.length > 0 && interval > GAP_INTERVALS * usualMs;
    if (isGap) foundGap({ host, fromMs: last.timeMs, toMs: timeMs });
    yield { sample: last, seconds: (isGap ? usualMs : interval) / 1000 };
  }
  for (const { last, intervals } of hosts.values()) {
    // A log tells of a moment, not of the time after it.
    const isLog = last?.source.name === 'text';
    if (last !== undefined) yield { sample: last, seconds: isLog ? 0 : usual(intervals) / 1000 };
  }
}

function usual(intervals: readonly number[]): number {
  return intervals.toSorted((a, b) => a - b)[intervals.length >> 1] ?? 0;
}
