import type { Sample } from '../model/sample.ts';

/** How far apart samples without a time are put. */
const UNTIMED_MS = 1000;
/** How many samples without a time may wait for one with a time. */
const MOST_WAITING = 1000;

/** Where the last sample of a host was put. */
interface Place {
  readonly atMs: number;
  readonly monotonicMs: number | undefined;
}

/**
 * The samples, each with a time that is never before that of the sample of its host before it, although the clock of a
 * host may be set back. Those without a time are put beside the ones with a time that come before or after them.
 * @param untimed gets the samples that have no time of their own
 */
export async function* placed(
  samples: Iterable<Sample> | AsyncIterable<Sample>,
  untimed: WeakSet<Sample>,
): AsyncGenerator<Sample> {
  const hosts = new Map<string, Place>();
  let latestMs: number | undefined;
  let waiting: Sample[] = [];
  const put = (sample: Sample, timeMs: number): Sample => {
    const { host = '', monotonicMs } = sample;
    const atMs = steady(timeMs, monotonicMs, hosts.get(host));
    hosts.set(host, { atMs, monotonicMs });
    latestMs = Math.max(latestMs ?? 0, atMs);
    const result = { ...sample, timeMs: atMs };
    if (sample.timeMs === undefined) untimed.add(result);
    return result;
  };
  const release = function* (untilMs: number) {
    const firstMs = Math.max(0, untilMs - waiting.length * UNTIMED_MS);
    for (const [at, sample] of waiting.entries()) yield put(sample, firstMs + at * UNTIMED_MS);
    waiting = [];
  };
  for await (const sample of samples) {
    const { timeMs } = sample;
    if (timeMs !== undefined) {
      yield* release(timeMs);
      yield put(sample, timeMs);
    } else if (latestMs !== undefined) yield put(sample, latestMs + UNTIMED_MS);
    else if (waiting.push(sample) > MOST_WAITING) yield* release(0);
  }
  yield* release(0);
}

function steady(timeMs: number, monotonicMs: number | undefined, last: Place | undefined): number {
  if (last === undefined || timeMs >= last.atMs) return timeMs;
  if (monotonicMs === undefined || last.monotonicMs === undefined) return last.atMs;
  return last.atMs + Math.max(0, monotonicMs - last.monotonicMs);
}
