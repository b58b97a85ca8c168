import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { foundIn } from '../../../test/found.ts';
import type { TextStack } from './stacks/text-stack.ts';

function find(whole: string, known?: ReadonlySet<string>): readonly TextStack[] {
  return foundIn(whole.split('\n'), known);
}

/** `name pid/tid state: function function`, without what is not told. */
function told({ tasks, stack }: TextStack): string {
  const whose = tasks.map(({ name, pid, tid, state }) => {
    const numbers = [pid, tid].filter((number) => number !== undefined).join('/');
    return [name, numbers, state].filter((part) => part !== undefined && part !== '').join(' ');
  });
  return `${whose.join(', ')}: ${stack.frames.map(({ symbol }) => symbol).join(' ')}`;
}

const text = (...lines: readonly string[]) => lines.join('\n');
const tellAll = (whole: string, known?: ReadonlySet<string>) => find(whole, known).map(told);

const NFS = '__schedule rpc_wait_bit_killable nfs4_proc_getattr';
const MUTEX = '__schedule schedule schedule_preempt_disabled __mutex_lock.constprop.0';

/** One text for each kind of fault that a reader of what people paste must not have. */
const SAMPLES: Readonly<Record<string, readonly string[]>> = {
  'android-anr-kernel-lines': ['Binder:5101_1 5103 S: __switch_to binder_thread_read binder_ioctl el0_svc_naked'],
  'arm64-interrupt-frames': [
    'lister 4701 R: queued_spin_lock_slowpath _raw_spin_lock shrink_dentry_list prune_dcache_sb',
  ],
  'bcc-offcputime': [
    'writer 5301: finish_task_switch __schedule schedule io_schedule blk_mq_get_tag __blk_mq_alloc_requests submit_bio',
  ],
  'corelens-state-behind-task': [
    'worker_a 4401 D: context_switch __schedule blk_mq_get_tag',
    'worker_b 4402 D: context_switch __schedule jbd2_log_wait_commit',
  ],
  'crash-bt-a-nmi': [
    'cleaner 4501 R: native_queued_spin_lock_slowpath _raw_spin_lock shrink_dentry_list prune_dcache_sb',
  ],
  'drgn-user-address': [': context_switch __schedule schedule do_wait do_syscall_64 entry_SYSCALL_64'],
  'hashed-addresses': [': __schedule schedule jbd2_log_wait_commit'],
  'kdb-task-line': ['flusher 5501 D: __schedule io_schedule blk_mq_get_tag'],
  'kernel-names-the-holder': [
    'waiter 5601/5601 D: __schedule schedule_preempt_disabled __mutex_lock.constprop.0 sample_ioctl',
    'holder 5602/5602 D: __schedule blk_mq_get_tag sample_write',
  ],
  'lock-inside-idle-function': [`builder 4201/4201 D: ${MUTEX} pipe_read vfs_read ksys_read`],
  'lock-without-known-caller': [`tail-lost 4601/4601 D: ${MUTEX}`],
  'one-task-reported-thrice': Array(3).fill('archiver 4901 D: rpc_wait_bit_killable nfs4_proc_getattr'),
  'prefix-ansi-colour': [`archiver 5001/5001 D: ${NFS}`],
  'prefix-iso-unindented': [`archiver 5001/5001 D: ${NFS}`],
  'prefix-local-month': [`archiver 5001/5001 D: ${NFS}`],
  'prefix-short-monotonic': [`archiver 5001/5001 D: ${NFS}`],
  'prefix-syslog-no-kernel': [`archiver 5001/5001 D: ${NFS}`],
  'prose-as-frames': [': blk_mq_get_tag submit_bio'],
  'ps-wchan': [
    'archiver 5401 D: rpc_wait_bit_killable',
    'writer 5402 D: jbd2_log_wait_commit',
    'server 5403 S: ep_poll',
  ],
  'running-called-blocked': [
    'copier 4301 R: ext4_da_write_begin generic_perform_write ext4_buffered_write_iter vfs_write',
    'copier2 4302/4302 R: _cond_resched shrink_slab do_try_to_free_pages',
  ],
  'stacks-behind-prompts': [
    '4101: rescuer_thread kthread ret_from_fork',
    '4102: blk_mq_get_tag __blk_mq_alloc_requests ret_from_fork',
  ],
};

describe('a text as people paste it', () => {
  it.each(Object.entries(SAMPLES))('has its stacks, with their tasks: %s', (file, expected) => {
    expect(tellAll(readFileSync(new URL(`samples/${file}.txt`, import.meta.url), 'utf8'))).toEqual(expected);
  });
});

const REPORT = [
  'INFO: task archiver:5001 blocked for more than 120 seconds.',
  '      Not tainted 6.12.0 #1',
  '"echo 0 > /proc/sys/kernel/hung_task_timeout_secs" disables this message.',
  'task:archiver        state:D stack:0     pid:5001  ppid:1      flags:0x00000000',
  'Call Trace:',
  ' <TASK>',
  ' __schedule+0x2b2/0x8a0',
  ' ? __pfx_wake+0x10/0x10',
  ' rpc_wait_bit_killable+0x24/0x40 [sunrpc]',
  ' </TASK>',
];
const OLD_REPORT = [
  'archiver        D 0000000000000003     0  5001      1 0x00000080',
  ' ffff8800b8593af8 ffff8800348e5d10 ffff88023627d500 ffff8800b8594000',
  'Call Trace:',
  ' [<ffffffff8163b7e9>] __schedule+0x29/0x70',
  ' [<ffffffffa0180d65>] rpc_wait_bit_killable+0x24/0x40 [sunrpc]',
];
const READ = ['archiver 5001 D: __schedule rpc_wait_bit_killable'];
const behind = (prefix: string, lines: readonly string[], tail = '') =>
  lines.map((line) => `${prefix}${line}${tail}`).join('\n');

describe('a line behind a prefix', () => {
  it.each([
    'Nov 25 03:09:00 lab-a kernel: ',
    'Nov 25 03:09:00.123456 lab-a kernel: ',
    '<6>[   79.822894 / 05-03 18:11:50.340] ',
    'Wed 2026-11-25 03:09:00 CET lab-a kernel: ',
    '2026-11-25T03:09:00.123456+01:00 lab-a kernel: ',
    '2026-11-25T03:09:00+0100 lab-a kernel: ',
    '[  123.456789] lab-a kernel: ',
    '1764039123.123456 lab-a kernel: ',
    '[  123.456789 <    0.000012 >] ',
    'ноя 25 03:09:00 lab-a kernel: ',
    'nov. 25 03:09:00 lab-a kernel: ',
    '11月 25 03:09:00 lab-a kernel: ',
    '25 Nov 03:09:00 lab-a kernel: ',
    '[Mi Nov 25 03:09:00 2026] ',
    'Nov 25 03:09:00 192.0.2.7 [  123.456789][  T817] ',
    '<6>1 2026-11-25T03:09:00.123456+01:00 lab-a kernel - - - [  123.456789] ',
    '6,3806,1349544157,-,caller=T817;',
    'kern  :warn  : [  123.456789] [  T817] ',
    '\u001b[32m[  123.456789] \u001b[0m',
    '^[[32m[  123.456789] ^[[0m',
    '2026-11-25T03:09:00.123456789Z stdout F [  123.456789] ',
    'var/log/messages-20261125:1234:Nov 25 03:09:00 lab-a kernel: ',
    'messages-Nov 25 03:09:00 lab-a kernel: ',
    '11-25 03:09:00.123     0     0 I Kernel  : [  123.456789] ',
    '> > ',
    '| ',
    '  17\t',
    '     ',
    'kernel: ',
    '[console-7] [  123.456789] ',
    'unheard-of prefix 42 | [  123.456789] ',
    '<li>[  123.456789] ',
    '# ',
    '// ',
    '* ',
    '17: ',
    'lab-a: ',
    '"',
    '[pod/debugger-x/shell] ',
    'time="2026-11-25T03:09:00Z" level=info msg="" ',
    'I1125 03:09:00.123456    1234 log.go:12] ',
    '25/Nov/2026:03:09:00 +0100 ',
    '2026 Nov 25 03:09:00 lab-a %KERN-4-SYSTEM_MSG: ',
    '3456-',
    '<6>[  123.456789][ T5001] archiver: ',
  ])('is read: %j', (prefix) => {
    expect(tellAll(behind(prefix, REPORT))).toEqual(READ);
    expect(tellAll(behind(prefix, OLD_REPORT))).toEqual(READ);
  });

  it('is read behind one that nobody has thought of, if it is a frame', () => {
    const lines = [' __schedule+0x2b2/0x8a0', ' rpc_wait_bit_killable+0x24/0x40 [sunrpc]'];
    for (const prefix of ['%%8: zone/7 >>', 'box-4711:', '{"a":"', 'Gerät|3|'])
      expect(tellAll(behind(prefix, lines))).toEqual([': __schedule rpc_wait_bit_killable']);
  });

  it.each([
    [
      'entities',
      '&nbsp;[&lt;ffffffff81&gt;] f&#43;0x1/0x2\n&nbsp;[&lt;ffffffff82&gt;] ? g+0x1/0x2\n [&lt;0&gt;] h+0x1/0x2',
    ],
    ['tags', '<p class="x"> f+0x1/0x2<o:p></o:p></p>\n<div> h+0x1/0x2</div>'],
    ['Markdown', 'Call Trace:\n \\<TASK\\>\n f+0x1/0x2\n h+0x1/0x2'],
    [
      'quoted-printable',
      text(
        '[    1.000000] lab-a.example.com kernel: a line of more than sixty [<0>=',
        '>] x+0x1/0x2',
        '[    1.000000]=20f=',
        '+0x1/0x2',
      ),
    ],
    ['quoted-printable of which no line is broken', 'Call Trace:\n=C2=A0=C2=A0f+0x1/0x2\n=C2=A0=C2=A0h+0x1/0x2'],
    ['the same in Latin 1', '>  Call Trace:\n>  =A0f+0x1/0x2\n>  =A0? g+0x1/0x2\n>  =A0h+0x1/0x2'],
    ['a table', '| ` f+0x1/0x2` |\n| ` h+0x1/0x2` |'],
    ['quotes of a log in JSON', '{"log":" f+0x1/0x2\\n"}\n{"log":" h+0x1/0x2\\n"}'],
  ])('is read in %s', (_form, text) => {
    const functions = find(text).flatMap(({ stack }) => stack.frames.map(({ symbol }) => symbol));
    expect(functions).toContain('f');
  });

  it('is read if a mail program has broken it', () => {
    const text = `[  1.0] INFO: task archiver:5001 blocked for more
than 120 seconds.
[  1.0] task:archiver        state:D stack:0     pid:
5001  ppid:1      flags:0x00000000
[  1.0] Call Trace:
[  1.0]  __schedule+0x2b2/0x8a0
[  1.0]  ?
stray+0x1/0x2
[  1.0]  [<ffffffff81234567>]
rpc_wait_bit_killable+0x24/0x40
[sunrpc]
`;
    expect(tellAll(text)).toEqual(READ);
    expect(
      tellAll('archiver        D ffff880036c8bc88     0  5001\n     1 0x00000080\nCall Trace:\n [<0>] f+0x1/0x2'),
    ).toEqual(['archiver 5001 D: f']);
  });

  it.each([
    'BUG: KASAN: use-after-free in f+0x1/0x2',
    'WARNING: CPU: 0 PID: 1 at kernel/foo.c:123 f+0x1/0x2',
    'initcall f+0x0/0x1 returned 0 after 12 usecs',
    'calling  f+0x0/0x1 @ 1',
    'lr : f+0x1/0x2',
    'LR [c000000000f92830] f+0x49c/0xc3c',
    ' #0:  (&mm->mmap_sem){++++++}, at: [<ffffffff81>] f+0x1/0x2',
    'x/12 is trying to release lock (&l) at:\n[<c022c3da>] f+0x160/0x327',
    'hardirqs last  enabled at (123): [<ffffffff81>] f+0x1/0x2',
    'The driver hangs in f+0x1/0x2 at times.',
    '#1 remount',
    'The fileserver (nas.example.com:2049) was up',
    '                      psi_avgs_work+0x2e       3675      5       5468      18379',
    '(EE) 0: /usr/libexec/Xorg (OsLookupColor+0x139) [0x59ab89]',
    '   0x7f2b13545b1f\n   main+0x6d [allocs]\n   __libc_start_main+0xf0 [libc-2.21.so]',
    '#0  0x00007f696b3cc995 in pthread_cond_wait () from /usr/lib64/libpthread.so.0',
    'options\nread_only\nno_root_squash\nall',
    'Preemption disabled at:\n[<ffffffff81>] f+0x1/0x2',
    'Allocated by task 7:\n f+0x1/0x2\n g+0x1/0x2\n\nFreed by task 7:\n f+0x1/0x2',
    'INFO: Allocated in f+0xc4/0xf60 age=168 cpu=1 pid=5\n\tg+0x1/0x2\n\th+0x1/0x2\nINFO: Slab 0xffffea0008571000',
  ])('is no frame: %j', (text) => {
    expect(tellAll(text)).toEqual([]);
  });
});

describe('the form of', () => {
  it.each<readonly [string, string, readonly string[]]>([
    ['offsets without sizes', text('x:', '   __schedule+0x2e', '   schedule+0x33 [m]', ''), [': __schedule schedule']],
    [
      'SystemTap',
      text(
        'rsync(48) blocked in D',
        ' 0xffffffff8108ad21 : f+0x1/0x2 [kernel]',
        ' 0xffffffffc08ad21a : g+0x1/0x2 [m]',
        '',
      ),
      ['rsync 48 D: f g'],
    ],
    ['s390', text('Call Trace:', '([<0000000000112a3c>] f+0x1/0x2)', ' [<000000000012b0c4>] g+0x1/0x2', ''), [': f g']],
    [
      'SPARC, which prints it twice',
      text('[<000000000064b0e8>] f+0x1/0x2', 'Disabling', 'Caller[000000000064b0e8]: f+0x1/0x2', '', ''),
      [': f'],
    ],
    [
      'decoded inlined frames',
      text(' context_switch kernel/sched/core.c:5 [inline]', ' __schedule+0x1/0x2 kernel/sched/core.c:7', ''),
      [': context_switch __schedule'],
    ],
    [
      'ARM, decoded',
      text(
        '[<80a87848>] (f) from [<80a88018>] (g kernel/a.c:7 [inline])',
        '[<80a87848>] (f) from [<80a88018>] (h+0x3c/0xa0 kernel/a.c:9)',
        '',
      ),
      [': f g h'],
    ],
    ['ARM, broken', text('[<80a87848>] (f) from [<80a88018>]', '+(g+0x3c/0xa0)', ''), [': f g']],
    ['x86-64 before 2.6.19', text('<ffffffff8010f0d5>{f+432} <ffffffff8010f0d6>{:m:g+8}', ''), [': f g']],
    [
      'many frames in a line',
      text('Call Trace: [<c0102030>] f+0x1/0x2 [<c0102031>] g+0x1/0x2 [m] [<c0102032>] h+0x1/0x2', ''),
      [': f g h'],
    ],
    [
      'crash, foreach',
      text(
        'crash> foreach UN bt',
        'PID: 42  TASK: ffff880036b6c560  CPU: 1  COMMAND: "x y"',
        ' #0 [ffff880035779a70] f at ffffffff815df272',
        '    /usr/src/a.c: 7',
        ' #1 [ffff880035779b08] g at ffffffff815dfacf [m]',
        '',
      ),
      ['x y 42 D: f g'],
    ],
    [
      'crash, ps -m and bt',
      text(
        '[0 00:48:22.765] [UN]  PID: 7   TASK: ffff8c691547c5c0  CPU: 3   COMMAND: "a"',
        ' #0 [ffff9965007e3ba8] f at ffffffff9b6e6095',
        '',
      ),
      ['a 7 D: f'],
    ],
    [
      'dstate',
      text(
        '# 7 (comm: a b) (cmd: /usr/bin/a b):',
        '',
        'Kernel stack:',
        '',
        '[<0>] f+0x1/0x2',
        '[<0>] g+0x1/0x2',
        '',
        '---',
        '',
        '# 8 (comm: c) (cmd: ):',
        '',
        'Kernel stack:',
        '',
        '[<0>] h+0x1/0x2',
        '',
      ),
      ['a b 7: f g', 'c 8: h'],
    ],
    [
      'crash, bt, and ps -m behind it',
      text(
        'crash> bt 7',
        'PID: 7   TASK: ffff8c691547c5c0  CPU: 3   COMMAND: "a"',
        ' #0 [ffff9965007e3ba8] f at ffffffff9b6e6095',
        'crash> ps -m 7',
        '[0 00:48:22.765] [UN]  PID: 7   TASK: ffff8c691547c5c0  CPU: 3   COMMAND: "a"',
        'crash> bt 8',
        'PID: 8   TASK: ffff8c691547c5c0  CPU: 3   COMMAND: "b"',
        ' #0 [ffff9965007e3ba8] g at ffffffff9b6e6095',
        '',
      ),
      ['a 7 D: f', 'b 8: g'],
    ],
    [
      'crash, bt -t',
      text(
        'PID: 7 TASK: c1aa0000  CPU: 0 COMMAND: "lockd"',
        '  START: schedule at c01190e0',
        '  [c1aa1f28] f at c0157dbc',
        '',
      ),
      ['lockd 7: schedule f'],
    ],
    [
      'drgn-tools',
      text(
        'PID: 7 TASK: ffff8f0c4a1e8000 [D] CPU: 3! COMMAND: "a"',
        ' #0 [ffffb3c842a7f9e8] f at 0xffffffff9a1b2c4d kernel/a.c:5:2',
        '!#1 [ffffb3c842a7fa80] g [m] at 0xffffffffc0a0911e',
        ' -- interrupted user address 0x7f2f1a70e88a --',
        '',
      ),
      ['a 7 D: f g'],
    ],
    [
      'drgn in a mail',
      text('> >>> prog.stack_trace(11032)', '> #0  f (../kernel/a.c:5:2)', '> #1  g+0x1/0x2 (./include/a.h:7)', ''),
      ['11032: f g'],
    ],
    [
      'gdb',
      text(
        '#0  f (prev=0x0) at kernel/sched/core.c:5',
        '#1  0xc176860e in g () at kernel/sched/core.c:7',
        '#2  0xc105d580 in ?? ()',
        '',
      ),
      [': f g'],
    ],
    [
      'gdb, in the message of a commit',
      text(
        '0  f () at ./arch/x86/include/asm/current.h:15',
        '1  0xffffffff81b51237 in g (a=0x1) at kernel/a.c:992',
        '2  h (a=<optimized out>) at fs/a.c:7',
        '',
      ),
      [': f g h'],
    ],
    [
      'gdb, broken by a mail program',
      text(
        '#0  f () at kernel/a.c:7',
        '#1  0xffffffff81b51237 in g () at',
        'kernel/locking/a.c:1222',
        '#2  h () at fs/a.c:7',
        '',
      ),
      [': f g h'],
    ],
    [
      'sdb',
      text('0xffff8f15d9e5af00 UNINTERRUPTIBLE         1', '     __schedule+0x2de', '     schedule+0x33', ''),
      ['D: __schedule schedule'],
    ],
    [
      'kdb',
      text(
        'kdb> btp 7',
        'Stack traceback for pid 7',
        '0xffff888103b40000  7  2  0  3  R  0xffff888103b40a80 *sync',
        'Call Trace:',
        ' f+0x1/0x2',
        '',
      ),
      ['sync 7 R: f'],
    ],
    [
      'kdb of 2005',
      text(
        'Stack traceback for pid 7',
        '0xf717f1b0\t7\t1\t1\t0\tR\t0xf717f400 *irq',
        '0xf75bfe38 0xc02d04b2 f+0x2e (0xf7441a80)',
        '0xf75bff34 0xc015667c g+0x14 (0x0)',
        '',
      ),
      ['irq 7 R: f g'],
    ],
    [
      'bpftrace',
      text('@[', '    f+41', '    schedule+12', ', bash, 7]: 12', '@off[tar, 8,', '    g+1', ']: 3', ''),
      ['bash 7: f schedule', 'tar 8: g'],
    ],
    [
      'bpftrace with the stack of the program',
      text(
        '@[',
        '    schedule+12',
        '    entry_SYSCALL_64_after_hwframe+68',
        ',',
        '    read+18',
        '    main+20',
        ', bash]: 1',
        '',
      ),
      [': schedule entry_SYSCALL_64_after_hwframe'],
    ],
    [
      'bcc',
      text(
        "    b'__schedule'",
        "    b'schedule'",
        "    b'do_wait'",
        '    --',
        '    read',
        '    -                tar (7)',
        '        99',
      ),
      ['tar 7: __schedule schedule do_wait'],
    ],
    [
      'perf script',
      text(
        'tar 7/8 [001] 12.345678: sched:sched_switch: prev_comm=tar prev_pid=8 prev_prio=120 prev_state=D ==> x',
        '\tffffffff81a5d5d1 f+0x29 ([kernel.kallsyms])',
        '\tffffffffc0a5d5d1 g+0x2 ([m])',
        '\t    7f3e2a1b read+0x12 (/usr/lib/libc.so.6)',
        '',
      ),
      ['tar 7/8 D: f g'],
    ],
    [
      'perf trace',
      text(
        '  0.000 ( 2.113 ms): tar/7 newlstat(filename: "a") = 0',
        '      f ([m])',
        '      g ([kernel.kallsyms])',
        '      read (/usr/lib64/libc.so)',
        '',
      ),
      ['tar 7: f g'],
    ],
    [
      'ftrace',
      text(
        '  tar-7   [003] d..2. 36.118: sched_switch: prev_comm=tar prev_pid=7 prev_prio=120 prev_state=D ==> x',
        '  tar-7   [003] d..3. 36.119: <stack trace>',
        ' => __schedule',
        ' => f',
        ' => 0x7f2f1a70e88a',
        '',
      ),
      ['tar 7 D: __schedule f'],
    ],
    [
      'trace-cmd',
      text(
        '  <...>-7 [002] 23.902258: kernel_stack:         <stack trace >',
        '=> f (ffffffff8121a0db)',
        '=> g (ffffffff8121e9fb)',
        '',
      ),
      ['7: f g'],
    ],
    [
      'Android',
      text(
        '"a b" prio=5 tid=9 Native',
        '  | sysTid=7 nice=0',
        '  | state=D schedstat=( 0 0 0 )',
        '  kernel: f+0x8c/0xb4',
        '  native: #00 pc 000000000006ac6c  /system/lib64/libc.so (__ioctl+4)',
        '  at java.io.X.a(X.java:1)',
        '',
      ),
      ['a b 7 D: f'],
    ],
    [
      'ps, threads',
      text(
        '  PID   TID S WCHAN:20             CMD',
        '    7     8 D f                    tar -x a',
        '    9     9 R -                    [kworker/0:1]',
        '',
      ),
      ['tar 7/8 D: f', 'kworker/0:1 9/9 R: '],
    ],
    [
      'xcapture',
      text('2026-11-25 09:12:31   7   8 D  root   (tar)   newlstat  ->vfs_statx()->g()->f()', ''),
      ['tar 8/7 D: f g vfs_statx'],
    ],
    [
      'perf sched timehist',
      text('  14.035 [0000]  tar[7]   0.000  0.000  0.000    __schedule <- schedule <- f', ''),
      ['tar 7: __schedule schedule f'],
    ],
    [
      'a label',
      text(
        '== 7 ==',
        '[<0>] f+0x1/0x2',
        '--- PID 8 (a-b) ---',
        '[<0>] f+0x1/0x2',
        'PID 9 (x):',
        '[<0>] f+0x1/0x2',
        'PID = 10',
        '[<0>] g+0x1/0x2',
        '',
      ),
      ['7: f', 'a-b 8: f', 'x 9: f', '10: g'],
    ],
    [
      'a prompt',
      text('root@h:~# cat /proc/7/task/8/stack', '[<0>] f+0x1/0x2', '$ cat /proc/9/stack', '[<0>] g+0x1/0x2', ''),
      ['7/8: f', '9: g'],
    ],
    [
      '/proc/PID/status',
      text(
        '# cat /proc/7/status /proc/7/stack',
        'Name:\ttar',
        'State:\tD (disk sleep)',
        'Tgid:\t6',
        'Pid:\t7',
        '[<0>] f+0x1/0x2',
        '',
      ),
      ['tar 6/7 D: f'],
    ],
    [
      'ps aux',
      text('root   7  0.0  0.0      0     0 ?        D    03:09   0:00 [kworker/u8:3]', '[<0>] f+0x1/0x2', ''),
      ['kworker/u8:3 7 D: f'],
    ],
    [
      'grep',
      text(
        '/proc/7/stack:[<0>] f+0x1/0x2',
        '/proc/7/stack:[<0>] g+0x1/0x2',
        '/proc/8/task/9/stack:[<0>] h+0x1/0x2',
        '',
      ),
      ['7: f g', '8/9: h'],
    ],
    [
      'an rw-semaphore',
      text(
        'task:a state:D stack:0 pid:7',
        'Call Trace:',
        ' f+0x1/0x2',
        'INFO: task a:7 <writer> blocked on an rw-semaphore likely owned by task b:8 <reader>',
        '',
      ),
      ['a 7 D: f'],
    ],
  ])('%s', (_form, text, expected) => {
    expect(tellAll(text)).toEqual(expected);
  });

  it('a table of ps is known from one function each', () => {
    expect(find('PID STAT WCHAN COMMAND\n7 D f tar\n').map(({ innermostOnly }) => innermostOnly)).toEqual([true]);
  });

  it('names alone is taken if the names are known', () => {
    const text = 'frobnicate\nwiggle\nwobble\n';
    expect(tellAll(text)).toEqual([]);
    expect(tellAll(text, new Set(['frobnicate', 'wiggle', 'wobble']))).toEqual([': frobnicate wiggle wobble']);
  });
});

describe('the holder of a lock', () => {
  it.each([
    ['is blocked on a mutex likely owned by task b:8.', { kind: 'mutex', owner: 8, inferred: true }],
    ['blocked on a semaphore likely last held by task b:8', { kind: 'semaphore', owner: 8, inferred: true }],
    [
      '<reader> blocked on an rw-semaphore likely owned by task b:8 <writer>',
      { kind: 'rwsem-read', owner: 8, inferred: true },
    ],
    [
      '<writer> blocked on an rw-semaphore likely owned by task b:8 <reader>',
      { kind: 'rwsem-write', owner: 8, inferred: true },
    ],
    ['is blocked on a mutex, but the owner is not found.', { kind: 'mutex' }],
    ['is blocked on a\nmutex likely owned by task b:8.', { kind: 'mutex', owner: 8, inferred: true }],
  ])('is the one that the kernel names: %j', (words, lock) => {
    const stack = 'task:a state:D stack:0 pid:7\nCall Trace:\n f+0x1/0x2\n';
    expect(find(`${stack}INFO: task a:7 ${words}\n`).flatMap(({ tasks }) => tasks)).toMatchObject([{ tid: 7, lock }]);
    expect(find(`${stack}\nINFO: task a:7 ${words}\n`).flatMap(({ tasks }) => tasks)).toMatchObject([{ tid: 7, lock }]);
  });

  it('is kept of a task whose stack is not there', () => {
    const [waiter] = find('INFO: task a:7 is blocked on a mutex likely owned by task b:8.\n');
    expect(waiter?.tasks).toMatchObject([{ name: 'a', tid: 7, state: 'D', lock: { owner: 8 } }]);
  });
});

const at = (time: string, caller: string, lines: readonly string[]) =>
  lines.map((line) => `[  ${time}][ ${caller}] ${line}`);

describe('stacks are divided', () => {
  it('by the caller, where two print at the same time', () => {
    const one = at('1.000', 'T10', ['task:a state:D stack:0 pid:10', 'Call Trace:', ' f+0x1/0x2', ' g+0x1/0x2']);
    const two = at('1.000', 'C1', ['CPU: 1 PID: 7 Comm: b Not tainted', 'Call Trace:', ' h+0x1/0x2', ' i+0x1/0x2']);
    const mixed = one.flatMap((line, index) => [line, two[index] ?? '']);
    expect(tellAll(mixed.join('\n')).sort()).toEqual(['a 10 D: f g', 'b 7 R: h i']);
  });

  it.each([
    'ret_from_fork',
    'ret_from_fork_asm',
    'entry_SYSCALL_64_after_hwframe',
    'system_call_fastpath',
    'el0_svc_naked',
    'el0t_64_sync',
    'ret_fast_syscall',
    'ret_from_kernel_thread',
    'system_call_common',
    'ret_from_syscall',
    'handle_syscall',
    'handle_sys64',
    'system_call',
    'linux_sparc_syscall',
  ])('behind the outermost function %s', (outermost) => {
    expect(tellAll(`[<0>] f+0x1/0x2\n[<0>] ${outermost}+0x1/0x2\n[<0>] g+0x1/0x2\n`)).toEqual([
      `: f ${outermost}`,
      ': g',
    ]);
  });

  it('by a line of text, but not by a line of another CPU in a log', () => {
    expect(tellAll('[<0>] f+0x1/0x2\nand then\n[<0>] g+0x1/0x2\n')).toEqual([': f', ': g']);
    const log = [
      'Call Trace:',
      ' f+0x1/0x2',
      'usb 1-1: new device',
      ' g+0x1/0x2',
      'RAX: 0000000000000000 RBX: 0000000000000002',
      ' h+0x1/0x2',
    ];
    expect(tellAll(log.map((line) => `[    1.000] ${line}`).join('\n'))).toEqual([': f g h']);
  });

  it('not by blank lines in a text that has one behind each line', () => {
    expect(tellAll([...REPORT.slice(0, 1), ...REPORT.slice(3)].join('\n\n'))).toEqual(READ);
  });

  it('by the side of a diff', () => {
    expect(tellAll(' Call trace:\n- [<0>] f+0x1/0x2\n- [<0>] g+0x1/0x2\n+ [<0>] h+0x1/0x2\n')).toEqual([
      ': f g',
      ': h',
    ]);
  });

  it('by frame 0', () => {
    expect(tellAll('#0  f (kernel/a.c:1)\n#1  g (kernel/a.c:2)\n#0  h (kernel/a.c:3)\n')).toEqual([': f g', ': h']);
  });

  it('as well as possible where they are printed into one another, which is said', () => {
    const header = (name: string, pid: number) => `[ 1.0] task:${name} state:D stack:0 pid:${pid}`;
    const trace = (symbol: string) => `[ 1.0] Call Trace:\n[ 1.0]  ${symbol}+0x1/0x2`;
    const headersFirst = find([header('a', 7), header('b', 8), trace('f'), trace('g')].join('\n'));
    expect(headersFirst.map(told)).toEqual(['a 7 D: ', 'b 8 D: ', ': f', ': g']);
    expect(headersFirst.map(({ leftOut }) => leftOut.mixed)).toEqual([0, 0, 1, 1]);
    const inside = `${header('a', 7)}\n[ 1.0]  <TASK>\n[ 1.0]  f+0x1/0x2\n[ 1.0]  <TASK>\n[ 1.0]  g+0x1/0x2\n`;
    expect(find(inside).reduce((sum, { leftOut }) => sum + leftOut.mixed, 0)).toBe(2);
    expect(find(REPORT.join('\n')).map(({ leftOut }) => leftOut.mixed)).toEqual([0]);
  });
});

describe('a remainder joins the stack above it', () => {
  const upper = ['task:a state:D stack:0 pid:7', 'Call Trace:', ' __schedule+0x1/0x2', ' f+0x1/0x2'];
  const lower = [' g+0x1/0x2', ' h+0x1/0x2'];
  const stamped = (second: number, lines: readonly string[]) =>
    lines.map((line, at) => `[   ${second}.${100 + at}] ${line}`);
  const quoted = (lines: readonly string[]) => lines.map((line) => `> ${line}`);
  const ANSWER = ['', 'This is what I would expect', 'of a device in reset.', ''];
  const WHOLE = ['a 7 D: __schedule f g h'];

  it.each<readonly [string, readonly string[]]>([
    ['an answer, by its time', [...quoted(stamped(1, upper)), ...ANSWER, ...quoted(stamped(1, lower))]],
    ['an answer, by its quote mark', [...quoted(upper), ...ANSWER, ...quoted(lower)]],
    ['[...]', [...upper, '   [...]', ...lower]],
    ['[snip]', [...upper, '[snip]', ...lower]],
    ['..', [...upper, ' ..', ...lower]],
    ['a blank line', [...upper, '', ...lower]],
    ['a quoted blank line', quoted([...upper, '', ...lower])],
    ['lines of others', stamped(1, [...upper, 'usb 1-1: reset', 'usb 1-1: lost', 'usb 1-1: gone', ...lower])],
    [
      'words within <TASK>',
      [...upper.slice(0, 2), ' <TASK>', ...upper.slice(2), 'and a bit further out', ...lower, ' </TASK>'],
    ],
  ])('across %s', (_what, lines) => {
    expect(tellAll(lines.join('\n'))).toEqual(WHOLE);
  });

  it('by the numbers of its frames', () => {
    const numbered = (from: number, ...functions: readonly string[]) =>
      functions.map((symbol, at) => `> #${from + at}  ${symbol} (kernel/a.c:1)`);
    const mail = ['> >>> prog.stack_trace(7)', ...numbered(0, '__schedule', 'f'), ...ANSWER, ...numbered(2, 'g', 'h')];
    expect(tellAll(mail.join('\n'))).toEqual(['7: __schedule f g h']);
    expect(tellAll([...mail.slice(0, -2), ...numbered(5, 'g', 'h')].join('\n').replaceAll('> ', ''))).toEqual([
      '7: __schedule f',
      ': g h',
    ]);
  });

  it('also where it is read from /proc', () => {
    const lines = ['# cat /proc/7/stack', '[<0>] f+0x1/0x2', '[...]', '[<0>] g+0x1/0x2'];
    expect(tellAll(lines.join('\n'))).toEqual(['7: f g']);
    const numbered = ['#0  f (kernel/a.c:1)', '#1  g (kernel/a.c:2)', 'and so on', '#2  h (kernel/a.c:3)'];
    expect(tellAll(numbered.join('\n'))).toEqual([': f g h']);
  });

  it('where a mail program has broken the lines of syslog behind their prefix', () => {
    const prefix = 'Nov 25 03:09:00 lab-a kernel: [    1.000]';
    const log = [
      ...upper.map((line) => `${prefix} ${line}`),
      prefix,
      'g+0x1/0x2 [m]',
      `${prefix} ?`,
      'stray+0x1/0x2 [m]',
    ];
    expect(tellAll([...log, `${prefix}  h+0x1/0x2`].join('\n'))).toEqual(WHOLE);
  });

  it('but not one that is complete, nor across an answer of another depth, nor long after', () => {
    const complete = [...upper, ' ret_from_fork+0x1/0x2'];
    expect(tellAll([...quoted(complete), ...ANSWER, ...quoted(lower)].join('\n'))).toHaveLength(2);
    expect(tellAll([...quoted(upper), ...ANSWER, ...quoted(quoted(lower))].join('\n'))).toHaveLength(2);
    const later = [...stamped(1, upper), ...stamped(3, ['usb: a', 'usb: b', ...lower])];
    expect(tellAll(later.join('\n'))).toHaveLength(2);
    expect(tellAll([...upper, 'It then calls', ...lower].join('\n'))).toHaveLength(2);
    expect(tellAll(quoted([...upper, 'It then calls', ...lower]).join('\n'))).toHaveLength(2);
  });

  it('but not one that begins with the scheduler, or with a function that others call to wait', () => {
    expect(tellAll([...upper, '[...]', ...upper.slice(2)].join('\n'))).toHaveLength(2);
    const waiting = [' wait_for_completion+0x1/0x2', ...lower];
    expect(tellAll([...quoted(stamped(1, upper)), ...ANSWER, ...quoted(stamped(1, waiting))].join('\n'))).toHaveLength(
      2,
    );
  });
});

describe('no stack of its own is', () => {
  const NAMED = ['# cat /proc/7/stack', '[<0>] f+0x1/0x2', '[<0>] g+0x1/0x2', '[<0>] h+0x1/0x2'];

  it('what follows on a function that only looks outermost', () => {
    for (const symbol of ['syscall_exit_to_user_mode', 'syscall_exit_to_user_mode_prepare', 'entry_SYSCALL_64'])
      expect(tellAll(`[<0>] f+0x1/0x2\n[<0>] ${symbol}+0x1/0x2\n[<0>] do_syscall_64+0x1/0x2\n`)).toEqual([
        `: f ${symbol} do_syscall_64`,
      ]);
  });

  it('a pointer behind the outermost function', () => {
    const old = [' [<0>] f+0x1/0x2', ' [<0>] child_rip+0x1/0x2', ' [<0>] g+0x0/0x2', ' [<0>] child_rip+0x0/0x2'];
    expect(tellAll(old.join('\n'))).toEqual([': f child_rip']);
  });

  it('the entry into the kernel alone', () => {
    const entry = ['[<0>] do_syscall_64+0x1/0x2', '[<0>] entry_SYSCALL_64_after_hwframe+0x1/0x2'];
    expect(tellAll(entry.join('\n'))).toEqual([]);
    expect(tellAll(['# cat /proc/7/stack', '[<0>] f+0x1/0x2', '', ...entry].join('\n'))).toEqual([
      '7: f do_syscall_64 entry_SYSCALL_64_after_hwframe',
    ]);
  });

  it('the scheduler alone behind another stack', () => {
    expect(tellAll(['[<0>] f+0x1/0x2', 'see', '[<0>] __schedule+0x1/0x2'].join('\n'))).toEqual([': f']);
  });

  it('one that is told again without a name', () => {
    const again = [...NAMED.slice(1), '[<0>] ret_from_fork+0x1/0x2'];
    const other = ['# cat /proc/8/stack', '[<0>] i+0x1/0x2'];
    const told = [NAMED[0], ...again, ...other, '-----', 'summary', ...again];
    expect(tellAll(told.join('\n'))).toEqual(['7: f g h ret_from_fork', '8: i']);
  });

  it('one that a kernel prints twice at the same time', () => {
    const trace = ['[ 1.2] Call trace:', '[ 1.3]  f+0x1/0x2', '[ 1.4]  g+0x1/0x2', '[ 1.5]  h+0x1/0x2'];
    const header = '[ 1.1] task:a state:D stack:0 pid:7';
    expect(tellAll([header, ...trace, '..', ...trace].join('\n'))).toEqual(['a 7 D: f g h']);
  });
});

describe('no frame is', () => {
  it('who asked for a glock', () => {
    const dump = [
      'G:  s:UN n:2/77 f:lIqob t:EX d:UN/0 a:0 v:0 r:3 m:150',
      ' H: s:EX f:W e:0 p:7 [tar] gfs2_create+0x12/0x34 [gfs2]',
      '# cat /proc/7/stack',
      '[<0>] f+0x1/0x2',
    ];
    expect(tellAll(dump.join('\n'))).toEqual(['7: f']);
  });

  it('one that PowerPC calls unreliable, further in than all others', () => {
    const frame = (symbol: string, tail = '') =>
      `[c0000000123456${symbol.length}0] [c000000000abcdef] ${symbol}${tail}`;
    const trace = ['Call Trace:', frame('stray+0x1/0x2', ' (unreliable)'), frame('f+0x1/0x2'), frame('g+0x1/0x2')];
    expect(tellAll(trace.join('\n'))).toEqual([': f g']);
  });

  it('the print of one frame of a stack that stands above', () => {
    const stack = ['PID 7 process name: tar', '#0  f (kernel/a.c:1:2)', '#1  g (kernel/a.c:2:2)'];
    const print = '#1 at 0xffffffff81861b24 (g+0x2c4/0x6b0) in g at kernel/a.c:2:2';
    expect(tellAll([`\`${stack[0]}`, ...stack.slice(1), print, 'prev: (int)0'].join('\n'))).toEqual(['tar 7: f g']);
  });
});

describe('a task is named', () => {
  const STACK = ['[<0>] f+0x1/0x2', '[<0>] ret_from_fork+0x1/0x2'];

  it.each<readonly [string, readonly string[], string]>([
    [
      'a comment',
      ['# # /proc/7/task/8: kworker/u8:3+flush-8:0 :', '# cat /proc/7/task/8/stack', ''],
      'kworker/u8:3+flush-8:0 7/8',
    ],
    ['an item of a list', ['1. archiver (pid 7)'], 'archiver 7'],
    ['a program in a list', ['- `/usr/bin/archiver --all`', '```'], 'archiver'],
    ['SystemTap', ['[ jbd2/sda1-8:7 ]'], 'jbd2/sda1-8 7'],
    [
      'a sentence',
      [
        'It is kworker/0:1 (PID 7), which is stuck since yesterday, for whatever reason it has:',
        '',
        '>>> prog.stack_trace(7)',
      ],
      'kworker/0:1 7',
    ],
    [
      'a row of ps, broken',
      [
        'root         7  0.0  0.0      0     0 ?',
        'D    15:24   0:00 [archiver]',
        'root         8  0.0  0.0      0     0 ?',
        'S    15:24   0:00 [kthreadd]',
        '',
        '# cat /proc/7/stack',
      ],
      'archiver 7 D',
    ],
    [
      'a row of ps -elf, broken before its time',
      [
        '4 D root           7    4091  0  80   0 -   953 f      01:33 pts/1',
        '00:00:00 /usr/bin/archiver --all',
        '#cat /proc/7/stack',
      ],
      'archiver 7 D',
    ],
    [
      'a row of state, PID and TID',
      ['D 7 8 [server] <defunct> Binder:8_1', 'cat /proc/7/task/8/stack', ''],
      'Binder:8_1 7/8 D',
    ],
    [
      "Samsung's columns",
      [
        '<6>[ 9.1] I[0:  swapper/0:    0]       7        0      99    3902403994 D(2)   3  ffffffc0007ee338' +
          '                0  ffffffc85678e000 *    archiver',
        '<6>[ 9.1] I[0:  swapper/0:    0] Workqueue: a b',
        '<0>[ 9.1] I[0:  swapper/0:    0] Call trace:',
      ],
      'archiver 7 D',
    ],
    [
      'lockdep',
      ['archiver/7 is trying to acquire lock:', ' (&l){+.+.}, at: [<c036e9e0>] g+0x18/0x38', '', 'stack backtrace:'],
      'archiver 7 R',
    ],
    [
      'a PID that a mail has broken',
      ['CPU: 1 PID: 1', '7 Comm: archiver Not tainted 5.3.6', 'Call Trace:'],
      'archiver 17 R',
    ],
  ])('by %s', (_what, before, whose) => {
    expect(tellAll([...before, ...STACK].join('\n'))).toEqual([`${whose}: f ret_from_fork`]);
  });

  it('behind a date, too', () => {
    const log = [
      'root         7  0.0  0.0      0     0 ?        D    15:24   0:00 [archiver]',
      '[root@lab-a ~]# cat /proc/7/stack',
      ...STACK,
    ];
    expect(tellAll(log.map((line) => `[2026-11-25 03:09:00]  ${line}`).join('\n'))).toEqual([
      'archiver 7 D: f ret_from_fork',
    ]);
  });

  it('by the time of old versions of bcc', () => {
    const names = ['    schedule', '    kthread', '    ret_from_fork'];
    expect(tellAll([...names, '    stray_name', '    rcuos/0', '        22'].join('\n'))).toEqual([
      'rcuos/0: schedule kthread ret_from_fork',
    ]);
    expect(tellAll([...names, '    stray_name', '        22'].join('\n'))).toEqual([
      ': schedule kthread ret_from_fork',
    ]);
  });

  it('but not by a count', () => {
    expect(tellAll(['3 hits:', ...STACK].join('\n'))).toEqual([': f ret_from_fork']);
  });

  it('on the host of its prompt', () => {
    const typed = (host: string) => [`[root@${host} ~]# cat /proc/7/stack`, '[<0>] f+0x1/0x2', ''];
    const found = find([...typed('lab-a'), ...typed('lab-b')].join('\n'));
    expect(found.map(({ stamp }) => stamp.told.host)).toEqual(['lab-a', 'lab-b']);
    const row = 'root  7  0.0  0.0      0     0 ?        D    15:24   0:00 [archiver]';
    const lines = ['[root@lab-a ~]# ps aux', row, ...typed('lab-a'), ...typed('lab-b')];
    expect(tellAll(lines.join('\n'))).toEqual(['archiver 7 D: f', '7: f']);
  });

  it('if it ran in a program, or without any trace', () => {
    const lockup = '[   1.0] watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [tar:7]';
    const task = '[   1.0] CPU: 1 PID: 7 Comm: tar Not tainted 5.12.0 #2';
    const registers = '[   1.0] epc : 0000000000cc9d6e ra : 0000000000d80428 sp : 0000003fffe6f8a0';
    expect(tellAll(lockup)).toEqual(['tar 7 R: ']);
    expect(tellAll([lockup, task, registers].join('\n'))).toEqual(['tar 7 R: ']);
    expect(tellAll([task, registers].join('\n'))).toEqual(['tar 7 R: ']);
    expect(tellAll(task)).toEqual([]);
    const irqs = '[   1.0] hardirqs last  enabled at (123): [<ffffffff81>] g+0x1/0x2';
    expect(tellAll([lockup, irqs, task, '[   1.0] Call Trace:', '[   1.0]  f+0x1/0x2'].join('\n'))).toEqual([
      'tar 7 R: f',
    ]);
  });
});

describe('the frames of an interrupt and of a report are left out', () => {
  const trace = (...functions: readonly string[]) => functions.map((symbol) => ` ${symbol}+0x1/0x2\n`).join('');

  it.each([
    ['x86', 'asm_sysvec_apic_timer_interrupt'],
    ['older x86', 'apic_timer_interrupt'],
    ['an NMI', 'end_repeat_nmi'],
    ['arm64', 'el1h_64_irq'],
    ['older arm64', 'el1_irq'],
    ['arm', '__irq_svc'],
    ['PowerPC', 'decrementer_common_virt'],
    ['s390', 'ext_int_handler'],
    ['MIPS', 'rollback_handle_int'],
    ['LoongArch', 'handle_vint'],
  ])('%s', (_architecture, entry) => {
    const text = `CPU: 1 PID: 7 Comm: a Not tainted\nCall Trace:\n${trace('dump_stack', 'tick', entry, 'f', 'g')}`;
    expect(tellAll(text)).toEqual(['a 7 R: f g']);
  });

  it('RISC-V, where the entry is that of faults, too', () => {
    expect(tellAll(trace('tick', 'do_irq', 'ret_from_exception', 'f'))).toEqual([': f']);
    expect(tellAll(trace('io_schedule', 'do_page_fault', 'ret_from_exception', 'f'))).toEqual([
      ': io_schedule do_page_fault ret_from_exception f',
    ]);
  });

  it('by the marks of PowerPC and crash', () => {
    expect(
      tellAll(`Call Trace:\n${trace('tick')}--- interrupt: 900 at f+0x1/0x2\n    LR = g+0x1/0x2\n${trace('h')}`),
    ).toEqual([': f h']);
    expect(tellAll(`Call Trace:\n${trace('f')}--- interrupt: c00 at 0x7fff1234\n`)).toEqual([': f']);
  });

  it('but not where nothing of the kernel was interrupted, and never a fault', () => {
    expect(tellAll(trace('schedule', 'exit_to_user_mode_prepare', 'asm_sysvec_reschedule_ipi'))).toEqual([
      ': schedule exit_to_user_mode_prepare asm_sysvec_reschedule_ipi',
    ]);
    expect(tellAll(trace('io_schedule', 'asm_exc_page_fault', 'copy_user'))).toEqual([
      ': io_schedule asm_exc_page_fault copy_user',
    ]);
    expect(tellAll(trace('dump_stack', 'show_stack'))).toEqual(['R: dump_stack show_stack']);
  });
});

describe('a task that is on a CPU', () => {
  it('runs, unless it is just giving it up', () => {
    const cpu = 'CPU: 1 PID: 7 Comm: a Not tainted\nCall Trace:\n';
    expect(tellAll(`${cpu} f+0x1/0x2\n`)).toEqual(['a 7 R: f']);
    expect(tellAll(`${cpu} __schedule+0x1/0x2\n f+0x1/0x2\n`)).toEqual(['a 7: __schedule f']);
    expect(
      tellAll('watchdog: BUG: soft lockup - CPU#3 stuck for 26s! [kworker/0:1:7]\nCall Trace:\n f+0x1/0x2\n'),
    ).toEqual(['kworker/0:1 7 R: f']);
  });

  it('is where its registers say, if there is no stack', () => {
    expect(tellAll('CPU: 1 PID: 7 Comm: a Not tainted\nRIP: 0010:f+0x1/0x2 [m]\nCode: 90\n')).toEqual(['a 7 R: f']);
  });
});
