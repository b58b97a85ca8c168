import { expect, it } from 'vitest';
import { waitGraph } from '../analysis/holders/wait-graph.ts';
import type { Edge } from '../model/edge.ts';
import { layoutGraph } from './graph-layout.ts';

const edge = (from: number, to: number | string): Edge => ({ from, to, by: 'mutex', evidence: [] });

function laidOut(edges: readonly Edge[]) {
  return layoutGraph(waitGraph({ observations: [], holders: [], edges, resources: [] }));
}

it('puts the largest root first, and makes one box of those that wait for the same', () => {
  const crowd = Array.from({ length: 2000 }, (_, at) => edge(1000 + at, 1));
  const { nodes, links, columns } = laidOut([edge(5, 4), ...crowd, edge(7, 1000)]);
  expect(nodes.map(({ keys, column }) => [keys.length, column])).toEqual([
    [1, 0],
    [1999, 1],
    [1, 1],
    [1, 2],
    [1, 0],
    [1, 1],
  ]);
  expect([links.length, columns]).toEqual([4, 3]);
});

it('marks those that wait for each other', () => {
  const { nodes } = laidOut([edge(1, 2), edge(2, 1), edge(3, 1)]);
  expect(nodes.filter(({ isDeadlocked }) => isDeadlocked).flatMap(({ keys }) => keys)).toEqual([1, 2]);
  expect(nodes.flatMap(({ keys }) => keys).sort()).toEqual([1, 2, 3]);
});

it('gives no two boxes of a column the same place', () => {
  const edges = [edge(2, 1), edge(3, 1), edge(4, 2), edge(5, 3), edge(6, 3), edge(8, 7), edge(9, 8), edge(10, 8)];
  const places = laidOut(edges).nodes.map(({ column, row }) => `${column} ${row}`);
  expect(new Set(places).size).toBe(places.length);
});

it('tells how many have no room', () => {
  const pairs = Array.from({ length: 1000 }, (_, at) => edge(2 * at + 1, 2 * at + 2));
  const { nodes, undrawn } = laidOut(pairs);
  expect(nodes).toHaveLength(400);
  expect(undrawn).toBe(1600);
  expect(laidOut(pairs.slice(0, 100)).undrawn).toBe(0);
});
