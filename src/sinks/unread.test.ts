import { describe, expect, it } from 'vitest';
import type { Unread } from '../model/sample.ts';
import { formatUnread } from './unread.ts';

function many(count: number, first: number, rest: Omit<Unread, 'tid'>): Unread[] {
  return Array.from({ length: count }, (_, at) => ({ tid: first + at, ...rest }));
}

describe('formatUnread', () => {
  it('names the task, the thing and the reason, on one safe line', () => {
    expect(
      formatUnread(
        [
          { tid: 7, what: 'task', why: 'gone' },
          { tid: 8, comm: 'a\nb', state: 'D', what: 'task', why: 'timeout' },
          { tid: 9, comm: 'x', what: 'stack', why: 'EIO' },
        ],
        false,
      ),
    ).toEqual([
      'PID 7: no such process',
      'PID 8 (a\\x0ab, state D): process could not be read in time; it is probably stuck in an execve that waits for the mmap lock of its parent',
      'PID 9 (x): kernel stack not readable: EIO',
    ]);
  });

  it('puts many that are alike on one line, with their name and state where they share them', () => {
    const lines = formatUnread(
      [
        ...many(200, 1001, { comm: 'mmap\x1b', what: 'commandLine', why: 'locked' }),
        ...many(4, 1, { comm: 'x', state: 'D', what: 'task', why: 'timeout' }),
        ...many(3, 11, { comm: 'x', what: 'stack', why: 'EIO' }),
        { tid: 14, comm: 'y', what: 'stack', why: 'EIO' },
      ],
      false,
    );
    expect(lines).toEqual([
      expect.stringMatching(
        /^200 processes mmap\\x1b \(1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, \.\.\.\): command line not read: a thread holds/,
      ),
      expect.stringMatching(/^4 processes x in state D \(1, 2, 3, 4\): process could not be read in time; /),
      '4 processes (11 x, 12 x, 13 x, 14 y): kernel stack not readable: EIO',
    ]);
  });

  it('calls a TID a TID where the tasks are threads, but not a number that no task has', () => {
    expect(
      formatUnread(
        [
          { tid: 5, comm: 'x', what: 'stack', why: 'EIO' },
          { tid: 6, what: 'task', why: 'EIO' },
          { tid: 7, what: 'task', why: 'gone' },
        ],
        true,
      ),
    ).toEqual([
      'TID 5 (x): kernel stack not readable: EIO',
      'TID 6: thread not readable: EIO',
      'PID 7: no such process',
    ]);
    expect(formatUnread(many(4, 1, { comm: 'x', what: 'stack', why: 'EIO' }), true)).toEqual([
      '4 threads x (1, 2, 3, 4): kernel stack not readable: EIO',
    ]);
  });

  it('gives each missing number its line, as long as there are few', () => {
    expect(formatUnread(many(15, 1, { what: 'task', why: 'gone' }), false)[14]).toBe('PID 15: no such process');
    expect(formatUnread(many(5000, 1, { what: 'task', why: 'gone' }), false)).toEqual([
      '5000 processes (1, 2, 3, 4, 5, 6, 7, 8, ...): no such process',
    ]);
  });

  it('has no more than 20 lines, of which the last says how many are missing', () => {
    const unread = Array.from({ length: 60 }, (_, at) => ({ tid: at + 1, what: 'stack', why: `E${at}` }) as const);
    const lines = formatUnread(unread, false);
    expect(lines).toHaveLength(20);
    expect(lines[19]).toBe('41 more lines about what could not be read');
    expect(formatUnread(unread.slice(0, 20), false)).toHaveLength(20);
  });
});
