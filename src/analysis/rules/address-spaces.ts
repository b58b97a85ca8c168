import { LOG, MEMORY, OTHERS_BLOCKED } from './commands.ts';
import { blocked, INNERMOST, type Rule } from './rule.ts';

const SHORT = 'The host, or its cgroup, is short of memory: page cache and programs push each other out.';
const FAULT =
  'do_user_addr_fault|__do_page_fault|___do_page_fault|do_page_fault|exc_page_fault|do_kern_addr_fault|lock_mm_and_find_vma|get_mmap_lock_carefully|do_mem_abort|handle_page_fault|do_translation_fault|do_DataAbort|do_PrefetchAbort|do_hash_fault|hash__do_page_fault|do_dat_exception|do_protection_exception|do_exception';

/** The mmap lock, mappings and huge pages. */
export const ADDRESS_SPACES: readonly Rule[] = [
  blocked(
    'memory-lock-fault',
    [FAULT],
    'the mmap lock of its process, in order to handle a page fault',
    'Another thread of the process holds it: mmap, munmap, fork or a fault that waits for a disk or server.',
    ['kstack -p PID', 'ls /proc/PID/task'],
    'arch/x86/mm/fault.c: do_user_addr_fault',
    INNERMOST,
  ),
  blocked(
    'memory-lock',
    [
      'vm_mmap_pgoff|ksys_mmap_pgoff|sys_mmap_pgoff|sys_mmap|sys_mprotect|sys_madvise|__vm_munmap|vm_munmap|do_mprotect_pkey|do_madvise|madvise_lock|sys_brk|sys_mremap|sys_munmap|do_munmap|mmap_write_lock|mmap_read_lock|mmap_write_lock_killable|mmap_read_lock_killable|__mmap_lock_do_trace_acquire_returned|dup_mmap|dup_mm|copy_mm|sys_mprotect|sys_madvise|sys_mmap|do_mlock|mlock_fixup|__mm_populate|apply_vma_lock_flags|mpol_rebind_mm|prctl_set_mm|do_shmat|ksys_shmdt|sys_mincore|do_mincore|vm_brk_flags|sys_remap_file_pages|sys_msync|process_madvise|uprobe_clear_state|setup_arg_pages|do_mbind|kernel_mbind|get_user_pages_unlocked|get_user_pages_fast|internal_get_user_pages_fast|__get_user_pages_locked|__gup_longterm_locked|gup_fast_fallback|process_vm_rw_core|process_vm_rw_single_vec|task_numa_work|acct_collect',
    ],
    'the mmap lock of a process, in order to map, unmap or use its memory',
    'Another thread of the process holds it: a page fault, munmap or fork that takes long or is stuck.',
    ['kstack -p PID', ...OTHERS_BLOCKED],
    'include/linux/mmap_lock.h: mmap_write_lock',
    INNERMOST,
  ),
  blocked(
    'memory-lock-proc',
    [
      'access_remote_vm|__access_remote_vm|proc_pid_cmdline_read|get_mm_cmdline|get_task_cmdline|environ_read|m_start|m_next|show_smap|smaps_rollup_open|show_smaps_rollup|clear_refs_write|pagemap_read|proc_pid_get_link|proc_map_files_lookup|proc_exe_link|get_cmdline|get_mm_exe_file|map_files_d_revalidate|proc_map_files_readdir|smaps_pte_range|get_task_exe_file',
    ],
    'the mmap lock of another process, in order to show its command line, environment or maps',
    'A thread of that process is stuck with the lock held: ps, top and pgrep hang on it.',
    OTHERS_BLOCKED,
    'fs/proc/base.c: get_mm_cmdline',
  ),
  blocked(
    'memory-vma-lock',
    [
      'vma_start_write|__vma_start_write|vma_mark_detached|vma_start_read|lock_vma_under_rcu|vma_write_lock|__vma_enter_locked|__vma_start_exclude_readers',
    ],
    'page faults on a mapping to end (per-VMA lock)',
    'A page fault on that mapping that waits for a disk or server.',
    ['kstack -p PID'],
    'mm/mmap_lock.c: __vma_start_write',
    { kernels: '6.4 and newer' },
  ),
  blocked(
    'memory-anon-vma',
    [
      'unlink_anon_vmas|anon_vma_clone|anon_vma_fork|__anon_vma_prepare|rmap_walk_anon|folio_lock_anon_vma_read|page_lock_anon_vma_read|folio_referenced|page_referenced|rmap_walk|unlink_file_vma|i_mmap_lock_write|unmap_mapping_range|unmap_mapping_pages|vma_link|__vma_adjust|free_pgtables|rmap_walk_file|try_to_unmap|page_mkclean|folio_mkclean|unlink_file_vma_batch_process|vma_prepare|vma_link_file',
    ],
    'the list of mappings of a page or file',
    'Very many processes or mappings share it (fork-heavy databases, one large shared file).',
    ['grep -c . /proc/PID/maps', ...OTHERS_BLOCKED],
    'mm/rmap.c: folio_lock_anon_vma_read',
    INNERMOST,
  ),
  blocked(
    'memory-hugetlb',
    [
      /hugetlb_\w+|alloc_huge_page|hugepage_subpool_\w+|unmap_hugepage_range|alloc_hugetlb_folio|__nr_hugepages_store_common|set_max_huge_pages|__unmap_hugepage_range\w*|alloc_pool_huge_\w+|adjust_pool_surplus/,
    ],
    'huge pages (hugetlb): one to be allocated, zeroed or shared',
    'Many faults on one hugetlb file, or a pool that is being resized on fragmented memory.',
    ['grep -i huge /proc/meminfo'],
    'mm/hugetlb.c: hugetlb_fault',
    INNERMOST,
  ),
  blocked(
    'memory-khugepaged',
    [
      'collapse_huge_page|khugepaged_scan_mm_slot|collapse_file|khugepaged_enter|__khugepaged_exit|khugepaged_scan_file|hpage_collapse_scan_pmd|hpage_collapse_scan_file|collapse_scan_mm_slot',
    ],
    'pages to be collapsed into a huge page',
    'The mmap lock of the process is held by another task.',
    ['cat /sys/kernel/mm/transparent_hugepage/enabled'],
    'mm/khugepaged.c: collapse_huge_page',
  ),
  blocked(
    'memory-split',
    ['split_huge_page_to_list|split_huge_page_to_list_to_order|deferred_split_scan|split_folio_to_list|__folio_split'],
    'a huge page to be split',
    'Reclaim or partial unmap of a huge page that others use.',
    MEMORY,
    'mm/huge_memory.c: __folio_split',
  ),
  blocked(
    'memory-userfault',
    ['handle_userfault'],
    'a program to resolve a page fault (userfaultfd)',
    'Live migration, a snapshot restore or a garbage collector whose handler is stuck or gone.',
    ['grep -l userfaultfd /proc/*/maps 2>/dev/null; ls -l /proc/*/fd 2>/dev/null | grep userfaultfd'],
    'fs/userfaultfd.c: handle_userfault',
  ),
  blocked(
    'memory-notifier',
    [
      'mmu_interval_read_begin|mmu_notifier_unregister|mmu_interval_notifier_remove|mm_take_all_locks|mn_itree_invalidate|__mmu_notifier_invalidate_range_start|__mmu_notifier_register|hmm_range_fault|__mmu_notifier_release|mn_hlist_invalidate_range_start',
    ],
    'a device or virtual machine that shares memory of the process',
    'A GPU, RDMA or KVM driver that does not let go of pages.',
    LOG,
    'mm/mmu_notifier.c: mmu_interval_read_begin',
  ),
  blocked(
    'memory-drain',
    [
      'lru_add_drain_all|__lru_add_drain_all|drain_all_pages|__drain_all_pages|lru_cache_disable|drain_all_stock|lru_add_drain_cpu_zone',
    ],
    'every CPU to hand over its cached pages',
    'A CPU that is kept busy by a real-time task does not run its worker.',
    ['top -H', 'ps -eLo pid,cls,rtprio,psr,comm | grep -E "FF|RR"'],
    'mm/swap.c: __lru_add_drain_all',
  ),
  blocked(
    'memory-vmalloc',
    [
      'alloc_vmap_area|__purge_vmap_area_lazy|_vm_unmap_aliases|vm_unmap_aliases|purge_vmap_area_lazy|pcpu_alloc|pcpu_alloc_noprof|drain_vmap_area_work|__vmalloc_node_range|pcpu_balance_workfn',
    ],
    'kernel address space or per-CPU memory',
    'Many cgroups, mounts or BPF maps made at once.',
    ['grep -E "Vmalloc|Percpu" /proc/meminfo', ...OTHERS_BLOCKED],
    'mm/vmalloc.c: __purge_vmap_area_lazy',
    INNERMOST,
  ),
  blocked(
    'memory-slab-lock',
    [
      'kmem_cache_create|kmem_cache_create_usercopy|__kmem_cache_create_args|kmem_cache_destroy|flush_all|kmem_cache_shrink|memcg_create_kmem_cache|slab_caches_to_rcu_destroy_workfn|__kmem_cache_shutdown|flush_all_cpus_locked|kmem_cache_shrink_all|do_kmem_cache_create_usercopy',
    ],
    'the list of slab caches',
    'A cache is being made, shrunk or destroyed; a CPU does not run its worker.',
    ['slabtop -o'],
    'mm/slab_common.c: kmem_cache_destroy',
  ),
  blocked(
    'memory-hotplug',
    [
      'online_pages|offline_pages|add_memory_resource|try_remove_memory|mem_hotplug_begin|__add_memory|__remove_memory|get_online_mems|memory_block_change_state|scan_movable_pages|memory_subsys_online|memory_subsys_offline',
    ],
    'memory to be plugged or unplugged',
    'Pages that are pinned cannot be moved away.',
    [...LOG, 'lsmem'],
    'mm/memory_hotplug.c: offline_pages',
  ),
  blocked(
    'memory-gup-pin',
    ['pin_user_pages|gup_must_unshare|get_dump_page|faultin_page|__get_user_pages|fixup_user_fault'],
    'user memory to be paged in, in order to pin it',
    SHORT,
    MEMORY,
    'mm/gup.c: __get_user_pages',
    INNERMOST,
  ),
  blocked(
    'memory-ksm',
    ['ksm_enter|__ksm_enter|__ksm_exit|unmerge_ksm_pages|wait_while_offlining|run_store|ksm_do_scan'],
    'KSM to finish a scan',
    'Much memory that is marked mergeable.',
    ['grep . /sys/kernel/mm/ksm/*'],
    'mm/ksm.c: __ksm_exit',
    INNERMOST,
  ),
];
