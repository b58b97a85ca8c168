import { LOG, OTHERS_BLOCKED } from './commands.ts';
import type { Rule } from './rule.ts';

const COMPACTION = [
  'compact_zone',
  'compact_zone_order',
  'isolate_migratepages_block',
  'isolate_migratepages',
  'compact_finished',
];
const FRAGMENTED = 'Memory is fragmented, and large blocks are requested: huge pages, network buffers, drivers.';
const COMPACTION_STATE = ['cat /proc/buddyinfo', 'grep compact /proc/vmstat'];
const MIGRATION_STATE = ['grep -E "numa|migrate" /proc/vmstat'];

/** Compaction, migration and contiguous memory. */
export const PAGE_MOVES: readonly Rule[] = [
  {
    id: 'memory-compaction',
    kind: 'blocked',
    match: [[...COMPACTION, 'try_to_compact_pages', '__alloc_pages_direct_compact']],
    waitsFor: 'contiguous memory: compaction moves pages together',
    inOrderTo: 'compact memory for a large allocation',
    causes: FRAGMENTED,
    next: [...COMPACTION_STATE, 'cat /sys/kernel/mm/transparent_hugepage/defrag'],
    source: 'mm/compaction.c: try_to_compact_pages',
  },
  {
    id: 'memory-compaction-background',
    kind: 'blocked',
    match: [[...COMPACTION, 'kcompactd_do_work', 'proactive_compact_node', 'compact_node'], 'kcompactd'],
    waitsFor: 'pages to be moved together: kcompactd is blocked while it compacts memory',
    inOrderTo: 'compact memory in the background (kcompactd)',
    causes: FRAGMENTED,
    next: COMPACTION_STATE,
    source: 'mm/compaction.c: kcompactd_do_work',
  },
  {
    id: 'memory-compaction-all',
    kind: 'blocked',
    match: [
      [...COMPACTION, 'compact_node', 'compact_nodes', '__compact_finished'],
      ['sysctl_compaction_handler', 'compact_store', 'compact_nodes'],
    ],
    waitsFor: 'all memory to be compacted, as a write to vm.compact_memory asked',
    inOrderTo: 'compact all memory (vm.compact_memory)',
    causes: 'A lot of memory, or pages that are pinned or under I/O.',
    next: COMPACTION_STATE,
    source: 'mm/compaction.c: compact_nodes',
  },
  {
    id: 'memory-migration-fault',
    kind: 'blocked',
    match: [
      [
        'migration_entry_wait',
        '__migration_entry_wait',
        'migration_entry_wait_on_locked',
        'migration_entry_wait_huge',
        'pmd_migration_entry_wait',
        'softleaf_entry_wait_on_locked',
      ],
    ],
    waitsFor: 'a page that is being moved to another place (migrated)',
    inOrderTo: 'use a page that is being migrated',
    causes: 'Compaction, NUMA balancing or memory hot-unplug moves it; the page may be under I/O.',
    next: [...OTHERS_BLOCKED, ...MIGRATION_STATE],
    source: 'mm/migrate.c: migration_entry_wait',
  },
  {
    id: 'memory-numa-balancing',
    kind: 'blocked',
    match: [
      [
        'do_numa_page',
        'do_huge_pmd_numa_page',
        'migrate_misplaced_page',
        'migrate_misplaced_folio',
        'migrate_misplaced_transhuge_page',
        'numa_migrate_prep',
      ],
    ],
    waitsFor: 'a page to be moved to the NUMA node that uses it (NUMA balancing)',
    inOrderTo: 'move a page to the NUMA node that uses it (NUMA balancing)',
    causes: 'Threads of several nodes use the same memory, or the page is under I/O.',
    next: MIGRATION_STATE,
    source: 'mm/memory.c: do_numa_page',
  },
  {
    id: 'memory-migration-request',
    kind: 'blocked',
    match: [
      [
        'do_migrate_pages',
        'kernel_migrate_pages',
        'kernel_move_pages',
        'do_move_pages_to_node',
        'do_move_page_to_node_array',
        'do_pages_move',
        'sys_move_pages',
        'sys_migrate_pages',
      ],
    ],
    waitsFor: 'the memory of a process to be moved to other NUMA nodes',
    inOrderTo: 'move the memory of a process to other NUMA nodes',
    causes: 'A lot of memory, or pages that are pinned or under I/O.',
    next: MIGRATION_STATE,
    source: 'mm/mempolicy.c: do_migrate_pages',
  },
  {
    id: 'memory-migration',
    kind: 'blocked',
    match: [
      [
        'migrate_pages',
        'migrate_pages_batch',
        'migrate_pages_sync',
        'migrate_folio_unmap',
        'migrate_folio_move',
        'unmap_and_move',
        '__unmap_and_move',
        'unmap_and_move_huge_page',
        'move_to_new_folio',
        'move_to_new_page',
      ],
    ],
    waitsFor: 'pages to be moved to another place (migrated)',
    inOrderTo: 'migrate pages',
    causes: 'A page is pinned, locked or under I/O.',
    next: MIGRATION_STATE,
    source: 'mm/migrate.c: migrate_pages',
  },
  {
    id: 'memory-contiguous',
    kind: 'blocked',
    match: [['cma_alloc', '__cma_alloc', 'cma_range_alloc', 'dma_alloc_contiguous', 'dma_alloc_from_contiguous']],
    waitsFor: 'contiguous memory from a reserved area (CMA): the pages there are being moved away',
    inOrderTo: 'allocate contiguous memory from a reserved area (CMA)',
    causes: 'Pages in the area are pinned or under I/O, or several drivers allocate at once.',
    next: ['grep -i cma /proc/meminfo', ...LOG],
    source: 'mm/cma.c: cma_alloc',
  },
  {
    id: 'memory-contiguous-move',
    kind: 'blocked',
    match: [
      [
        '__alloc_contig_migrate_range',
        'alloc_contig_range',
        'alloc_contig_range_noprof',
        'start_isolate_page_range',
        'isolate_single_pageblock',
      ],
      ['cma_alloc', '__cma_alloc', 'cma_range_alloc'],
    ],
    waitsFor: 'the pages in a reserved area (CMA) to be moved away',
    inOrderTo: 'allocate contiguous memory from a reserved area (CMA)',
    causes: 'Pages in the area are pinned or under I/O, or several drivers allocate at once.',
    next: ['grep -i cma /proc/meminfo', ...LOG],
    source: 'mm/page_alloc.c: alloc_contig_range_noprof',
  },
  {
    id: 'memory-contiguous-range',
    kind: 'blocked',
    match: [
      [
        '__alloc_contig_migrate_range',
        'alloc_contig_range',
        'alloc_contig_range_noprof',
        'alloc_contig_pages',
        'alloc_contig_pages_noprof',
      ],
    ],
    waitsFor: 'the pages in a range of memory to be moved away',
    inOrderTo: 'allocate a contiguous range of memory',
    causes: 'Gigantic huge pages or virtio-mem ask for the range; pages in it are pinned or under I/O.',
    next: ['cat /proc/buddyinfo', ...LOG],
    source: 'mm/page_alloc.c: alloc_contig_range_noprof',
  },
];
