import { describe, expect, it } from 'vitest';
import { parseFrames } from '../../model/stack.ts';
import type { State } from '../../model/task.ts';
import { explain } from './explain.ts';

/** What is said of a stack as kernels before 2.6.28 print it: with pointers and leftovers between the calls. */
function told(state: State | undefined, ...places: readonly string[]): string {
  const frames = parseFrames(places.map((place) => `[<c0100000>] ${place}`).join('\n'));
  const { kind, waitsFor } = explain({ id: 0, frames }, state);
  return `${kind}: ${waitsFor}`;
}

const POINTER = 'default_wake_function+0x0/0xc';

describe('a stack with leftovers of a task in state S', () => {
  it('has none of a function that only sleeps uninterruptibly', () => {
    const places = ['wait_for_completion+0x80/0xe0', POINTER, 'sys_wait4+0x1a0/0x270', 'sys_vfork+0x30/0x3b'];
    expect(told('S', ...places)).toBe('idle: a child to exit or change state');
    expect(told('D', ...places)).toMatch(/^blocked: /);
  });

  it('has none of writing where the system call reads, nor of functions that nobody knows', () => {
    const reads = ['schedule_timeout+0xb0/0xc0', 'stray_cursor+0x10/0x200', 'read_chan+0x730/0x8d0'];
    const leftovers = ['write_chan+0x150/0x210', POINTER, 'tty_write+0x1a0/0x2e0', 'tty_read+0x140/0x170'];
    const calls = ['vfs_read+0xb0/0x110', 'sys_read+0x40/0x60'];
    expect(told('S', ...reads, ...leftovers, ...calls)).toBe('idle: input on a terminal');
    expect(told('D', ...reads, ...leftovers, ...calls)).toMatch(/^blocked: /);
    expect(told('S', ...reads, 'tty_read+0x140/0x170', ...calls)).not.toMatch(/^idle/);
  });
});

describe('a stack with leftovers', () => {
  it('does not wait in a function that wakes others', () => {
    const places = ['schedule_timeout+0x76/0xc0', 'rwsem_wake+0x12d/0x140', 'futex_wait+0x1eb/0x220', POINTER];
    expect(told(undefined, ...places, 'do_futex+0x74/0xd0', 'sys_futex+0x66/0x140')).toMatch(/^idle: .*futex/);
  });
});

describe('a stack of guesses', () => {
  const guessed = (state: State | undefined, ...places: readonly string[]) => {
    const frames = places.map((place) => ({ symbol: place.split('+')[0] ?? '', raw: `? ${place}` }));
    return explain({ id: 0, frames }, state);
  };

  it('in which nothing sleeps does not tell that the task waits', () => {
    const places = ['unheard_of+0x1/0x2', 'heard_of+0x1/0x2', 'other+0x1/0x2', 'dev_open+0x1/0x2', 'sys_ioctl+0x1/0x2'];
    expect(guessed(undefined, ...places).kind).toBe('unexplained');
    expect(guessed('D', ...places).kind).toBe('blocked');
  });

  it('is said to be one also where the scheduler is sure', () => {
    const frames = [{ symbol: 'schedule_timeout', raw: 'schedule_timeout+0x1/0x2' }];
    const guess = { symbol: 'unheard_of', raw: '? unheard_of+0x1/0x2' };
    expect(explain({ id: 0, frames: [...frames, guess] }, 'D').waitsFor).toMatch(/unheard_of \(likely/);
  });
});

describe('a stack without sizes', () => {
  it('has pointers and leftovers all the same', () => {
    const braces = ['submit_bio+223', 'wake_function+0', 'txBegin+625', 'default_wake_function+0', 'unheard_of+58'];
    const frames = braces.map((each) => ({
      symbol: each.split('+')[0] ?? '',
      offset: Number(each.split('+')[1]),
      raw: `<ffffffff802fb31f>{${each}}`,
    }));
    expect(explain({ id: 0, frames }, 'D').rule).toBe('jfs-transaction');
  });
});

describe('a semaphore that a kernel thread of an old kernel waits on for work', () => {
  const places = ['__down_interruptible+0x94/0x100', 'scsi_error_handler+0x107/0x180', 'kernel_thread+0x23/0x30'];

  it('is its work, and not a lock that somebody holds', () => {
    expect(told(undefined, ...places)).toBe('idle: a SCSI command to fail');
    expect(told('D', ...places)).toMatch(/^blocked: /);
  });
});

describe('a stack that a tracer took where a function begins', () => {
  const traced = (...lines: readonly string[]) => {
    const frames = lines.map((line) => ({ symbol: line.split('+')[0] ?? '', raw: line }));
    const { kind, waitsFor } = explain({ id: 0, frames });
    return `${kind}: ${waitsFor}`;
  };

  it('is of a task that runs', () => {
    expect(traced('tpm_transmit+1', 'tpm_get_random+70', 'kthread+230')).toMatch(/^running: .* in tpm_transmit/);
    expect(traced('tpm_transmit+177', 'tpm_get_random+70', 'kthread+230')).toMatch(/^blocked: /);
  });

  it('tells what is waited for, where the function is one that sleeps', () => {
    expect(traced('io_schedule+1', 'unheard_of+70', 'kthread+230')).toMatch(/^blocked: I\/O to complete/);
  });
});
