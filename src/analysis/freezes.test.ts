import { expect, it } from 'vitest';
import { observationOf } from '../../test/samples.ts';
import type { Edge } from '../model/edge.ts';
import { parseFrame } from '../model/stack.ts';
import { explainObservation } from './explain-sample.ts';
import { withFreezes } from './freezes.ts';

const SLEEP = { value: { id: 1, frames: ['hrtimer_nanosleep', '__x64_sys_nanosleep'].map(parseFrame) } };
const edge = (from: number, to = 'cgroup1 /g'): Edge => ({ from, to, by: 'frozen', evidence: [] });

it('tasks that are frozen where they sleep wait for a thaw, all of a group, and only in state D', () => {
  const tasks = [1, 2].map((tid) => observationOf(tid, { state: 'D', stack: SLEEP }));
  const group = { stack: SLEEP.value, observations: tasks, finding: explainObservation(tasks[0] ?? observationOf(1)) };
  const rules = (edges: readonly Edge[], observations = tasks) =>
    withFreezes([{ ...group, observations }], edges).map(({ finding }) => finding.rule);
  expect(rules([edge(1), edge(2)])).toEqual(['stop-freezer']);
  expect(rules([edge(1)])).toEqual([group.finding.rule]);
  expect(rules([])).toEqual([group.finding.rule]);
  expect(rules([edge(1, 'filesystem 7:0'), edge(2, 'filesystem 7:0')])).toEqual([group.finding.rule]);
  const asleep = tasks.map((task) => ({ ...task, state: 'S' as const }));
  expect(rules([edge(1), edge(2)], asleep)).toEqual([group.finding.rule]);
});
