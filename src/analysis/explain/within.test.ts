import { describe, expect, it } from 'vitest';
import { parseFrames } from '../../model/stack.ts';
import { withinOf } from './within.ts';

function within(sentence: string, ...functions: string[]): string | undefined {
  const frames = parseFrames(functions.map((name) => `[<0>] ${name}+0x1/0x2`).join('\n'));
  return withinOf(frames, sentence, frames[0]);
}

const LOCK = 'a mutex that f takes';

describe('what a whole stack belongs to', () => {
  it.each([
    ['in write(2)', ['f', 'vfs_write', 'ksys_write', '__x64_sys_write', 'do_syscall_64']],
    ['in fstat(2)', ['f', '__do_sys_newfstat', '__x64_sys_newfstat', 'do_syscall_64']],
    ['in newfstatat(2)', ['f', '__do_sys_newfstatat', '__arm64_sys_newfstatat', 'el0_svc']],
    ['in a page fault', ['f', 'handle_mm_fault', 'do_user_addr_fault', 'exc_page_fault', 'asm_exc_page_fault']],
    ['in read(2)', ['f', 'asm_exc_page_fault', 'copy_to_iter', 'vfs_read', '__x64_sys_read']],
    ['in read(2)', ['f', 'vfs_read', '__x64_sys_read', 'do_syscall_64', 'do_user_addr_fault', 'exc_page_fault']],
    ['as it exits', ['f', 'do_exit', 'do_group_exit', 'get_signal', 'arch_do_signal_or_restart']],
    ['in exit_group(2)', ['f', 'do_exit', 'do_group_exit', '__x64_sys_exit_group']],
    ['as it unmounts a file system', ['f', 'cleanup_mnt', 'task_work_run', 'exit_to_user_mode_loop']],
    ['in a kernel worker (reset_work)', ['f', 'reset_work', 'process_one_work', 'worker_thread', 'kthread']],
    ['in a kernel thread (reclaim)', ['f', 'reclaim', 'kthread', 'ret_from_fork']],
    ['in a kernel thread (reclaim)', ['f', 'reclaim', 'md_thread', 'kthread', 'ret_from_fork']],
  ])('%s', (told, functions) => {
    expect(within(LOCK, ...functions)).toBe(told);
  });

  it('goes on with the functions of a file or driver, where the sentence does not tell what of', () => {
    const ioctl = ['f', 'hot_remove_disk', 'md_ioctl', 'blkdev_ioctl', '__x64_sys_ioctl'];
    expect(within(`${LOCK}, in order to carry out an ioctl`, ...ioctl)).toBe('in ioctl(2) (hot_remove_disk)');
    expect(within(`${LOCK}, in order to remove a member of an md array`, ...ioctl)).toBe('in ioctl(2)');
    expect(within(`${LOCK}, in order to probe a device`, 'f', 'a_probe', 'usb_probe_interface')).toBe('in a_probe');
  });

  it('tells what kernel workers and threads are for', () => {
    const worker = ['process_one_work', 'worker_thread', 'kthread'];
    expect(within(LOCK, 'f', 'hub_event', ...worker)).toBe('in a kernel worker for USB ports (hub_event)');
    expect(within(LOCK, 'f', 'raid1d', 'md_thread', 'kthread')).toBe('in a kernel thread of a RAID1 array (raid1d)');
    expect(within(LOCK, 'f', 'finish_ordered_fn', 'btrfs_work_helper', ...worker)).toBe(
      'in a kernel worker that finishes writes of btrfs (finish_ordered_fn)',
    );
  });

  it('tells the occasion of the whole stack', () => {
    const suspend = ['f', 'ksys_sync_helper', 'pm_suspend', 'state_store', 'vfs_write', '__x64_sys_write'];
    const sync = `${LOCK}, in order to write all dirty data (sync)`;
    expect(within(sync, ...suspend)).toBe('in write(2), as it suspends or resumes the host');
    expect(within(`${LOCK}, in order to write dirty pages`, 'f', 'ext4_release_file', '__fput')).toBe(
      'as it closes a file',
    );
    expect(within(`${LOCK}, in order to close a sound stream`, 'f', 'snd_pcm_release', '__fput')).toBeUndefined();
    expect(within(`${LOCK}, in order to read metadata`, 'f', 'g', 'f2fs_create', 'lookup_open')).toBe(
      'as it creates a file',
    );
    expect(within(`${LOCK}, in order to read metadata`, 'f', 'g', 'nfs_atomic_open', 'lookup_open')).toBeUndefined();
  });

  it('takes sys_info and ksys_sync_helper for no system calls', () => {
    expect(within(`${LOCK}, in order to do it`, 'f', 'g', 'sys_info', 'h')).toBeUndefined();
    expect(within(`${LOCK}, in order to do it`, 'f', 'g', 'ksys_sync_helper', 'h')).toBeUndefined();
  });

  it('is not said twice', () => {
    expect(within(`${LOCK}, in order to write to a file`, 'f', 'ksys_pwrite64', '__x64_sys_pwrite64')).toBeUndefined();
    expect(within(`${LOCK}, in order to unmount a file system`, 'f', '__x64_sys_umount')).toBeUndefined();
    expect(within(`${LOCK}, in order to write a file (fsync)`, 'f', '__x64_sys_write')).toBe('in write(2)');
    expect(within(`${LOCK}, in order to write a file (fsync)`, 'f', '__x64_sys_fsync')).toBeUndefined();
    expect(within('something in a kernel worker (f)', 'g', 'f', 'process_one_work')).toBeUndefined();
  });

  it('is unknown of a stack that is cut off', () => {
    expect(within(LOCK, 'f', 'g', 'h')).toBeUndefined();
    expect(within(LOCK, 'f', 'kthread')).toBeUndefined();
    expect(within(LOCK, '__refrigerator', 'kthread_worker_fn', 'kthread')).toBeUndefined();
  });
});
