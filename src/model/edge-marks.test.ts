import { expect, it } from 'vitest';
import { observationOf } from '../../test/samples.ts';
import type { Edge } from './edge.ts';
import { withEdgeMarks } from './edge-marks.ts';

const edge = (from: number, to: string | number, by: Edge['by'] = 'frozen'): Edge => ({ from, to, by, evidence: [] });
const marked = (states: readonly ('D' | 'S' | 'R')[], edges: readonly Edge[]) =>
  withEdgeMarks(
    states.map((state, at) => observationOf(at + 1, { state })),
    edges,
  ).map(({ waitsBy }) => waitsBy);

it('marks those tasks in D that version 1 of control groups has frozen, and no others', () => {
  const edges = [1, 3].map((tid) => edge(tid, 'cgroup1 /g'));
  expect(marked(['D', 'D', 'S'], edges)).toEqual(['frozen', undefined, undefined]);
  expect(marked(['D', 'D'], [edge(1, 'cgroup2 /g'), edge(2, 'filesystem 7:0')])).toEqual([undefined, undefined]);
});

it('marks tasks that wait for a user-space lock whose holder is known, but for those that run again', () => {
  const edges = [1, 2].map((tid) => edge(tid, 3, 'futex'));
  expect(marked(['S', 'R', 'S'], [...edges, edge(3, 1, 'thread-end')])).toEqual(['futex', undefined, undefined]);
});

it('gives the same tasks back where none is marked', () => {
  const observations = [observationOf(1)];
  expect(withEdgeMarks(observations, [])).toBe(observations);
});
