import { LOG } from './commands.ts';
import { lockRule } from './lock-rule.ts';
import { purposeRules } from './purpose-rule.ts';
import type { Rule } from './rule.ts';

const GPU = [...LOG, 'kstack -L --function "drm_|dma_fence|amdgpu|i915|xe_|nvidia" -f long'];
const CAUSES =
  'The task that holds it waits for the GPU or its firmware. The GPU may have hung: look for Xid messages.';
/** Whoever waits for the GPU in this driver does so in functions of its own, see uvm_spin_loop. */
const UVM = { likely: true, lock: 'mutex', causes: CAUSES, next: GPU, stuck: ['gpu'] } satisfies Partial<Rule>;

const OS_ACQUIRE = ['os_acquire_mutex', 'os_acquire_semaphore', 'os_acquire_rwlock_read', 'os_acquire_rwlock_write'];
const RM = { takers: OS_ACQUIRE, likely: true, causes: CAUSES, next: GPU, stuck: ['gpu'] } satisfies Partial<Rule> & {
  takers: readonly string[];
};

/** The drivers of NVIDIA, which are not part of the kernel: memory that programs share with GPUs (UVM), and operations. */
export const NVIDIA: readonly Rule[] = [
  lockRule({
    id: 'gpu-nvidia-api-lock',
    ...RM,
    match: [OS_ACQUIRE, ['rmapiLockAcquire', '_rmapiLockAcquire', 'rmapiInitLockAcquire']],
    waitsFor:
      'the lock under which the NVIDIA driver carries out requests of programs (RM API), which another task holds',
    source: 'src/nvidia/src/kernel/rmapi/rmapi.c: rmapiLockAcquire',
  }),
  lockRule({
    id: 'gpu-nvidia-gpu-lock',
    ...RM,
    match: [OS_ACQUIRE, ['rmGpuLocksAcquire', '_rmGpuLocksAcquire', 'rmGpuLockAcquire', 'rmGpuGroupLockAcquire']],
    waitsFor: 'the lock of an NVIDIA GPU in its driver, which another task holds',
    source: 'src/nvidia/src/kernel/core/locks.c: rmGpuLocksAcquire',
  }),
  {
    id: 'gpu-nvidia-uvm-work',
    kind: 'blocked',
    match: [
      [
        'uvm_spin_loop',
        'uvm_tracker_wait',
        'uvm_tracker_wait_for_entry',
        'wait_for_entry_with_spin',
        'uvm_push_wait',
        'uvm_push_end_and_wait',
        'uvm_channel_manager_wait',
      ],
    ],
    innermost: true,
    waitsFor: 'an NVIDIA GPU to finish work of its memory driver (UVM)',
    inOrderTo: 'have an NVIDIA GPU work on its memory (UVM)',
    causes: 'The GPU is busy, or has hung: look for Xid messages.',
    stuck: ['gpu'],
    next: GPU,
    source: 'kernel-open/nvidia-uvm/uvm_tracker.c: uvm_tracker_wait',
  },
  lockRule({
    ...UVM,
    id: 'gpu-nvidia-uvm-global-lock',
    takers: [
      'uvm_gpu_retain_by_uuid',
      'uvm_va_space_register_gpu',
      'uvm_va_space_unregister_gpu',
      'uvm_gpu_release',
      'uvm_global_gpu_release',
      'uvm_api_enable_peer_access',
      'uvm_api_disable_peer_access',
      'uvm_suspend_and_drainP2P_entry',
      'uvm_resumeP2P_entry',
    ],
    waitsFor: 'the lock of all GPUs of the NVIDIA memory driver (UVM), which another task holds',
    source: 'kernel-open/nvidia-uvm/uvm_gpu.c: uvm_gpu_retain_by_uuid',
  }),
  lockRule({
    ...UVM,
    id: 'gpu-nvidia-uvm-space-lock',
    lock: 'rwsem',
    takers: [/uvm_api_(?!tools_(?:read|write)_process|populate_pageable)\w+/, 'uvm_mmap', 'uvm_free', 'uvm_release'],
    waitsFor: 'the lock of the GPU memory of a program (UVM), which another task holds',
    source: 'kernel-open/nvidia-uvm/uvm_va_space.h: uvm_va_space_down_write',
  }),
  lockRule({
    ...UVM,
    id: 'gpu-nvidia-uvm-block-lock',
    takers: [
      /uvm_va_block_(?:kill|map|unmap|revoke_prot|disable_peer|unregister_gpu|add_gpu_va_space|populate_pages_gpu)/,
      /uvm_va_range_(?:migrate|split\w*|set_preferred_location|disable_peer_managed)/,
      'uvm_va_block_destroy',
      'uvm_migrate',
      'uvm_migrate_ranges',
      'service_managed_fault_in_block',
      'service_fault_batch_block',
    ],
    waitsFor: 'the lock of a block of memory that a program shares with a GPU (UVM), which another task holds',
    source: 'kernel-open/nvidia-uvm/uvm_va_block.c: uvm_va_block_map',
  }),
  lockRule({
    ...UVM,
    id: 'gpu-nvidia-uvm-page-table-lock',
    takers: [
      'uvm_page_tree_get_ptes_async',
      'uvm_page_tree_put_ptes_async',
      'uvm_page_tree_alloc_table',
      'uvm_page_tree_wait',
      'uvm_page_tree_init',
      'uvm_page_tree_deinit',
      'uvm_page_table_range_get_upper',
      'uvm_page_table_range_shrink',
    ],
    waitsFor: 'the lock of the page tables of an NVIDIA GPU (UVM), which another task holds',
    source: 'kernel-open/nvidia-uvm/uvm_mmu.c: uvm_page_tree_get_ptes_async',
  }),
  lockRule({
    ...UVM,
    id: 'gpu-nvidia-uvm-memory-lock',
    takers: [/(?:uvm_)?pmm_gpu_(?:alloc|free|split|merge|get)\w*/],
    waitsFor: 'the lock of the memory of an NVIDIA GPU (UVM), which another task holds',
    source: 'kernel-open/nvidia-uvm/uvm_pmm_gpu.c: uvm_pmm_gpu_alloc_user',
  }),
  ...purposeRules(
    [
      [
        'nvidia-open',
        'open an NVIDIA GPU',
        'kernel-open/nvidia/nv.c: nvidia_open',
        'nvidia_open',
        'nvidia_open_deferred',
        'nvidia_ctl_open',
        'nvidia_dev_get',
        'nvidia_dev_get_uuid',
        'nv_open_device',
      ],
      [
        'nvidia-close',
        'close an NVIDIA GPU',
        'kernel-open/nvidia/nv.c: nvidia_close',
        /nvidia_(?:ctl_)?close(?:_callback|_deferred)?|nvidia_dev_put(?:_uuid)?|nv_close_device|rm_cleanup_file_private/,
      ],
      [
        'nvidia-start',
        'start an NVIDIA GPU',
        'kernel-open/nvidia/nv.c: nv_start_device',
        /rm_init_adapter|RmInitAdapter|nv_start_device|nv_pci_probe|kgspInitRm_IMPL/,
      ],
      [
        'nvidia-stop',
        'stop an NVIDIA GPU',
        'kernel-open/nvidia/nv.c: nv_stop_device',
        /rm_(?:disable|shutdown)_adapter|RmShutdownAdapter|nv_stop_device|nv_shutdown_adapter/,
      ],
      [
        'nvidia-request',
        'carry out a request of a program to an NVIDIA GPU',
        'kernel-open/nvidia/nv.c: nvidia_ioctl',
        /rm_ioctl|nvidia_ioctl|nvidia_unlocked_ioctl|RmIoctl/,
      ],
      [
        'nvidia-uvm-register',
        'let a program use the memory of an NVIDIA GPU (UVM)',
        'kernel-open/nvidia-uvm/uvm_va_space.c: uvm_va_space_register_gpu',
        /uvm_(?:api|va_space)_register_gpu(?:_va_space)?|uvm_gpu_retain_by_uuid/,
      ],
      [
        'nvidia-uvm-exit',
        'free the memory that a program shared with an NVIDIA GPU (UVM)',
        'kernel-open/nvidia-uvm/uvm_va_space.c: uvm_va_space_destroy',
        /uvm_release(?:_entry(?:\.part)?)?|uvm_va_space_destroy|uvm_mm_release|uvm_va_space_(?:mm_)?unregister\w*/,
      ],
      [
        'nvidia-uvm-fault',
        'handle a page fault on memory that is shared with an NVIDIA GPU (UVM)',
        'kernel-open/nvidia-uvm/uvm.c: uvm_vm_fault',
        /uvm_vm_fault\w*|uvm_va_space_cpu_fault\w*|uvm_hmm_(?:va_block_)?cpu_fault\w*/,
      ],
      [
        'nvidia-uvm-gpu-fault',
        'handle page faults of an NVIDIA GPU (UVM)',
        'kernel-open/nvidia-uvm/uvm_gpu_replayable_faults.c: uvm_parent_gpu_service_replayable_faults',
        /uvm_(?:parent_)?gpu_service_(?:non_)?replayable_fault\w*|(?:non_)?replayable_faults_isr_bottom_half\w*/,
      ],
      [
        'nvidia-uvm-migrate',
        'move memory to or from an NVIDIA GPU (UVM)',
        'kernel-open/nvidia-uvm/uvm_migrate.c: uvm_migrate',
        /uvm_(?:api_)?migrate(?:_ranges|_range_group|_pageable)?/,
      ],
      [
        'nvidia-uvm-map',
        'map memory into an NVIDIA GPU (UVM)',
        'kernel-open/nvidia-uvm/uvm_map_external.c: uvm_map_external_allocation',
        /uvm_(?:api_)?map_external\w*|uvm_api_alloc_semaphore_pool|uvm_mem_map_gpu_\w+|uvm_api_create_external_range/,
      ],
      [
        'nvidia-uvm-free',
        'free memory of an NVIDIA GPU (UVM)',
        'kernel-open/nvidia-uvm/uvm_map_external.c: uvm_free',
        /uvm_(?:api_)?(?:free|unmap_external)/,
      ],
    ],
    'The GPU or its firmware is slow, or has hung: look for Xid messages.',
    ['gpu'],
  ),
];
