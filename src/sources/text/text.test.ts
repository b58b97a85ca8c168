import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseText } from './index.ts';

const seen = (text: string) =>
  parseText(text).stacks.map(({ tasks, stack }) => ({ tasks, functions: stack.frames.map(({ symbol }) => symbol) }));

describe('parseText', () => {
  it('reads /proc/PID/stack, one behind the other, old and new', () => {
    expect(
      seen(
        '[<0>] do_wait+0x53/0x120\n[<0>] entry_SYSCALL_64_after_hwframe+0x76/0x7e\n[<ffffffff81>] f+0x1/0x2 [m]\n[<ffffffffffffffff>] 0xffffffffffffffff\n[<0>] g+0x1/0x2\n',
      ),
    ).toEqual([
      { tasks: [], functions: ['do_wait', 'entry_SYSCALL_64_after_hwframe'] },
      { tasks: [], functions: ['f', '0xffffffffffffffff'] },
      { tasks: [], functions: ['g'] },
    ]);
  });

  it('reads the names that head and grep put in front', () => {
    expect(seen('==> /proc/12/stack <==\n[<0>] f+0x1/0x2\n\n==> /proc/13/task/14/stack <==\n[<0>] f+0x1/0x2\n')).toEqual([
      { tasks: [{ pid: 12 }], functions: ['f'] },
      { tasks: [{ pid: 14 }], functions: ['f'] },
    ]);
    expect(seen('/proc/12/stack:[<0>] f+0x1/0x2')[0]?.functions).toEqual(['f']);
  });

  it('reads the classic text, with tasks that share a stack and with empty ones', () => {
    const task = (pid: number, state: string) => `PID:  ${pid}   State:  ${state}   Start Time: 2026/11/25 03:09:00   Cmd: a b`;
    expect(seen(`zzz <x - host\n\n${task(1, 'D')}\n${task(2, 'D')}\nStack:\n[<0>] f+0x1/0x2\n\n${task(3, 'Z')}\nStack:\n\n`)).toEqual([
      {
        tasks: [
          { name: 'a b', pid: 1, state: 'D' },
          { name: 'a b', pid: 2, state: 'D' },
        ],
        functions: ['f'],
      },
      { tasks: [{ name: 'a b', pid: 3, state: 'Z' }], functions: [] },
    ]);
  });

  it.each([
    '',
    '[  123.456789] ',
    '[  123.456789] [T1234] ',
    '[  123.456789][ T1234] ',
    '[Wed Nov 25 03:09:00 2026] ',
    'Nov 25 03:09:00 host.example kernel: ',
    'Nov 25 03:09:00 host kernel: [  123.456789] ',
    '2026-11-25T03:09:00.123456+00:00 host kernel: [  123.456789] ',
    '<3>[  123.456789] ',
  ])('reads a report of a hung task behind %j, and leaves guesses out', (prefix) => {
    const report = [
      'INFO: task kworker/u8:3:1234 blocked for more than 120 seconds.',
      '      Not tainted 6.18.0 #1',
      'task:kworker/u8:3    state:D stack:0     pid:1234  tgid:1234  ppid:2      task_flags:0x4208060 flags:0x00004000',
      'Workqueue: writeback wb_workfn (flush-8:0)',
      'Call Trace:',
      ' <TASK>',
      ' __schedule+0x2b2/0x8a0',
      ' ? blk_flush_plug+0x5/0x10',
      ' rq_qos_wait+0xb8/0x130 [m]',
      ' </TASK>',
    ];
    const text = report.map((line) => prefix + line).join('\n');
    expect(seen(text)).toEqual([{ tasks: [{ name: 'kworker/u8:3', pid: 1234, state: 'D' }], functions: ['__schedule', 'rq_qos_wait'] }]);
    expect(parseText(text).guesses).toBe(1);
  });

  it('reads the form of older kernels', () => {
    const text = `[ 1.1] mysqld          D ffff880036c8bc88     0  2345      1 0x00000080
[ 1.1] Call Trace:
[ 1.1]  [<ffffffff8163b7e9>] schedule+0x29/0x70
[ 1.1]  [<ffffffff8163b7e9>] ? f+0x29/0x70
[ 1.1]  [<ffffffffa0180d65>] jbd2_log_wait_commit+0xc5/0x140 [jbd2]
`;
    expect(seen(text)).toEqual([{ tasks: [{ name: 'mysqld', pid: 2345, state: 'D' }], functions: ['schedule', 'jbd2_log_wait_commit'] }]);
  });

  it('does not give the stack of one task to another that has none', () => {
    const text = `task:a state:D stack:0 pid:1 tgid:1
task:b state:D stack:0 pid:2 tgid:2
Call Trace:
 f+0x1/0x2
INFO: task b:2 is blocked on a mutex likely owned by task c:3.
task:c state:S stack:0 pid:3 tgid:3
Call Trace:
 g+0x1/0x2
`;
    expect(seen(text)).toEqual([
      { tasks: [{ name: 'b', pid: 2, state: 'D' }], functions: ['f'] },
      { tasks: [{ name: 'c', pid: 3, state: 'S' }], functions: ['g'] },
    ]);
  });

  it('reads decoded frames and those of PowerPC', () => {
    const text = `Call Trace:
 ? x (kernel/x.c:1)
 __schedule (kernel/sched/core.c:5388 kernel/sched/core.c:6700)
[c000000012345678] [c000000000abcdef] schedule+0x1/0x2 (unreliable)
`;
    expect(seen(text)[0]?.functions).toEqual(['__schedule', 'schedule']);
  });

  it('reads crash and drgn', () => {
    const crash = `PID: 4711   TASK: ffff8881  CPU: 3   COMMAND: "tar"
 #0 [ffffc90000a3bb50] __schedule at ffffffff81a5d5d1
 #1 [ffffc90000a3bc08] xfs_buf_lock at ffffffffc0a1b2c3 [xfs]
    RIP: 00007f1 RSP: 00007ff RFLAGS: 00000246
`;
    expect(seen(crash)).toEqual([{ tasks: [{ name: 'tar', pid: 4711 }], functions: ['__schedule', 'xfs_buf_lock'] }]);
    expect(
      seen('#0  context_switch (kernel/sched/core.c:5388:2)\n#1  __schedule (kernel/sched/core.c:6700:8)\n#2  0xffffffffc0a1b2c3\n')[0]
        ?.functions,
    ).toEqual(['context_switch', '__schedule', '0xffffffffc0a1b2c3']);
  });

  it('leaves the frames of an interrupt out', () => {
    expect(seen('Call Trace:\n <IRQ>\n a+0x1/0x2\n </IRQ>\n <TASK>\n b+0x1/0x2\n </TASK>\n')[0]?.functions).toEqual(['b']);
  });

  it('keeps equal stacks as one object', () => {
    const { stacks } = parseText('[<0>] f+0x1/0x2\n\n[<0>] f+0x1/0x2\n');
    expect(stacks[0]?.stack).toBe(stacks[1]?.stack);
  });

  it('finds nothing in other text', () => {
    expect(seen('total 12\ndrwxr-xr-x 2 root root\n# a title\n')).toEqual([]);
  });

  it('takes anything', () => {
    const piece = fc.constantFrom(
      '[<0>] ',
      'f+0x1/0x2',
      ' ? ',
      '[  1.2] ',
      '#0 ',
      'PID: ',
      'Stack:',
      '\n',
      'INFO: task ',
      'task:',
      ' blocked for more than',
      '<IRQ>',
      ' ',
      '(',
    );
    const text = fc.array(fc.oneof(piece, fc.string({ unit: 'binary' })), { maxLength: 200 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, (text) => {
        for (const { stack } of parseText(text).stacks) expect(stack.frames.length).toBeLessThanOrEqual(256);
      }),
    );
  });

  it.each(['a', ' ', '#', '[', '[<0', '<', 'task:a ', 'INFO: task a:1 ', '? ', '#0 (', 'PID: 1 ', 'a+0x1', '\n', '[<0>] f+0x1/0x2\n'])(
    'takes time linear in the text: %j',
    (unit) => {
      const started = performance.now();
      parseText(
        unit
          .repeat(Math.floor(4_000 / unit.length))
          .concat('\n')
          .repeat(250),
      );
      expect(performance.now() - started).toBeLessThan(2_000);
    },
  );
});
