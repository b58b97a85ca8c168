import { DISKS, MOUNTS, OTHERS_BLOCKED } from './commands.ts';
import { blocked, INNERMOST, type Rule } from './rule.ts';

const SLOW = 'The disk below is slow, or has stopped to answer.';

/** What all file systems share: inodes, directories, locks, mounts, quota. */
export const INODES_AND_MOUNTS: readonly Rule[] = [
  blocked(
    'fs-inode-new',
    [
      'wait_on_inode|__wait_on_freeing_inode|find_inode|find_inode_fast|ilookup5|iget_locked|iget5_locked|ilookup|evict|inode_wait_for_lru_isolating',
    ],
    'an inode that another reads in or frees',
    'The other waits for the disk; or a file system deadlock.',
    OTHERS_BLOCKED,
    'fs/inode.c: __wait_on_freeing_inode',
    INNERMOST,
  ),
  blocked(
    'fs-directory-lock',
    [
      'path_openat|open_last_lookups|do_last|lookup_slow|__lookup_slow|walk_component|do_unlinkat|do_mkdirat|do_rmdir|filename_create|do_renameat2|iterate_dir|lookup_open|lookup_one_len|lookup_one_unlocked|vfs_unlink|vfs_rmdir|start_dirop|__start_dirop|start_creating_path|lookup_one_qstr_excl',
    ],
    'the lock of a directory that another task is reading or changing',
    'A holder that waits for its disk or server in that directory; many tasks that use one large directory.',
    [...OTHERS_BLOCKED, 'ls -l /proc/PID/cwd'],
    'fs/namei.c: lookup_slow',
    INNERMOST,
  ),
  blocked(
    'fs-rename',
    [
      'lock_rename|lock_rename_child|lock_two_directories|lock_two_nondirectories|lock_two_inodes|vfs_rename|start_renaming|__start_renaming',
    ],
    'the locks for a rename: one of a file system, and those of the two directories and files',
    'Another rename or a long operation in one of the directories that waits for its disk or server.',
    OTHERS_BLOCKED,
    'fs/namei.c: lock_rename',
    INNERMOST,
  ),
  blocked(
    'fs-lookup-parallel',
    ['d_wait_lookup|d_alloc_parallel'],
    'another task that looks up the same name',
    'The other waits for its disk or server.',
    OTHERS_BLOCKED,
    'fs/dcache.c: d_wait_lookup',
  ),
  blocked(
    'fs-seek-lock',
    ['__fdget_pos|fdget_pos|__f_lock_pos|file_seek_cur_needs_f_lock'],
    'the position of an open file, which another thread is using',
    'Another thread or process that shares the descriptor is stuck in read, write or readdir on it.',
    ['ls -l /proc/PID/fd', ...OTHERS_BLOCKED],
    'fs/file.c: __fdget_pos',
  ),
  blocked(
    'fs-inode-lock',
    [
      'vfs_setxattr|vfs_removexattr|vfs_getxattr|chmod_common|chown_common|do_truncate|vfs_utimes|utimes_common|do_utimes|__vfs_setxattr_locked|vfs_fileattr_set|generic_file_write_iter|generic_file_aio_write|generic_file_fsync|__generic_file_fsync|btrfs_file_write_iter|f2fs_file_write_iter|blkdev_write_iter|ext4_rename|ext4_rename2|generic_file_llseek|vfs_fsync_range|vfs_link|ext4_llseek|ext4_file_llseek',
    ],
    'the lock of an inode',
    'A long write, truncate or fsync of the same file by another task.',
    OTHERS_BLOCKED,
    'include/linux/fs.h: inode_lock',
    INNERMOST,
  ),
  blocked(
    'fs-file-lock',
    [
      'locks_lock_inode_wait|flock_lock_inode_wait|posix_lock_inode_wait|fcntl_setlk|do_lock_file_wait|sys_flock|flock_lock_inode',
    ],
    'a file lock (flock, fcntl) that another process holds',
    'Usual between programs; else a holder that is stuck or gone astray.',
    ['cat /proc/locks', 'lslocks'],
    'fs/locks.c: locks_lock_inode_wait',
  ),
  blocked(
    'fs-lease',
    ['__break_lease|break_lease|break_deleg_wait'],
    'the holder of a lease or delegation to give it up',
    'An NFS or SMB client that does not answer the recall.',
    ['cat /proc/locks'],
    'fs/locks.c: __break_lease',
  ),
  blocked(
    'fs-umount',
    [
      'deactivate_super|deactivate_locked_super|generic_shutdown_super|kill_block_super|cleanup_mnt|umount_tree|namespace_unlock|do_umount',
    ],
    'a file system to be unmounted',
    SLOW,
    [...MOUNTS, ...DISKS],
    'fs/super.c: generic_shutdown_super',
    INNERMOST,
  ),
  blocked(
    'fs-super-lock',
    [
      'grab_super|super_lock|super_lock_shared|get_super|iterate_supers|iterate_supers_type|user_get_super|sget_fc|sget|alloc_super|trylock_super|do_remount|reconfigure_super|grab_super_dead|sget_userns|get_tree_bdev|get_tree_bdev_flags|mount_bdev|user_get_super_excl|super_wake|path_mount|do_mount',
    ],
    'a file system that is being mounted, remounted, frozen or unmounted',
    'The mount or unmount waits for its disk or server.',
    [...MOUNTS, ...OTHERS_BLOCKED],
    'fs/super.c: super_lock',
    INNERMOST,
  ),
  blocked(
    'fs-mount-lock',
    [
      'lock_mount|do_lock_mount|namespace_lock|do_new_mount|do_move_mount|copy_mnt_ns|mnt_get_expire_lock|attach_recursive_mnt',
    ],
    'the lock of the mounts of all namespaces',
    'Another mount or unmount that is stuck; many containers that start at once.',
    [...MOUNTS, ...OTHERS_BLOCKED],
    'fs/namespace.c: lock_mount',
    INNERMOST,
  ),
  blocked(
    'fs-automount',
    ['autofs_wait|autofs4_wait|autofs_mount_wait|autofs4_mount_wait|autofs_d_automount|autofs_d_manage'],
    'the automounter to mount or expire a directory',
    'automount or systemd does not answer, or waits for a server that is down.',
    ['systemctl list-units -t automount', 'systemctl status autofs', ...MOUNTS],
    'fs/autofs/waitq.c: autofs_wait',
  ),
  blocked(
    'fs-fsnotify',
    ['fanotify_handle_event|fanotify_get_response|fsnotify_handle_event|fanotify_handle_group_event'],
    'a program to permit an access to a file (fanotify)',
    'A virus scanner or HSM that is stuck or slow; every access to its mounts waits for it.',
    ['grep -l fanotify /proc/*/fdinfo/* 2>/dev/null', 'kstack -c "scan|falcon|mdatp|ds_agent" -f long'],
    'fs/notify/fanotify/fanotify.c: fanotify_get_response',
  ),
  blocked(
    'fs-fsnotify-mark',
    [
      'fsnotify_destroy_group|fsnotify_wait_marks_destroyed|fsnotify_destroy_marks|fsnotify_detach_connector_from_object|fsnotify_connector_destroy_workfn|fsnotify_mark_destroy_workfn|fsnotify_put_mark_wake|inotify_release|fsnotify_release',
    ],
    'marks of a file watch to be freed',
    'Many watches, or a watch in a callback that is stuck; each waits for a grace period of SRCU.',
    ['grep -c inotify /proc/*/fdinfo/* 2>/dev/null | grep -v :0', ...OTHERS_BLOCKED],
    'fs/notify/mark.c: fsnotify_wait_marks_destroyed',
  ),
  blocked(
    'fs-quota',
    [
      'dqget|dqput|dquot_acquire|dquot_commit|dquot_release|dquot_initialize|__dquot_initialize|dquot_writeback_dquots|dquot_quota_sync|dqcache_shrink_scan|quota_release_workfn|dquot_disable',
    ],
    'quota of a user or group',
    'Quota is written to disk slowly, or another holds its lock.',
    ['repquota -a', ...DISKS],
    'fs/quota/dquot.c: dqget',
  ),
  blocked(
    'fs-kernfs',
    [
      'kernfs_drain|kernfs_fop_open|kernfs_iop_permission|kernfs_fop_write_iter|kernfs_seq_start|kernfs_dop_revalidate|kernfs_iop_getattr|kernfs_fop_readdir|kernfs_iop_lookup|kernfs_remove_by_name_ns|kernfs_add_one|kernfs_remove|__kernfs_remove|kernfs_activate|kernfs_fop_write|kernfs_drain_open_files',
    ],
    'a lock of sysfs or cgroupfs',
    'A write to a sysfs or cgroup file that does not end; many programs that scan /sys.',
    OTHERS_BLOCKED,
    'fs/kernfs/dir.c: kernfs_drain',
    INNERMOST,
  ),
  blocked(
    'fs-proc',
    ['proc_entry_rundown|remove_proc_subtree|remove_proc_entry|proc_reg_release|unuse_pde'],
    'readers of a /proc file that a driver removes',
    'A reader of that file is stuck in the driver.',
    OTHERS_BLOCKED,
    'fs/proc/inode.c: proc_entry_rundown',
  ),
  blocked(
    'fs-fput-flush',
    ['__fput|____fput|task_work_run|filp_close|filp_flush', /exit_to_user_mode_\w+|do_exit|sys_close/],
    'a file to be closed',
    SLOW,
    ['ls -l /proc/PID/fd', ...DISKS],
    'fs/file_table.c: __fput',
    INNERMOST,
  ),
];
