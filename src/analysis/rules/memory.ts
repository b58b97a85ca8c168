import { DISKS, LOG, MEMORY, OTHERS_BLOCKED } from './commands.ts';
import { blocked, INNERMOST, type Rule } from './rule.ts';

const SHORT = 'The host, or its cgroup, is short of memory: page cache and programs push each other out.';
const CGROUP = ['cat /proc/PID/cgroup', 'cat /sys/fs/cgroup/PATH/memory.events /sys/fs/cgroup/PATH/memory.max'];
const FAULT =
  'do_user_addr_fault|__do_page_fault|___do_page_fault|do_page_fault|exc_page_fault|do_kern_addr_fault|lock_mm_and_find_vma|get_mmap_lock_carefully|do_mem_abort|handle_page_fault|do_translation_fault|do_DataAbort|do_PrefetchAbort|do_hash_fault|hash__do_page_fault|do_dat_exception|do_protection_exception|do_exception';

/** Reclaim, swap, limits and allocation. */
export const MEMORY_RULES: readonly Rule[] = [
  blocked(
    'memory-direct-reclaim',
    [
      'try_to_free_pages|__perform_reclaim|do_try_to_free_pages|__alloc_pages_direct_reclaim|shrink_zones|shrink_zone|shrink_node|shrink_node_memcg|shrink_lruvec|shrink_inactive_list|shrink_active_list|shrink_page_list|shrink_folio_list',
      '__alloc_pages_slowpath|__alloc_pages|__alloc_pages_nodemask|alloc_pages_current|__alloc_pages_noprof|__alloc_frozen_pages_noprof|__alloc_pages_direct_reclaim',
    ],
    'memory: it has to free pages itself before it gets any',
    SHORT,
    MEMORY,
    'mm/vmscan.c: try_to_free_pages',
  ),
  blocked(
    'memory-reclaim-throttle',
    [
      'throttle_direct_reclaim|reclaim_throttle|wait_iff_congested|congestion_wait|consider_reclaim_throttle|too_many_isolated',
    ],
    'reclaim to make progress: it is held back',
    'Pages under writeback or isolated by too many tasks; free memory near its minimum.',
    [...MEMORY, 'grep -i writeback /proc/meminfo'],
    'mm/vmscan.c: reclaim_throttle',
  ),
  blocked(
    'memory-kswapd-reclaim',
    [
      'shrink_node|shrink_zone|shrink_node_memcg|kswapd_shrink_node|balance_pgdat|shrink_lruvec|shrink_inactive_list|shrink_active_list|shrink_folio_list|shrink_page_list|shrink_slab|shrink_one|evict_folios',
      'kswapd',
    ],
    'memory: kswapd is freeing pages and waits on the way',
    SHORT,
    MEMORY,
    'mm/vmscan.c: balance_pgdat',
  ),
  blocked(
    'memory-reclaim-writeback',
    ['folio_wait_writeback|wait_on_page_writeback', 'shrink_folio_list|shrink_page_list'],
    'a page to be written, in order to free its memory',
    'The host, or its cgroup, is full of dirty pages, and the disk, swap or server that they go to is slow or stuck.',
    [...MEMORY, 'grep -i writeback /proc/meminfo', ...DISKS],
    'mm/vmscan.c: shrink_folio_list',
  ),
  blocked(
    'memory-shrinker',
    ['shrink_slab|do_shrink_slab|shrink_slab_memcg|super_cache_scan|prune_super'],
    'a cache of the kernel (inodes, dentries, drivers) to give memory back',
    'A file system or driver whose shrinker waits for its disk, server or lock.',
    [...MEMORY, 'slabtop -o -s c'],
    'mm/shrinker.c: do_shrink_slab',
  ),
  blocked(
    'memory-shrinker-lock',
    [
      'register_shrinker|unregister_shrinker|prealloc_shrinker|unregister_memcg_shrinker|shrinker_free|shrinker_register|shrinker_alloc',
    ],
    'the list of memory shrinkers, which a shrinker at work holds',
    'A shrinker that is stuck; mounts and unmounts wait for it.',
    OTHERS_BLOCKED,
    'mm/shrinker.c: shrinker_alloc',
  ),
  blocked(
    'memory-compaction',
    [
      'compact_zone|try_to_compact_pages|__alloc_pages_direct_compact|compact_zone_order|compact_node|isolate_migratepages_block|isolate_migratepages|proactive_compact_node|compact_nodes|sysctl_compaction_handler',
    ],
    'contiguous memory: pages are being moved together',
    'Fragmented memory and requests for large blocks: huge pages, network buffers, drivers.',
    ['grep compact /proc/vmstat', 'cat /proc/buddyinfo', 'cat /sys/kernel/mm/transparent_hugepage/defrag'],
    'mm/compaction.c: try_to_compact_pages',
  ),
  blocked(
    'memory-migration',
    [
      'migration_entry_wait|__migration_entry_wait|migration_entry_wait_on_locked|pmd_migration_entry_wait|migrate_pages|migrate_pages_batch|migrate_folio_unmap|migrate_misplaced_folio|do_numa_page|do_migrate_pages|kernel_migrate_pages|do_move_pages_to_node|softleaf_entry_wait_on_locked',
    ],
    'a page that is being moved to another place or NUMA node',
    'Compaction, NUMA balancing or memory hot-unplug; a page that is pinned or under I/O.',
    ['grep -E "numa|migrate" /proc/vmstat'],
    'mm/migrate.c: migration_entry_wait',
  ),
  blocked(
    'memory-swap-in',
    [
      'do_swap_page|swapin_readahead|swap_cluster_readahead|swap_vma_readahead|read_swap_cache_async|swap_read_folio|swap_readpage|shmem_swapin|shmem_swapin_folio|swap_vma_ra|swap_read_unplug|swapin_folio',
    ],
    'a page to be read back from swap',
    SHORT,
    [...MEMORY, 'swapon --show', 'vmstat 1'],
    'mm/memory.c: do_swap_page',
  ),
  blocked(
    'memory-swap-lock',
    ['__folio_lock_or_retry|__lock_page_or_retry|folio_lock_or_retry|__folio_lock|__lock_page', 'do_swap_page'],
    'a page that is being read back from swap',
    SHORT,
    [...MEMORY, 'swapon --show', 'vmstat 1'],
    'mm/memory.c: do_swap_page',
  ),
  blocked(
    'memory-swap-writeback',
    ['folio_wait_writeback|wait_on_page_writeback', 'do_swap_page|shmem_swapin_folio|shmem_swapin_page'],
    'a page that is still being written to swap, in order to use it again',
    SHORT,
    [...MEMORY, 'swapon --show', 'vmstat 1'],
    'mm/memory.c: do_swap_page',
  ),
  blocked(
    'memory-swap-out',
    [
      'swap_writepage|__swap_writepage|swap_writeout|pageout|zswap_store|zswap_writeback_entry|get_swap_pages|folio_alloc_swap|scan_swap_map_slots|try_to_unuse|sys_swapoff',
    ],
    'a page to be written to swap, or swap to be emptied',
    SHORT,
    [...MEMORY, 'swapon --show', ...DISKS],
    'mm/page_io.c: swap_writeout',
  ),
  blocked(
    'memory-file-fault',
    ['filemap_fault|__do_fault|do_read_fault|do_fault|__xfs_filemap_fault|ext4_filemap_fault', FAULT],
    'a page of a mapped file (program, library, data) to be read',
    'Memory is short, so that code was thrown out and is read again (thrashing); or a slow disk.',
    [...MEMORY, ...DISKS],
    'mm/filemap.c: filemap_fault',
    INNERMOST,
  ),
  blocked(
    'memory-file-fault-lock',
    [
      '__folio_lock_or_retry|__lock_page_or_retry|__folio_lock|__lock_page|__folio_lock_killable|__lock_page_killable|lock_folio_maybe_drop_mmap|lock_page_maybe_drop_mmap',
      'filemap_fault',
    ],
    'a page of a mapped file (program, library, data) that is being read or written',
    'Memory is short, so that code was thrown out and is read again (thrashing); or a slow disk or server.',
    [...MEMORY, ...DISKS],
    'mm/filemap.c: filemap_fault',
  ),
  blocked(
    'memory-cgroup-lock',
    [
      'mem_cgroup_write|mem_cgroup_resize_limit|mem_cgroup_resize_max|mem_cgroup_oom_control_write|mem_cgroup_hierarchy_write',
    ],
    'the lock of the limits of memory cgroups',
    'Another task changes a limit and frees memory for that.',
    [...CGROUP, ...OTHERS_BLOCKED],
    'mm/memcontrol.c: mem_cgroup_write',
    INNERMOST,
  ),
  blocked(
    'memory-contiguous',
    [
      'cma_alloc|__cma_alloc|alloc_contig_range|alloc_contig_range_noprof|__alloc_contig_migrate_range|dma_alloc_contiguous',
    ],
    'contiguous memory of a reserved area (CMA): what uses it is being moved away',
    'Pages in the area that are pinned or under I/O; several drivers that allocate at once.',
    ['grep -i cma /proc/meminfo', ...LOG],
    'mm/cma.c: cma_alloc',
  ),
  blocked(
    'memory-cgroup-over-limit',
    ['mem_cgroup_handle_over_high|__mem_cgroup_handle_over_high'],
    'a penalty: its cgroup is above memory.high',
    'memory.high is too low for the load, or the load leaks.',
    CGROUP,
    'mm/memcontrol.c: __mem_cgroup_handle_over_high',
  ),
  blocked(
    'memory-cgroup-reclaim',
    [
      'try_to_free_mem_cgroup_pages|try_charge_memcg|try_charge|mem_cgroup_resize_max|memory_high_write|memory_max_write|mem_cgroup_resize_limit|reclaim_high|mem_cgroup_force_empty',
    ],
    'memory of its cgroup to be freed: the cgroup is at its limit',
    'memory.max is too low for the load, or the load leaks.',
    CGROUP,
    'mm/memcontrol.c: try_charge_memcg',
  ),
  blocked(
    'memory-cgroup-oom',
    ['mem_cgroup_oom_synchronize|mem_cgroup_oom|mem_cgroup_out_of_memory'],
    'memory in its cgroup: the limit is reached and the OOM killer is off, or at work',
    'memory.oom_control with oom_kill_disable (cgroup v1), or a victim that does not end.',
    [...CGROUP, ...LOG],
    'mm/memcontrol.c: mem_cgroup_oom_synchronize',
  ),
  blocked(
    'memory-oom',
    [
      'out_of_memory|__alloc_pages_may_oom|oom_kill_process|pagefault_out_of_memory|select_bad_process|oom_killer_disable',
    ],
    'memory: the OOM killer is at work',
    'No memory is left that can be freed; a victim that is stuck in D cannot end.',
    [...LOG, ...MEMORY],
    'mm/oom_kill.c: out_of_memory',
  ),
  blocked(
    'memory-allocation',
    ['__alloc_pages_slowpath|__alloc_pages_nodemask|__alloc_pages|__alloc_frozen_pages_noprof'],
    'memory to allocate',
    SHORT,
    MEMORY,
    'mm/page_alloc.c: __alloc_pages_slowpath',
    INNERMOST,
  ),
];
