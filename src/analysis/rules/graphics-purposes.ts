import { LOG } from './commands.ts';
import type { Pattern, Rule } from './rule.ts';

const GPU = [...LOG, 'kstack -L --function "drm_|dma_fence|amdgpu|i915|xe_|nvidia" -f long'];

/** id, what is done, a source, and the functions that do it. */
const PURPOSES: readonly (readonly [id: string, inOrderTo: string, source: string, ...names: Pattern[]])[] = [
  [
    'gpu-buffer-create',
    'create a graphics buffer',
    'drivers/gpu/drm/amd/amdgpu/amdgpu_object.c: amdgpu_bo_create',
    /amdgpu_bo_(?:do_)?create\w*|amdgpu_gem_(?:object_)?create\w*|i915_gem_create\w*|xe_(?:gem|bo)_create\w*/,
    /radeon_(?:bo|gem_object)_create|nouveau_(?:bo_new|gem_new|gem_ioctl_new)|ttm_bo_init\w*|vmw_bo_create\w*/,
    /amdgpu_amdkfd_gpuvm_alloc_memory_of_gpu|drm_gem_shmem_create\w*|virtio_gpu_object_create|drm_mode_create_dumb\w*/,
  ],
  [
    'gpu-buffer-page-fault',
    'map a graphics buffer into a program (page fault)',
    'drivers/gpu/drm/ttm/ttm_bo_vm.c: ttm_bo_vm_fault',
    /ttm_bo_vm_fault\w*|amdgpu_gem_fault|radeon_ttm_fault|nouveau_ttm_fault|vm_fault_(?:ttm|gtt|cpu)|i915_gem_fault/,
    /drm_gem_shmem_fault|xe_gem_fault|xe_bo_cpu_fault/,
  ],
  [
    'gpu-address-space-free',
    'free the address space of a program on a GPU',
    'drivers/gpu/drm/amd/amdgpu/amdgpu_vm.c: amdgpu_vm_fini',
    /amdgpu_vm_(?:fini|put_task_info)|xe_vm_(?:close_and_put|destroy\w*)|nouveau_(?:vmm|uvmm)_fini|i915_vm_(?:release|close)/,
    'radeon_vm_fini',
  ],
  [
    'gpu-address-space-change',
    'change the address space of a program on a GPU',
    'drivers/gpu/drm/amd/amdgpu/amdgpu_vm.c: amdgpu_vm_bo_update',
    /amdgpu_vm_(?:bo_\w+|update_\w+|handle_moved|clear_freed|flush\w*)|amdgpu_gem_va_\w+|xe_vm_bind\w*|i915_vma_\w+/,
    /nouveau_uvmm_\w+|radeon_vm_bo_\w+/,
  ],
  [
    'gpu-submit',
    'give work to a GPU',
    'drivers/gpu/drm/amd/amdgpu/amdgpu_cs.c: amdgpu_cs_ioctl',
    /amdgpu_cs_(?:ioctl|submit|sync_rings|parser_\w+|vm_handling)|radeon_cs_ioctl|i915_gem_(?:do_)?execbuffer\w*/,
    /xe_exec_ioctl|nouveau_gem_ioctl_pushbuf|nouveau_exec_ioctl\w*|virtio_gpu_execbuffer\w*|v3d_submit_\w+|vmw_execbuf\w*/,
    /msm_ioctl_gem_submit|etnaviv_ioctl_gem_submit|panfrost_ioctl_submit|lima_ioctl_gem_submit/,
  ],
  [
    'gpu-close',
    'close a graphics device',
    'drivers/gpu/drm/drm_file.c: drm_release',
    /(?:amdgpu|radeon|nouveau|i915|xe|virtio_gpu|vmw)_(?:driver|drm|file)_(?:postclose|preclose|lastclose|close)\w*/,
    /drm_(?:release\w*|file_free\w*|gem_release|close_helper)|xe_file_close|i915_driver_postclose/,
  ],
  [
    'gpu-memory-short',
    'free memory that a GPU driver holds',
    'drivers/gpu/drm/i915/gem/i915_gem_shrinker.c: i915_gem_shrink',
    /i915_gem_shrink\w*|ttm_(?:pool_shrinker|bo_swapout|global_swapout|tt_swapout|device_swapout)\w*|xe_shrinker_\w+/,
    /drm_gem_shmem_(?:purge|shrink)\w*|msm_gem_shrinker\w*/,
  ],
  [
    'gpu-mapping-lost',
    'take memory away from a GPU as its mapping in the program changes',
    'drivers/gpu/drm/amd/amdgpu/amdgpu_hmm.c: amdgpu_hmm_invalidate_gfx',
    /amdgpu_(?:mn|hmm)_invalidate\w*|userptr_mn_invalidate\w*|i915_gem_userptr_\w+|xe_vma_userptr_\w+|vma_userptr_\w+/,
    /svm_range_cpu_invalidate\w*|nouveau_svm_\w+|xe_svm_\w+|radeon_mn_invalidate\w*/,
  ],
  [
    'gpu-suspend',
    'suspend a GPU',
    'drivers/gpu/drm/amd/amdgpu/amdgpu_device.c: amdgpu_device_suspend',
    /(?:amdgpu|radeon|nouveau|i915|xe|virtgpu|vmw|intel)_\w*(?:pmops|pm|device|drm|display|driver)_(?:\w+_)?suspend\w*/,
    /amdgpu_device_ip_suspend\w*|drm_atomic_helper_suspend|drm_mode_config_helper_suspend/,
  ],
  [
    'gpu-resume',
    'resume a GPU',
    'drivers/gpu/drm/amd/amdgpu/amdgpu_device.c: amdgpu_device_resume',
    /(?:amdgpu|radeon|nouveau|i915|xe|virtgpu|vmw|intel)_\w*(?:pmops|pm|device|drm|display|driver)_(?:\w+_)?resume\w*/,
    /amdgpu_device_ip_resume\w*|drm_atomic_helper_resume|drm_mode_config_helper_resume/,
  ],
];

/** What drivers of graphics processors wait for a GPU for. */
export const GRAPHICS_PURPOSES: readonly Rule[] = PURPOSES.map(([id, inOrderTo, source, ...names]) => ({
  id,
  kind: 'blocked',
  match: [names],
  outer: true,
  purpose: true,
  waitsFor: `a GPU or its driver, in {caller}, in order to ${inOrderTo}`,
  inOrderTo,
  causes: 'A long computation, or a hung GPU or driver.',
  stuck: ['gpu'],
  next: GPU,
  source,
}));
