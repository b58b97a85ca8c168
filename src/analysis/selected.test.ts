import { describe, expect, it } from 'vitest';
import { EMPTY_SAMPLE, observationOf } from '../../test/samples.ts';
import type { Edge, NodeKey, Resource } from '../model/edge.ts';
import type { Sample } from '../model/sample.ts';
import { selected } from './selected.ts';

const edge = (from: NodeKey, to: NodeKey): Edge => ({ from, to, by: 'mount', evidence: [] });
const resource = (key: string): Resource => ({ key, kind: 'mount', name: key, evidence: [] });

/** Of tasks 1 to 9; 1 and 2 wait behind a mount, 5 and 6 behind another one. */
const WHOLE: Sample = {
  ...EMPTY_SAMPLE,
  observations: [1, 2, 3, 4, 5, 6, 7, 8].map((tid) =>
    observationOf(tid, tid === 6 ? { facts: { lock: { kind: 'mutex', owner: 5 } } } : {}),
  ),
  holders: [
    observationOf(100),
    observationOf(101, { facts: { lock: { kind: 'mutex', owner: 102 } } }),
    observationOf(102),
  ],
  edges: [edge(1, 'a'), edge(2, 'a'), edge('a', 'b'), edge('b', 100), edge(5, 'c'), edge('c', 7), edge(7, 101)],
  resources: [resource('a'), resource('b'), resource('c')],
};

async function part(pids: readonly number[], ...samples: Sample[]): Promise<Sample[]> {
  async function* stream() {
    yield* samples;
  }
  const parts: Sample[] = [];
  for await (const each of selected(stream(), { pids }, () => undefined)) parts.push(each);
  return parts;
}

const tids = (some: Sample['observations'] = []) => some.map(({ task }) => task.id.tid);
const told = ({ observations, holders, edges, resources }: Sample) => [
  tids(observations),
  tids(holders),
  edges?.map(({ from, to }) => `${from} > ${to}`),
  resources?.map(({ key }) => key),
];

describe('a selection of a sample', () => {
  it('has the edges and resources that the selected tasks lead to, and no others', async () => {
    const [sample] = await part([2], WHOLE);
    expect(sample && told(sample)).toEqual([[2], [100], ['2 > a', 'a > b', 'b > 100'], ['a', 'b']]);
  });

  it('follows facts to edges, edges to facts, and tasks that are not selected', async () => {
    const [sample] = await part([6], WHOLE);
    expect(sample && told(sample)).toEqual([[6], [101, 102, 5, 7], ['5 > c', 'c > 7', '7 > 101'], ['c']]);
  });

  it('has none where nobody waits, and no task that only others wait for', async () => {
    const [sample] = await part([3, 4], WHOLE);
    expect(sample && told(sample)).toEqual([[3, 4], [], [], []]);
  });

  it('has the very lists where all are selected, so that nobody has to compare them', async () => {
    const [sample, next] = await part([1, 2, 3, 4, 5, 6, 7, 8], WHOLE, { ...WHOLE, timeMs: 1000 });
    for (const each of [sample, next]) {
      expect(each?.edges).toBe(WHOLE.edges);
      expect(each?.resources).toBe(WHOLE.resources);
      expect(tids(each?.holders)).toEqual([100, 101, 102]);
    }
  });

  it('is as it was where a sample tells no edges', async () => {
    const { edges: _, resources: __, ...plain } = WHOLE;
    const [sample] = await part([6], plain);
    expect(sample && told(sample)).toEqual([[6], [5], undefined, undefined]);
  });
});
