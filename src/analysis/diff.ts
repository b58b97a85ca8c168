import type { Finding } from '../model/finding.ts';
import type { Sample } from '../model/sample.ts';
import type { Stack } from '../model/stack.ts';
import { blockedIn } from './report.ts';
import { signatureOf } from './signature.ts';
import { timed } from './timed.ts';

/** A wait of tasks with the same functions on their stacks. It is the same on every kernel and host. */
export interface DiffedWait {
  readonly signature: string;
  readonly finding: Finding;
  readonly stack: Stack | undefined;
  /** How many tasks were in it on average, before and after. */
  readonly before: number;
  readonly after: number;
}

/** What changed between two streams. */
export interface Diff {
  readonly appeared: readonly DiffedWait[];
  readonly grown: readonly DiffedWait[];
  readonly shrunk: readonly DiffedWait[];
  readonly disappeared: readonly DiffedWait[];
  readonly samples: readonly [before: number, after: number];
}

/** Below this factor a wait counts as unchanged. */
const FACTOR = 1.5;

type Samples = Iterable<Sample> | AsyncIterable<Sample>;

/** Compares what tasks were blocked on in two streams. */
export async function diff(before: Samples, after: Samples): Promise<Diff> {
  const [a, b] = [await waitsIn(before), await waitsIn(after)];
  const signatures = new Set([...a.waits.keys(), ...b.waits.keys()]);
  const waits = [...signatures].flatMap((signature): DiffedWait[] => {
    const [one, other] = [a.waits.get(signature), b.waits.get(signature)];
    const known = other ?? one;
    if (known === undefined) return [];
    const { finding, stack } = known;
    return [{ signature, finding, stack, before: mean(one, a), after: mean(other, b) }];
  });
  const sorted = waits.sort((x, y) => Math.abs(y.after - y.before) - Math.abs(x.after - x.before));
  const both = sorted.filter(({ before, after }) => before > 0 && after > 0);
  return {
    appeared: sorted.filter(({ before, after }) => before === 0 && after > 0),
    grown: both.filter(({ before, after }) => after >= FACTOR * before),
    shrunk: both.filter(({ before, after }) => before >= FACTOR * after),
    disappeared: sorted.filter(({ before, after }) => before > 0 && after === 0),
    samples: [a.samples, b.samples],
  };
}

interface Waits {
  readonly waits: Map<string, { readonly finding: Finding; readonly stack: Stack | undefined; sum: number }>;
  samples: number;
  sum: number;
}

function mean(wait: { readonly sum: number } | undefined, { sum }: Waits): number {
  return wait === undefined || sum === 0 ? 0 : wait.sum / sum;
}

async function waitsIn(samples: Samples): Promise<Waits> {
  const result: Waits = { waits: new Map(), samples: 0, sum: 0 };
  for await (const { sample, seconds } of timed(samples, () => undefined)) {
    result.samples++;
    // Of samples without times, or of a single one, each counts the same.
    const weight = seconds === 0 ? 1 : seconds;
    result.sum += weight;
    for (const { observation, finding } of blockedIn(sample)) {
      const stack = 'value' in observation.stack ? observation.stack.value : undefined;
      const signature = stack === undefined ? finding.waitsFor : signatureOf(stack);
      const wait = result.waits.get(signature);
      if (wait === undefined) result.waits.set(signature, { finding, stack, sum: weight });
      else wait.sum += weight;
    }
  }
  return result;
}
