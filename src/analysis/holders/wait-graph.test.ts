import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EMPTY_SAMPLE, observationOf } from '../../../test/samples.ts';
import type { Edge, NodeKey } from '../../model/edge.ts';
import type { KernelFacts, Observation, Sample } from '../../model/sample.ts';
import type { State } from '../../model/task.ts';
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

  const edge = (from: NodeKey, to: NodeKey, more: Partial<Edge> = {}): Edge => ({
    from,
    to,
    by: 'pipe-reader',
    evidence: [],
    ...more,
  });
  const graphOf = (...edges: Edge[]) => waitGraph({ ...EMPTY_SAMPLE, edges });
  const keysIn = (some: readonly Edge[]) => some.map(({ from, to }) => `${from} > ${to}`);
  const any = true;

  it('has as roots resources, too, with what is known of them, and counts no resource as a task', () => {
    const device = { key: 'device 7:0', kind: 'device', name: 'loop0', evidence: [] } as const;
    const edges = [edge(1, 'mount 45'), edge(2, 'mount 45'), edge('mount 45', 'device 7:0'), edge(3, 'lock 1')];
    const { roots, cycles } = waitGraph({ ...EMPTY_SAMPLE, edges, resources: [device] });
    expect(cycles).toEqual([]);
    expect(roots.map(({ key, resource, tasks }) => [key, resource, tasks])).toEqual([
      ['device 7:0', device, 2],
      ['lock 1', undefined, 1],
    ]);
    expect(keysIn(roots[0]?.edges ?? [])).toEqual(['mount 45 > device 7:0', '1 > mount 45', '2 > mount 45']);
  });

  it('tells a task from a resource of the same name', () => {
    const { roots } = graphOf(edge(1, 7), edge(2, '7'));
    expect(roots.map(({ key, tasks }) => [key, tasks])).toEqual([
      [7, 1],
      ['7', 1],
    ]);
  });

  it('takes no task for deadlocked that goes on if one of several does that are free', () => {
    const { roots, cycles } = graphOf(edge(1, 2, { any }), edge(1, 3, { any }), edge(2, 1));
    expect(cycles).toEqual([]);
    expect(roots.map(({ key, tasks, edges }) => [key, tasks, keysIn(edges)])).toEqual([
      [3, 2, ['1 > 3', '2 > 1', '1 > 2']],
    ]);
  });

  it('takes it for deadlocked if all of these are', () => {
    const { roots, cycles } = graphOf(edge(1, 2, { any }), edge(1, 3, { any }), edge(2, 1), edge(3, 1));
    expect(roots).toEqual([]);
    expect(cycles.map(({ edges }) => keysIn(edges))).toEqual([['1 > 2', '1 > 3', '2 > 1', '3 > 1']]);
  });

  it('takes it for deadlocked if it waits for all of several, of which one is', () => {
    const { roots, cycles } = graphOf(edge(1, 2), edge(1, 3), edge(2, 1));
    expect(cycles.map(({ edges }) => keysIn(edges))).toEqual([['1 > 2', '2 > 1']]);
    // What else it waits for does not hold it up in the end.
    expect(roots).toEqual([]);
  });

  it('and if it waits for one of several that is free, but also for one that is not', () => {
    const { cycles } = graphOf(edge(1, 2), edge(1, 3, { any }), edge(1, 4, { any }), edge(2, 1));
    expect(cycles.map(({ edges }) => keysIn(edges))).toEqual([['1 > 2', '2 > 1']]);
  });

  it('and if none of several is free, although what else it waits for is', () => {
    const { cycles } = graphOf(edge(1, 9), edge(1, 3, { any }), edge(1, 4, { any }), edge(3, 1), edge(4, 1));
    expect(cycles.map(({ edges }) => keysIn(edges))).toEqual([['1 > 3', '1 > 4', '3 > 1', '4 > 1']]);
  });

  it('has a task that waits twice for the same one in two edges, and frees it with that one', () => {
    const { roots, cycles } = graphOf(edge(1, 2), edge(1, 2, { by: 'flock' }), edge(1, 2));
    expect([roots.map(({ key, tasks, edges }) => [key, tasks, edges.length]), cycles]).toEqual([[[2, 1, 2]], []]);
  });

  it('finds a deadlock through a resource, and takes it for certain only if the kernel says each edge of it', () => {
    const told = [edge(1, 'journal 8:1'), edge('journal 8:1', 2), edge(2, 1)];
    const behind = edge(3, 1, { inferred: true });
    const certain = graphOf(...told, behind).cycles;
    expect(certain.map(({ edges, isCertain }) => [keysIn(edges), isCertain])).toEqual([
      [['1 > journal 8:1', 'journal 8:1 > 2', '2 > 1'], true],
    ]);
    const inferred = told.map((each, at) => (at === 1 ? { ...each, inferred: true as const } : each));
    expect(graphOf(...inferred, behind).cycles.map(({ isCertain }) => isCertain)).toEqual([false]);
  });

  it('has each deadlock for itself, and those behind one in none', () => {
    const { roots, cycles } = graphOf(edge(1, 2), edge(2, 1), edge(3, 4), edge(4, 3), edge(5, 1), edge(6, 5));
    expect([roots, cycles.map(({ edges }) => keysIn(edges))]).toEqual([
      [],
      [
        ['1 > 2', '2 > 1'],
        ['3 > 4', '4 > 3'],
      ],
    ]);
  });

  it.each([
    ['a chain of a hundred thousand', (at: number) => [edge(at + 1, at)], [[0, 100_000]]],
    ['a hundred thousand for one', (at: number) => [edge(at + 1, 'mount 45')], [['mount 45', 100_000]]],
    ['one for any of a hundred thousand', (at: number) => [edge(1, at + 2, { any })], [[2, 1]]],
    ['one for a hundred thousand', (at: number) => [edge(1, at + 2)], [[2, 1]]],
  ])('joins %s', (_, edgesAt, expected) => {
    const edges = Array.from({ length: 100_000 }, (_, at) => edgesAt(at)).flat();
    const { roots, cycles } = waitGraph({ ...EMPTY_SAMPLE, edges });
    expect(cycles).toEqual([]);
    expect(roots.slice(0, 1).map(({ key, tasks }) => [key, tasks])).toEqual(expected);
  });

  it('joins a circle of a hundred thousand', () => {
    const edges = Array.from({ length: 100_000 }, (_, at) => edge(at + 1, ((at + 1) % 100_000) + 1));
    const { cycles } = waitGraph({ ...EMPTY_SAMPLE, edges });
    expect(cycles.map(({ edges, isCertain }) => [edges.length, isCertain])).toEqual([[100_000, true]]);
  });

  it('lists all that wait, in a graph of any shape without bounds, for the first roots only, and tells so', () => {
    const waiters = Array.from({ length: 20_000 }, (_, at) => edge(at + 1000, 1));
    const ends = Array.from({ length: 200 }, (_, at) => edge(1, at + 2, { any }));
    const { roots } = graphOf(...waiters, ...ends);
    expect(roots).toHaveLength(200);
    const whole = roots.filter(({ isAtLeast }) => isAtLeast !== true);
    expect([whole.length, new Set(whole.map(({ tasks }) => tasks))]).toEqual([50, new Set([20_001])]);
    expect(roots.at(-1)).toMatchObject({ tasks: 1, isAtLeast: true });
  });

  it('ends on any graph, and what is not deadlocked, or behind that, waits for a root', () => {
    const node = fc.oneof(fc.integer({ min: 1, max: 8 }), fc.constantFrom('a', 'b', 'c'));
    const some = fc.array(fc.record({ from: node, to: node, any: fc.boolean() }).filter(({ from, to }) => from !== to));
    fc.assert(
      fc.property(some, (ends) => {
        const edges = ends.map(({ any, from, to }) => edge(from, to, any ? { any } : {}));
        const { roots, cycles } = graphOf(...edges);
        const reached = new Set<NodeKey>([...roots, ...cycles].flatMap((part) => part.edges.map(({ from }) => from)));
        // Those behind a deadlock.
        for (let size = 0; size < reached.size; ) {
          size = reached.size;
          for (const { from, to } of edges) if (reached.has(to)) reached.add(from);
        }
        expect([...new Set(ends.map(({ from }) => from))].filter((key) => !reached.has(key))).toEqual([]);
        // Nobody is in two deadlocks.
        const members = cycles.flatMap((cycle) => [...new Set(cycle.edges.map(({ from }) => from))]);
        expect(new Set(members).size).toBe(members.length);
      }),
    );
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

  it('does not take a parent and a child for a deadlock while another thread of the child can go on', () => {
    // 1 waits for its child 2, whose main thread waits for 1, and which has another thread 3.
    const ring = [edge(1, 2, { by: 'child' }), edge(2, 1, { by: 'pipe-writer' })];
    const seen = (threads: readonly number[], ...more: Edge[]) => {
      const observations = [task(1, {}, 'S'), task(9, {}, 'S'), ...threads.map((tid) => task(tid, {}, 'S'))].map(
        (each) => ({
          ...each,
          task: { ...each.task, pid: threads.includes(each.task.id.tid ?? 0) ? 2 : (each.task.id.tid ?? 0) },
        }),
      );
      const { cycles, roots } = waitGraph({ ...EMPTY_SAMPLE, observations, edges: [...ring, edge(9, 1), ...more] });
      return [cycles.map(({ edges }) => keysIn(edges)), roots.map(({ key, tasks }) => [key, tasks])];
    };
    const deadlock = ['1 > 2', '2 > 1'];
    expect(seen([2])).toEqual([[deadlock], []]);
    expect(seen([2, 3])).toEqual([[], [[1, 2]]]);
    expect(seen([2, 3], edge(3, 2, { by: 'futex' }))).toEqual([[deadlock], []]);
    expect(seen([2, 3], edge(3, 7, { by: 'futex' }))).toEqual([[], expect.arrayContaining([[1, 2]])]);
  });

  it('does not take a client and a server that listen to each other for a deadlock, but does one that writes', () => {
    const cyclesWith = (by: Edge['by']) =>
      waitGraph({
        ...sampleOf(task(1, {}, 'S'), task(2, {}, 'S')),
        edges: [
          { from: 1, to: 2, by: 'socket-peer', evidence: [] },
          { from: 2, to: 1, by, evidence: [] },
        ],
      }).cycles.length;
    expect(cyclesWith('socket-peer')).toBe(0);
    expect(cyclesWith('pipe-writer')).toBe(0);
    expect(cyclesWith('pipe-reader')).toBe(1);
    expect(cyclesWith('child')).toBe(1);
  });
});
