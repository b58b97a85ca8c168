import { expect, it } from 'vitest';
import { observationOf } from '../../test/samples.ts';
import type { Edge } from './edge.ts';
import { withFrozen } from './frozen.ts';

const edge = (from: number, to: string): Edge => ({ from, to, by: 'frozen', evidence: [] });

it('marks those tasks in D that version 1 of control groups has frozen, and no others', () => {
  const [one, two] = [1, 2].map((tid) => observationOf(tid, { state: 'D' }));
  const asleep = observationOf(3, { state: 'S' });
  const all = [one, two, asleep].flatMap((each) => each ?? []);
  const frozen = (edges: readonly Edge[]) =>
    withFrozen(all, edges).flatMap((each) => (each.frozen === true ? (each.task.id.tid ?? []) : []));
  expect(frozen([1, 3].map((tid) => edge(tid, 'cgroup1 /g')))).toEqual([1]);
  expect(frozen([edge(1, 'cgroup2 /g'), edge(2, 'filesystem 7:0')])).toEqual([]);
  expect(withFrozen(all, [])).toBe(all);
});
