import { describe, expect, it } from 'vitest';
import { told } from '../../../test/told.ts';

const lines = (...all: readonly string[]) => `${all.join('\n')}\n`;

describe('a task was on a CPU, and runs', () => {
  it.each<[string, string, readonly string[]]>([
    [
      'where it prints its own stack, by functions of the architecture',
      lines('Call trace:', ' dump_backtrace+0x0/0x178', ' show_stack+0x14/0x20', ' buffer_in_use+0x40/0xb8'),
      ['R: buffer_in_use'],
    ],
    [
      'where it has just got the CPU',
      lines(
        'NMI backtrace for cpu 3',
        'CPU: 3 PID: 44 Comm: rcuc/3 Not tainted 6.17.0',
        'Call trace:',
        ' finish_lock_switch kernel/sched/core.c:5105 [inline] (P)',
        ' finish_task_switch+0xb0/0x308 kernel/sched/core.c:5223 (P)',
        ' __schedule+0x6c8/0xe2c kernel/sched/core.c:6961',
        ' rtlock_slowlock+0xd20/0xe0c kernel/locking/rtmutex.c:1868',
      ),
      ['rcuc/3 44 R: finish_task_switch __schedule rtlock_slowlock'],
    ],
    [
      'where registers of the CPU are all that stands before its stack',
      lines(
        'CR2: 0000000020010820 CR3: 0000000054b92000 CR4: 00000000000006e0',
        'DR0: 0000000000000000 DR1: 0000000000000000 DR2: 0000000000000000',
        'Call Trace:',
        ' f+0x1/0x2',
      ),
      ['R: f'],
    ],
    [
      'where POWER prints the stack of a CPU that does not answer',
      lines(
        '[  199.235530] CPU 40 did not respond to backtrace IPI, inspecting paca.',
        '[  199.235551] irq_soft_mask: 0x01 in_mce: 0 in_nmi: 0 current: 217 (kworker/40:0H)',
        '[  199.235579] Back trace of paca->saved_r1 (0xc000000012973380) (possibly stale):',
        '[  199.235594] Call Trace:',
        '[  199.235601] [c000000012973380] [c0000000129733e0] 0xc0000000129733e0 (unreliable)',
        '[  199.235633] [c000000012973420] [c000000000933008] f+0x78/0x110',
      ),
      ['kworker/40:0H 217 R: f'],
    ],
    [
      'where lockdep names functions beside it, and a tracker has taken the addresses away',
      lines(
        'NMI watchdog: BUG: soft lockup - CPU#7 stuck for 22s!',
        'hardirqs last  enabled at (0): [<          (null)>]      (null)',
        'hardirqs last disabled at (0): [] copy_process.part.30+0x5c6/0x1f50',
        'softirqs last  enabled at (0): [] copy_process.part.30+0x5c6/0x1f50',
        'Call Trace:',
        ' [] f+0x1/0x2',
      ),
      ['R: f'],
    ],
    [
      'if somebody wrote the unit out',
      lines('watchdog: BUG: soft lockup - CPU#1 stuck for 26 seconds! [tar:7]', 'Call Trace:', ' f+0x1/0x2'),
      ['tar 7 R: f'],
    ],
    [
      'where MIPS prints its registers, which look like what is typed at a prompt',
      lines(
        'watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [tar:7]',
        'CPU: 1 PID: 7 Comm: tar Not tainted 6.1.0 #1',
        '$ 0   : 00000000 00000001 81234567 00000000',
        'epc   : 80123456 f+0x10c/0x2a0',
        'ra    : 80123450 f+0x100/0x2a0',
        'Call Trace:',
        '[<80123456>] f+0x10c/0x2a0',
        '[<80123457>] g+0xd5/0x210',
      ),
      ['tar 7 R: f g'],
    ],
    [
      'where PowerPC prints the registers of what an interrupt has stopped, between two marks',
      lines(
        'task:tar             state:R  running task     stack:0     pid:7  ppid:1   flags:0x0000000a',
        'Call Trace:',
        '[c000000fe1233010] [c000000000123450] sched_show_task+0x1/0x2 (unreliable)',
        '[c000000fe1233060] [c000000000123450] timer_interrupt+0x1/0x2',
        '--- interrupt: 900 at f+0x1/0x2',
        'NIP:  c000000000123456 LR: c000000000123450 CTR: c000000000222222',
        'REGS: c000000fe1233a30 TRAP: 0900   Not tainted  (6.1.0)',
        'NIP [c000000000123456] f+0x1/0x2',
        'LR [c000000000123450] g+0x1/0x2',
        '--- interrupt: 900',
        '[c000000fe1233cc0] [c000000000123450] g+0x1/0x2',
        '[c000000fe1233cd0] [c000000000123450] h+0xd5/0x210',
      ),
      ['tar 7 R: f g h'],
    ],
    [
      'where the task of a CPU is shown with the stack of its last sleep, which is none of now',
      lines(
        'rcu: INFO: rcu_sched detected stalls on CPUs/tasks:',
        'Task dump for CPU 0:',
        'task:tar             state:R  running task     stack:0     pid:7     ppid:2      flags:0x00000008',
        'Call Trace:',
        '[<ffffffff80cbc444>] __schedule+0x2d0/0x940',
        '[<ffffffff80cbc446>] worker_thread+0x2d0/0x940',
      ),
      ['tar 7 R: notTold'],
    ],
    [
      'where it was stuck, and is not named',
      lines(
        '[ 4757.01] watchdog: BUG: soft lockup - CPU#11 stuck for 94s!',
        '[ 4757.01] Call trace:',
        '[ 4757.01]  f+0x1/0x2',
      ),
      ['R: f'],
    ],
    [
      'where the registers of its CPU stand above the stack',
      lines(
        'CS:  0010 DS: 0000 ES: 0000 CR0: 0000000080050033',
        'Call Trace:',
        ' raid1d+0x5c/0xd40',
        ' kthread+0x1/0x2',
      ),
      ['R: raid1d kthread'],
    ],
    [
      'where perf took a sample of it',
      lines('tar  4711 [002]  99.000001: 250000 cpu-clock:', '  ffffffff81200000 shrink_list+0x10 ([kernel.kallsyms])'),
      ['tar 4711 R: shrink_list'],
    ],
  ])('%s', async (_, text, tasks) => expect(await told(text)).toEqual(tasks));

  it.each<[string, string, readonly string[]]>([
    [
      'where perf shows how it left the CPU',
      lines(
        'tar  4711 [002]  99.000001: sched:sched_switch:',
        '  ffffffff81200000 __schedule+0x10 ([kernel.kallsyms])',
      ),
      ['tar 4711: __schedule'],
    ],
    [
      'where perf shows that it is about to wait for a lock',
      lines('tar  4711 [002]  99.000001: lock:contention_begin: 0xff', '  ffffffff81200000 f+0x10 ([kernel.kallsyms])'),
      ['tar 4711: f'],
    ],
    [
      'where those of another task stand there',
      lines(
        'CS:  0010 DS: 0000 ES: 0000 CR0: 0000000080050033',
        'PID: 7  TASK: ffff8fd7f10ddac0  CPU: 9   COMMAND: "tar"',
        ' #0 [ffffc900b24b7788] f at ffffffff810c84ae',
      ),
      ['tar 7: f'],
    ],
  ])('but not %s', async (_, text, tasks) => expect(await told(text)).toEqual(tasks));

  it('where crash has no stack but of an active task', async () => {
    const text = lines(
      'crash> bt 7',
      'PID: 7  TASK: ffff8fd7f10ddac0  CPU: 9   COMMAND: "tar"',
      '(active)',
      '  [ffff9cb9a9f57928] compact_zone at ffffffff981b35c6',
    );
    expect(await told(text)).toEqual(['tar 7 R: compact_zone']);
  });
});

describe('what crash says of an active task', () => {
  const header = 'PID: 7  TASK: ffff8fd7f10ddac0  CPU: 9   COMMAND: "tar"';
  const frame = '  [ffff9cb9a9f57928] compact_zone at ffffffff981b35c6';

  it('holds for its stack further down', async () => {
    const again = ['', 'crash> bt -t 7', header, frame];
    expect(await told(lines('crash> bt -l 7', header, '(active)', ...again, ...again))).toEqual([
      'tar 7 R: compact_zone',
      'tar 7 R: compact_zone',
    ]);
    expect(await told(lines('crash> bt -t 7', header, frame))).toEqual(['tar 7: compact_zone']);
  });
});

describe('a fault', () => {
  it('ends with the function that caused it, where the stack does', async () => {
    const frames = [
      ' #0 [ffffc900b24b7788] panic at ffffffff810c84ae',
      ' #1 [ffffc900b24b7830] exc_fault at ffffffff8220',
    ];
    const text = lines(
      'PID: 7  TASK: ffff8fd7f10ddac0  CPU: 9   COMMAND: "tar"',
      ...frames,
      '    [exception RIP: f+48]',
    );
    expect(await told(text)).toEqual(['tar 7: panic exc_fault f']);
  });
});

describe('reports of two tasks that ran for long', () => {
  it('are not taken for two traces in one, where only one of them has a trace', async () => {
    const text = lines(
      '[ 9.1] BUG: soft lockup - CPU#1 stuck for 22s! [make:8]',
      '[ 9.2] BUG: soft lockup - CPU#0 stuck for 22s! [tar:7]',
      '[ 9.2] CPU: 0 PID: 7 Comm: tar Tainted: GF 3.10.0',
      '[ 9.2] RIP: 0010:[<ffffffff8109fbd2>]  [<ffffffff8109fbd2>] lg_local_lock+0x42/0x60',
    );
    expect(await told(text)).toEqual(['tar 7 R: lg_local_lock']);
  });
});

describe('a pointer to a function that the stack has a call of, too', () => {
  it('does not show two traces in one', async () => {
    const header = 'work/1    D 01406F60     0   395     11                 394 (L-TLB)';
    const frames = ['[<c0129d6e>] worker_thread+0x1bd/0x247', '[<c0129bb1>] worker_thread+0x0/0x247'];
    expect(await told(lines(header, 'Call Trace:', '[<c01558db>] f+0x24/0x29', ...frames))).toEqual([
      'work/1 395 D: f worker_thread worker_thread',
    ]);
  });
});
