import { expect, it } from 'vitest';
import { EMPTY_SAMPLE } from '../../test/samples.ts';
import { listedLater, noteChanges } from '../model/changes.ts';
import type { Observation, Sample } from '../model/sample.ts';
import { lastLinked } from './last-linked.ts';

const stack = { value: { id: 0, frames: [] } };

function seen(tid: number, tracer?: number): Observation {
  const task = { id: { tid }, pid: tid, comm: `p${tid}`, commandLine: { value: '' } };
  return { task, state: 't', stack, ...(tracer !== undefined && { facts: { tracer } }) };
}

/** Samples that know how they differ, of which only the last one may be listed. */
function chain(lists: readonly (readonly Observation[])[]): Sample[] {
  const samples = lists.map((list, at) =>
    listedLater({ ...EMPTY_SAMPLE, timeMs: 1000 * at }, () => {
      if (at < lists.length - 1) throw new Error(`sample ${at} was listed`);
      return list;
    }),
  );
  for (const [at, sample] of samples.entries()) {
    const [before, now] = [lists[at - 1] ?? [], lists[at] ?? []];
    const changes = {
      gone: before.filter((each) => !now.includes(each)),
      come: now.filter((each) => !before.includes(each)),
    };
    noteChanges(samples[at - 1] ?? EMPTY_SAMPLE, sample, changes);
  }
  return samples;
}

it('finds the last sample in which somebody waits, without listing those before', () => {
  const [traced, free, other] = [seen(1, 2), seen(1), seen(2)];
  const samples = chain([[free, other], [traced, other], [traced], [free], [free, other]]);
  expect(lastLinked(samples)?.timeMs).toBe(2000);
  expect(lastLinked(chain([[free], [free, other]]))).toBeUndefined();
  expect(lastLinked([])).toBeUndefined();
});

it('knows edges that no task tells itself, and hosts apart', () => {
  const edge = { from: 1, to: 'a disk', by: 'device', evidence: [] } as const;
  const all = [
    { ...EMPTY_SAMPLE, host: 'a', edges: [edge] },
    { ...EMPTY_SAMPLE, host: 'b', observations: [seen(7)] },
    { ...EMPTY_SAMPLE, host: 'a', observations: [seen(7)] },
  ];
  expect(lastLinked(all)).toBe(all[0]);
});
