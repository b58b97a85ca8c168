import { expect, it } from 'vitest';
import { EMPTY_SAMPLE, observationOf, taskOf } from '../../test/samples.ts';
import type { Observation, Sample } from '../model/sample.ts';
import { parseFrames } from '../model/stack.ts';
import { Folds } from './fold.ts';

const stackOf = (id: number, ...functions: string[]) => ({
  value: { id, frames: parseFrames(functions.map((name) => `[<0>] ${name}`).join('\n')) },
});

function sampleOf(observations: readonly Observation[], threads = false): Sample {
  return { ...EMPTY_SAMPLE, threads, observations };
}

/** Names, functions from the innermost out, and how many tasks. */
function folded(...samples: Sample[]): unknown[] {
  const folds = new Folds();
  for (const sample of samples) folds.add(sample);
  return folds.all().map(({ names, frames, count }) => [names, frames.map(({ symbol }) => symbol), count]);
}

const named = (
  tid: number,
  comm: string,
  stack: Observation['stack'],
  more: { pid?: number; processName?: string } = {},
) => observationOf(tid, { task: taskOf(tid, { comm, ...more }), stack });

it('counts tasks of one name in the same functions over all samples, whatever the offsets', () => {
  const sample = sampleOf([
    named(1, 'a', stackOf(0, 'f+0x1/0x9', 'g+0x1/0x9')),
    named(2, 'b', stackOf(1, 'f+0x1/0x9')),
  ]);
  const later = sampleOf([named(3, 'a', stackOf(2, 'f+0x5/0x9', 'g+0x1/0x9'))]);
  expect(folded(sample, later)).toEqual([
    [['a'], ['f', 'g'], 2],
    [['b'], ['f'], 1],
  ]);
});

it('names the process of a thread that is called otherwise, where threads are tasks', () => {
  const stack = stackOf(0, 'f+0x1/0x9');
  const tasks = [
    named(1, 'main', stack),
    named(2, 'main', stack, { pid: 1, processName: 'main' }),
    named(3, 'worker', stack, { pid: 1, processName: 'main' }),
    named(4, 'worker', stack, { pid: 1 }),
  ];
  expect(folded(sampleOf(tasks, true))).toEqual([
    [['main'], ['f'], 2],
    [['main', 'worker'], ['f'], 1],
    [['worker'], ['f'], 1],
  ]);
  expect(folded(sampleOf(tasks.slice(2)))).toEqual([[['worker'], ['f'], 2]]);
});

it('shows that a name is empty', () => {
  const stack = stackOf(0, 'f+0x1/0x9');
  const tasks = [named(1, '', stack), named(2, '', stack, { pid: 1, processName: 'main' })];
  expect(folded(sampleOf(tasks, true))).toEqual([
    [["''"], ['f'], 1],
    [['main', "''"], ['f'], 1],
  ]);
});

it('does not take a name with line ends for the name and functions of others', () => {
  const hostile = [
    named(1, 'a', stackOf(0, 'f+0x1/0x9', 'g+0x1/0x9')),
    named(2, 'a\nf', stackOf(1, 'g+0x1/0x9')),
    named(3, 'a\rb', stackOf(1, 'g+0x1/0x9')),
    named(4, 'b', stackOf(1, 'g+0x1/0x9'), { pid: 1, processName: 'a' }),
  ];
  expect(folded(sampleOf(hostile, true))).toHaveLength(4);
});

it('says in place of a stack why there is none', () => {
  const tasks = (['R', 'Z', 'X', 'S'] as const).map((state, tid) => observationOf(tid, { state, stack: stackOf(0) }));
  const unread = observationOf(9, { stack: { unread: 'timeout' } });
  expect(folded(sampleOf([...tasks, unread])).map((fold) => (fold as unknown[])[1])).toEqual([
    ['[user space]'],
    ['[zombie]'],
    ['[zombie]'],
    ['[no stack]'],
    ['[stack not read: timeout]'],
  ]);
});

it('calls a task without a name so', () => {
  const { comm: _, ...nameless } = taskOf(1);
  expect(folded(sampleOf([observationOf(1, { task: nameless, stack: stackOf(0, 'f+0x1/0x9') })]))).toEqual([
    [['[no name]'], ['f'], 1],
  ]);
});
