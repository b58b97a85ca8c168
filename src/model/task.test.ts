import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Task, type TaskId, TaskTable, taskKey } from './task.ts';

const identity: fc.Arbitrary<TaskId> = fc.record(
  {
    bootId: fc.oneof(fc.constantFrom('a', 'a/1', 'a/1/2', '/', 'a/1/2@1/2 3'), fc.uuid(), fc.string({ minLength: 1 })),
    tid: fc.nat({ max: 3 }),
    startTicks: fc.oneof(fc.nat({ max: 3 }), fc.maxSafeNat()),
    startLocal: fc.constantFrom('2026/11/25 03:09:00', '2026/11/25 03:09:01', '1/2 3'),
  },
  { requiredKeys: [] },
);

/** Two that differ in some of their parts, or in none. */
const two = fc
  .tuple(identity, identity, fc.subarray(['bootId', 'tid', 'startTicks', 'startLocal'] as const))
  .map(([a, other, differing]) => {
    const kept = Object.entries(a).filter(([part]) => !differing.some((each) => each === part));
    const taken = Object.entries(other).filter(([part]) => differing.some((each) => each === part));
    const b: TaskId = Object.fromEntries([...kept, ...taken]);
    return [a, b] as const;
  });

it('a task has the same key wherever it is seen, and no other task has it', () => {
  fc.assert(
    fc.property(two, ([a, b]) => {
      const parts = ['bootId', 'tid', 'startTicks', 'startLocal'] as const;
      const isSame = parts.every((part) => a[part] === b[part]);
      expect(taskKey(a) === taskKey(b)).toBe(isSame);
    }),
    { numRuns: 2000 },
  );
});

it('an idle task of the kernel, with the TID 0, is not one of which no number is known', () => {
  expect(taskKey({ tid: 0 })).not.toBe(taskKey({}));
});

it('tasks that have ended are forgotten, and those that are there stay the same objects', () => {
  const table = new TaskTable();
  const origins = new Map<number, object>();
  const taken = (tid: number) => {
    const task: Task = { id: { tid }, commandLine: COMMAND_LINE };
    const origin = {};
    origins.set(tid, origin);
    return table.intern(tid, task, origin);
  };
  const staying = [1, 2, 3].map(taken);
  let listed = 0;
  for (let tid = 1000; tid < 1500; tid++) {
    const tasks = [...staying, taken(tid)];
    table.trim(tasks.length, () => {
      listed++;
      return tasks;
    });
  }
  expect(listed).toBeLessThan(50);
  expect(listed).toBeGreaterThan(0);
  const isKnown = (tid: number) => table.recall(tid, origins.get(tid) ?? {}, COMMAND_LINE) !== undefined;
  expect([1, 2, 3, 1000, 1300, 1499].map(isKnown)).toEqual([true, true, true, false, false, true]);
});

const COMMAND_LINE = { value: 'sleep' };
