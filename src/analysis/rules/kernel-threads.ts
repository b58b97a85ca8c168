import { type Rule, running } from './rule.ts';

const NOTHING_TO_DO = 'Normal: it has nothing to do.';
const WHO = ['kstack -p PID -f long'];

/** A loop of a kernel thread that sleeps until it is needed. */
function loop(id: string, functions: string, waitsFor: string, source: string, next: readonly string[] = WHO): Rule {
  return { id: `idle-${id}`, match: [functions], waitsFor, kind: 'idle', causes: NOTHING_TO_DO, next, source };
}

/** Idle loops of the kernel's own threads. */
export const KERNEL_THREADS: readonly Rule[] = [
  loop('kthreadd', 'kthreadd', 'a kernel thread to create', 'kernel/kthread.c: kthreadd'),
  loop('worker', 'worker_thread', 'work to be queued', 'kernel/workqueue.c: worker_thread'),
  loop('rescuer', 'rescuer_thread', 'a workqueue that runs short of workers', 'kernel/workqueue.c: rescuer_thread'),
  loop('kthread-worker', 'kthread_worker_fn', 'work for this dedicated thread', 'kernel/kthread.c: kthread_worker_fn'),
  loop(
    'smpboot',
    'smpboot_thread_fn',
    'work for this per-CPU thread (ksoftirqd, migration, cpuhp, ...)',
    'kernel/smpboot.c: smpboot_thread_fn',
  ),
  loop('irq', 'irq_thread|irq_wait_for_interrupt', 'an interrupt of its device', 'kernel/irq/manage.c: irq_thread', [
    'cat /proc/interrupts',
  ]),
  loop('rcu-gp', 'rcu_gp_kthread', 'a grace period to be requested', 'kernel/rcu/tree.c: rcu_gp_kthread'),
  {
    ...loop(
      'rcu-fqs',
      'rcu_gp_fqs_loop',
      'CPUs to pass a quiescent state, looking again on a timer',
      'kernel/rcu/tree.c: rcu_gp_fqs_loop',
    ),
    causes: 'Normal: a grace period is in progress, or none is wanted. Stalls are in the kernel log.',
    next: ["dmesg | grep -i 'rcu.*stall'"],
  },
  loop(
    'rcu-nocb',
    'nocb_cb_wait|nocb_gp_wait|rcu_nocb_kthread|rcu_nocb_gp_kthread|rcu_nocb_cb_kthread',
    'RCU callbacks to run',
    'kernel/rcu/tree_nocb.h: nocb_cb_wait',
  ),
  loop(
    'rcu-boost',
    'rcu_boost_kthread',
    'a reader of RCU to be boosted',
    'kernel/rcu/tree_plugin.h: rcu_boost_kthread',
  ),
  loop(
    'rcu-tasks',
    'rcu_tasks_one_gp|rcu_tasks_kthread|rcu_tasks_rude_kthread',
    'a caller of synchronize_rcu_tasks',
    'kernel/rcu/tasks.h: rcu_tasks_one_gp',
  ),
  loop(
    'kswapd',
    'kswapd|kswapd_try_to_sleep',
    'free memory of its node to run low',
    'mm/vmscan.c: kswapd_try_to_sleep',
    ['grep -E "pgscan|pgsteal" /proc/vmstat'],
  ),
  loop('kcompactd', 'kcompactd', 'memory of its node to need compaction', 'mm/compaction.c: kcompactd', [
    'grep compact /proc/vmstat',
  ]),
  loop(
    'khugepaged',
    'khugepaged|khugepaged_wait_work',
    'its next scan for huge pages',
    'mm/khugepaged.c: khugepaged_wait_work',
    ['grep -r . /sys/kernel/mm/transparent_hugepage/khugepaged'],
  ),
  loop('ksmd', 'ksm_scan_thread', 'its next scan for equal pages', 'mm/ksm.c: ksm_scan_thread', [
    'grep . /sys/kernel/mm/ksm/*',
  ]),
  loop('oom-reaper', 'oom_reaper', 'a victim of the OOM killer whose memory to free', 'mm/oom_kill.c: oom_reaper', [
    'dmesg | grep -i oom',
  ]),
  loop(
    'damon',
    'kdamond_fn|kdamond_usleep|kdamond_wait_activation',
    'its next sample of memory accesses',
    'mm/damon/core.c: kdamond_fn',
    ['grep -r . /sys/module/damon_*/parameters'],
  ),
  loop('khungtaskd', 'watchdog', 'its next check for hung tasks', 'kernel/hung_task.c: watchdog', [
    'sysctl kernel.hung_task_timeout_secs',
  ]),
  loop('kauditd', 'kauditd_thread', 'audit records to send', 'kernel/audit.c: kauditd_thread', ['auditctl -s']),
  loop(
    'psimon',
    'psi_rtpoll_worker|psi_poll_worker',
    'pressure to watch for a trigger',
    'kernel/sched/psi.c: psi_rtpoll_worker',
    ['grep . /proc/pressure/*'],
  ),
  loop(
    'devtmpfs',
    'devtmpfsd|devtmpfs_work_loop',
    'a device node to make or remove',
    'drivers/base/devtmpfs.c: devtmpfs_work_loop',
  ),
  loop('hwrng', 'hwrng_fillfn', 'the entropy pool to take more', 'drivers/char/hw_random/core.c: hwrng_fillfn'),
  loop('jbd2', 'kjournald2', 'a transaction to commit, or its timer', 'fs/jbd2/journal.c: kjournald2', [
    'cat /proc/fs/jbd2/*/info',
  ]),
  loop('xfsaild', 'xfsaild|xfsaild_push', 'log items to push to disk, or its timer', 'fs/xfs/xfs_trans_ail.c: xfsaild'),
  loop(
    'btrfs-transaction',
    'transaction_kthread',
    'the commit interval of its file system',
    'fs/btrfs/disk-io.c: transaction_kthread',
  ),
  loop('btrfs-cleaner', 'cleaner_kthread', 'deleted subvolumes to clean', 'fs/btrfs/disk-io.c: cleaner_kthread'),
  loop(
    'ext4-lazyinit',
    'ext4_lazyinit_thread',
    'its next group of inode tables to initialize',
    'fs/ext4/super.c: ext4_lazyinit_thread',
  ),
  loop('ext4-mmp', 'kmmpd', 'the next update of the multi-mount block', 'fs/ext4/mmp.c: kmmpd'),
  loop(
    'f2fs',
    'gc_thread_func|issue_discard_thread|issue_flush_thread',
    'garbage collection, discards or flushes of f2fs',
    'fs/f2fs/gc.c: gc_thread_func',
  ),
  loop('nfsd', 'svc_recv|nfsd', 'a request of an NFS client', 'net/sunrpc/svc_xprt.c: svc_recv', [
    'cat /proc/net/rpc/nfsd',
    'nfsstat -s',
  ]),
  loop(
    'nfs-callback',
    'nfs41_callback_svc|nfs4_callback_svc',
    'a callback of an NFS server',
    'fs/nfs/callback.c: nfs4_callback_svc',
  ),
  loop('nfs-manager', 'nfs4_run_state_manager', 'NFS state to recover', 'fs/nfs/nfs4state.c: nfs4_run_state_manager'),
  loop('lockd', 'lockd', 'a request to lock a file over NFS', 'fs/lockd/svc.c: lockd'),
  loop('loop', 'loop_kthread_worker_fn', 'requests for a loop device', 'drivers/block/loop.c: loop_kthread_worker_fn', [
    'losetup -l',
  ]),
  loop('scsi-eh', 'scsi_error_handler', 'a SCSI command that fails', 'drivers/scsi/scsi_error.c: scsi_error_handler'),
  loop('md', 'md_thread', 'work for an md array', 'drivers/md/md.c: md_thread', ['cat /proc/mdstat']),
  loop('dm-crypt', 'dmcrypt_write', 'encrypted blocks to write', 'drivers/md/dm-crypt.c: dmcrypt_write'),
  loop(
    'bcache',
    'bch_gc_thread|bch_allocator_thread|bch_writeback_thread',
    'buckets to collect, to fill or to write back',
    'drivers/md/bcache/writeback.c: bch_writeback_thread',
    ['grep . /sys/fs/bcache/*/cache_available_percent'],
  ),
  loop(
    'drbd',
    'drbd_thread_setup|wait_for_work|drbd_worker|drbd_ack_receiver',
    'work, or packets of the DRBD peer',
    'drivers/block/drbd/drbd_worker.c: wait_for_work',
    ['drbdadm status'],
  ),
  loop('zfs-taskq', 'taskq_thread', 'a task of a ZFS task queue', 'module/os/linux/spl/spl-taskq.c: taskq_thread'),
  loop(
    'zfs-thread',
    'txg_thread_wait|arc_evict_thread|zthr_procedure|l2arc_feed_thread|mmp_thread|dbuf_evict_thread|arc_reap_thread',
    'work of a ZFS service thread',
    'module/zfs/txg.c: txg_thread_wait',
    ['cat /proc/spl/kstat/zfs/*/txgs'],
  ),
  {
    ...loop(
      'zfs-thread-cv',
      'cv',
      'work of a ZFS service thread',
      'module/os/linux/spl/spl-condvar.c: __cv_wait_idle',
      ['cat /proc/spl/kstat/zfs/*/txgs'],
    ),
    module: 'spl|zfs',
    match: [
      '__cv_wait_idle|__cv_timedwait_idle|__cv_wait_sig|__cv_timedwait_sig|__cv_wait_interruptible|__cv_timedwait_interruptible|__cv_timedwait_idle_hires',
      'txg_quiesce_thread|txg_sync_thread|mmp_thread|l2arc_feed_thread|l2arc_dev_rebuild_thread|zthr_procedure|arc_reclaim_thread|arc_user_evicts_thread|arc_evict_thread|arc_reap_thread|dbuf_evict_thread|spa_deadman|vdev_autotrim_thread|vdev_trim_thread',
    ],
  },
  loop(
    'scsi-target',
    'iscsi_target_tx_thread|iscsi_target_login_thread',
    'something to send to an iSCSI initiator',
    'drivers/target/iscsi/iscsi_target.c: iscsi_target_tx_thread',
    ['targetcli ls'],
  ),
  loop(
    'ksmbd',
    'ksmbd_kthread_fn',
    'a connection to the SMB server in the kernel',
    'fs/smb/server/transport_tcp.c: ksmbd_kthread_fn',
  ),
  loop(
    'usb-storage',
    'usb_stor_control_thread',
    'a command for USB storage',
    'drivers/usb/storage/usb.c: usb_stor_control_thread',
  ),
  loop(
    'mmc',
    'mmc_queue_thread|sdio_irq_thread',
    'a request or an interrupt of an MMC card',
    'drivers/mmc/core/sdio_irq.c: sdio_irq_thread',
  ),
  loop('ubi', 'ubi_thread|ubifs_bg_thread', 'work of UBI or UBIFS', 'drivers/mtd/ubi/wl.c: ubi_thread'),
  loop('drm-sched', 'drm_sched_main', 'a job for the GPU', 'drivers/gpu/drm/scheduler/sched_main.c: drm_sched_main', [
    'cat /sys/kernel/debug/dri/0/*fence*',
  ]),
  loop('card-event', 'pccardd', 'an event of a card socket', 'drivers/pcmcia/cs.c: pccardd'),
  loop('vhost', 'vhost_worker|vhost_task_fn', 'virtio requests of a guest', 'drivers/vhost/vhost.c: vhost_worker', [
    'kstack -L -c qemu -f long',
  ]),
  loop(
    'kvm-nx',
    'kvm_nx_huge_page_recovery_worker|kvm_nx_lpage_recovery_worker',
    'its next pass over the huge pages of a guest',
    'arch/x86/kvm/mmu/mmu.c: kvm_nx_huge_page_recovery_worker',
  ),
  loop(
    'kvm-vm-worker',
    'kvm_vm_worker_thread',
    'work for a virtual machine',
    'virt/kvm/kvm_main.c: kvm_vm_worker_thread',
  ),
  loop(
    'xen',
    'xenwatch_thread|xenbus_thread|xen_blkif_schedule|xenvif_kthread_guest_rx',
    'an event of Xen',
    'drivers/xen/xenbus/xenbus_xs.c: xenwatch_thread',
  ),
  loop(
    'balloon',
    'balloon_thread',
    'the hypervisor to change the memory it lends',
    'drivers/xen/balloon.c: balloon_thread',
  ),
  loop(
    'napi',
    'napi_threaded_poll|napi_thread_wait',
    'packets of a network interface',
    'net/core/dev.c: napi_threaded_poll',
  ),
  loop('pktgen', 'pktgen_thread_worker', 'packets to generate', 'net/core/pktgen.c: pktgen_thread_worker'),
  loop('krfcomm', 'rfcomm_run', 'Bluetooth serial traffic', 'net/bluetooth/rfcomm/core.c: rfcomm_run'),
  loop('ecryptfs', 'ecryptfs_threadfn', 'a file to open for eCryptfs', 'fs/ecryptfs/kthread.c: ecryptfs_threadfn'),
  loop(
    'idle-inject',
    'clamp_idle_injection_func|idle_inject_fn',
    'the next time to make its CPU idle',
    'drivers/powercap/idle_inject.c: idle_inject_fn',
  ),
  loop('kmemleak', 'kmemleak_scan_thread', 'its next scan', 'mm/kmemleak.c: kmemleak_scan_thread'),
  loop(
    'printk',
    'printk_kthread_func|nbcon_kthread_func|legacy_kthread_func',
    'messages to print on a console',
    'kernel/printk/nbcon.c: nbcon_kthread_func',
  ),
  loop(
    'swapper',
    'do_idle|cpu_startup_entry|cpu_idle_loop',
    'a task to run: this is the idle task of a CPU',
    'kernel/sched/idle.c: do_idle',
  ),
  loop('io-wq', 'io_wq_worker|io_wqe_worker', 'an io_uring request that may block', 'io_uring/io-wq.c: io_wq_worker'),
  loop('io-sq', 'io_sq_thread', 'requests in the rings it polls', 'io_uring/sqpoll.c: io_sq_thread'),
  loop(
    'kthread-parked',
    '__kthread_parkme|kthread_parkme',
    'to be unparked: its CPU is offline, or its owner has paused it',
    'kernel/kthread.c: __kthread_parkme',
    ['cat /sys/devices/system/cpu/online'],
  ),
  {
    ...loop(
      'cifsd',
      'sk_wait_data',
      'an answer or a break from the SMB server',
      'fs/smb/client/connect.c: cifs_readv_from_socket',
      ['cat /proc/fs/cifs/DebugData'],
    ),
    match: [
      'sk_wait_data|tcp_recvmsg|tcp_recvmsg_locked|sock_recvmsg|cifs_readv_from_socket|cifs_read_from_socket',
      'cifs_demultiplex_thread',
    ],
  },
  {
    ...loop('svc-old', 'svc_recv', 'a request of an NFS client', 'net/sunrpc/svc_xprt.c: svc_get_next_xprt', [
      'nfsstat -s',
    ]),
    match: ['svc_get_next_xprt|svc_rqst_wait_for_work', 'svc_recv'],
  },
  loop('kthread-new', 'kthread', 'to be started: it was created and has not been woken', 'kernel/kthread.c: kthread'),
  running(
    'damon-check',
    [/damon_\w+/, 'kdamond_fn'],
    'nothing for long: it looks at which memory is in use (DAMON)',
    'Normal while DAMON monitors memory.',
    ['grep -r . /sys/module/damon_*/parameters'],
    'mm/damon/core.c: kdamond_fn',
  ),
];
