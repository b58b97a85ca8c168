import { describe, expect, it } from 'vitest';
import { toldIn } from '../../../test/found.ts';

function tellAll(...lines: readonly string[]): string[] {
  return toldIn(lines);
}

const ADDRESS = 'ffff888108bebb00';
const PROC = ['[<0>] f_wait+0x1/0x2', '[<0>] g_write+0x1/0x2'];

describe('a stack as people paste it', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    [
      'of another task that Lustre has watched: that one waits',
      [
        'LNet: Service thread pid 931 was inactive for 200.35s. Dumping the stack trace for debugging purposes:',
        'Pid: 931, comm: ll_ost01_038 3.10.0-1062.el7_lustre.x86_64 #1 SMP Mon Oct 21 20:19:09 UTC 2019',
        'Call Trace:',
        ' [<ffffffffc0c8c54d>] __cv_timedwait_common+0x13d/0x190 [spl]',
        ' [<ffffffffc12cf6e3>] zio_wait+0x133/0x280 [zfs]',
      ],
      ['ll_ost01_038 931: __cv_timedwait_common zio_wait'],
    ],
    [
      'of a task that printed its own, before 3.10: that one runs',
      ['Pid: 931, comm: copier Not tainted 2.6.32 #1 SMP', 'Call Trace:', ' [<ffffffff8100a072>] f_wait+0x13d/0x190'],
      ['copier 931 R: f_wait'],
    ],
    [
      'with remarks between its frames',
      [
        'Call Trace:',
        ' f_wait+0x13d/0x190',
        '\t\t<-- waits for page A,',
        '\t\t\twhich another task holds',
        ' g_write+0x1/0x20',
        '    ^^^^^^^ holds page B',
        ' h_read+0x1/0x20',
        'and this is another one:',
        ' f_wait+0x13d/0x190',
      ],
      [': f_wait g_write h_read', ': f_wait'],
    ],
    [
      'with remarks as in code between its frames, which may name functions with offsets',
      [
        '[<0>] f_wait+0x13d/0x190',
        '// see also io_schedule+0x1/0x2',
        '[<0>] g_write+0x1/0x20',
        '/*',
        ' * worker 7',
        ' */',
        '# this is where it waits for the server',
        '[<0>] h_read+0x1/0x20',
        '# worker 8',
        '[<0>] f_wait+0x13d/0x190',
        '// [<0>] g_write+0x1/0x20',
      ],
      [': f_wait g_write h_read', ': f_wait'],
    ],
    [
      'where each line is numbered, empty ones too',
      [
        '     8\t[<0>] f_wait+0x13d/0x190',
        '     9\t[<0>] g_write+0x1/0x20',
        '    10\t',
        '    11\t[<0>] f_wait+0x13d/0x190',
        '    12\t[<0>] h_read+0x1/0x20',
      ],
      [': f_wait g_write', ': f_wait h_read'],
    ],
    [
      'with what is left of colours',
      [
        '[32m[  100.1] [0m[33mtask:archiver state:D stack:0 pid:7[0m',
        '[32m[  100.1] [0mCall Trace:',
        '[32m[  100.1] [0m f_wait+0x13d/0x190[0m',
        '[32m[  100.1] [0m g_write+0x1/0x20 [ext4][0m',
      ],
      ['archiver 7 D: f_wait g_write'],
    ],
    [
      'in one record of rsyslog, which keeps line ends as numbers',
      ['<6>Nov 25 07:44:35 h kernel: task:archiver state:D stack:0 pid:7#012 f_wait+0x13d/0x190#012 g_write+0x1/0x20'],
      ['archiver 7 D: f_wait g_write'],
    ],
    [
      'below a title that names a process, and no name',
      ['Stack of the process:', '[<0>] f_wait+0x13d/0x190', 'Stack of archiver:', '[<0>] f_wait+0x13d/0x190'],
      [': f_wait', 'archiver: f_wait'],
    ],
    [
      'below titles in other languages, and by a name behind the number',
      [
        'Proceso 11 (sshd)',
        '[<0>] f_wait+0x1/0x2',
        'процесс 12:',
        '[<0>] f_wait+0x1/0x2',
        'pid 13 comm dd',
        '[<0>] f_wait+0x1/0x2',
        'pid 14 comm cp:',
        '[<0>] f_wait+0x1/0x2',
        'pid 15 comm kworker/u16:3-flush-8:0',
        '[<0>] f_wait+0x1/0x2',
      ],
      ['sshd 11: f_wait', '12: f_wait', 'dd 13: f_wait', 'cp 14: f_wait', 'kworker/u16:3-flush-8:0 15: f_wait'],
    ],
    [
      'below a name, a number and a state',
      ['python3(4471) state S', '#0  __schedule (kernel/sched/core.c:5321:2)', '#1  f_wait (fs/f.c:752:3)'],
      ['python3 4471 S: __schedule f_wait'],
    ],
    [
      'of bcc with a name as Python prints it',
      [
        "    b'schedule'",
        "    b'io_schedule'",
        "    b'folio_wait_bit'",
        "    -                b'tar' (5301)",
        '        4812033',
      ],
      ['tar 5301: schedule io_schedule folio_wait_bit'],
    ],
    [
      'that a program has read from a picture',
      [' f_wait+Ox13d/0x190', ' g_write+0x1/ 0x20 [g]', ' h_read+Ox1O/Ox2O'],
      [': f_wait g_write h_read'],
    ],
    [
      'with marks for the writing direction',
      ['\u202atask:a state:D stack:0 pid:7\u202c', '\u202aCall Trace:\u202c', '\u2066 f_wait+0x1/0x2\u2069'],
      ['a 7 D: f_wait'],
    ],
    [
      'below sentences, each with a mark',
      [
        '# this is the stack of the archiver',
        '[<0>] f_wait+0x13d/0x190',
        '[<0>] g_write+0x1/0x20',
        '# and this is the other one',
        '[<0>] h_read+0x1/0x20',
        '[<0>] g_write+0x1/0x20',
      ],
      [': f_wait g_write', ': h_read g_write'],
    ],
    [
      'in comments of code',
      ['// [<0>] f_wait+0x13d/0x190', '// [<0>] g_write+0x1/0x20', '// [<0>] h_read+0x1/0x20'],
      [': f_wait g_write h_read'],
    ],
    [
      'of names with remarks behind them',
      [
        'io_schedule',
        'folio_wait_bit   /* the page */',
        'filemap_fault -- mmap',
        '__do_fault ; why?',
        'handle_mm_fault',
      ],
      [': io_schedule folio_wait_bit filemap_fault __do_fault handle_mm_fault'],
    ],
    [
      'of ARM whose caller has no name',
      [
        'weston          R running      0   306      1 0x00000000',
        '[<c05282d8>] (f_wait) from [<00080193>] (0x80193)',
        'waylan          D    0   307      1 0x00000000',
        ' f_wait from 0x80193',
      ],
      ['weston 306 R: f_wait', 'waylan 307 D: f_wait'],
    ],
    [
      'of crash whose task an interrupt had interrupted: it ran',
      [
        `PID: 41 TASK: ${ADDRESS} CPU: 6 COMMAND: "packer"`,
        ` #0 [${ADDRESS}] panic at ${ADDRESS}`,
        ` #1 [${ADDRESS}] f_interrupt at ${ADDRESS}`,
        ` #2 [${ADDRESS}] ret_from_intr at ${ADDRESS}`,
        ` #3 [${ADDRESS}] g_write at ${ADDRESS}`,
      ],
      ['packer 41 R: g_write'],
    ],
    [
      'of crash without numbers',
      [`> PID: 41 TASK: ${ADDRESS} CPU: 6 COMMAND: "packer"`, `> [${ADDRESS}] f_wait at ${ADDRESS}`],
      ['packer 41: f_wait'],
    ],
    [
      'of crash, in lines that a mail program has broken',
      [
        `PID: 41 TASK: ${ADDRESS} CPU: 6 COMMAND: "packer"`,
        ` #8 [${ADDRESS}] f_wait at`,
        `${ADDRESS} [jbd2]`,
        ` #9 [${ADDRESS}] g_write at ${ADDRESS}`,
        '[ext4]',
        ` #10 [${ADDRESS}] kthread at ${ADDRESS}`,
      ],
      ['packer 41: f_wait g_write kthread'],
    ],
    [
      'of crash on arm64, with nothing behind the interrupt',
      [
        `PID: 41 TASK: ${ADDRESS} CPU: 6 COMMAND: "packer"`,
        ` #9 [${ADDRESS}] gic_handle_irq at ${ADDRESS}`,
        '--- <IRQ stack> ---',
        `#10 [${ADDRESS}] el1_irq at ${ADDRESS}`,
        `     PC: ${ADDRESS}  [f_spins+796]`,
        `     LR: ${ADDRESS}  [f_spins+728]`,
      ],
      ['packer 41 R: f_spins'],
    ],
    [
      'of arm without addresses',
      [
        '[] (do_raw_spin_lock+0x0/0x160) from [] (_raw_spin_lock+0x18/0x1c)',
        'r6:dd75ff70 r5:400d7000',
        '[] (_raw_spin_lock+0x0/0x1c) from [] (sys_write+0x4c/0x78)',
      ],
      [': do_raw_spin_lock _raw_spin_lock sys_write'],
    ],
    [
      'whose address in the code looks like a state',
      [
        'ksoftirqd/1   S F0180000     5      1             6     4 (L-TLB)',
        'Call Trace:',
        ' [<c011fa21>] f_wait+0x89/0xc4',
      ],
      [': f_wait'],
    ],
    [
      'of two hosts in one log',
      [
        'task:archiver        state:D stack:0     pid:501   ppid:1',
        'Call Trace:',
        ' f_wait+0x1/0x2',
        ' g_write+0x1/0x2',
      ].flatMap((line) => [
        `Nov 25 03:09:00 lab-a kernel: ${line}`,
        `Nov 25 03:09:00 lab-b kernel: ${line.replace('501', '502').replace('f_wait', 'h_wait')}`,
      ]),
      ['archiver 501 D: f_wait g_write', 'archiver 502 D: h_wait g_write'],
    ],
    [
      'below short lines for each task',
      ['812 D archiver', 'f_wait+0x1/0x2', '813 S copier', 'g_wait+0x1/0x2'],
      ['archiver 812 D: f_wait', 'copier 813 S: g_wait'],
    ],
    [
      'behind two words of memory',
      [
        'archiver        D 0000000000000001     0  4501      2 0x00000080',
        ' ffff880c0a5bba58 0000000000000046',
        'Call Trace:',
        ' [<ffffffff8150f3ee>] f_wait+0x13e/0x180',
      ],
      ['archiver 4501 D: f_wait'],
    ],
    [
      'of bpftrace with addresses',
      ['@[', '\tffffffff81a2b2e2 f_wait+690 ([kernel.kallsyms])', '\tffffffffc0a2bc26 g_write+197 ([jbd2])', ']: 2'],
      [': f_wait g_write'],
    ],
    [
      'in one line of JSON, and of Python',
      [
        '"stack": "[<0>] f_wait+0x12/0x40\\n[<0>] g_write+0x12/0x40\\n"',
        '',
        "['[<0>] f_wait+0x1/0x2', '[<0>] h_write+0x1/0x2']",
      ],
      [': f_wait g_write', ': f_wait h_write'],
    ],
    [
      'in Markdown',
      ['[<0>] jbd2\\_log\\_wait\\_commit+0xc5/0x140', '[<0>] ext4\\_sync\\_file+0x1c2/0x3a0'],
      [': jbd2_log_wait_commit ext4_sync_file'],
    ],
    [
      'of crash without its signs',
      ['> > PID: 41 TASK: ffff888108bebb00 CPU: 6 COMMAND: "packer"', `> > 0 [${ADDRESS}] f_wait at ${ADDRESS}`],
      ['packer 41: f_wait'],
    ],
    [
      'of crash with a broken header',
      [
        `>> PID: 41      TASK: ${ADDRESS}  CPU: 3    COMMAND: `,
        '>> "packer"',
        `>>  #0 [${ADDRESS}] f_wait at ${ADDRESS}`,
      ],
      ['packer 41: f_wait'],
    ],
    [
      'behind broken lines of ps',
      [
        'root   41  0.2  0.0   3036  1320 pts/2    D+   11:26   0:01',
        '/opt/bin/packer --all -k',
        '# cat /proc/41/stack',
        ...PROC,
      ],
      ['packer 41 D: f_wait g_write'],
    ],
    [
      'with the returns of quoted-printable',
      ['Call Trace:=0D', ' f_wait+0x1/0x2=0D', ' g_write+0x3/0x4=0D'],
      [': f_wait g_write'],
    ],
    [
      'of ARM without addresses',
      ['(f_wait) from (g_write+0x5/0x9)', '(g_write) from (h_main+0x7/0x9)'],
      [': f_wait g_write h_main'],
    ],
    [
      'of Lustre',
      [
        'Lustre: ll_mdt00_3: service thread pid 41 was inactive for',
        '200.1 seconds.',
        'Call Trace TBD:',
        ' f_wait+0x1/0x2',
      ],
      ['ll_mdt00_3 41: f_wait'],
    ],
    [
      'in one line',
      [
        `INFO: task packer:41 blocked for more than 120 seconds. packer D Call Trace: [<${ADDRESS}>] f_wait+0x1/0x2 [<${ADDRESS}>] g_write+0x1/0x2`,
      ],
      ['packer 41 D: f_wait g_write'],
    ],
    [
      'with arrows',
      ['packer pid 41 D-state 10s stack=f_wait+0x1/0x2[m]→g_write+0x3/0x4[m]→...'],
      ['packer 41 D: f_wait g_write'],
    ],
    [
      'without offsets',
      ['[<0>] f_wait', '[<0>] g_write     <- holds the lock here', '[<0>] ... h_main ... i_entry'],
      [': f_wait g_write h_main i_entry'],
    ],
    ['without the name that a terminal has cut off', ['[<0>] f_wait+0x1/0x2', '[<0>] g_wri'], [': f_wait']],
    [
      'of which only the first function has an offset',
      ['[<0>] f_wait+0x1/0x2', '[<0>] g_write', '[<0>] h_main', '', '[<0>] i_entry'],
      [': f_wait', ': i_entry'],
    ],
    [
      'of MediaTek',
      [
        '[ 3.100].(4)[7:dumper]packer D  ',
        '[ 3.101].(4)[7:dumper] ffffffc0000864ec [ 3.102].(4)[7:dumper] 0 41 2 0x00000008',
        '[ 3.103].(4)[7:dumper]Call trace:',
        '[ 3.104].(4)[7:dumper][] f_wait+0x1/0x2',
      ],
      ['packer 41 D: f_wait'],
    ],
    [
      'of guesses behind the scheduler',
      [
        'packer   D    0   41      1 0x00004004',
        'Call Trace:',
        ' __schedule+0x1/0x9',
        ' ? schedule+0x1/0x9',
        ' ? f_wait+0x1/0x9',
      ],
      ['packer 41 D: __schedule schedule f_wait'],
    ],
    [
      'of guesses behind the scheduler, cut off before what waits',
      [
        'packer   D    0   41      1 0x00004004',
        'Call Trace:',
        ' __schedule+0x1/0x9',
        ' ? f_done+0x1/0x9',
        ' schedule+0x1/0x9',
        ' ? g_done+0x1/0x9',
      ],
      ['packer 41 D: __schedule schedule'],
    ],
    [
      'of guesses behind the scheduler, up to where they begin',
      [
        'packer   D    0   41      1 0x00004004',
        'Call Trace:',
        ' __schedule+0x1/0x9',
        ' schedule+0x1/0x9',
        ' ? f_wait+0x1/0x9',
        ' ? ret_from_fork+0x1/0x9',
      ],
      ['packer 41 D: __schedule schedule f_wait ret_from_fork'],
    ],
    [
      'with positions broken off by a mail program',
      [
        'packer   D    0   41      1 0x00004004',
        'Call Trace:',
        ' __schedule+0x1/0x9',
        'kernel/sched/core.c:41',
        ' schedule+0x1/0x9',
        'kernel/sched/core.c:42',
        ' f_wait+0x1/0x9',
        'fs/f.c:41',
      ],
      ['packer 41 D: __schedule schedule f_wait'],
    ],
    [
      'with the report of a lockup behind it',
      [
        'CPU: 1 PID: 41 Comm: packer Tainted: G',
        'Call Trace:',
        ' f_spin+0x1/0x2',
        ' ret_from_fork+0x1/0x2',
        'watchdog: BUG: soft lockup - CPU#1 stuck for 23s! [packer:41]',
      ],
      ['packer 41 R: f_spin ret_from_fork'],
    ],
  ])('%s', (_, lines, told) => {
    expect(tellAll(...lines)).toEqual(told);
  });
});
