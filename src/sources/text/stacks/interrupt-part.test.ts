import { describe, expect, it } from 'vitest';
import { foundIn } from '../../../../test/found.ts';

/** The task and the functions of each stack. */
function tellAll(...lines: readonly string[]): string[] {
  return foundIn(lines).map(({ tasks: [task], stack }) => {
    const whose = task === undefined ? '' : `${task.name} ${task.state}`;
    return `${whose}: ${stack.frames.map(({ symbol }) => symbol).join(' ')}`;
  });
}

const HEADER = 'watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [packer:41]';
const frame = (name: string) => ` ${name}+0x10/0x20`;
const rip = (name: string) => `RIP: 0010:${name}+0x10/0x20`;
const REPORT = ['dump_stack', 'rcu_dump_cpu_stacks', 'update_process_times', 'apic_timer_interrupt'].map(frame);
const SOFTIRQ = ['net_rx_action', '__do_softirq', 'irq_exit'].map(frame);
const TASK = ['f_write', 'ksys_write'].map(frame);

describe('where a CPU was, by registers', () => {
  it('behind the interrupt that printed the trace, is the innermost function', () => {
    expect(tellAll(HEADER, 'Call Trace:', '<IRQ>', ...REPORT, '</IRQ>', rip('g_spin'), ...TASK)).toEqual([
      'packer R: g_spin f_write ksys_write',
    ]);
  });

  it('behind an interrupt without marks, too', () => {
    const entry = [frame('sysvec_apic_timer_interrupt'), frame('asm_sysvec_apic_timer_interrupt')];
    expect(tellAll(HEADER, 'Call Trace:', ...entry, rip('g_spin'), ...TASK)).toEqual([
      'packer R: g_spin f_write ksys_write',
    ]);
  });

  it('is not lost to lines that only name a place', () => {
    const place = 'softirqs last disabled at (4): [<ffffffff8100fb22>] irq_exit+0x170/0x1a0 kernel/softirq.c:436';
    const inlined = 'softirqs last disabled at (4): [<ffffffff8100fb22>] g_call kernel/softirq.c:395 [inline]';
    expect(tellAll(HEADER, inlined, place, rip('g_spin'))).toEqual(['packer R: g_spin']);
  });
});

describe('a softirq on top of a task', () => {
  it('is part of what the CPU runs, from where the CPU was', () => {
    const trace = ['<IRQ>', ...SOFTIRQ, '</IRQ>', ...TASK];
    expect(tellAll(HEADER, rip('g_poll'), 'Call Trace:', ...trace)).toEqual([
      'packer R: g_poll net_rx_action __do_softirq f_write ksys_write',
    ]);
  });

  it('begins where it was interrupted itself', () => {
    const trace = ['<IRQ>', ...REPORT, rip('g_poll'), ...SOFTIRQ, '</IRQ>', ...TASK];
    expect(tellAll(HEADER, 'Call Trace:', ...trace)).toEqual([
      'packer R: g_poll net_rx_action __do_softirq f_write ksys_write',
    ]);
  });

  it('is known without marks, too', () => {
    const entry = ['el1_interrupt', 'el1h_64_irq'].map(frame);
    expect(tellAll(HEADER, 'Call trace:', frame('g_poll'), ...SOFTIRQ, ...entry, ...TASK)).toEqual([
      'packer R: g_poll net_rx_action __do_softirq f_write ksys_write',
    ]);
  });

  it('is none where the interrupt only printed the trace', () => {
    expect(tellAll(HEADER, 'Call Trace:', '<IRQ>', ...REPORT, '</IRQ>', ...TASK)).toEqual([
      'packer R: f_write ksys_write',
    ]);
  });
});

describe('lines of addr2line in a trace', () => {
  const LINES = [
    '? g_thunk at arch/x86/g.S:18',
    'f_wait at fs/f.c:12 (discriminator 4)',
    ' (inlined by) h_call at fs/h.c:9',
  ];

  it('are frames', () => {
    expect(tellAll('task:packer state:D stack:0 pid:41', 'Call Trace:', ...LINES)).toEqual(['packer D: f_wait h_call']);
  });

  it('are none without a trace', () => {
    expect(tellAll('f_wait at fs/f.c:12', '', 'It hangs, f_wait at fs/f.c:12')).toEqual([]);
  });
});

it('functions in a list of a sentence are no stack', () => {
  expect(tellAll('Some are:', '- `f_wait+0x1/0x20 fs/f.c:3`', '- `g_wait+0x1/0x20 fs/g.c:4`')).toEqual([]);
});
