import { describe, expect, it } from 'vitest';
import { told } from '../../../test/told.ts';

const lines = (...all: readonly string[]) => `${all.join('\n')}\n`;

describe('tasks as people write them down', () => {
  it('have a name and a state, and a number that only counts them', async () => {
    const text = lines(
      'Task 1)',
      'comm archiver state D',
      '[<0>] f+0xa7/0x110',
      '',
      'Task 2)',
      'comm jbd2/vdc-8 state D',
      '[<0>] g+0x24/0x187',
    );
    expect(await told(text)).toEqual(['archiver D: f', 'jbd2/vdc-8 D: g']);
  });

  it('come from /proc/PID/stat', async () => {
    const stat = '4102 (a b) S 4100 4102 4102 0 -1 4194624 656934 0 5080 0 47087 8935';
    expect(await told(lines('$ cat /proc/4102/stat; cat /proc/4102/stack', '', stat, '  [<0>] f+0x1/0x2'))).toEqual([
      'a b 4102 S: f',
    ]);
  });

  it("come from Qualcomm's parser of memory dumps", async () => {
    const text = lines(
      '    Task name: cpuhp/2 [affinity: 0x4] pid: 24 cpu: 2 prio: 120 start: ffffff87803e4a00',
      '    state: 0x2[D] exit_state: 0x0 stack base: 0xffffffc010160000',
      '    Last_enqueued_ts:      59.022215498 Last_sleep_ts: 59.022922946',
      '    Stack:',
      '    [<ffffffe9f4074354>] __switch_to+0x248',
      '    [<ffffffe9f6d04ab0>] waltgov_stop[sched_walt]+0x78',
      '    [<ffffffe9f512e48c>] cpufreq_online[jt]+0x10f4',
    );
    expect(await told(text)).toEqual(['cpuhp/2 24 D: __switch_to waltgov_stop cpufreq_online']);
  });

  it('come from a list in which workers have the names of their work', async () => {
    const row = 'root     17572  0.0  0.0      0     0 ?        D    Jul12   0:09 [kworker/7:3+events]';
    const other = [
      'PID: 7  TASK: ffff862470df0e00  CPU: 7   COMMAND: "tar"',
      ' #0 [ffff0000528afb60] g at ffff4a49c72b6754',
    ];
    const header = 'PID: 17572  TASK: ffff862470df0e00  CPU: 7   COMMAND: "kworker/7:3"';
    const frame = ' #0 [ffff0000528afb60] f at ffff4a49c72b6754';
    expect(await told(lines(row, '', ...other, '', header, frame))).toEqual(['tar 7: g', 'kworker/7:3 17572 D: f']);
  });

  it('are numbers that a loop over processes has put above their stacks', async () => {
    const titles = [
      ['7', '8'],
      ['[7]', '[8]'],
      ["'7'", "'8'"],
      ['<b>7</b>', '<b>8</b>'],
      ['stack of 7', 'stack of 8'],
      ['/proc/7', '/proc/8'],
    ] as const;
    for (const [one, two] of titles)
      expect(await told(lines(one, '[<0>] f+0x1/0x2', '[<0>] g+0x1/0x2', two, '[<0>] h+0x1/0x2'))).toEqual([
        '7: f g',
        '8: h',
      ]);
    const both = lines('/proc/7/task/8', '[<0>] f+0x1/0x2', '7/9', '[<0>] g+0x1/0x2');
    expect(await told(both)).toEqual(['8: f', '9: g']);
  });

  it('are told also where the text ends before the stack', async () => {
    const first = ['task:one   state:D stack:0     pid:7  ppid:1', 'Call Trace:', ' f+0x1/0x2'];
    const header = 'task:two   state:D stack:0     pid:8  ppid:1';
    expect(await told(lines(...first, header))).toEqual(['one 7 D: f', 'two 8 D: notTold']);
    expect(await told(lines(...first, header, 'Call Trace:', ' g+0x1/0x2'))).toEqual(['one 7 D: f', 'two 8 D: g']);
    expect(await told(lines(...first, header.replace('state:D', 'state:S')))).toEqual(['one 7 D: f']);
  });
});
