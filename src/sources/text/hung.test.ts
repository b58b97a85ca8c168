import { describe, expect, it } from 'vitest';
import { foundIn } from '../../../test/found.ts';
import { observationsOf } from './observations.ts';

/** `name tid state`, the functions or why there are none, and for how long it has been blocked. */
function told(...lines: readonly string[]): string[] {
  return foundIn(lines)
    .flatMap(observationsOf)
    .map(({ task, state, stack, facts }) => {
      const frames = 'value' in stack ? stack.value.frames.map(({ symbol }) => symbol).join(' ') : stack.unread;
      const since = facts?.offCpuMs === undefined ? '' : ` for ${facts.offCpuMs / 1000} s`;
      return `${task.comm} ${task.id.tid} ${state}${since}: ${frames}`;
    });
}

const hung = (task: string, seconds = 120) => `INFO: task ${task} blocked for more than ${seconds} seconds.`;
const STACK = ['task:a               state:D stack:0     pid:7     ppid:2', 'Call Trace:', ' f+0x1/0x2'];

describe('a task that the kernel says is hung, without its stack', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ['alone', [hung('a:7')], ['a 7 D for 120 s: notTold']],
    ['in I/O wait', ['INFO: task a:7 blocked in I/O wait for more than 122 seconds.'], ['a 7 D for 122 s: notTold']],
    [
      'with the rest of its report',
      [
        hung('a:7'),
        '      Not tainted 6.8.0 #1',
        '"echo 0 > /proc/sys/kernel/hung_task_timeout_secs" disables this message.',
      ],
      ['a 7 D for 120 s: notTold'],
    ],
    ['cut off within the header', [hung('a:7'), STACK[0] ?? ''], ['a 7 D for 120 s: notTold']],
    ['in a line that is cut', ['INFO: task a:7 blocked for mo'], ['a 7 D: notTold']],
    ['that was killed', ["INFO: task a:7 can't die for more than 143 seconds."], ['a 7 undefined: notTold']],
    [
      'that was killed, before its stack',
      ["INFO: task a:7 can't die for more than 143 seconds.", ...STACK],
      ['a 7 D: f'],
    ],
    ['in two lines of a mail', ['INFO: task a:7 blocked for more', 'than 240 seconds.'], ['a 7 D for 240 s: notTold']],
    ['twice in one report', [hung('a:7'), hung('a:7')], ['a 7 D for 120 s: notTold']],
    [
      'before another that has a stack',
      [hung('b:8'), hung('a:7'), ...STACK],
      ['a 7 D for 120 s: f', 'b 8 D for 120 s: notTold'],
    ],
    ['with its stack', [hung('a:7'), ...STACK], ['a 7 D for 120 s: f']],
    [
      'with its stack, of which somebody has left out the number',
      [
        hung('a:7'),
        'INFO: task a:7 blocked on a mutex likely owned by task b:8.',
        '',
        'task:a  state:D',
        '  f+0x1/0x2',
      ],
      ['a 7 D for 120 s: f'],
    ],
    [
      'reported again',
      [hung('a:7'), ...STACK, hung('a:7', 240)].map((line, at) => `[ ${at < 4 ? 500 : 620}.000000] ${line}`),
      ['a 7 D for 120 s: f', 'a 7 D for 240 s: notTold'],
    ],
    [
      'of MediaTek',
      [`[ 4320.666557] [   T56] khungtaskd: [name:hung_task&]${hung('a:7', 3600)}`],
      ['a 7 D for 3600 s: notTold'],
    ],
    [
      'that waits for a semaphore of nobody',
      ['INFO: task a:7 is blocked on an rw-semaphore, but the owner is not found.'],
      ['a 7 D: notTold'],
    ],
  ])('%s', (_, lines, expected) => expect(told(...lines)).toEqual(expected));
});
