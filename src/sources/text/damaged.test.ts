import { describe, expect, it } from 'vitest';
import type { Sample } from '../../model/sample.ts';
import { textSamples } from './index.ts';

/** `name tid state: function function`, without what is not told. */
async function tellAll(...lines: readonly string[]): Promise<string[]> {
  const told: string[] = [];
  const known = new Set(['call_rwsem_down_write_failed', 'ep_poll']);
  for await (const { observations } of textSamples([`${lines.join('\n')}\n`], { known }) as AsyncIterable<Sample>)
    for (const { task, state, stack } of observations) {
      const functions = 'value' in stack ? stack.value.frames.map(({ symbol }) => symbol).join(' ') : stack.unread;
      told.push(`${[task.comm, task.id.tid, state].filter((part) => part !== undefined).join(' ')}: ${functions}`);
    }
  return told;
}

const TRACE = ['Call Trace:', ' __schedule+0x2a0/0x6b0', ' schedule+0x54/0xb4', ' rq_qos_wait+0xb8/0x130'];
const FUNCTIONS = '__schedule schedule rq_qos_wait';

describe('reports that are damaged or begin in their midst', () => {
  it('takes the name of a task out of quotes, also where the rest of the line is lost', async () => {
    expect(await tellAll('INFO: task "kworker/0:0":7 blocked for more than 188 seconds.', ...TRACE)).toEqual([
      `kworker/0:0 7 D: ${FUNCTIONS}`,
    ]);
    expect(await tellAll('[ 9.1] INFO: task stress.sh:7917 blocked 00324+ #12', ...TRACE)).toEqual([
      `stress.sh 7917 D: ${FUNCTIONS}`,
    ]);
  });

  it('reads the header of a running task as MIPS prints it', async () => {
    const lines = ['swapper/3       R running      0     0      1 0x00100004', 'Call Trace:'];
    expect(await tellAll(...lines, '[<81393570>] __schedule+0x724/0x868')).toEqual(['swapper/3 0 R: __schedule']);
  });

  it('leaves out what tells of the first stack of a log only whose thread it is', async () => {
    const rest = [
      '[ 7.1]  md_thread+0x94/0x150 [md_mod]',
      '[ 7.1]  kthread+0x112/0x130',
      '[ 7.1]  ret_from_fork+0x35/0x40',
    ];
    const next = ['[ 7.2] INFO: task archiver:7 blocked for more than 120 seconds.'];
    expect(await tellAll(...rest, ...next, ...TRACE.map((line) => `[ 7.2] ${line}`))).toEqual([
      `archiver 7 D: ${FUNCTIONS}`,
    ]);
  });

  it('takes a task for ready that was preempted as an interrupt ended, if all frames are guesses', async () => {
    const guesses = ['trace_hardirqs_on_thunk+0x1a/0x1c', 'retint_kernel+0x2d/0x2d', 'xas_load+0x53/0x100'];
    const lines = ['Call Trace:', ' __schedule+0x2b4/0xab0', ...guesses.map((line) => ` ? ${line}`)];
    expect(await tellAll(...lines, ' ? drop_pagecache_sb+0xa3/0xf0')).toEqual([
      'R: __schedule xas_load drop_pagecache_sb',
    ]);
    // Such a function may be left over on the stack of a task that sleeps.
    const asleep = [...lines.slice(0, 2), ' schedule+0x36/0x90', ...lines.slice(2), ' rq_qos_wait+0xb8/0x130'];
    expect(await tellAll(...asleep)).toEqual([`: ${FUNCTIONS}`]);
  });

  it('reads several marks before one frame', async () => {
    const task = 'writer          R  running task        0     7      1 0x00000000';
    const marks = ' <#DB>  <<EOE>>  <IRQ>  [<ffffffff81518b03>] ? handle_sysrq+0x2c/0x2e';
    const interrupted = ' <EOI>  [<ffffffff8113370a>] ? do_mlock_pages+0xb2/0x118';
    expect(await tellAll(task, 'Call Trace:', marks, interrupted)).toEqual(['writer 7 R: do_mlock_pages']);
  });

  it('reads stacks of the debugger of old kernels, with the sections that functions are in', async () => {
    const lines = [
      'Stack traceback for pid 448',
      '    EBP       EIP         Function(args)',
      '0xe68f1f6c 0xc011524a schedule+0x41e (0xe76021c0, 0xe68f0000)',
      '                               kernel .text 0xc0100000 0xc0114e2c 0xc0115460',
      '0xe68f1fac 0xc0107c96 __down_failed_interruptible+0xa (0x100, 0xe694dd14)',
      '                               kernel .text 0xc0100000 0xc0107c8c 0xc0107c9c',
      '           0xe8f4edbf [scsi_mod].text.lock+0x1fb',
      '                               scsi_mod .text.lock 0xe8f4ebc4 0xe8f4ebc4 0xe8f4eee8',
      '0xe68f1fec 0xe8f4a2bf [scsi_mod]scsi_error_handler+0x107',
      '                               scsi_mod .text 0xe8f45060 0xe8f4a1b8 0xe8f4a330',
      '[0]kdb> id 0xe8f4eba0',
      '0xe8f4eba0 scan_scsis_single+0x594cmp    $0x1,%dl',
    ];
    expect(await tellAll(...lines)).toEqual(['448: schedule __down_failed_interruptible scsi_error_handler']);
  });

  it('reads on behind arguments that a line of the debugger has no room for', async () => {
    const lines = [
      'Stack traceback for pid 5',
      '0xbff49f74 0x8013a382 free_pages_zone+0x62 (0x803cd4bc, 0x0, 0x803cd3e0, 0x0, ',
      '0xbff48251)',
      '                               kernel .text 0x80100000 0x8013a320 0x8013a410',
      '0xbff49fcc 0x8013a70d kswapd+0x9d',
    ];
    expect(await tellAll(...lines)).toEqual(['5: free_pages_zone kswapd']);
  });

  it('says of a CPU that panicked in its idle loop what it panicked in', async () => {
    const lines = [
      'PID: 0      TASK: ffffffff91c12780  CPU: 0   COMMAND: "swapper/0"',
      ' #0 [fffffe0000007ba0] panic at ffffffff90ab2e4b',
      ' #1 [fffffe0000007c28] mce_panic at ffffffff90a37ec6',
      ' #2 [fffffe0000007ef0] end_repeat_nmi at ffffffff914016b4',
      '    [exception RIP: native_safe_halt+14]',
      '--- <NMI exception stack> ---',
      ' #3 [ffffffff91c03e90] native_safe_halt at ffffffff9127223e',
      ' #4 [ffffffff91c03eb0] do_idle at ffffffff90ae959a',
    ];
    expect(await tellAll(...lines)).toEqual(['swapper/0 0 R: panic mce_panic end_repeat_nmi native_safe_halt do_idle']);
  });

  it('takes the program for the name of a task in a tree of processes', async () => {
    const titles = 'USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND';
    const row = String.raw`root       11704  0.0  0.0   2824  1636 pts/1    D+   15:49   0:00  |     |   \_ touch some_file`;
    const stack = ['# cat /proc/11704/stack', '[<0>] wait_for_response+0x195/0x250 [cifs]'];
    expect(await tellAll(titles, row, ...stack)).toEqual(['touch 11704 D: wait_for_response']);
  });

  it('tells a task once whose wait channel and stack were both asked for', async () => {
    const lines = ['# cat /proc/17750/wchan', 'call_rwsem_down_write_failed', '', '# cat /proc/17750/stack'];
    const stack = ['[<0>] call_rwsem_down_write_failed+0x13/0x20', '[<0>] do_coredump+0x14f/0x9a5'];
    expect(await tellAll(...lines, ...stack)).toEqual(['17750: call_rwsem_down_write_failed do_coredump']);
    expect(await tellAll(...lines, '[<0>] ep_poll+0x1/0x2')).toEqual([
      '17750: call_rwsem_down_write_failed',
      '17750: ep_poll',
    ]);
  });
});
