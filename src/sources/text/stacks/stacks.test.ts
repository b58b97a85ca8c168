import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StackFinder } from './stacks.ts';

/** The stacks of a text, and how much of it was left out. */
function find(text: string): StackFinder {
  const finder = new StackFinder();
  for (const line of text.split('\n')) finder.take(line);
  finder.end();
  return finder;
}

const seen = (text: string) =>
  find(text).found.map(({ tasks, stack }) => ({ tasks, functions: stack.frames.map(({ symbol }) => symbol) }));

function guessesIn(text: string): number {
  const { found, leftOut } = find(text);
  return [...found, { leftOut }].reduce((sum, each) => sum + each.leftOut.guesses, 0);
}

describe('StackFinder', () => {
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
    expect(
      seen('==> /proc/12/stack <==\n[<0>] f+0x1/0x2\n\n==> /proc/13/task/14/stack <==\n[<0>] f+0x1/0x2\n'),
    ).toEqual([
      { tasks: [{ tid: 12 }], functions: ['f'] },
      { tasks: [{ tid: 14, pid: 13 }], functions: ['f'] },
    ]);
    expect(seen('/proc/12/stack:[<0>] f+0x1/0x2')[0]?.functions).toEqual(['f']);
  });

  it('reads the lines of threads, which have a name of their own', () => {
    const line =
      'PID:    12   TID:    34   State:  D   Start Time: 2026/11/25 03:09:00   Thread: a   Cmd: b   Cmd: /bin/c\nStack:\n[<0>] f+0x1/0x2\n\n';
    expect(find(line).found.flatMap(({ tasks }) => tasks)).toEqual([
      {
        name: 'a',
        tid: 34,
        pid: 12,
        state: 'D',
        startLocal: '2026/11/25 03:09:00',
        command: { value: 'b   Cmd: /bin/c' },
      },
    ]);
  });

  it('reads the classic text, with tasks that share a stack and with empty ones', () => {
    const [startLocal, isProcess] = ['2026/11/25 03:09:00', true];
    const task = (pid: number, state: string) =>
      `PID:  ${pid}   State:  ${state}   Start Time: ${startLocal}   Cmd: a b`;
    expect(
      seen(`zzz <x - host\n\n${task(1, 'D')}\n${task(2, 'D')}\nStack:\n[<0>] f+0x1/0x2\n\n${task(3, 'Z')}\nStack:\n\n`),
    ).toEqual([
      {
        tasks: [
          { name: 'a b', tid: 1, state: 'D', startLocal, isProcess },
          { name: 'a b', tid: 2, state: 'D', startLocal, isProcess },
        ],
        functions: ['f'],
      },
      { tasks: [{ name: 'a b', tid: 3, state: 'Z', startLocal, isProcess }], functions: [] },
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
    expect(seen(text)).toEqual([
      {
        tasks: [
          {
            name: 'kworker/u8:3',
            tid: 1234,
            pid: 1234,
            state: 'D',
            blockedMs: 120_000,
            atLeast: true,
            work: 'wb_workfn',
          },
        ],
        functions: ['__schedule', 'rq_qos_wait'],
      },
    ]);
    expect(guessesIn(text)).toBe(1);
  });

  it('reads the form of older kernels', () => {
    const text = `[ 1.1] mysqld          D ffff880036c8bc88     0  2345      1 0x00000080
[ 1.1] Call Trace:
[ 1.1]  [<ffffffff8163b7e9>] schedule+0x29/0x70
[ 1.1]  [<ffffffff8163b7e9>] ? f+0x29/0x70
[ 1.1]  [<ffffffffa0180d65>] jbd2_log_wait_commit+0xc5/0x140 [jbd2]
`;
    expect(seen(text)).toEqual([
      { tasks: [{ name: 'mysqld', tid: 2345, state: 'D' }], functions: ['schedule', 'jbd2_log_wait_commit'] },
    ]);
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
      {
        tasks: [{ name: 'b', tid: 2, pid: 2, state: 'D', lock: { kind: 'mutex', owner: 3, inferred: true } }],
        functions: ['f'],
      },
      { tasks: [{ name: 'c', tid: 3, pid: 3, state: 'S' }], functions: ['g'] },
      { tasks: [{ name: 'a', tid: 1, pid: 1, state: 'D' }], functions: [] },
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
    expect(seen(crash)).toEqual([{ tasks: [{ name: 'tar', tid: 4711 }], functions: ['__schedule', 'xfs_buf_lock'] }]);
    expect(
      seen(
        '#0  context_switch (kernel/sched/core.c:5388:2)\n#1  __schedule (kernel/sched/core.c:6700:8)\n#2  0xffffffffc0a1b2c3\n',
      )[0]?.functions,
    ).toEqual(['context_switch', '__schedule', '0xffffffffc0a1b2c3']);
  });

  it.each([
    ['Linux 4.14 to 5.9', 'bash            D    0  7786   7784 0x00000080\nCall Trace:\n __schedule+0x2a1/0x8a0\n'],
    [
      'with the use of the stack',
      'bash            D11968  7786      1 0x00040000\nCall Trace:\n __schedule+0x2a1/0x8a0\n',
    ],
    [
      'a task that runs',
      'task:bash state:R  running task     stack:0     pid:7786  tgid:7786\nCall Trace:\n __schedule+0x2a1/0x8a0\n',
    ],
    [
      'RHEL 5',
      'bash   D ffff81043e0a1420     0  7786    585           763   748 (L-TLB)\nCall Trace:\n [<ffffffff8>] :jbd:__schedule+0x2/0x8\n',
    ],
    ['RHEL 6', 'Pid: 7786, comm: bash veid: 0 Tainted: P\nCall Trace:\n [<ffffffff81>] __schedule+0x2/0x8\n'],
    [
      'ARM',
      'bash            D    0  7786   7784 0x00000080\n[<80a87848>] (__schedule) from [<80a88018>] (schedule+0x3c/0xa0)\n',
    ],
    [
      'older ARM',
      'bash   D c0398690     0  7786      2 0x00000000\n[<c0398690>] (__schedule+0x2c4/0x5b0) from [<c03973d0>] (schedule+0x158/0x1e0)\n',
    ],
    [
      'newer ARM',
      'task:bash            state:D stack:0     pid:7786  ppid:2      flags:0x00000000\n __schedule from schedule+0x54/0xec\n',
    ],
    [
      'crash with times',
      '> [0 00:48:22.765] [UN]  PID: 7786   TASK: ffff8c691547c5c0  CPU: 3   COMMAND: "bash"\n>  #0 [ffff9965007e3ba8] __schedule at ffffffff9b6e6095\n',
    ],
  ])('reads the header of %s', (_kernel, text) => {
    const [first] = seen(text);
    expect([first?.tasks[0]?.name, first?.tasks[0]?.tid, first?.functions[0]]).toEqual(['bash', 7786, '__schedule']);
  });

  it.each([
    ['s390', ' ([<0000000000112a3c>] f+0x1/0x2)\n [<000000000012b0c4>] g+0x1/0x2 [m]\n'],
    [
      'PowerPC',
      '[c00a65f872d0] [c00a65f87380] 0xc00a65f87380 (unreliable)\n[c000000a65f872d0] [c000000000021a1c] f+0x2dc/0x450\n[c000000a65f87520] [c000000000eebd7c] g+0x2/0x9 (unreliable)\n',
    ],
    ['arm64', 'Call trace:\n f+0x1/0x2\n g+0x1/0x2 (P)\n'],
    ['ARM', '[<80a87848>] (f) from [<80a88018>] (g+0x3c/0xa0 [m])\n'],
    ['ARM without addresses', ' f from g+0x54/0xec [m]\n'],
    ['syzkaller', ' f kernel/sched/core.c:6763 [inline]\n g+0x48/0x70 home/x/kernel/sched/core.c:6778\n'],
    ['decode_stacktrace', 'f (kernel/a.c:1 (discriminator 4))\ng (kernel/a.c:2 kernel/b.c:3) m\n'],
    ['crash', ' #0 [ffffb3eec0013bd0] f at ffffffffa330eb8b\n#10 [ffffb3eec0013c60] g at ffffffffa330f13a [m]\n'],
    ['drgn', '#0  f (kernel/sched/core.c:5388:2)\n#1  g (./include/linux/a.h:1:2)\n'],
    [
      'gdb on a kernel',
      '#0  f (prev=0x0) at kernel/sched/core.c:5388\n#1  0xffffffff81a5d5d1 in g (timeout=1) at kernel/time/timer.c:2144\n',
    ],
    ['perf script', '\tffffffff81a5d5d1 f+0x29 ([kernel.kallsyms])\n\tffffffffc0a5d5d1 g+0x29 ([m])\n'],
    ['dmesg --human', '[Sep11 18:40] Call Trace:\n[  +0.000015]  f+0x1/0x2\n[ +1.000015] g+0x1/0x2\n'],
    [
      'journalctl -o short-precise',
      '14:16:27.894416 pop-os kernel: Call Trace:\n14:16:27.894416 pop-os kernel:  f+0x1/0x2\n14:16:27.894416 pop-os kernel:  g+0x1/0x2\n',
    ],
    ['journalctl -o verbose', '    MESSAGE= f+0x1/0x2\n    PRIORITY=4\n    MESSAGE= g+0x1/0x2\n'],
    ['/dev/kmsg', '6,3806,1349544157,-; f+0x1/0x2\n6,3807,1349544158,-; g+0x1/0x2\n'],
    [
      'syslog without a host',
      'May 17 18:48:11 kernel: [ 6141.921740]  f+0x1/0x2\nMay 17 18:48:11 kernel: [ 6141.921740]  g+0x1/0x2\n',
    ],
    [
      'syslog with a priority',
      '2023-05-10 15:37:39 in4 kernel[-] warning: [   69.953197]  f+0x1/0x2\n2023-05-10 15:37:39 in4 kernel[-] warning: [   69.953197]  g+0x1/0x2\n',
    ],
    [
      'metalog',
      'Jun 06 15:47:04 [kernel] [ 1680.026002]  f+0x1/0x2\nJun 06 15:47:04 [kernel] [ 1680.026002]  g+0x1/0x2\n',
    ],
    [
      'an interrupt and its end on lines with frames',
      'Call Trace:\n <IRQ>  [<ffffffff81>] i+0x1/0x2\n <EOI>  [<ffffffff81>] f+0x1/0x2\n [<ffffffff81>] g+0x1/0x2\n',
    ],
    ['a tracker that took the addresses for markup', ' [] f+0x1/0x2\n [] ? h+0x1/0x2\n [<>] g+0x1/0x2\n'],
    ['crash on ARM', ' #0 [<c0a1f8c0>] (f) from [<c0a1d054>]\n #1 [<c0a1d054>] (g [m]) from [<c0a2d054>]\n'],
    [
      'dmesg --time-format iso',
      '2026-11-25T07:00:01,123456+00:00  f+0x1/0x2\n2026-11-25T07:00:01,123457+00:00 g+0x1/0x2\n',
    ],
    ['dmesg --decode', 'kern  :warn  : [   12.345678]  f+0x1/0x2\nkern  :warn  : [   12.345679]  g+0x1/0x2\n'],
    [
      'a console server',
      '[2022-03-20 22:59:10] [  256.243]  f+0x1/0x2\n[2022-03-20 22:59:10] [  256.244]  g+0x1/0x2\n',
    ],
    ['a table', '7465   │ 4,5126,1349544157,-; f+0x1/0x2\n│ May  4 07:00:01 host kernel: [    1.000000]  g+0x1/0x2\n'],
    [
      'OpenWrt',
      'Wed Apr 10 17:02:33 2019 kern.err kernel: [  979.1]  f+0x1/0x2\nWed Apr 10 17:02:33 2019 kern.err kernel: [  979.2]  g+0x1/0x2\n',
    ],
    [
      'netconsole in a syslog',
      'May 21 20:00:40 x 7,2908,86997974093,-; f+0x1/0x2\nMay 21 20:00:40 x 7,2909,86997974094,-; g+0x1/0x2\n',
    ],
    [
      'numbered lines of a syslog',
      '563 Apr 22 20:06:57 AI02 kernel: [94488.1]  f+0x1/0x2\n564 Apr 22 20:06:57 AI02 kernel: [94488.2]  g+0x1/0x2\n',
    ],
    [
      'a syslog with its facility',
      'kern: kern.notice: Jan 13 02:49:23 kernel:  f+0x1/0x2\nkern: kern.notice: Jan 13 02:49:23 kernel:  g+0x1/0x2\n',
    ],
    ['numbered lines', '162 [  843.092463]  f+0x1/0x2\n163 [  843.092464]  g+0x1/0x2\n'],
    ['a clock without a fraction', '[  240.] [<8066c218>] f+0x1/0x2\n[  240.] [<800735f0>] g+0x1/0x2\n'],
    ['ARM without a space', '[30088.955719] [<c04d0c00>](f+0x24/0x34) from [<c04cf670>](g+0xc8/0x184)\n'],
    ['a mail that quotes', '>  f+0x1/0x2\n>  g+0x1/0x2\n'],
  ])('reads the frames of %s', (_form, text) => {
    expect(seen(text)).toEqual([{ tasks: [], functions: ['f', 'g'] }]);
  });

  it('reads the frames of bpftrace, and its count', () => {
    expect(seen('@[\n    f+5\n    g+120\n]: 12\n')).toEqual([{ tasks: [{ sum: 12 }], functions: ['f', 'g'] }]);
  });

  it('takes the frames marked ? where a stack has no others, but for what is known to be left over', () => {
    const text = `Call Trace:
 [<ffffffff8de17609>] ? __schedule+0x239/0x6f0
 [<ffffffff8de182c0>] ? bit_wait+0x50/0x50
 [<ffffffff8d8f19de>] ? ktime_get+0x3e/0xb0
 [<ffffffffc041afe9>] ? jbd2_journal_commit_transaction+0xf59/0x17c0 [jbd2]
`;
    expect(seen(text)[0]?.functions).toEqual(['__schedule', 'jbd2_journal_commit_transaction']);
    expect(guessesIn(text)).toBe(2);
  });

  it('puts the place where the CPU was in front of what called it, unless that is in an interrupt', () => {
    const dump = (mark: string) => `NMI backtrace for cpu 3
CPU: 3 PID: 7 Comm: a Not tainted 6.1.0 #1
RIP: 0010:spin+0x13a/0x1d0
Code: 90
Call Trace:
 <${mark}>
 i+0x1/0x2
 </${mark}>
 <TASK>
 f+0x1/0x2
 </TASK>
RIP: 0033:0x7fb78036ee00
`;
    expect(seen(dump('NMI'))[0]?.functions).toEqual(['spin', 'f']);
    expect(seen(dump('IRQ'))[0]?.functions).toEqual(['f']);
  });

  it('does not take the stack of a program for one of the kernel', () => {
    const program = `#0  0x00007f696b3cc995 in pthread_cond_wait@@GLIBC_2.3.2 () from /usr/lib64/libpthread.so.0
#1  __GI___ioctl (fd=35, request=request@entry=44672) at ../sysdeps/unix/sysv/linux/ioctl.c:36
#2  0x000056072817355f in kvm_vcpu_ioctl (cpu=cpu@entry=0x56072ad8b0c0, type=type@entry=44672) at ../accel/kvm/kvm-all.c:3127
 #0:  (&mm->mmap_sem){++++++}, at: [<ffffffff81>] do_page_fault+0x1/0x2
`;
    expect(seen(program)).toEqual([]);
  });

  it('leaves the frames of an interrupt out', () => {
    expect(seen('Call Trace:\n <IRQ>\n a+0x1/0x2\n </IRQ>\n <TASK>\n b+0x1/0x2\n </TASK>\n')[0]?.functions).toEqual([
      'b',
    ]);
  });

  it('keeps equal stacks as one object', () => {
    const { found } = find('[<0>] f+0x1/0x2\n\n[<0>] f+0x1/0x2\n');
    expect(found[0]?.stack).toBe(found[1]?.stack);
  });

  it.each([
    ['the log', 'INFO: task a\r\u2028b:12 blocked for more than 120 seconds.\nCall Trace:\n f+0x1/0x2\n'],
    ['newer logs', 'task:a\r\u2028b         state:D stack:0     pid:12    tgid:12\nCall Trace:\n f+0x1/0x2\n'],
    ['an oops', 'CPU: 3 PID: 12 Comm: a\r\u2028b Not tainted 6.1.0 #1\nCall Trace:\n f+0x1/0x2\n'],
    [
      'crash',
      'PID: 12   TASK: ffff8881  CPU: 3   COMMAND: "a\r\u2028b"\n #0 [ffffc90000a3bb50] f at ffffffff81a5d5d1\n',
    ],
  ])('knows a task in %s whatever its name holds but a line end', (_form, text) => {
    expect(seen(text)).toMatchObject([{ tasks: [{ name: 'a\r\u2028b', tid: 12 }], functions: ['f'] }]);
  });

  it('does not take a function for the same in another size', () => {
    const sizes = find('[<0>] f+0x1/0x2\n\n[<0>] f+0x1/0x3\n').found.map(({ stack }) => stack.frames[0]?.size);
    expect(sizes).toEqual([2, 3]);
  });

  it('gives different stacks different ids, however many there are', () => {
    const text = Array.from({ length: 100_002 }, (_, at) => `[<0>] f${at}+0x1/0x2\n\n`).join('');
    const ids = find(text).found.map(({ stack }) => stack.id);
    expect(new Set(ids).size).toBe(100_002);
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
    const text = fc
      .array(fc.oneof(piece, fc.string({ unit: 'binary' })), { maxLength: 200 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, (text) => {
        for (const { stack } of find(text).found) expect(stack.frames.length).toBeLessThanOrEqual(256);
      }),
    );
  });

  it.each([
    'a',
    ' ',
    '#',
    '[',
    '[<0',
    '<',
    'task:a ',
    'INFO: task a:1 ',
    '? ',
    '#0 (',
    'PID: 1 ',
    'a+0x1',
    '\n',
    '[<0>] f+0x1/0x2\n',
  ])('takes time linear in the text: %j', { retry: 3 }, (unit) => {
    const line = unit.repeat(Math.floor(4_000 / unit.length)).concat('\n');
    // CPU time, since others use the machine too.
    const timeOf = (lines: number) => {
      const { user, system } = process.cpuUsage();
      find(line.repeat(lines));
      const used = process.cpuUsage({ user, system });
      return (used.user + used.system) / 1000;
    };
    timeOf(50);
    // Five times the text takes five times as long, and 25 times where it were quadratic. A collection of garbage may
    // come in between: one try in some is enough.
    const ratios = [1, 2, 3, 4, 5].map(() => timeOf(250) / (timeOf(50) + 1));
    expect(ratios.reduce((a, b) => Math.min(a, b))).toBeLessThan(15);
  });
});
