import { LOG, OTHERS_BLOCKED } from './commands.ts';
import { blocked, INNERMOST, idle, type Rule } from './rule.ts';

const AUDIT = ['auditctl -s', 'systemctl status auditd'];

/** Modules, devices, audit, console, tracing, security. */
export const SERVICES: readonly Rule[] = [
  blocked(
    'module-load',
    [
      'load_module|idempotent_init_module|init_module_from_file|finit_module|module_patient_check_exists|add_unformed_module|idempotent_wait_for_completion|sys_init_module|sys_finit_module|resolve_symbol_wait|resolve_symbol',
    ],
    'a kernel module to be loaded by another task',
    'Its init function, or that of one it needs, does not return: a device that does not answer.',
    [...LOG, 'lsmod', ...OTHERS_BLOCKED],
    'kernel/module/main.c: load_module',
    INNERMOST,
  ),
  blocked(
    'module-init',
    ['do_one_initcall|do_init_module'],
    'the init function of a kernel module (or driver that is built in) to return',
    'A device that does not answer, firmware that is not there, or a lock that another driver holds.',
    [...LOG, 'lsmod', ...OTHERS_BLOCKED],
    'kernel/module/main.c: do_init_module',
  ),
  blocked(
    'module-request',
    ['__request_module|call_usermodehelper_exec|call_usermodehelper|kobject_uevent_env|request_module'],
    'a program that the kernel started (modprobe, a core handler or hotplug helper) to end',
    'modprobe waits for a device or file system, or user space is stuck.',
    ['kstack -c modprobe -f long', 'sysctl kernel.modprobe kernel.core_pattern'],
    'kernel/umh.c: call_usermodehelper_exec',
  ),
  blocked(
    'module-unload',
    ['free_module|delete_module|sys_delete_module|module_unload|try_stop_module|wait_for_zero_refcount'],
    'a kernel module to be unloaded',
    'Users of it that do not end.',
    ['lsmod', ...LOG],
    'kernel/module/main.c: delete_module',
  ),
  blocked(
    'firmware',
    [
      '_request_firmware|request_firmware|fw_load_sysfs_fallback|firmware_fallback_sysfs|usermodehelper_read_lock_wait|__fw_state_wait_common|fw_load_from_user_helper',
    ],
    'a firmware file for a device',
    'User space does not serve it, or the disk is slow.',
    LOG,
    'drivers/base/firmware_loader/main.c: _request_firmware',
  ),
  blocked(
    'device-lock',
    [
      'device_lock|device_lock_interruptible|__device_attach|__driver_attach|device_release_driver_internal|device_release_driver|__device_driver_lock|device_shutdown|bus_rescan_devices_helper|__device_attach_driver|deferred_probe_work_func|unbind_store|bind_store|device_del|device_links_unbind_consumers|driver_detach|device_driver_attach|bus_for_each_dev|device_offline|device_online',
    ],
    'the lock of a device, which is being probed, removed or shut down',
    'A driver that waits for its device with the lock held: hardware or firmware that does not answer.',
    [...LOG, ...OTHERS_BLOCKED],
    'drivers/base/dd.c: device_release_driver_internal',
    INNERMOST,
  ),
  blocked(
    'device-probe-wait',
    ['wait_for_device_probe|device_block_probing|wait_for_initramfs|driver_deferred_probe_check_state'],
    'all devices to be probed',
    'A driver whose probe function does not return: hardware or firmware that does not answer.',
    [...LOG, ...OTHERS_BLOCKED],
    'drivers/base/dd.c: wait_for_device_probe',
  ),
  blocked(
    'device-power',
    [
      'dpm_wait|dpm_wait_for_superior|dpm_wait_for_subordinate|dpm_suspend|dpm_resume|dpm_run_callback|device_pm_wait_for_dev|device_resume|device_suspend|pm_runtime_work|__pm_runtime_barrier|pm_runtime_barrier|rpm_resume|rpm_suspend|__pm_runtime_resume',
    ],
    'a device to be put to sleep or to wake up',
    'Hardware or firmware that does not answer, or another device that has to go first.',
    LOG,
    'drivers/base/power/runtime.c: rpm_resume',
  ),
  blocked(
    'usb',
    [
      'usb_kill_urb|usb_start_wait_urb|usb_control_msg|usb_bulk_msg|usb_lock_device_for_reset|usb_sg_wait|hub_port_reset|hub_port_init|usb_disconnect|usb_reset_device|usb_set_configuration|usb_stor_bulk_transfer_sglist|usb_stor_msg_common|hub_port_wait_reset|hub_port_debounce|usb_poison_urb|usb_new_device|xhci_alloc_dev|xhci_setup_device|xhci_suspend|xhci_stop_device|proc_do_submiturb|usb_get_descriptor|hub_power_on|usb_port_resume|usb_port_suspend|hub_port_connect',
    ],
    'a USB device or hub to answer',
    'A failing device, cable or hub, or one in power saving.',
    [...LOG, 'lsusb -t'],
    'drivers/usb/core/message.c: usb_start_wait_urb',
  ),
  blocked(
    'usb-lock',
    [
      'usbdev_open|usbdev_do_ioctl|usbdev_ioctl|usbdev_read|usbdev_release|usb_device_read|usb_device_dump|read_descriptors|descriptors_read|hub_event|usb_lock_device_for_reset|usb_remove_hcd|driver_disconnect|usb_deregister_dev',
    ],
    'the lock of a USB device or hub, which another task holds',
    'A reset, probe or removal of the device in another task that does not end: it answers no more.',
    [...LOG, ...OTHERS_BLOCKED],
    'drivers/usb/core/devio.c: usbdev_open',
    INNERMOST,
  ),
  blocked(
    'pci-config',
    [
      'pci_wait_cfg|pci_user_read_config_dword|pcie_wait_for_link|pci_dev_wait|pciehp_reset_slot|pciehp_ist|pci_lock_rescan_remove|pcie_do_recovery|pci_reset_function|pci_reset_bus|pcie_wait_cmd|pciehp_configure_device|pciehp_unconfigure_device|pcie_flr|pci_enable_sriov|aer_isr|dpc_handler|pci_dev_lock|pci_stop_and_remove_bus_device_locked|pci_cfg_access_lock|pci_bus_lock|pcie_wait_for_link_delay|pci_power_up|pci_bridge_wait_for_secondary_bus',
    ],
    'a PCI device to come back from a reset, power saving or hotplug',
    'A device that dropped off the bus.',
    [...LOG, 'lspci -vv'],
    'drivers/pci/pci.c: pci_dev_wait',
  ),
  blocked(
    'acpi',
    [/acpi_\w+/],
    'ACPI firmware',
    'A slow method of the firmware; its lock is held by another.',
    LOG,
    'drivers/acpi/osl.c: acpi_os_wait_semaphore',
    INNERMOST,
  ),
  blocked(
    'i2c-tpm-hardware',
    [
      'i2c_transfer|__i2c_transfer|i2c_smbus_xfer|tpm_transmit|tpm_try_transmit|wait_for_tpm_stat|tpm_tis_send|spi_sync|__spi_sync|mdiobus_read|tpm_send|ipmi_request_settime|wait_for_msg_done|ipmi_msghandler|i_ipmi_request|tpm_chip_start|mbox_send_message|regmap_lock_mutex|clk_prepare_lock|regulator_lock_recursive|spi_transfer_one_message|ipmi_si_intf|i801_access|i801_transaction|i2c_dw_xfer|smi_work',
    ],
    'a slow bus or management chip (I2C, SPI, TPM, IPMI)',
    'The chip does not answer, or many programs poll it (sensors, monitoring agents).',
    [...LOG, 'lsof /dev/ipmi* /dev/i2c* /dev/tpm*'],
    'drivers/i2c/i2c-core-base.c: i2c_transfer',
  ),
  blocked(
    'audit-backlog',
    ['audit_log_start|wait_for_auditd|wait_for_kauditd'],
    'room in the audit backlog: auditd does not keep up',
    'Too many audit rules, or an auditd that waits for a full or slow disk.',
    AUDIT,
    'kernel/audit.c: audit_log_start',
  ),
  blocked(
    'audit-lock',
    [
      'audit_receive|audit_ctl_lock|audit_netlink_ok|audit_add_rule|audit_receive_msg|audit_send_list_thread|audit_send_reply_thread|prune_tree_thread|audit_del_rule',
    ],
    'the lock of the audit configuration',
    'Another task changes audit rules.',
    AUDIT,
    'kernel/audit.c: audit_ctl_lock',
    INNERMOST,
  ),
  blocked(
    'console-lock',
    [
      'console_lock|console_unlock|do_con_write|con_write|vt_ioctl|register_console|console_device|do_fb_ioctl|fb_set_var|con_install|con_flush_chars|console_callback|vt_waitactive|pr_flush|__pr_flush|console_flush_all|nbcon_atomic_flush_pending|fbcon_init|console_stop|console_start|do_unblank_screen|console_suspend_all|con_shutdown|vc_resize|show_cons_active|vcs_read|vcs_write',
    ],
    'the console: another task prints on it or configures it',
    'Many messages on a slow serial console, or a graphics driver that is stuck.',
    ['cat /proc/sys/kernel/printk', 'cat /proc/consoles'],
    'kernel/printk/printk.c: console_lock',
  ),
  idle(
    'syslog-read',
    ['do_syslog|syslog_print|devkmsg_read|kmsg_read'],
    'the next message of the kernel log',
    'Normal for a log daemon.',
    ['ls -l /proc/*/fd 2>/dev/null | grep kmsg'],
    'kernel/printk/printk.c: devkmsg_read',
  ),
  blocked(
    'perf-event',
    [
      'perf_event_alloc|perf_event_release_kernel|perf_trace_init|perf_event_ctx_lock_nested|sys_perf_event_open|perf_event_init_task|perf_swevent_init|perf_event_exit_task|perf_event_for_each_child|perf_event_free_task|perf_ioctl|perf_mmap|perf_trace_destroy|perf_event_read_value|_perf_event_disable|perf_pending_task_sync|perf_event_task_enable|perf_read|perf_try_init_event',
    ],
    'a lock of perf events',
    'Profilers or monitoring agents that start and stop on many tasks.',
    OTHERS_BLOCKED,
    'kernel/events/core.c: perf_event_ctx_lock_nested',
    INNERMOST,
  ),
  idle(
    'trace-pipe',
    [
      'wait_on_pipe|tracing_wait_pipe|ring_buffer_wait|tracing_read_pipe|tracing_buffers_read|tracing_buffers_splice_read',
    ],
    'the next event of a trace',
    'Normal for a reader of trace_pipe.',
    ['cat /sys/kernel/tracing/current_tracer'],
    'kernel/trace/ring_buffer.c: ring_buffer_wait',
  ),
  blocked(
    'tracing-lock',
    [
      /trace_\w+|tracing_\w+|ftrace_\w+|event_trace_\w+|__ftrace_\w+|t_start|s_start|register_ftrace_\w+|unregister_ftrace_\w+|ring_buffer_resize|register_kprobe\w*|unregister_kprobe\w*|kprobe_optimizer|__unregister_kprobe\w*|uprobe_\w+|register_for_each_vma|bpf_trampoline_\w+|__bpf_trampoline_\w+|klp_\w+|kprobe_trace_self_tests_init|disable_kprobe|enable_kprobe/,
    ],
    'tracing: a lock of it, or kernel code to be patched',
    'Tracing, BPF or live patching that is being switched on or off.',
    ['cat /sys/kernel/tracing/current_tracer', 'bpftool prog', ...OTHERS_BLOCKED],
    'kernel/trace/trace.c: tracing_set_tracer',
    INNERMOST,
  ),
  blocked(
    'bpf',
    [
      /bpf_\w+|__sys_bpf|map_(?:create|update_elem|delete_elem|lookup_elem|freeze|get_next_key)\w*|htab_\w+|sys_bpf|__bpf_\w+/,
    ],
    'BPF: a program or map to be loaded, changed or freed',
    'A grace period of RCU, or the verifier at work.',
    ['bpftool prog', 'bpftool map'],
    'kernel/bpf/syscall.c: __sys_bpf',
    INNERMOST,
  ),
  blocked(
    'security',
    [
      /selinux_\w+|security_\w+|ima_\w+|process_measurement|ima_file_check|apparmor_\w+|aa_\w+|sel_write_\w+|tomoyo_\w+|evm_\w+|inode_doinit_with_dentry|integrity_\w+|smack_\w+/,
    ],
    'a security module (SELinux, AppArmor, IMA)',
    'A policy is being loaded, or a file is being measured from a slow disk.',
    [...LOG, 'ausearch -m avc -ts recent'],
    'security/integrity/ima/ima_main.c: process_measurement',
    INNERMOST,
  ),
  blocked(
    'keyring',
    [
      'wait_for_key_construction|request_key|request_key_and_link|construct_key_and_link|key_gc|key_garbage_collector|complete_request_key|keyctl_read_key|__key_link_lock|join_session_keyring|call_sbin_request_key|keyctl_instantiate_key_common|user_destroy|construct_alloc_key|key_change_session_keyring',
    ],
    'a key that a program of user space (request-key) has to supply',
    'cifs.upcall, nfsidmap or a DNS resolver that does not answer.',
    ['cat /proc/keys', 'kstack -c "request-key|upcall|idmap" -f long'],
    'security/keys/request_key.c: request_key_and_link',
  ),
  blocked(
    'random',
    [
      'wait_for_random_bytes|_random_read|urandom_read|random_read|get_random_bytes_user|sys_getrandom|try_to_generate_entropy',
    ],
    'the random number generator to be seeded',
    'Early boot of a machine without a source of entropy.',
    ['dmesg | grep -i random', 'cat /proc/sys/kernel/random/entropy_avail'],
    'drivers/char/random.c: wait_for_random_bytes',
  ),
  blocked(
    'crypto',
    [
      'crypto_larval_wait|crypto_wait_req|crypto_alg_mod_lookup|crypto_register_alg|skcipher_wait|crypto_larval_lookup|crypto_alg_lookup|crypto_wait_for_test|crypto_alg_lock|wait_for_aead',
    ],
    'a cipher to be found, tested or to finish',
    'A module to be loaded, or a hardware accelerator that is stuck.',
    ['cat /proc/crypto', ...LOG],
    'crypto/api.c: crypto_larval_wait',
  ),
  blocked(
    'sysctl-debugfs',
    [
      'debugfs_file_get|full_proxy_open|debugfs_remove|proc_sys_call_handler|unregister_sysctl_table|drop_sysctl_table|start_unregistering|__debugfs_file_removed|debugfs_create_dir|simple_recursive_removal|simple_attr_read|seq_read|seq_read_iter|proc_reg_read_iter|simple_pin_fs',
    ],
    'a file of /proc, debugfs or another pseudo file system that is in use',
    'Another reader of the same file is slow or stuck.',
    OTHERS_BLOCKED,
    'fs/seq_file.c: seq_read_iter',
    INNERMOST,
  ),
  blocked(
    'reboot',
    [
      'kernel_restart|kernel_power_off|sys_reboot|kernel_halt|migrate_to_reboot_cpu|kernel_kexec|kernel_restart_prepare|kernel_shutdown_prepare',
    ],
    'drivers to shut down, in order to reboot or power off',
    'A device that does not answer at shutdown.',
    LOG,
    'kernel/reboot.c: kernel_restart',
  ),
  blocked(
    'notifier',
    [
      'blocking_notifier_call_chain|__blocking_notifier_call_chain|blocking_notifier_chain_register|blocking_notifier_chain_unregister|srcu_notifier_chain_register|srcu_notifier_chain_unregister|blocking_notifier_call_chain_robust',
    ],
    'a chain of notifiers, which another task calls or changes',
    'A callback on the chain that does not return: a driver or its device.',
    [...LOG, ...OTHERS_BLOCKED],
    'kernel/notifier.c: blocking_notifier_call_chain',
    INNERMOST,
  ),
  blocked(
    'suspend',
    [
      'pm_suspend|enter_state|suspend_devices_and_enter|freeze_processes|try_to_freeze_tasks|thaw_processes|hibernate|lock_system_sleep|s2idle_loop|suspend_enter|dpm_suspend_start|pm_notifier_call_chain|__pm_notifier_call_chain',
    ],
    'the host to suspend or resume',
    'A task or device that refuses to freeze.',
    LOG,
    'kernel/power/suspend.c: enter_state',
  ),
  blocked(
    'boot',
    [
      'kernel_init|do_initcalls|kernel_init_freeable|prepare_namespace|wait_for_root|md_run_setup|do_basic_setup|rest_init',
    ],
    'the boot to go on',
    'An early driver, or the root device, that is not ready.',
    LOG,
    'init/main.c: kernel_init',
    INNERMOST,
  ),
  blocked(
    'sched-core',
    [
      'sched_setaffinity|__set_cpus_allowed_ptr|affine_move_task|__set_cpus_allowed_ptr_locked|__sched_setscheduler|sched_exec|migrate_enable|sched_core_share_pid|wait_task_inactive|migrate_task_to|sched_move_task|set_cpus_allowed_ptr|tg_set_cfs_bandwidth|cpu_cgroup_attach|sched_rt_handler|sched_domains_mutex_lock|tg_set_rt_bandwidth',
    ],
    'a task to move to another CPU, or scheduler settings',
    'A CPU that a real-time task keeps busy.',
    ['ps -eLo pid,cls,rtprio,psr,comm | grep -E "FF|RR"'],
    'kernel/sched/core.c: affine_move_task',
  ),
];
