import { describe, expect, it } from 'vitest';
import { parseFrames } from '../../model/stack.ts';
import { explain } from './explain.ts';

const waitsFor = (...names: readonly string[]) =>
  explain({ id: 0, frames: parseFrames(names.map((name) => `[<0>] ${name}+0x10/0x20`).join('\n')) }, 'R').waitsFor;

describe('a stack of an interrupt alone', () => {
  it.each([
    [
      'the timer interrupt',
      ['rcu_check_callbacks', 'update_process_times', 'hrtimer_interrupt'],
      'the timer interrupt;',
    ],
    ['a device', ['foo_irq', 'handle_irq_event', 'do_IRQ'], 'an interrupt, in foo_irq;'],
    ['a lock', ['_raw_spin_lock', 'foo_irq', 'apic_timer_interrupt'], 'in foo_irq, which spins on a lock;'],
    [
      'a softirq',
      ['foo_poll', 'net_rx_action', '__do_softirq'],
      'a softirq that receives network packets, in foo_poll;',
    ],
  ])('says so: %s', (_, names, said) => {
    expect(waitsFor(...names)).toContain(said);
    expect(waitsFor(...names)).toContain('what that had interrupted is not told');
  });

  it('tells what a softirq does, and on top of what', () => {
    const told = waitsFor(
      'foo_poll',
      '__napi_poll',
      'net_rx_action',
      '__do_softirq',
      'irq_exit',
      'foo_work',
      'kthread',
    );
    expect(told).toContain('a softirq that receives network packets, in foo_poll; further out it is in foo_work');
    expect(waitsFor('call_timer_fn', 'run_timer_softirq', '__do_softirq', 'run_ksoftirqd')).not.toContain('told');
    expect(waitsFor('_raw_spin_lock', 'foo_timer', 'run_timer_softirq', '__do_softirq', 'foo')).toContain(
      'runs timers, in foo_timer, which spins on a lock; further out it is in foo',
    );
  });

  it('clears the task whose CPU reports that another one holds up RCU', () => {
    const told = waitsFor('print_other_cpu_stall', 'rcu_check_callbacks', 'update_process_times', 'hrtimer_interrupt');
    expect(told).toContain('this task is not the cause');
    expect(waitsFor('print_cpu_stall', 'rcu_check_callbacks', 'hrtimer_interrupt')).not.toContain('not the cause');
  });

  it('is none if the task goes back to its program', () => {
    expect(waitsFor('exit_to_user_mode_loop', 'irqentry_exit', 'asm_sysvec_apic_timer_interrupt')).not.toContain(
      'told',
    );
  });
});
