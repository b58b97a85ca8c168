import { expect, it } from 'vitest';
import { foundIn } from '../../../../test/found.ts';
import { observationsOf } from '../observations.ts';

/** The tasks, and those on CPUs that handle no interrupts marked with `!`, with the time if it is told. */
function told(...lines: readonly string[]): string[] {
  return foundIn(lines)
    .flatMap(observationsOf)
    .map(({ task, state, facts }) => {
      const time = facts?.onCpuMs === undefined ? '' : ` ${facts.onCpuMs}`;
      return `${task.comm} ${state}${facts?.hardLockup === true ? '!' : ''}${time}`;
    });
}

const task = (cpu: number, name: string) => [
  `CPU: ${cpu} PID: ${name.startsWith('swapper') ? 0 : 40 + cpu} Comm: ${name} Not tainted 6.1.0 #1`,
  'Call Trace:',
  ' f+0x1/0x2',
  ' g+0x3/0x4',
  '',
];

it.each<[string, readonly string[], readonly string[]]>([
  [
    'x86',
    ['NMI watchdog: Watchdog detected hard LOCKUP on cpu 3', 'Modules linked in: xfs', ...task(3, 'swapper/3')],
    ['swapper/3 R!'],
  ],
  ['a panic', ['Kernel panic - not syncing: Watchdog detected hard LOCKUP on cpu 3', ...task(3, 'tar')], ['tar R!']],
  [
    'another CPU than the one that reports it',
    ['CPU0: Watchdog detected hard LOCKUP on cpu 3', ...task(0, 'sh'), ...task(3, 'tar')],
    ['sh R', 'tar R!'],
  ],
  [
    'a kernel that names no CPU beside the task',
    [
      'Watchdog detected hard LOCKUP on cpu 1',
      'Pid: 7, comm: tar Not tainted 2.6.32-431.el6.x86_64 #1',
      'Call Trace:',
      ' f+0x1/0x2',
    ],
    ['tar R!'],
  ],
  [
    'powerpc',
    [
      'watchdog: CPU 5 Hard LOCKUP',
      'watchdog: CPU 5 TB:73, last heartbeat TB:12 (11240ms ago)',
      ...task(5, 'swapper/5'),
    ],
    ['swapper/5 R! 11240'],
  ],
  [
    'several CPUs of powerpc',
    ['watchdog: CPU 0 detected hard LOCKUP on other CPUs 4,6-7', ...task(4, 'a'), ...task(5, 'b'), ...task(7, 'c')],
    ['a R!', 'b R', 'c R!'],
  ],
  [
    'more CPUs than a kernel can have',
    ['watchdog: CPU 0 detected hard LOCKUP on other CPUs 4,9000-99999999999', ...task(4, 'a'), ...task(9001, 'b')],
    ['a R!', 'b R'],
  ],
])('a hard lockup of %s is one of the task on that CPU', (_, lines, expected) => {
  expect(told(...lines)).toEqual(expected);
  expect(told(...lines.map((line, at) => `[ 1000.${100_000 + at}] ${line}`))).toEqual(expected);
  expect(told(...task(3, 'tar'))).toEqual(['tar R']);
});
