import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EMPTY_SAMPLE, observationOf } from '../../test/samples.ts';
import type { KernelFacts, Observation, Sample } from '../model/sample.ts';
import type { State } from '../model/task.ts';
import { waitGraph } from './wait-graph.ts';

function task(tid: number, facts: KernelFacts, state: State = 'D'): Observation {
  return observationOf(tid, { state, facts });
}

function sampleOf(...observations: Observation[]): Sample {
  return { ...EMPTY_SAMPLE, observations };
}

const holds = (owner: number): KernelFacts => ({ lock: { kind: 'mutex', address: '1', owner } });

describe('waitGraph', () => {
  it('follows the owners of locks to the root, and counts all behind it', () => {
    const { roots, cycles } = waitGraph(
      sampleOf(task(1, {}), task(2, holds(1)), task(3, holds(2)), task(4, holds(2)), task(5, {})),
    );
    expect(cycles).toEqual([]);
    expect(
      roots.map(({ key, observation, edges }) => [key, observation?.task.comm, edges.map(({ from }) => from)]),
    ).toEqual([[1, 't1', [2, 3, 4]]]);
  });

  it('puts the root that holds up the most first', () => {
    const { roots } = waitGraph(sampleOf(task(3, holds(2)), task(4, holds(1)), task(5, holds(4))));
    expect(roots.map(({ key, tasks }) => [key, tasks])).toEqual([
      [1, 2],
      [2, 1],
    ]);
  });

  it('names a root of which only the number is known', () => {
    expect(waitGraph(sampleOf(task(2, holds(99)))).roots).toMatchObject([{ key: 99, observation: undefined }]);
  });

  it('reports tasks that wait for each other as a cycle, and those behind it as of no root', () => {
    const { roots, cycles } = waitGraph(
      sampleOf(task(1, holds(2)), task(2, holds(3)), task(3, holds(1)), task(4, holds(1))),
    );
    expect(roots).toEqual([]);
    expect(cycles.map(({ edges }) => edges.map(({ from }) => from))).toEqual([[1, 2, 3]]);
  });

  it('knows the child that the parent of a vfork waits for, and the tracer of a stopped task', () => {
    const { roots } = waitGraph(
      sampleOf(task(1, {}), task(2, { vforkParent: 1 }, 'S'), task(4, { tracer: 3 }, 't'), task(5, { tracer: 3 }, 'S')),
    );
    expect(roots.map(({ key, edges }) => [key, edges.map(({ from, to, by }) => ({ from, to, by }))])).toEqual([
      [2, [{ from: 1, to: 2, by: 'vfork' }]],
      [3, [{ from: 4, to: 3, by: 'ptrace' }]],
    ]);
  });

  it('does not take a task for one that waits for itself', () => {
    expect(waitGraph(sampleOf(task(1, holds(1))))).toEqual({ edges: [], roots: [], cycles: [] });
  });

  it('ends on any graph, and has each task at most once', () => {
    const facts = fc.record({ tid: fc.integer({ min: 1, max: 12 }), owner: fc.integer({ min: 1, max: 12 }) });
    fc.assert(
      fc.property(fc.uniqueArray(facts, { selector: ({ tid }) => tid }), (tasks) => {
        const { roots, cycles } = waitGraph(sampleOf(...tasks.map(({ tid, owner }) => task(tid, holds(owner)))));
        const all = [...roots, ...cycles].flatMap(({ edges }) => edges).map(({ from }) => from);
        expect(new Set(all).size).toBe(all.length);
      }),
    );
  });
});
