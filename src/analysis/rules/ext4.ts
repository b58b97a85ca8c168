import { DISKS, OTHERS_BLOCKED } from './commands.ts';
import { blocked, INNERMOST, type Rule } from './rule.ts';

const SLOW = 'The disk below is slow, or has stopped to answer.';
const FROZEN =
  'A snapshot or backup froze it (fsfreeze, LVM, a hypervisor agent) and has not thawed it; or the freeze itself waits for I/O.';
const JBD2 = ['cat /proc/fs/jbd2/*/info', 'kstack -c jbd2', ...DISKS];
const THAW = [
  'fsfreeze -u MOUNTPOINT',
  'dmsetup info | grep -B3 SUSPENDED',
  'kstack -c "fsfreeze|qemu-ga|vss" -f long',
];

/** ext4 and its journal. */
export const EXT4: readonly Rule[] = [
  blocked(
    'jbd2-commit',
    [
      'jbd2_log_wait_commit|jbd2_complete_transaction|jbd2_journal_force_commit|jbd2_journal_force_commit_nested|__jbd2_journal_force_commit|jbd2_trans_will_send_data_barrier',
    ],
    'the journal to commit a transaction (fsync, sync)',
    'The jbd2 thread waits for the disk, or for a task that holds the transaction open.',
    JBD2,
    'fs/jbd2/journal.c: jbd2_log_wait_commit',
  ),
  blocked(
    'jbd2-start',
    [
      'wait_transaction_locked|wait_transaction_switching|start_this_handle|add_transaction_credits|jbd2__journal_start|jbd2__journal_restart|jbd2_journal_start',
    ],
    'the running transaction of the journal to make room or to be committed',
    'The jbd2 thread is committing to a slow disk, or waits for a task that holds a handle and is itself stuck.',
    JBD2,
    'fs/jbd2/transaction.c: wait_transaction_locked',
  ),
  blocked(
    'jbd2-checkpoint',
    [
      '__jbd2_log_wait_for_space|jbd2_log_do_checkpoint|jbd2_cleanup_journal_tail|__flush_batch|jbd2_journal_flush|jbd2_update_log_tail|jbd2_mark_journal_empty|jbd2_write_superblock|jbd2_journal_update_sb_log_tail',
    ],
    'room in the journal: it is full and must be checkpointed',
    'A journal that is small for the load, or a slow disk.',
    [...JBD2, 'dumpe2fs -h DEVICE | grep -i journal'],
    'fs/jbd2/checkpoint.c: __jbd2_log_wait_for_space',
  ),
  blocked(
    'jbd2-checkpoint-commit',
    ['jbd2_log_wait_commit', '__jbd2_log_wait_for_space|jbd2_log_do_checkpoint'],
    'room in the journal: it is full, and a transaction has to be committed first',
    'A journal that is small for the load, or a slow disk.',
    [...JBD2, 'dumpe2fs -h DEVICE | grep -i journal'],
    'fs/jbd2/checkpoint.c: jbd2_log_do_checkpoint',
  ),
  blocked(
    'jbd2-commit-thread',
    ['jbd2_journal_commit_transaction'],
    'blocks of a transaction to reach the disk, or open handles to end',
    'A slow disk; or a task that holds a handle open and waits for something else: look for it among the blocked.',
    JBD2,
    'fs/jbd2/commit.c: jbd2_journal_commit_transaction',
  ),
  blocked(
    'jbd2-shadow',
    [
      'do_get_write_access|jbd2_journal_get_write_access|jbd2_journal_get_create_access|jbd2_journal_get_undo_access|wait_on_shadow',
    ],
    'a metadata block that the commit in progress is writing',
    SLOW,
    JBD2,
    'fs/jbd2/transaction.c: do_get_write_access',
  ),
  blocked(
    'jbd2-lock-updates',
    ['jbd2_journal_lock_updates|jbd2_journal_wait_updates|jbd2_journal_destroy|jbd2_journal_stop|journal_kill_thread'],
    'all handles of the journal to end',
    'A task with an open handle that is itself stuck.',
    JBD2,
    'fs/jbd2/transaction.c: jbd2_journal_lock_updates',
    INNERMOST,
  ),
  blocked(
    'jbd2-fast-commit',
    [
      'jbd2_fc_begin_commit|ext4_fc_commit|ext4_fc_track_inode|ext4_fc_del|ext4_fc_wait_committing_inode|jbd2_fc_wait_bufs|ext4_fc_perform_commit',
    ],
    'a fast commit of ext4',
    SLOW,
    JBD2,
    'fs/ext4/fast_commit.c: ext4_fc_commit',
    { kernels: '5.10 and newer' },
  ),
  blocked(
    'ext4-frozen',
    ['ext4_journal_check_start|__ext4_journal_start_sb|ext4_journal_start_sb'],
    'a frozen ext4 to be thawed, or its journal',
    FROZEN,
    THAW,
    'fs/ext4/ext4_jbd2.c: ext4_journal_check_start',
    INNERMOST,
  ),
  blocked(
    'ext4-inode',
    [
      'ext4_buffered_write_iter|ext4_file_write_iter|ext4_dio_write_iter|ext4_dio_read_iter|ext4_file_read_iter|ext4_dax_write_iter|ext4_fallocate|ext4_punch_hole|ext4_zero_range|ext4_collapse_range|ext4_insert_range',
    ],
    'the lock of an ext4 inode: another task writes the same file',
    'Many writers of one file; a holder that waits for the journal or the disk.',
    OTHERS_BLOCKED,
    'fs/ext4/file.c: ext4_buffered_write_iter',
    INNERMOST,
  ),
  blocked(
    'ext4-map',
    [
      'ext4_map_blocks|ext4_da_map_blocks|ext4_da_get_block_prep|ext4_truncate|ext4_setattr|ext4_filemap_fault|ext4_evict_inode|ext4_ext_truncate|ext4_iomap_begin|ext4_xattr_get|ext4_xattr_set_handle|ext4_change_inode_journal_flag|ext4_writepages|ext4_do_writepages|ext4_readpage_inline|ext4_da_write_begin|ext4_try_to_write_inline_data',
    ],
    'the block map or attributes of an ext4 inode',
    'Another task allocates or truncates in the same file.',
    OTHERS_BLOCKED,
    'fs/ext4/inode.c: ext4_map_blocks',
    INNERMOST,
  ),
  blocked(
    'ext4-orphan',
    ['ext4_orphan_add|ext4_orphan_del'],
    'the list of deleted but open files of an ext4',
    'Many deletes or truncates at once share one lock (the orphan_file feature removes it).',
    ['dumpe2fs -h DEVICE | grep -i features', ...OTHERS_BLOCKED],
    'fs/ext4/orphan.c: ext4_orphan_add',
    INNERMOST,
  ),
  blocked(
    'ext4-allocator',
    [
      'ext4_mb_load_buddy|ext4_mb_load_buddy_gfp|ext4_mb_init_group|ext4_mb_init_cache|ext4_read_block_bitmap|ext4_wait_block_bitmap|ext4_mb_initialize_context|ext4_mb_regular_allocator|ext4_mb_new_blocks|ext4_mb_discard_group_preallocations|ext4_read_inode_bitmap|ext4_discard_preallocations|ext4_mb_find_by_goal',
    ],
    'free blocks: a bitmap of ext4 to be read',
    'A large or nearly full file system whose bitmaps are not in memory.',
    ['df -h -i', ...DISKS],
    'fs/ext4/mballoc.c: ext4_mb_load_buddy',
  ),
  blocked(
    'ext4-read-inode',
    [
      '__ext4_get_inode_loc|ext4_get_inode_loc|__ext4_iget|ext4_iget|ext4_find_entry|__ext4_find_entry|ext4_readdir|ext4_bread|ext4_bread_batch|__ext4_read_dirblock|ext4_lookup|read_extent_tree_block|__read_extent_tree_block|ext4_dx_find_entry|ext4_read_bh|ext4_read_bh_lock|ext4_sb_bread',
    ],
    'an inode, directory or extent of ext4 to be read',
    SLOW,
    DISKS,
    'fs/ext4/inode.c: __ext4_get_inode_loc',
  ),
  blocked(
    'ext4-io-end',
    ['ext4_sync_file|ext4_fsync_journal|ext4_ioend_wait|ext4_unwritten_wait|ext4_put_super|ext4_freeze|ext4_remount'],
    'I/O of an ext4 to complete',
    SLOW,
    JBD2,
    'fs/ext4/fsync.c: ext4_sync_file',
  ),
];
