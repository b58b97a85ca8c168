import { describe, expect, it } from 'vitest';
import { toldIn } from '../../../test/found.ts';
import { StackFinder } from './stacks/stacks.ts';

function tellAll(...lines: readonly string[]): string[] {
  return toldIn(lines);
}

const TRACE = ['Call Trace:', ' f_wait+0x1/0x2', ' ret_from_fork+0x1/0x2'];
const STACK = ['[<0>] f_wait+0x1/0x2', '[<0>] ret_from_fork+0x1/0x2'];
const FRAMES = 'f_wait ret_from_fork';

describe('the name of a task', () => {
  it('keeps what looks like the prefix of a log', () => {
    const log = (line: string) => `[    1.000000] ${line}`;
    const lines = [
      'INFO: task map/0/cpu:26:536 blocked for more than 860 seconds.',
      'map/0/cpu:26    D    0   536      2 0x00004000',
    ];
    expect(tellAll(...[...lines, ...TRACE].map(log))).toEqual([`map/0/cpu:26 536 D: ${FRAMES}`]);
  });
});

describe('a function that is no frame', () => {
  it.each([
    ['of faddr2line', ['g_wait+0x1/0x2:', 'g_wait at fs/g.c:12', '(inlined by) h at fs/g.c:9']],
    ['in its command', ['./scripts/faddr2line vmlinux g_wait+0x1/0x2']],
    ['in a sentence', ['The patch changes g_wait+0x1/0x2 in line 3.']],
    ['at the beginning of a sentence', ['g_wait+0x1/0x2 is slow.']],
    ['at the end of a line of one', ['We can see that the time is spent below g_wait+0x1/0x2']],
    ['in a known line of a report', ['Hardware name: g_wait+0x1/0x2 bar']],
  ])('%s', (_, lines) => {
    expect(tellAll(...lines)).toEqual([]);
    expect(tellAll(...STACK, '', ...lines)).toEqual([`: ${FRAMES}`]);
  });

  it('but is one with a place or a remark', () => {
    expect(tellAll('[<0>] f_wait+0x1/0x2 fs/f.c:12', '[<0>] g_wait+0x1/0x2  # takes the lock')).toEqual([
      ': f_wait g_wait',
    ]);
  });
});

describe('names', () => {
  it.each([
    [
      'behind a CPU',
      ['[  1.000000][  2] task:cp state:D stack:0 pid:778', ...TRACE.map((l) => `[  1.000000][  2] ${l}`)],
    ],
    [
      'right behind it',
      ['[  1.000000][  2]task:cp state:D stack:0 pid:778', ...TRACE.map((l) => `[  1.000000][  2]${l}`)],
    ],
    ['by the titles of ps', ['S COMMAND   PID', 'D cp        778', '# cat /proc/778/stack', ...STACK]],
    [
      'by the command',
      ['# ps -e -o stat,pid,comm,cmd | grep ^D', 'D+  778 cp  cp -a /a /b', '# cat /proc/778/stack', ...STACK],
    ],
    ['with the state first', ['D+  778 cp  cp -a /a /b', '# cat /proc/778/stack', ...STACK]],
  ])('%s', (_, lines) => expect(tellAll(...lines)).toEqual([`cp 778 D: ${FRAMES}`]));

  it('in a title that a script wrote, in another language', () => {
    const title = '===== 进程 777 线程 778 kworker/u8:0+flush-8:0 栈信息 =====';
    expect(tellAll(title, ...STACK)).toEqual([`kworker/u8:0+flush-8:0 778: ${FRAMES}`]);
  });

  it('of a task that is gone', () => {
    const header = '[ 1.0] cp              x ffffffc0000853b8     0   778      1 0x00000004';
    expect(tellAll(header, ...TRACE.map((line) => `[ 1.0] ${line}`))).toEqual([`cp 778 X: ${FRAMES}`]);
  });

  it('of a task that a stall report shows', () => {
    const header = 'cp              R running task on cpu   0     0   778      2 0x00000008 584683503973';
    expect(tellAll(header, ...TRACE)).toEqual([`cp 778 R: ${FRAMES}`]);
  });

  it('of none where sysrq shows a CPU, whose task runs', () => {
    const lines = ['[ 1.0] sysrq: CPU1:', ...TRACE.map((line) => `[ 1.0] ${line}`)];
    expect(tellAll(...lines)).toEqual([`R: ${FRAMES}`]);
  });
});

describe('functions without offsets in a log', () => {
  it.each(['[ 4712.100000] ', 'Nov 25 03:12:01 host kernel: '])('behind %j', (prefix) => {
    const lines = ['Call Trace:', ' schedule', ' f_wait [m]', ' ? g_wait', ' h_wait'];
    expect(tellAll(...lines.map((line) => prefix + line))).toEqual([': schedule f_wait h_wait']);
  });
});

describe('functions that report', () => {
  it.each([
    'dump_stack_lvl print_address_description.constprop.0 print_report kasan_report __asan_load8 f',
    'dump_stack_lvl ubsan_epilogue __ubsan_handle_shift_out_of_bounds f',
    'dump_stack dump_header f',
    'report_bug __warn f',
  ])('are left out, and show that the task ran: %s', (functions) => {
    const frames = functions.split(' ').map((symbol) => `[ 1.0]  ${symbol}+0x1/0x2`);
    expect(tellAll('[ 1.0] Call Trace:', ...frames)).toEqual(['R: f']);
  });

  it('show it also as guesses, and not where the scheduler reports', () => {
    expect(tellAll('Call Trace:', ' ? __warn+0x1/0x2', ' ? report_bug+0x1/0x2', ' f+0x1/0x2')).toEqual(['R: f']);
    expect(tellAll('Call Trace:', ' dump_stack+0x1/0x2', ' __schedule+0x1/0x2', ' f+0x1/0x2')).toEqual([
      ': __schedule f',
    ]);
    expect(tellAll('Call Trace:', ' show_stack+0x1/0x2', ' f+0x1/0x2')).toEqual([': f']);
  });
});

describe('registers', () => {
  it('show that a task ran of which nothing else is told, also behind the stack of another one', () => {
    const stack = ['RIP: 0010:g_spins+0x1/0x2', 'Call Trace:', ' <TASK>', ' f+0x1/0x2', ' </TASK>'];
    const head = 'CPU: 4 PID: 7 Comm: archiver Not tainted 6.13.0 #1';
    expect(tellAll(head, ...stack, 'Hardware name: x', ...stack)).toEqual(['archiver 7 R: g_spins f', 'R: g_spins f']);
  });

  it('are known on PA-RISC', () => {
    const lines = [
      'CPU: 0 PID: 7 Comm: archiver Not tainted 6.1.12 #5',
      '',
      '  IAOQ[0]: g_polls+0xe0/0x4b0',
      '  IAOQ[1]: g_polls+0xe4/0x4b0',
      '  RP(r2): g_polls+0xa8/0x4b0',
      'Backtrace:',
      '  [<0000000040b45d88>] f+0x2a0/0x6a8',
    ];
    expect(tellAll(...lines)).toEqual(['archiver 7 R: g_polls f']);
  });
});

describe('names without offsets', () => {
  it('may have modules', () => {
    const finder = new StackFinder();
    for (const line of ['Call Trace:', ' schedule', ' mutex_lock', ' nvkms_lock [nvidia_modeset]', ' drm_commit', ''])
      finder.take(line);
    finder.end();
    const frames = finder.found.flatMap(({ stack }) => stack.frames.map(({ symbol, module }) => [symbol, module]));
    expect(frames).toContainEqual(['nvkms_lock', 'nvidia_modeset']);
    expect(frames.length).toBe(4);
  });
});

describe('the registers of a CPU', () => {
  const RIP = 'RIP: 0010:f_spin+0x1/0x20';

  it('tell what it ran if the trace has only guesses of the interrupt that printed it', () => {
    const trace = ['Call Trace:', ' <IRQ>', ' ? watchdog_timer_fn+0x1/0x2', ' </IRQ>', ' <TASK>'];
    expect(tellAll('CPU: 1 PID: 7 Comm: a Not tainted', RIP, ...trace, ' g+0x1/0x2')).toEqual(['a 7 R: f_spin g']);
    expect(tellAll(RIP, ...trace)).toEqual([' R: f_spin'.trim()]);
  });

  it('are those of the interrupt if the trace has its functions', () => {
    const trace = ['Call Trace:', ' <IRQ>', ' net_rx+0x1/0x2', ' </IRQ>', ' g+0x1/0x2'];
    expect(tellAll('CPU: 1 PID: 7 Comm: a Not tainted', RIP, ...trace)).toEqual(['a 7 R: g']);
  });
});

it('a CPU that is stuck may have no stack in the text', () => {
  const finder = new StackFinder();
  finder.take('watchdog: BUG: soft lockup - CPU#3 stuck for 26s! [sh:7]');
  finder.end();
  expect(finder.found.map(({ untold }) => untold)).toEqual([true]);
});

it('a function whose name is cut off is the only one that begins so', () => {
  const tell = (end: string) => {
    const finder = new StackFinder(new Set(['copy_net_ns', 'copy_fs_a', 'copy_fs_b']));
    for (const line of [...TRACE.slice(0, 2), ` [<ffffffff8161f021>] ${end}`]) finder.take(line);
    finder.end();
    return finder.found.map(({ stack }) => stack.frames.map(({ symbol }) => symbol));
  };
  expect(tell('copy_net_n…')).toEqual([['f_wait', 'copy_net_ns']]);
  expect(tell('copy_net_n...')).toEqual([['f_wait', 'copy_net_ns']]);
  expect(tell('copy_fs_…')).toEqual([['f_wait']]);
});

describe('a task whose stack file is named', () => {
  it.each([
    ['by the folder in the prompt', 'root@host:/proc/7/task/8$ sudo cat stack', '8'],
    ['by the folder in a prompt with spaces', 'root@host /proc/7 # cat stack', '7'],
    ['in a heading', '**`cat /proc/7/stack`**', '7'],
    ['in a sentence', 'This is what `cat /proc/7/stack` prints:', '7'],
  ])('%s', (_, line, tid) => expect(tellAll(line, '', ...STACK)).toEqual([`${tid}: ${FRAMES}`]));
});
