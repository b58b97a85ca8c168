import { describe, expect, it } from 'vitest';
import { parseFrames } from '../../model/stack.ts';
import { explain } from '../explain/explain.ts';

function saidOf(...functions: string[]): string {
  const text = functions.map((name) => `[<0>] ${name}+0x10/0x20`).join('\n');
  return explain({ id: 0, frames: parseFrames(text) }).waitsFor;
}

describe('a table of locks', () => {
  it('says which lock a function takes, and what for', () => {
    expect(saidOf('__mutex_lock', 'mutex_lock', 'slab_start', 'seq_read', 'vfs_read', '__x64_sys_read')).toBe(
      'the lock of the list of slab caches (slab_mutex), which another task holds, in order to read',
    );
    expect(saidOf('rwsem_down_read_slowpath', 'down_read', 'gfs2_unstuff_dinode.part.0')).toMatch(/i_rw_mutex/);
  });

  it('says nothing of locks of other kinds, nor of other sleeps, in the same function', () => {
    expect(saidOf('rwsem_down_read_slowpath', 'down_read', 'slab_start', 'seq_read')).not.toMatch(/slab_mutex/);
    expect(saidOf('schedule', 'schedule_timeout', 'msleep', 'slab_start', 'seq_read')).not.toMatch(/slab_mutex/);
    expect(saidOf('__mutex_lock', 'mutex_lock', 'unheard_of', 'slab_start', 'seq_read')).not.toMatch(/slab_mutex/);
  });
});
