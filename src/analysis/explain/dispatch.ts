import { wholeName } from './pattern.ts';

/** Devices, buses and levels of the kernel with functions of the same form. */
const IOCTL_OF = [
  'block blkdev blkdev_common sock sock_do dev drm drm_compat tty ctl dm_ctl snd_ctl usbdev usbdev_do md nbd',
  '__nbd btrfs xfs_file ext4 __ext4 f2fs __f2fs ceph video fb do_fb sg sg_new sd kvm kvm_vm kvm_vcpu',
  'kvm_arch_vcpu kvm_arch_vm fuse_dir fuse_file fuse_do uverbs ib_uverbs vfio\\w* loop lo floppy fd fd_locked',
  'rfkill_fop hci_sock inet6? packet tun_chr __tun_chr binder nvme nvme_dev mmc_blk i2cdev gpio rtc_dev',
  'watchdog evdev hidraw uinput ppp pcm cdrom sr_block scsi scsi_cmd dasd cec media v4l2 subdev amdgpu_drm',
  'radeon_drm nouveau_drm i915 xe_drm nvidia nvidia_unlocked mtdchar ubi raid ctrl_cdev vol_cdev',
];
const IOCTL_OF_SUFFIX = String.raw`_(?:compat_)?(?:unlocked_)?ioctl(?:_\w*common)?`;
const BUSES = [
  'sdio mmc virtio_dev auxiliary vmbus serio nd nvdimm scsi xenbus mei_cl_device css ccw_device ap_device i3c',
  'rpmsg_dev typec thunderbolt tb_service ide of_platform gameport mdio phy input acpi_device acpi pnp_device',
  'pnp isa_bus wmi_dev wmi sdw sdw_drv slim fsl_mc host1x cxl_bus ntb dax_bus vdpa mdev greybus firewire',
  'fw_unit cec',
];
const BUSES_SUFFIX = '_(?:bus_)?(?:dev_)?(?:probe|remove|shutdown)';
const POWER = [
  'pci platform scsi usb i2c spi pnp amba pm_generic genpd __genpd acpi_subsys acpi_lpss scsi_bus ata_port',
  'mmc_bus sdio virtio_device',
];
const POWER_SUFFIX =
  '_(?:pm_|dev_|runtime_|legacy_)*' +
  '(?:suspend|resume|freeze|thaw|poweroff|restore|prepare|complete)(?:_noirq|_late|_early|_common)?';

/** Functions of the kernel's core that call a function of any file system, or of any file, for a program. */
const FILE_CALLERS = wholeName([
  /_?_?vfs_(?:read|readv|write|writev|iter_read|iter_write|ioctl|fsync|fsync_range|fallocate)/,
  /vfs_(?:getattr\w*|statfs|fileattr_set)/,
  /_?_?kernel_(?:read|write)(?:_iter)?/,
  /new_sync_(?:read|write)|call_(?:read|write)_iter|do_iter_(?:read|write|readv_writev)|do_loop_readv_writev/,
  /(?:do_|ksys_|f)?(?:vfs_)?ioctl|file_ioctl|do_vfs_ioctl|x64_sys_call|sys_ioctl/,
  new RegExp(`(?:${IOCTL_OF.join(' ').replaceAll(' ', '|')})${IOCTL_OF_SUFFIX}`),
  /drm_ioctl_kernel|video_usercopy|video_ioctl2|__video_do_ioctl|__blkdev_driver_ioctl|ib_uverbs_cmd_verbs/,
  /snd_pcm_(?:common_)?ioctl/,
  /do_(?:open|last|dentry_open)|vfs_open|chrdev_open|misc_open|blkdev_open|cdev_open|drm_stub_open/,
  /soundcore_open|snd_open/,
  /_*fput(?:_sync)?|filp_close|filp_flush|task_work_run/,
  /kernfs_fop_(?:read|write|read_iter|write_iter|open|release)|kernfs_seq_show/,
  /sysfs_kf_(?:bin_)?(?:write|read|seq_show)/,
  /\w+_attr_(?:show|store)|configfs_(?:bin_)?write_(?:file|iter)|cgroup_(?:file_write|seqfile_show)/,
  /proc_reg_\w+|proc_sys_(?:call_handler|read|write)|seq_(?:read|read_iter|lseek)|proc_single_show/,
  /full_proxy_\w+|debugfs_attr_\w+/,
  /notify_change|iterate_dir|path_getxattr|_?_?vfs_\w*xattr\w*|do_remount|reconfigure_super|vfs_get_tree/,
  /legacy_get_tree|mount_(?:bdev|fs|nodev)/,
  /generic_shutdown_super|deactivate_locked_super|_?_?iterate_supers?|sync_filesystem/,
  /do_splice(?:_to|_from|_read)?|splice_direct_to_actor|do_vfs_lock_file/,
  /_*sock_(?:sendmsg|recvmsg)(?:_nosec)?|sock_(?:write|read)_iter/,
  /_*sys_(?:sendmsg|recvmsg|sendto|recvfrom|connect|bind|setsockopt|getsockopt)|_*sock_release|sock_close/,
  /do_sock_[sg]etsockopt/,
  /genl_(?:family_)?rcv_msg(?:_doit|_dumpit)?|genl_family_rcv_msg_\w+|rtnetlink_rcv_msg/,
  /nfnetlink_rcv(?:_msg|_batch)?|netlink_(?:dump|rcv_skb|unicast\w*|sendmsg)|rtnl_(?:dumpit|dump_all)/,
  /tgt_request_handle|tgt_handle_request0|mdt_handle_common|mdt_request_handle|nfsd4_proc_compound/,
  /nfsd_dispatch|svc_process_common/,
  /_?_?io_issue_sqe|io_uring_cmd|io_read|io_write|_?_?io_(?:read|write)/,
]);

/** Functions of the kernel's core that call a function of any driver. */
const DRIVER_CALLERS = wholeName([
  /call_driver_probe|really_probe|local_pci_probe|_?_?pci_device_probe|pci_call_probe|work_for_cpu_fn/,
  /platform_(?:drv_)?(?:probe|remove|shutdown)|_?_?platform_driver_probe/,
  /usb_(?:probe|unbind)_(?:interface|device)|usb_(?:suspend|resume)_(?:both|interface|device)/,
  /usb_driver_set_configuration/,
  /_?_?hid_device_(?:probe|remove)|i2c_device_(?:probe|remove|shutdown)|spi_(?:drv_)?(?:probe|remove)/,
  /amba_(?:probe|remove)/,
  new RegExp(`(?:${BUSES.join(' ').replaceAll(' ', '|')})${BUSES_SUFFIX}`),
  /pci_device_(?:remove|shutdown)|device_(?:shutdown|remove)|_?_?device_release_driver/,
  /device_release_driver_internal/,
  new RegExp(`(?:${POWER.join(' ').replaceAll(' ', '|')})${POWER_SUFFIX}`),
  /dpm_run_callbacks?|_?_?rpm_callback|rpm_(?:suspend|resume|idle)/,
  /device_(?:suspend|resume)(?:_noirq|_late|_early)?|_?_?device_(?:suspend|resume)(?:_noirq|_late|_early)?/,
  /cpuhp_invoke_callback|(?:raw_|blocking_|srcu_|atomic_)?notifier_call_chain|call_netdevice_notifiers\w*/,
  /fib_notify\w*/,
  /ops_(?:exit_list|undo_list|undo_single|pre_exit_list|init)|do_one_initcall|async_run_entry_fn/,
  /irq_(?:forced_)?thread_fn/,
  /_?_?handle_mm_fault|_?_?do_fault|do_(?:shared|cow|read)_fault|do_page_mkwrite|do_shrink_slab/,
]);

/** Functions that these callers call on the way, of no file system or driver. */
const BETWEEN = wholeName([
  /_?_?schedule\w*|wait_for_\w+|_?_?mutex_lock\w*|down_\w+|_?_?down|rwsem_\w+|notify_change|do_truncate/,
  /sys_\w+|ksys_\w+|do_\w*(?:open|read|write)v?|path_openat|lookup_open|_?_?driver_\w+|_?_?device_\w+|pm_\w+|rpm_\w+/,
  /_raw_\w+|rcu_\w+|lock_(?:acquire|release)\w*|_?_?might_\w+|_?_?cond_resched|security_\w+|locks?_\w+|file_\w+|fsnotify\w*|bus_\w+|bdev_\w+/,
  /_?_?blkdev_\w+/,
  /pde_\w+|usb_open|get_tree_\w+|genl_rcv|_?_?cleanup_mnt|call_rcu\w*|_*flush_\w+|do_fault_around/,
  /\w+_module_notify|.*_bdev_flags/,
  /_?copy_\w+|fault_in_\w+|asm_\w+|audit_\w+|syscall_\w+|release_nodes|devres_\w+|dpm_wait\w*/,
  /_?_?filemap_fault|sync_inodes_\w+|\W.*/,
]);

const IOCTL = /^(?!(?:do_|ksys_)?(?:vfs_|file_|sys_)?ioctl)\w+_ioctl$/;

/**
 * The functions of a file system, device or driver that the kernel's core calls for a program or device, by their
 * names: what the task is to do there. The one of the outermost file comes first, then the innermost one of a driver.
 * @param names of the functions of a stack, normalized, innermost first
 */
export function dispatchedIn(names: readonly string[]): readonly string[] {
  const isCalledBy = (callers: RegExp) => (name: string, at: number) =>
    callers.test(names[at + 1] ?? '') && !FILE_CALLERS.test(name) && !DRIVER_CALLERS.test(name) && !BETWEEN.test(name);
  const ofFile = names.findLast(isCalledBy(FILE_CALLERS)) ?? names.find((name) => IOCTL.test(name));
  const ofDriver = names.find(isCalledBy(DRIVER_CALLERS));
  return [...new Set([ofFile, ofDriver])].filter((name) => name !== undefined);
}
