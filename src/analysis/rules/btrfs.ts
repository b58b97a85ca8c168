import { DISKS, OTHERS_BLOCKED } from './commands.ts';
import { blocked, INNERMOST, type Rule } from './rule.ts';

const SLOW = 'The disk below is slow, or has stopped to answer.';
const BTRFS = ['btrfs filesystem usage MOUNTPOINT', 'btrfs device stats MOUNTPOINT', ...DISKS];

/** btrfs. */
export const BTRFS_RULES: readonly Rule[] = [
  blocked(
    'btrfs-commit',
    [
      'btrfs_commit_transaction|btrfs_wait_for_commit|wait_for_commit|btrfs_commit_transaction_async|wait_current_trans_commit_start',
    ],
    'a btrfs transaction to commit',
    'Much dirty metadata, snapshots, balance or qgroups; a slow disk.',
    BTRFS,
    'fs/btrfs/transaction.c: btrfs_commit_transaction',
  ),
  blocked(
    'btrfs-transaction',
    [
      'wait_current_trans|start_transaction|btrfs_attach_transaction_barrier|join_transaction|btrfs_throttle|btrfs_start_transaction',
    ],
    'the btrfs commit in progress, in order to begin a transaction',
    'A commit that takes long: look at the task in btrfs_commit_transaction.',
    BTRFS,
    'fs/btrfs/transaction.c: wait_current_trans',
    INNERMOST,
  ),
  blocked(
    'btrfs-space',
    [
      'handle_reserve_ticket|wait_reserve_ticket|__reserve_bytes|reserve_metadata_bytes|btrfs_reserve_metadata_bytes|btrfs_reserve_data_bytes|btrfs_async_reclaim_metadata_space|flush_space|shrink_delalloc|btrfs_delalloc_reserve_metadata|btrfs_alloc_data_chunk_ondemand',
    ],
    'free space of a btrfs to be reserved',
    'The file system is nearly full, in data or in metadata; or much delayed work must be flushed first.',
    BTRFS,
    'fs/btrfs/space-info.c: handle_reserve_ticket',
  ),
  blocked(
    'btrfs-tree-lock',
    [
      'btrfs_tree_lock|__btrfs_tree_lock|btrfs_tree_read_lock|__btrfs_tree_read_lock|btrfs_tree_read_lock_nested|btrfs_tree_lock_nested|btrfs_read_lock_root_node|btrfs_lock_root_node|btrfs_search_slot',
    ],
    'the lock of a node of a btrfs tree',
    'Many tasks that change one subvolume; a holder that waits for the disk.',
    [...BTRFS, ...OTHERS_BLOCKED],
    'fs/btrfs/locking.c: btrfs_tree_lock',
  ),
  blocked(
    'btrfs-extent-lock',
    [
      'lock_extent|lock_extent_bits|lock_extent_buffer|wait_extent_bit|__lock_extent|btrfs_lock_extent_bits|lock_and_cleanup_extent_if_needed|btrfs_lock_and_flush_ordered_range|btrfs_lock_extent|btrfs_inode_lock',
    ],
    'a range of a btrfs file that another task has locked',
    'The same file is written, read or defragmented by others.',
    OTHERS_BLOCKED,
    'fs/btrfs/extent-io-tree.c: lock_extent',
  ),
  blocked(
    'btrfs-ordered',
    [
      'btrfs_start_ordered_extent|btrfs_wait_ordered_range|btrfs_wait_ordered_extents|btrfs_wait_ordered_roots|btrfs_start_delalloc_roots|start_delalloc_inodes|btrfs_run_ordered_extent_work|btrfs_start_ordered_extent_nowriteback|btrfs_sync_file',
    ],
    'data of a btrfs to be written',
    SLOW,
    BTRFS,
    'fs/btrfs/ordered-data.c: btrfs_wait_ordered_range',
  ),
  blocked(
    'btrfs-log',
    [
      'btrfs_sync_log|btrfs_log_inode|btrfs_log_inode_parent|btrfs_log_dentry_safe|wait_log_commit|wait_for_writer|start_log_trans|join_running_log_trans',
    ],
    'the log tree of a btrfs (fsync)',
    SLOW,
    BTRFS,
    'fs/btrfs/tree-log.c: btrfs_sync_log',
  ),
  blocked(
    'btrfs-read',
    [
      'read_extent_buffer_pages|wait_on_extent_buffer_writeback|btrfs_read_extent_buffer|read_tree_block|btree_read_extent_buffer_pages|read_block_for_search|submit_extent_page|btrfs_page_mkwrite|btree_write_cache_pages|read_extent_buffer_pages_nowait',
    ],
    'a metadata block of a btrfs',
    SLOW,
    BTRFS,
    'fs/btrfs/extent_io.c: read_extent_buffer_pages',
  ),
  blocked(
    'btrfs-scrub',
    [
      /btrfs_scrub_\w+|scrub_\w+|btrfs_balance|btrfs_relocate_\w+|relocate_\w+|prepare_to_relocate|btrfs_ioctl_balance|btrfs_pause_balance|btrfs_qgroup_rescan_\w+|btrfs_qgroup_wait_for_completion|btrfs_dev_replace_\w+/,
    ],
    'scrub, balance, replace or quota rescan of a btrfs',
    'They run for hours and pause each other.',
    ['btrfs scrub status MOUNTPOINT', 'btrfs balance status MOUNTPOINT'],
    'fs/btrfs/scrub.c: btrfs_scrub_dev',
  ),
  blocked(
    'btrfs-chunk',
    [
      'btrfs_chunk_alloc|btrfs_create_pending_block_groups|btrfs_inc_block_group_ro|caching_thread|btrfs_cache_block_group|btrfs_wait_block_group_cache_progress|btrfs_caching_ctl_wait_done|find_free_extent|wait_block_group_cache_progress|btrfs_discard_extent|btrfs_finish_extent_commit',
    ],
    'space of a btrfs to be found or allocated',
    'A nearly full or fragmented file system; free space that is still being loaded.',
    BTRFS,
    'fs/btrfs/block-group.c: btrfs_chunk_alloc',
  ),
  blocked(
    'btrfs-delayed',
    [
      'btrfs_run_delayed_refs|btrfs_run_delayed_refs_for_head|btrfs_balance_delayed_items|btrfs_async_run_delayed_root|btrfs_commit_inode_delayed_items|__btrfs_release_delayed_node|btrfs_delayed_update_inode|btrfs_run_delayed_iputs|btrfs_wait_on_delayed_iputs|__btrfs_run_delayed_refs|btrfs_delayed_ref_lock|btrfs_async_run_delayed_refs|btrfs_qgroup_trace_extent_post',
    ],
    'delayed work of a btrfs (references, inodes)',
    'Snapshots, deletes and qgroups make much of it.',
    BTRFS,
    'fs/btrfs/extent-tree.c: btrfs_run_delayed_refs',
    INNERMOST,
  ),
];
