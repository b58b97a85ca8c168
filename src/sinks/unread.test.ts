import { describe, expect, it } from 'vitest';
import { formatUnread } from './unread.ts';

describe('formatUnread', () => {
  it('names the task, the thing and the reason, on one safe line', () => {
    expect(
      formatUnread([
        { tid: 7, what: 'task', why: 'gone' },
        { tid: 8, comm: 'a\nb', state: 'D', what: 'task', why: 'timeout' },
        { tid: 9, comm: 'x', what: 'stack', why: 'EIO' },
      ]),
    ).toEqual([
      'PID 7: no such process',
      'PID 8 (a\\x0ab, state D): process could not be read in time; it is probably stuck in an execve that waits for the mmap lock of its parent',
      'PID 9 (x): kernel stack not readable: EIO',
    ]);
  });

  it('counts the rest of very many that are alike', () => {
    const lines = formatUnread([
      ...Array.from({ length: 5000 }, (_, i) => ({ tid: i + 1, comm: 'x', what: 'stack', why: 'denied' }) as const),
      { tid: 6000, comm: 'y', what: 'commandLine', why: 'timeout' },
    ]);
    expect(lines).toHaveLength(22);
    expect(lines[19]).toMatch(/^PID 20 \(x\): /);
    expect(lines[20]).toMatch(/^PID 6000 \(y\): /);
    expect(lines[21]).toMatch(/^4980 processes more: kernel stack not readable: permission denied/);
  });
});
