import { expect, it } from 'vitest';
import { EMPTY_SAMPLE, observationOf } from '../../test/samples.ts';
import type { Edge } from '../model/edge.ts';
import type { Sample } from '../model/sample.ts';
import { verdictOf } from './holders/verdict.ts';
import { metricsOf } from './metrics.ts';

const COST = { seconds: 0.5, cpuSeconds: 0.1, memoryBytes: 1000, samples: undefined };

const valuesOf = (sample: Sample, name: string) =>
  metricsOf(verdictOf(sample, sample), COST).find((metric) => metric.name === name)?.values;

const edge = (from: number, to: number | string, by: Edge['by']): Edge => ({ from, to, by, evidence: [] });

it('a task counts once for what holds it up, behind a task, a resource and a deadlock', () => {
  const waits = { facts: { offCpuMs: 100_000 } };
  const observations = [1, 2, 3, 4, 5, 6, 7].map((tid) => observationOf(tid, waits));
  const edges = [
    edge(1, 2, 'mutex'),
    edge(2, 1, 'mutex'),
    edge(3, 1, 'mutex'),
    edge(4, 5, 'mutex'),
    edge(6, 'mount 1', 'mount'),
    edge(7, 'mount 2', 'mount'),
    edge(7, 'mount 1', 'mount'),
  ];
  const resources = [1, 2].map((number) => ({
    key: `mount ${number}`,
    kind: 'mount' as const,
    name: '/mnt',
    hangs: true as const,
    evidence: [],
  }));
  const values = valuesOf({ ...EMPTY_SAMPLE, observations, edges, resources }, 'kstack_held_up_tasks');
  const counts = values?.flatMap(({ labels, value }) => (value === 0 ? [] : [[labels['holder'], value]]));
  expect(counts).toEqual([
    ['task', 1],
    ['mount', 2],
    ['deadlock', 3],
  ]);
  expect(values).toHaveLength(10);
});

it('the longest wait is not told where no time is known, and is 0 where nothing is blocked', () => {
  const blocked = { ...EMPTY_SAMPLE, observations: [observationOf(1)] };
  expect(valuesOf(blocked, 'kstack_blocked_tasks')).toEqual([
    { labels: { rule: 'unexplained', state: 'D' }, value: 1 },
  ]);
  expect(valuesOf(blocked, 'kstack_blocked_longest_seconds')).toBeUndefined();
  expect(valuesOf(EMPTY_SAMPLE, 'kstack_blocked_longest_seconds')).toEqual([{ labels: {}, value: 0 }]);
});

it('what could not be read is counted by what it is and why', () => {
  const unread = [1, 2].map((tid) => ({ tid, what: 'task', why: 'timeout' }) as const);
  expect(valuesOf({ ...EMPTY_SAMPLE, unread }, 'kstack_unread')).toEqual([
    { labels: { what: 'task', why: 'timeout' }, value: 2 },
  ]);
});
