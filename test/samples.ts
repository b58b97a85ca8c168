import type { Observation, Sample } from '../src/model/sample.ts';
import type { Task } from '../src/model/task.ts';

/** A sample without tasks, for tests to fill. */
export const EMPTY_SAMPLE: Sample = {
  timeMs: 0,
  host: 'host',
  bootId: { value: '' },
  kernel: '6.18',
  architecture: 'x64',
  bootTimeSeconds: 0,
  ticksPerSecond: 100,
  source: { name: 'bpf' },
  threads: false,
  fields: [],
  observations: [],
  holders: [],
  leftOut: {},
  unread: [],
};

/** The main thread of a process, called `t` and its number. */
export function taskOf(tid: number, more: Partial<Task> = {}): Task {
  const id = { bootId: 'boot', tid, startTicks: tid };
  return { id, pid: tid, ppid: 1, comm: `t${tid}`, commandLine: { value: '' }, kernelThread: false, ...more };
}

/** A task in D without a stack. */
export function observationOf(tid: number, more: Partial<Observation> = {}): Observation {
  return { task: taskOf(tid), state: 'D', stack: { value: { id: 0, frames: [] } }, cpu: 0, ...more };
}
