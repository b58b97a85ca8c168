import type { Finding } from '../../model/finding.ts';
import type { Sample } from '../../model/sample.ts';
import type { Stack } from '../../model/stack.ts';
import { signatureOf, waitSignature } from '../signature.ts';
import { type BlockedRun, stackOf } from './blocked-runs.ts';
import { HostRuns } from './host-runs.ts';
import { Hosts } from './hosts.ts';

/** A wait of tasks with the same functions on their stacks. It is the same on every kernel and host. */
export interface DiffedWait {
  readonly signature: string;
  readonly finding: Finding;
  readonly stack: Stack | undefined;
  /** How many tasks were in it on average, before and after. */
  readonly before: number;
  readonly after: number;
}

/** One side of a comparison. */
export interface DiffedSide {
  readonly samples: number;
  /** How long they speak; 0 without times, or for a single one. */
  readonly seconds: number;
}

/** What changed between two streams. */
export interface Diff {
  readonly appeared: readonly DiffedWait[];
  readonly grown: readonly DiffedWait[];
  readonly shrunk: readonly DiffedWait[];
  readonly disappeared: readonly DiffedWait[];
  /** How many waits changed by less than half. */
  readonly unchanged: number;
  readonly sides: readonly [before: DiffedSide, after: DiffedSide];
}

/** Below this factor a wait counts as unchanged. */
const FACTOR = 1.5;
/** Bounds memory. */
const MAX_WAITS = 100_000;

type Samples = Iterable<Sample> | AsyncIterable<Sample>;

/** Compares what tasks were blocked on in two streams. */
export async function diff(before: Samples, after: Samples): Promise<Diff> {
  return diffOf(await waitsIn(before), await waitsIn(after));
}

/** Compares the waits of two streams. */
export function diffOf(a: Waits, b: Waits): Diff {
  const signatures = new Set([...a.waits.keys(), ...b.waits.keys()]);
  const waits = [...signatures].flatMap((key): DiffedWait[] => {
    const [one, other] = [a.waits.get(key), b.waits.get(key)];
    const known = other ?? one;
    if (known === undefined) return [];
    const { signature, finding, stack } = known;
    return [{ signature, finding, stack, before: mean(one, a), after: mean(other, b) }];
  });
  const sorted = waits.sort((x, y) => Math.abs(y.after - y.before) - Math.abs(x.after - x.before));
  const both = sorted.filter(({ before, after }) => before > 0 && after > 0);
  const grown = both.filter(({ before, after }) => after >= FACTOR * before);
  const shrunk = both.filter(({ before, after }) => before >= FACTOR * after);
  return {
    appeared: sorted.filter(({ before, after }) => before === 0 && after > 0),
    grown,
    shrunk,
    disappeared: sorted.filter(({ before, after }) => before > 0 && after === 0),
    unchanged: both.length - grown.length - shrunk.length,
    sides: [sideOf(a), sideOf(b)],
  };
}

export interface Wait {
  readonly signature: string;
  readonly finding: Finding;
  readonly stack: Stack | undefined;
  seconds: number;
  seen: number;
}

/** What tasks were blocked on in a stream, by the signature of the wait. */
export interface Waits {
  readonly waits: ReadonlyMap<string, Wait>;
  readonly samples: number;
  readonly seconds: number;
}

function sideOf({ samples, seconds }: Waits): DiffedSide {
  return { samples, seconds };
}

/** Of samples without times, or of a single one, each counts the same. */
function mean(wait: Wait | undefined, { samples, seconds }: Waits): number {
  if (wait === undefined || samples === 0) return 0;
  return seconds === 0 ? wait.seen / samples : wait.seconds / seconds;
}

export async function waitsIn(samples: Samples): Promise<Waits> {
  const waits = new Map<string, Wait>();
  const [hosts, all] = [new Hosts(), new Map<string, HostRuns>()];
  let count = 0;
  const ran = ({ observation, finding, seconds, seen }: BlockedRun) => {
    const stack = stackOf(observation);
    const signature = stack === undefined ? '' : signatureOf(stack);
    const key = waitSignature(finding, stack);
    const wait = waits.get(key);
    if (wait === undefined) {
      if (waits.size < MAX_WAITS) waits.set(key, { signature, finding, stack, seconds, seen });
      return;
    }
    wait.seconds += seconds;
    wait.seen += seen;
  };
  for await (const sample of samples) {
    count++;
    const host = hosts.keyOf(sample);
    const key = `${host}/${sample.stream ?? 0}`;
    const runs = all.get(key) ?? new HostRuns(host, { ran, gap: () => undefined });
    all.set(key, runs);
    runs.add(sample);
  }
  let seconds = 0;
  for (const runs of all.values()) {
    runs.end();
    seconds += runs.seconds;
  }
  return { waits, samples: count, seconds };
}
