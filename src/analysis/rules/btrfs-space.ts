import { DISKS, OTHERS_BLOCKED } from './commands.ts';
import { lockRule } from './lock-rule.ts';
import type { Rule } from './rule.ts';

const ON_DISK = {
  kind: 'blocked',
  stuck: ['fileSystem', 'device'],
  next: ['kstack -c btrfs -f long', ...OTHERS_BLOCKED, ...DISKS],
} satisfies Partial<Rule>;
/** A lock of the file system, and nothing else, is waited for in these functions. */
const LOCK = { ...ON_DISK, innermost: true, sleeps: ['lock'] } satisfies Partial<Rule>;

const ORDERED = [
  'btrfs_start_ordered_extent',
  'btrfs_start_ordered_extent_nowriteback',
  'btrfs_wait_ordered_range',
  'btrfs_wait_ordered_extents',
  'btrfs_wait_ordered_roots',
];
const BIG_COMMIT = 'A lot of dirty metadata, snapshots, a balance or qgroups; or a slow disk.';
const NEARLY_FULL = 'The file system is nearly out of data or metadata space, or much must be flushed first.';

/** Space of btrfs: reservations, chunks, and work that is delayed until it is needed. */
export const BTRFS_SPACE: readonly Rule[] = [
  {
    id: 'btrfs-space',
    ...ON_DISK,
    match: [
      [
        'handle_reserve_ticket',
        'wait_reserve_ticket',
        '__reserve_bytes',
        'reserve_metadata_bytes',
        'btrfs_reserve_metadata_bytes',
        'btrfs_reserve_data_bytes',
        'btrfs_delalloc_reserve_metadata',
        'btrfs_delalloc_reserve_space',
        'btrfs_alloc_data_chunk_ondemand',
        'btrfs_block_rsv_refill',
        'btrfs_block_rsv_add',
      ],
    ],
    waitsFor: 'free space of a btrfs file system, for which it has queued (space ticket)',
    inOrderTo: 'reserve space of a btrfs file system',
    causes: NEARLY_FULL,
    source: 'fs/btrfs/space-info.c: handle_reserve_ticket',
  },
  {
    id: 'btrfs-space-flush',
    ...ON_DISK,
    match: [
      [
        'btrfs_async_reclaim_metadata_space',
        'btrfs_async_reclaim_data_space',
        'btrfs_preempt_reclaim_metadata_space',
        'do_async_reclaim_metadata_space',
        'do_async_reclaim_data_space',
        'priority_reclaim_metadata_space',
        'flush_space',
        'shrink_delalloc',
      ],
    ],
    waitsFor: 'delayed work of a btrfs file system to be flushed, which frees space',
    inOrderTo: 'free reserved space of a btrfs file system',
    causes: NEARLY_FULL,
    source: 'fs/btrfs/space-info.c: flush_space',
  },
  {
    id: 'btrfs-space-flush-data',
    ...ON_DISK,
    match: [
      [...ORDERED, 'btrfs_start_delalloc_roots', 'start_delalloc_inodes', 'wb_wait_for_completion'],
      ['shrink_delalloc', 'flush_space'],
    ],
    waitsFor: 'data of a btrfs file system to be written, which frees reserved space',
    inOrderTo: 'write data of a btrfs file system, to free reserved space',
    causes: NEARLY_FULL,
    source: 'fs/btrfs/space-info.c: shrink_delalloc',
  },
  {
    id: 'btrfs-chunk-lock',
    ...LOCK,
    match: [
      [
        'btrfs_chunk_alloc',
        'btrfs_create_pending_block_groups',
        'reserve_chunk_space',
        'check_system_chunk',
        'btrfs_remove_chunk',
      ],
    ],
    waitsFor: 'the lock of the chunks of a btrfs file system (chunk_mutex), which another task holds',
    causes: 'Another task allocates or removes a chunk, and waits for the disk or a discard.',
    source: 'fs/btrfs/block-group.c: btrfs_chunk_alloc',
  },
  {
    id: 'btrfs-chunk',
    ...ON_DISK,
    match: [
      ['find_free_extent', 'btrfs_reserve_extent', 'btrfs_alloc_tree_block', 'do_chunk_alloc', 'btrfs_create_chunk'],
    ],
    waitsFor: 'free space of a btrfs file system to be found',
    inOrderTo: 'allocate an extent of a btrfs file system',
    causes: 'The file system is nearly full or fragmented.',
    source: 'fs/btrfs/extent-tree.c: find_free_extent',
  },
  {
    id: 'btrfs-caching',
    ...ON_DISK,
    match: [
      [
        'caching_thread',
        'btrfs_cache_block_group',
        'cache_block_group',
        'wait_block_group_cache_done',
        'btrfs_wait_block_group_cache_progress',
        'wait_block_group_cache_progress',
        'btrfs_caching_ctl_wait_done',
        'btrfs_wait_block_group_cache_done',
        'load_free_space_tree',
        'load_extent_tree_free',
      ],
    ],
    waitsFor: 'the free space of a btrfs block group to be loaded',
    inOrderTo: 'load the free space of a btrfs block group',
    causes: 'The file system is large or fragmented, and the disk is slow.',
    source: 'fs/btrfs/block-group.c: btrfs_wait_block_group_cache_progress',
  },
  {
    id: 'btrfs-read-only',
    ...ON_DISK,
    match: [['btrfs_inc_block_group_ro', 'btrfs_dec_block_group_ro']],
    waitsFor: 'a btrfs block group to be made read-only',
    inOrderTo: 'make a btrfs block group read-only',
    causes: BIG_COMMIT,
    source: 'fs/btrfs/block-group.c: btrfs_inc_block_group_ro',
  },
  lockRule({
    id: 'btrfs-groups-lock',
    likely: true,
    takers: ['btrfs_delete_unused_bgs', 'btrfs_reclaim_bgs', 'btrfs_reclaim_bgs_work'],
    waitsFor: 'a lock of the block groups of a btrfs file system, which another task holds',
    causes: 'They look for free space, which takes long on a full or fragmented file system.',
    stuck: ['fileSystem'],
    source: 'fs/btrfs/block-group.c: btrfs_delete_unused_bgs',
  }),
  {
    id: 'btrfs-unused',
    ...ON_DISK,
    match: [['btrfs_delete_unused_bgs', 'btrfs_reclaim_bgs_work', 'btrfs_reclaim_bgs', 'btrfs_remove_block_group']],
    waitsFor: 'unused chunks of a btrfs file system to be removed',
    inOrderTo: 'remove unused chunks of a btrfs file system',
    causes: 'A balance or a scrub is running, or the disk is slow.',
    source: 'fs/btrfs/block-group.c: btrfs_delete_unused_bgs',
  },
  {
    id: 'btrfs-discard',
    ...ON_DISK,
    match: [
      [
        'btrfs_discard_extent',
        'btrfs_finish_extent_commit',
        'btrfs_trim_fs',
        'btrfs_trim_block_group',
        'btrfs_discard_workfn',
        'btrfs_issue_discard',
      ],
    ],
    waitsFor: 'free extents of a btrfs file system to be discarded',
    inOrderTo: 'discard free extents of a btrfs file system',
    causes: 'The device discards slowly.',
    source: 'fs/btrfs/extent-tree.c: btrfs_discard_extent',
  },
  {
    id: 'btrfs-delayed-refs',
    ...ON_DISK,
    match: [
      [
        'btrfs_run_delayed_refs',
        'btrfs_run_delayed_refs_for_head',
        '__btrfs_run_delayed_refs',
        'btrfs_async_run_delayed_refs',
        'btrfs_delayed_ref_lock',
        'btrfs_lookup_extent_info',
      ],
    ],
    waitsFor: 'delayed changes of btrfs extent references to be made',
    inOrderTo: 'make delayed changes of btrfs extent references',
    causes: 'Snapshots, deletes and qgroups cause a lot of them.',
    source: 'fs/btrfs/extent-tree.c: btrfs_run_delayed_refs',
  },
  {
    id: 'btrfs-delayed-inodes',
    ...ON_DISK,
    match: [
      [
        'btrfs_balance_delayed_items',
        'btrfs_async_run_delayed_root',
        'btrfs_run_delayed_items',
        '__btrfs_run_delayed_items',
        'btrfs_commit_inode_delayed_items',
        'btrfs_commit_inode_delayed_inode',
        '__btrfs_release_delayed_node',
        'btrfs_delayed_update_inode',
        'btrfs_delayed_delete_inode_ref',
        'btrfs_insert_delayed_dir_index',
        'btrfs_remove_delayed_node',
        '__btrfs_commit_inode_delayed_items',
      ],
    ],
    waitsFor: 'delayed changes of btrfs inodes and directories to be made',
    inOrderTo: 'make delayed changes of btrfs inodes and directories',
    causes: 'Many files are created, deleted or changed at once.',
    source: 'fs/btrfs/delayed-inode.c: btrfs_balance_delayed_items',
  },
  {
    id: 'btrfs-delayed',
    ...ON_DISK,
    match: [['btrfs_wait_on_delayed_iputs', 'btrfs_run_delayed_iputs']],
    waitsFor: 'unused btrfs inodes to be released',
    inOrderTo: 'release unused btrfs inodes',
    causes: 'Many files were deleted at once, or the disk is slow.',
    source: 'fs/btrfs/inode.c: btrfs_wait_on_delayed_iputs',
  },
  {
    id: 'btrfs-evict',
    ...ON_DISK,
    match: [['btrfs_evict_inode', 'evict_refill_and_join', 'evict_inode_truncate_pages', 'btrfs_orphan_cleanup']],
    waitsFor: 'a deleted btrfs inode to be freed',
    inOrderTo: 'free a deleted btrfs inode',
    causes: BIG_COMMIT,
    source: 'fs/btrfs/inode.c: btrfs_evict_inode',
  },
  {
    id: 'btrfs-truncate',
    ...ON_DISK,
    match: ['btrfs_truncate_inode_items'],
    waitsFor: 'the extents of a btrfs file to be removed from a tree',
    inOrderTo: 'remove the extents of a btrfs file from a tree',
    causes: BIG_COMMIT,
    source: 'fs/btrfs/inode-item.c: btrfs_truncate_inode_items',
  },
];
