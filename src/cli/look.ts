import { setTimeout as sleep } from 'node:timers/promises';
import { type Verdict, verdictOf } from '../analysis/holders/verdict.ts';
import type { Sample } from '../model/sample.ts';
import type { Sampler, SamplerOptions } from '../sources/live/sampler.ts';

/** How long after the first look an inferred deadlock must still be there. */
const AGAIN_MS = 200;

/** What a verdict needs of the tasks of a host. */
export type LookOptions = Omit<SamplerOptions, 'selection' | 'source' | 'tell'>;

/** A verdict, and what was not found out. */
export interface Look {
  readonly verdict: Verdict;
  readonly missed: readonly string[];
}

/**
 * Takes one sample, or two if the first shows a deadlock that is inferred.
 * @param shown what is shown of a sample
 */
export async function look(
  open: (options: LookOptions) => Promise<Sampler>,
  shown: (sample: Sample) => Sample = (sample) => sample,
): Promise<Look> {
  const missed = new Set<string>();
  const sampler = await open({
    fields: [],
    commandLines: 'none',
    facts: true,
    edges: 'verdict',
    events: true,
    steady: false,
    ownsProcess: true,
    missed: (text) => void missed.add(text),
  });
  try {
    const first = shown(await sampler.next());
    const verdict = verdictOf(first);
    if (verdict.deadlocks.every(({ isConfirmed }) => isConfirmed)) return { verdict, missed: [...missed] };
    await sleep(AGAIN_MS);
    return { verdict: verdictOf(shown(await sampler.next()), first), missed: [...missed] };
  } finally {
    sampler.close();
  }
}
