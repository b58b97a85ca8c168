import { expect, it } from 'vitest';
import { observationOf } from '../../../../test/samples.ts';
import type { EdgeKind, NodeKey, Resource } from '../../../model/edge.ts';
import { timedWaits } from './timed-waits.ts';

const edge = (from: NodeKey, to: NodeKey, by: EdgeKind) => ({ from, to, by, evidence: [] });

it('are those of stuck tasks and of locks, and of all behind them, but not those of idle tasks for each other', () => {
  const tasks = [observationOf(1, { state: 'T' }), observationOf(2, { state: 'D' }), observationOf(9, { state: 'S' })];
  const edges = [
    edge(3, 1, 'pipe-writer'),
    edge(4, 3, 'child'),
    edge(5, 6, 'futex'),
    edge(7, 5, 'socket-peer'),
    edge(9, 10, 'pipe-writer'),
    edge(10, 9, 'socket-peer'),
    edge(11, 'server x', 'server'),
    edge(12, 'pipe 1', 'pipe-reader'),
  ];
  const pipe: Resource = { key: 'pipe 1', kind: 'pipe', name: 'pipe:[1]', hangs: true, evidence: [] };
  const server: Resource = { key: 'server x', kind: 'server', name: 'x', evidence: [] };
  const timed = timedWaits(tasks, edges, [pipe, server]);
  expect([...timed].filter((key) => typeof key === 'number').sort((a, b) => Number(a) - Number(b))).toEqual([
    1, 2, 3, 4, 5, 7, 12,
  ]);
});
