import { expect, it } from 'vitest';
import { parseFrame } from '../../model/stack.ts';
import { withWork } from './work.ts';

const WORK = 'btrfs_work_helper';

it.each([
  [
    'it was left out',
    'mutex_lock < process_one_work < worker_thread',
    'mutex_lock < btrfs_work_helper < process_one_work < worker_thread',
  ],
  [
    'the stack is cut off',
    'mutex_lock < caching_thread',
    'mutex_lock < caching_thread < btrfs_work_helper < process_one_work',
  ],
  [
    'it is there',
    'mutex_lock < btrfs_work_helper < process_one_work',
    'mutex_lock < btrfs_work_helper < process_one_work',
  ],
  ['the thread waits for work', 'schedule < worker_thread < kthread', 'schedule < worker_thread < kthread'],
  [
    'only the interrupt is told',
    'rcu_sched_clock_irq < update_process_times',
    'rcu_sched_clock_irq < update_process_times',
  ],
])('the function of a work stands in a stack, or not: %s', (_, stack, whole) => {
  const frames = stack.split(' < ').map((name) => parseFrame(name));
  expect(
    withWork({ id: 1, frames }, WORK)
      .frames.map(({ symbol }) => symbol)
      .join(' < '),
  ).toBe(whole);
});
