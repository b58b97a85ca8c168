import { LOG } from './commands.ts';
import { blocked, INNERMOST, idle, type Rule, running } from './rule.ts';

const SERVES = 'Normal for a program that waits for something to do.';
const WHICH = ['ls -l /proc/PID/fd', 'strace -p PID'];
const GPU = ['cat /sys/kernel/debug/dri/*/amdgpu_fence_info', 'nvidia-smi', ...LOG];
const GUEST = ['virsh list', 'top -H -p PID'];

/** Virtual machines, graphics and adapters. */
export const VIRTUALIZATION: readonly Rule[] = [
  idle(
    'kvm-halt',
    ['kvm_vcpu_block|kvm_vcpu_halt|kvm_arch_vcpu_block'],
    'an interrupt for a virtual CPU: its guest idles',
    'Normal: the guest has nothing to do.',
    GUEST,
    'virt/kvm/kvm_main.c: kvm_vcpu_block',
  ),
  running(
    'kvm-run',
    [
      'vcpu_enter_guest|vcpu_run|vmx_vcpu_run|svm_vcpu_run|kvm_arch_vcpu_ioctl_run|xfer_to_guest_mode_handle_work|vcpu_block|vmx_vcpu_enter_exit',
    ],
    'nothing: it runs a virtual CPU',
    'Normal: the guest is at work.',
    GUEST,
    'arch/x86/kvm/x86.c: vcpu_enter_guest',
    INNERMOST,
  ),
  blocked(
    'kvm-fault',
    [
      'kvm_mmu_page_fault|kvm_faultin_pfn|hva_to_pfn|direct_page_fault|tdp_page_fault|kvm_async_pf_task_wait|kvm_async_pf_task_wait_schedule|async_pf_execute|__gfn_to_pfn_memslot|kvm_follow_pfn|do_async_page_fault|__kvm_handle_async_pf|kvm_async_pf_queue_task',
    ],
    'memory of a virtual machine to be paged in',
    'The host swaps, or the memory is backed by a file, a server or userfaultfd (migration).',
    ['vmstat 1', 'cat /proc/pressure/memory', ...GUEST],
    'virt/kvm/async_pf.c: async_pf_execute',
  ),
  blocked(
    'vfio-device',
    ['vfio_del_group_dev|vfio_unregister_group_dev|vfio_device_remove|vfio_group_detach_container'],
    'the program that uses a device directly (VFIO) to let go of it, in order to unbind the device',
    'A virtual machine or DPDK program that has the device open; VFIO asks it to close the device and waits for good.',
    ['ls -l /proc/*/fd 2>/dev/null | grep vfio', 'lspci -k', ...LOG],
    'drivers/vfio/vfio_main.c: vfio_unregister_group_dev',
  ),
  blocked(
    'kvm-lock',
    [/kvm_\w+|sev_\w+|__kvm_\w+|vmx_\w+|svm_\w+|irqfd_\w+|vfio_\w+|iommufd_\w+/],
    'KVM or VFIO: a lock or a device of a virtual machine',
    'The virtual machine is being set up, changed or torn down.',
    [...GUEST, ...LOG],
    'virt/kvm/kvm_main.c: kvm_vm_ioctl',
    INNERMOST,
  ),
  blocked(
    'virtio-config',
    [
      'virtnet_send_command|virtnet_send_command_reply|virtio_reset_device|vp_reset|vp_modern_avq_done|tell_host|virtio_gpu_queue_fenced_ctrl_buffer|virtio_gpu_queue_ctrl_sgs|virtscsi_tmf|virtscsi_abort|vp_synchronize_vectors|send_control_msg|wait_port_writable|port_fops_write|virtio_gpu_vram_mmap|__send_to_port|leak_balloon|fill_balloon|virtio_gpu_queue_ctrl_buffer',
    ],
    'the hypervisor to answer a virtio device',
    'The host is overloaded or its device process is stuck.',
    LOG,
    'drivers/net/virtio_net.c: virtnet_send_command',
  ),
  idle(
    'virtio-port',
    ['port_fops_read|hvc_poll|vport_wait'],
    'data of the hypervisor on a virtio port',
    SERVES,
    WHICH,
    'drivers/char/virtio_console.c: port_fops_read',
  ),
  blocked(
    'vhost-flush',
    [
      'vhost_dev_flush|vhost_worker_flush|vhost_work_flush|vhost_net_ioctl|vhost_dev_cleanup|vhost_net_flush|vhost_net_ubuf_put_and_wait|vhost_task_stop|vhost_net_release|vhost_scsi_flush',
    ],
    'requests of a guest in a vhost device to end',
    'Packets or I/O still in flight on the host.',
    [...GUEST, ...LOG],
    'drivers/vhost/vhost.c: vhost_dev_flush',
  ),
  blocked(
    'gpu-fence',
    [
      /dma_fence_wait\w*|kcl_fence_default_wait|dma_fence_default_wait|dma_resv_wait_timeout\w*|reservation_object_wait_timeout_rcu|drm_syncobj_\w+|drm_atomic_helper_wait_for_\w+|i915_request_wait\w*|i915_gem_wait_ioctl|amdgpu_cs_wait_\w+|amdgpu_fence_wait_\w+|nouveau_fence_wait|ttm_bo_wait\w*|i915_wait_request|intel_gt_retire_\w+|amdgpu_ctx_wait_prev_fence|drm_gem_dma_resv_wait|xe_sync_entry_wait|drm_crtc_commit_wait|i915_gem_object_wait\w*|sync_file_\w+|amdgpu_gem_wait_idle_ioctl|amdgpu_bo_sync_wait|drm_vblank_work_\w+|drm_wait_one_vblank|drm_wait_vblank_ioctl/,
    ],
    'a GPU to finish work or show a picture (a fence)',
    'A long computation, or a GPU or driver that hangs.',
    GPU,
    'drivers/dma-buf/dma-fence.c: dma_fence_default_wait',
  ),
  blocked(
    'gpu-queue',
    [
      'amd_sched_entity_push_job|amd_sched_wait_emit|drm_sched_entity_push_job|drm_sched_entity_flush|drm_sched_entity_fini|drm_sched_entity_destroy|drm_sched_job_timedout|drm_sched_stop|amdgpu_job_submit|amdgpu_job_run',
    ],
    'a GPU to take or end work that is in its queue',
    'A long computation, or a GPU or driver that hangs.',
    GPU,
    'drivers/gpu/drm/scheduler/sched_entity.c: drm_sched_entity_flush',
    INNERMOST,
  ),
  blocked(
    'gpu-lock',
    [
      /drm_\w+|i915_\w+|intel_(?:display|crtc|atomic|modeset|dp|fbdev|fbc|psr|gt|guc|huc|uc|engine|context|ring|vgpu|gvt|runtime_pm|power_well|pps|panel|backlight|hdmi|ddi|dmc|overlay|frontbuffer|legacy|user)_\w+|amdgpu_\w+|ttm_\w+|nouveau_\w+|kfd_\w+|radeon_\w+|xe_\w+|nv_\w+|_nv\d+\w+|uvm_\w+|nvidia_\w+|nvkms_\w+|rm_\w+|os_acquire_\w+|vmw_\w+|virtio_gpu_\w+|__drm_\w+|gen\d+_\w+|ast_\w+|mgag200_\w+|dma_resv_\w+|nvkm_\w+/,
    ],
    'a lock or a reset of a graphics driver',
    'Another task in the driver waits for the GPU, or it is being reset.',
    GPU,
    'drivers/gpu/drm/drm_modeset_lock.c: drm_modeset_lock',
    INNERMOST,
  ),
  blocked(
    'gpu-amd',
    [/(?:dm|dc|dcn\d*|dmub|smu|psp|gfx|sdma|vcn|gmc|svm|mes)_\w+/],
    'a lock or an answer of the AMD graphics driver, in {caller}',
    'A GPU that is being reset, suspended or resumed; another task in the driver that waits for it.',
    GPU,
    'drivers/gpu/drm/amd/display/amdgpu_dm/amdgpu_dm.c: dm_suspend',
    { ...INNERMOST, module: 'amdgpu' },
  ),
  blocked(
    'rdma',
    [
      /ib_\w+|rdma_\w+|uverbs_\w+|mlx[45]_\w+|cma_(?!alloc|release|declare|init)\w+|ibv_\w+|_?_?ib_\w+|cmd_exec|mlx5e_\w+|rds_\w+|iw_\w+|irdma_\w+|bnxt_\w+|qed_\w+|ucma_\w+|hfi1_\w+/,
    ],
    'an RDMA or network adapter, or its firmware',
    'Firmware that does not answer, a reset, or a connection that is being closed.',
    [...LOG, 'rdma link', 'ethtool -i DEV'],
    'drivers/infiniband/core/cma.c: rdma_destroy_id',
    INNERMOST,
  ),
  blocked(
    'hyperv',
    [
      /hv_\w+|vmbus_\w+|netvsc_\w+|rndis_\w+|storvsc_\w+|hvutil_\w+|balloon_(?:up|down|onchannelcallback|probe|connect_vsp)/,
    ],
    'the Hyper-V host to answer',
    'The host does not answer a channel.',
    LOG,
    'drivers/hv/channel.c: vmbus_open',
    INNERMOST,
  ),
  blocked(
    'wireless',
    [
      /cfg80211_\w+|ieee80211_\w+|iwl_\w+|ath\d+k_\w+|wiphy_\w+|brcmf_\w+|mt76\w+|rtw\d*_\w+|nl80211_\w+|mac80211_\w+|hci_\w+|l2cap_\w+|iwl\w+_\w+|__hci_\w+/,
    ],
    'a wireless or Bluetooth device, or its lock',
    'Firmware that does not answer.',
    [...LOG, 'rfkill list'],
    'net/wireless/core.c: cfg80211_rfkill_set_block',
    INNERMOST,
  ),
  blocked(
    'network-driver',
    [
      /e1000\w*|igb_\w+|ixgbe\w*_\w+|i40e\w*_\w+|ice_\w+|tg3_\w+|bnx2\w*_\w+|r8169_\w+|rtl8\w+|ena_\w+|be_\w+|qede_\w+|virtnet_\w+|vmxnet3_\w+|ethtool_\w+|dev_ethtool|phy_(?:state_machine|start|stop|ethtool_\w+|mii_ioctl|read\w*|write\w*|attach\w*|detach|connect\w*|disconnect|probe|suspend|resume)|ethnl_\w+|bond_\w+|team_\w+|br_\w+/,
    ],
    'a network driver',
    'A link, reset or firmware that is slow, or its lock.',
    [...LOG, 'ip -s link'],
    'net/ethtool/ioctl.c: dev_ethtool',
    INNERMOST,
  ),
];
