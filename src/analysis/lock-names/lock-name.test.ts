import { describe, expect, it } from 'vitest';
import { parseFrames } from '../../model/stack.ts';
import { explain } from '../explain.ts';
import { FILE_SYSTEM_LOCKS } from './file-systems.ts';
import { lockName } from './lock-name.ts';
import { LOCK_NAMES } from './tables.ts';

describe('the name of a lock', () => {
  it('is that of the only lock of its kind that a function takes', () => {
    expect(lockName('unregister_blkdev', 'mutex')).toBe('in Linux 6.12: major_names_lock');
    expect(lockName('nd_device_notify', 'mutex')).toBe('in Linux 6.12: device_lock()');
    expect(lockName('iwl_trans_pcie_stop_device', 'mutex')).toBe('in Linux 6.12: trans_pcie->mutex');
  });

  it('is that of a lock taken in an inline function, too', () => {
    expect(lockName('walk_page_range', 'rwsem')).toBe('in Linux 6.12: vma_start_write()');
    expect(lockName('sys_mbind', 'rwsem')).toBe('in Linux 6.12: mmap_lock');
  });

  it('is that of both where a function takes two', () => {
    expect(lockName('msm_job_run', 'mutex')).toBe('in Linux 6.12: gpu->lock or lru->lock');
    expect(lockName('vhost_worker_killed', 'mutex')).toBe('in Linux 6.12: vq->mutex or worker->mutex');
  });

  it('is found on every line of a row', () => {
    const functions = FILE_SYSTEM_LOCKS.split(/\s+/).filter((word) => /^btrfs_\w+$/.test(word));
    expect(functions.length).toBeGreaterThan(30);
    const kinds = ['mutex', 'rwsem', 'semaphore'] as const;
    expect(functions.filter((name) => kinds.every((kind) => lockName(name, kind) === undefined))).toEqual([]);
  });

  it('is not told of another kind of lock, of an unknown function or of part of a name', () => {
    expect(lockName('unregister_blkdev', 'rwsem')).toBeUndefined();
    expect(lockName('unheard_of', 'mutex')).toBeUndefined();
    expect(lockName('register_blkde', 'mutex')).toBeUndefined();
    expect(lockName('.*', undefined)).toBeUndefined();
  });

  it('stands on lines of kind, name and functions', () => {
    const lines = LOCK_NAMES.flatMap((table) => table.trim().split('\n'));
    const form = /^(?:(?:mutex|rwsem|semaphore) \w+(?:->\w+)*(?:\(\))?:| )(?: \w+)+$/;
    expect(lines.filter((line) => !form.test(line))).toEqual([]);
  });
});

function waitsFor(...functions: string[]) {
  const lines = functions.map((name) => `[<0>] ${name.replace(/(?= \[|$)/, '+0x10/0x20')}`);
  return explain({ id: 0, frames: parseFrames(lines.join('\n')) }).waitsFor;
}

describe('a sentence about a lock', () => {
  it('names the lock where it tells only the kind', () => {
    const known = waitsFor('__mutex_lock', 'mutex_lock', 'unregister_blkdev', 'loop_exit', '__x64_sys_delete_module');
    expect(known).toBe(
      'a mutex that another task holds (in Linux 6.12: major_names_lock), in order to unload a kernel module',
    );
    const unknown = waitsFor('__mutex_lock', 'mutex_lock', 'nd_device_notify [libnvdimm]', 'worker_thread');
    expect(unknown).toContain('takes (in Linux 6.12: device_lock(); by its name, a part of non-volatile memory)');
  });

  it('adds nothing to one that tells the lock, nor of a wait for something else', () => {
    expect(waitsFor('__mutex_lock', 'mutex_lock', 'rtnl_lock', 'do_setlink')).not.toContain('in Linux');
    expect(waitsFor('schedule', 'unregister_blkdev', 'loop_exit')).not.toContain('in Linux');
  });
});
