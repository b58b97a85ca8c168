import { describe, expect, it } from 'vitest';
import { parseFrames } from '../../model/stack.ts';
import { explain } from '../explain/explain.ts';
import { FILE_SYSTEM_LOCKS } from './file-systems.ts';
import { lockName, workName } from './lock-name.ts';
import { LINUX_6_1_LOCKS, LOCK_NAMES, LOCKS_OF_MODULES, OLDER_LOCKS, WORK_NAMES } from './tables.ts';

describe('the name of a lock', () => {
  it('is that of the only lock of its kind that a function takes', () => {
    expect(lockName('unregister_blkdev', 'mutex')).toBe('in Linux 6.12: major_names_lock');
    expect(lockName('nd_device_notify', 'mutex')).toBe('in Linux 6.12: device_lock()');
    expect(lockName('iwl_trans_pcie_stop_device', 'mutex')).toBe('in Linux 6.12: trans_pcie->mutex');
  });

  it('is that of a lock taken in an inline function, too', () => {
    expect(lockName('walk_page_range', 'rwsem')).toBe('in Linux 6.12: vma_start_write()');
    expect(lockName('sys_mbind', 'rwsem')).toBe('in Linux 6.12: mmap_lock');
    expect(lockName('cfg80211_event_work', 'mutex')).toBe('in Linux 6.12: wiphy->mtx');
    expect(lockName('f2fs_mkdir', 'rwsem')).toBe('in Linux 6.12: cp_rwsem');
  });

  it('is that of both where a function takes two', () => {
    expect(lockName('msm_job_run', 'mutex')).toBe('in Linux 6.12: gpu->lock or lru->lock');
    expect(lockName('vhost_worker_killed', 'mutex')).toBe('in Linux 6.12: vq->mutex or worker->mutex');
  });

  it('is that of other sources where the module is from them', () => {
    expect(lockName('zil_remove_async', 'mutex', 'zfs')).toBe('in OpenZFS 2.4: itxg_lock');
    expect(lockName('mdt_coordinator', 'mutex', 'mdt')).toBe('in Lustre 2.18: cdt_state_lock');
    expect(lockName('lfsck_set_speed', 'mutex', 'lfsck')).toBe('in Lustre 2.18: li_mutex');
    expect(lockName('drbd_adm_detach', 'mutex', 'drbd')).toContain('in DRBD 9.3: ');
    expect(lockName('zil_remove_async', 'mutex')).toBeUndefined();
    expect(lockName('mt7921_mac_work', 'mutex', 'mt7921_common')).toBe('in Linux 6.1: dev->mutex');
    expect(lockName('unregister_blkdev', 'mutex', 'zfs')).toBeUndefined();
    expect(lockName('unregister_blkdev', 'mutex', 'drbd')).toBe('in Linux 6.12: major_names_lock');
    expect(lockName('drbd_adm_attach', 'mutex', 'drbd')).toContain('in Linux 6.12: ');
  });

  it('is that of older kernels where only these have the function, or take another kind of lock there', () => {
    expect(lockName('cgroup_free_fn', 'mutex')).toBe('in Linux 3.10 to 5.4: cgroup_mutex');
    expect(lockName('dlm_lock', 'rwsem')).toBe('in Linux 3.10 to 5.4: ls_in_recovery');
    expect(lockName('nfs_file_direct_write', 'mutex')).toBe('in Linux 3.10 to 5.4: inode_lock()');
    expect(lockName('ceph_fallocate', 'mutex')).toBe('in Linux 3.10 to 5.4: inode_lock()');
    expect(lockName('ceph_fallocate', 'rwsem')).toMatch(/^in Linux 6.12: .*inode_lock\(\)/);
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
    const tables = [...LOCK_NAMES, LINUX_6_1_LOCKS, OLDER_LOCKS, ...LOCKS_OF_MODULES.map(({ rows }) => rows)];
    const lines = tables.flatMap((table) => table.trim().split('\n'));
    const form = /^(?:(?:mutex|rwsem|semaphore) \w+(?:->\w+)*(?:\(\))?:| )(?: \w+)+$/;
    expect(lines.filter((line) => !form.test(line))).toEqual([]);
  });
});

describe('the name of work', () => {
  it('is that of the function, the queue or the thread that a function waits for', () => {
    expect(workName('xfs_flush_inodes', 'work')).toBe('in Linux 6.12: xfs_flush_inodes_worker');
    expect(workName('xlog_cil_push_now', 'queue')).toBe('in Linux 6.12: the work queue xfs-cil');
    expect(workName('f2fs_stop_gc_thread', 'thread')).toBe('in Linux 6.12: gc_thread_func');
    expect(workName('f2fs_stop_gc_thread', 'work')).toBeUndefined();
    expect(workName('deferred_probe_timeout_work_func', 'work')).toBe('in Linux 6.12: deferred_probe_work_func');
    expect(workName('nbd_ioctl', 'queue')).toBe('in Linux 6.12: the work queue nbd');
    expect(workName('ext4_stop_mmpd', 'thread')).toBe('in Linux 6.12: kmmpd');
  });

  it('is not told of a function of a module that is not of the kernel', () => {
    expect(workName('nbd_ioctl', 'queue', 'zfs')).toBeUndefined();
    expect(workName('nbd_ioctl', 'queue', 'nbd')).toBe('in Linux 6.12: the work queue nbd');
  });

  it('stands on lines of kind, name and functions', () => {
    const lines = WORK_NAMES.trim().split('\n');
    expect(lines.filter((line) => !/^(?:(?:work|queue|thread) [\w./-]+:| )(?: \w+)+$/.test(line))).toEqual([]);
  });
});

function waitsFor(...functions: string[]) {
  const lines = functions.map((name) => `[<0>] ${name.replace(/(?= \[|$)/, '+0x10/0x20')}`);
  return explain({ id: 0, frames: parseFrames(lines.join('\n')) }).waitsFor;
}

describe('a sentence about a lock', () => {
  it('tells an inode lock in words, also where it was a mutex in older kernels', () => {
    const inode = 'the lock of a file or directory (inode), which another task holds';
    expect(waitsFor('__mutex_lock_slowpath', 'mutex_lock', 'nfs_file_direct_write')).toContain(inode);
    expect(waitsFor('rwsem_down_write_failed', 'down_write', 'nfs_start_io_direct')).toContain(inode);
  });

  it('tells the lock of the network configuration in words, where a compiler leaves out rtnl_lock', () => {
    expect(waitsFor('__mutex_lock', 'nsim_destroy', 'some_function')).toContain(
      'the lock of the network configuration (rtnl), which another task holds, in nsim_destroy',
    );
  });

  it('names the lock where it tells only the kind', () => {
    const known = waitsFor('__mutex_lock', 'mutex_lock', 'unregister_blkdev', 'loop_exit', '__x64_sys_delete_module');
    expect(known).toBe(
      'a mutex that unregister_blkdev takes (in Linux 6.12: major_names_lock), in order to unload a kernel module',
    );
    const unknown = waitsFor('__mutex_lock', 'mutex_lock', 'nd_device_notify [libnvdimm]', 'worker_thread');
    expect(unknown).toBe(
      'the lock of a device (device_lock), which another task holds, in nd_device_notify [libnvdimm]' +
        ' (by its name, a part of non-volatile memory), in a kernel worker',
    );
    const field = waitsFor('__mutex_lock', 'mutex_lock', 'exfat_trim_fs [exfat]', 'worker_thread');
    expect(field).toContain('takes (in Linux 6.12: bitmap_lock; by its name, a part of exFAT)');
  });

  it('adds nothing to one that tells the lock, nor of a wait for something else', () => {
    expect(waitsFor('__mutex_lock', 'mutex_lock', 'rtnl_lock', 'do_setlink')).not.toContain('in Linux');
    expect(waitsFor('schedule', 'unregister_blkdev', 'loop_exit')).not.toContain('in Linux');
  });
});

describe('a sentence about work', () => {
  const flush = ['wait_for_completion', '__flush_work'];

  it('names the work where it tells only who does it', () => {
    expect(waitsFor(...flush, 'xfs_flush_inodes [xfs]')).toContain(
      'to finish (in Linux 6.12: xfs_flush_inodes_worker), ',
    );
    expect(waitsFor('wait_for_completion', 'kthread_stop', 'f2fs_stop_gc_thread [f2fs]')).toContain('gc_thread_func');
    expect(waitsFor('wait_for_completion', '__flush_workqueue', 'xlog_cil_push_now')).toContain('queue xfs-cil)');
  });

  it('adds nothing where the function is not known, nor to a wait for something else', () => {
    expect(waitsFor(...flush, 'unheard_of [xfs]')).not.toContain('in Linux');
    expect(waitsFor('schedule', 'xfs_flush_inodes [xfs]')).not.toContain('in Linux');
  });
});
