import { describe, expect, it } from 'vitest';
import { foundIn, toldIn } from '../../../../test/found.ts';

function tellAll(...lines: readonly string[]): string[] {
  return foundIn(lines).map(({ stack }) => stack.frames.map(({ symbol }) => symbol).join(' '));
}

const CHAIN = '__schedule schedule f_wait g_write do_fsync';

describe('a chain of functions', () => {
  it.each([
    '__schedule <- schedule <- f_wait <- g_write <- do_fsync',
    '  `do_fsync() -> g_write() -> f_wait() -> schedule() -> __schedule()`',
    'do_fsync → g_write → f_wait → schedule → __schedule',
    '__schedule < schedule < f_wait < g_write < do_fsync',
  ])('has the scheduler at its inner end: %s', (line) => {
    expect(tellAll(line)).toEqual([CHAIN]);
  });

  it('is a stack only by itself, and with one inner end', () => {
    expect(tellAll('The path is do_fsync -> g_write -> schedule, as said.')).toEqual([]);
    expect(tellAll('do_fsync -> g_write -> h_write')).toEqual([]);
    expect(tellAll('schedule -> g_write -> schedule')).toEqual([]);
  });
});

describe('a chain without the scheduler', () => {
  const known = new Set(['mutex_lock', 'ext4_file_write_iter', 'vfs_write']);
  const tell = (line: string) => toldIn([line], known);

  it.each([
    'mutex_lock < ext4_file_write_iter < vfs_write',
    'mutex_lock <- ext4_file_write_iter <- vfs_write',
    'vfs_write -> ext4_file_write_iter -> mutex_lock',
    '`vfs_write() → ext4_file_write_iter() → mutex_lock()`',
  ])('is a stack if the kernel has all its functions: %s', (line) => {
    expect(tell(line)).toEqual([': mutex_lock ext4_file_write_iter vfs_write']);
  });

  it.each([
    'vfs_write -> ext4_file_write_iter -> mutex_lock hangs',
    'It hangs in vfs_write -> ext4_file_write_iter -> mutex_lock',
    'vfs_write -> my_function -> mutex_lock',
    'vfs_write -> mutex_lock',
    'vfs_write < ext4_file_write_iter > mutex_lock',
  ])('is none otherwise: %s', (line) => expect(tell(line)).toEqual([]));
});

describe('names by themselves', () => {
  it('may begin with the outermost function, as perf-report(1) prints them', () => {
    expect(
      tellAll('---entry_SYSCALL_64', '   do_fsync', '   g_write', '   f_wait', '   schedule', '   __schedule'),
    ).toEqual(['__schedule schedule f_wait g_write do_fsync entry_SYSCALL_64']);
  });

  it('do so in a tree, where people write remarks behind them', () => {
    expect(tellAll('do_syscall_64', '  do_fsync()  <- takes the lock', '    io_schedule_f')).toEqual([
      'io_schedule_f do_fsync do_syscall_64',
    ]);
  });

  it('are no stack where they draw what a function calls one after the other', () => {
    expect(
      tellAll(
        'do_syscall_64',
        '  do_fsync',
        '    g_write',
        '      down_write // for writing',
        '    h_write',
        '      f_wait',
      ),
    ).toEqual([]);
  });
});
