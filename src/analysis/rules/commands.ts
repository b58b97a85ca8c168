/** What a command may have to wait for. */
export type Resource =
  /** Reads the stat, descriptors or links of processes, which may hang for those that are stuck (exec, page faults). */
  | 'processes'
  /** Takes the mmap lock of a process, also to read its command line or memory map. */
  | 'mmapLock'
  /** Stops the task, which one that sleeps uninterruptibly never does. */
  | 'ptrace'
  /** The lock of the network configuration (rtnl_mutex). */
  | 'rtnl'
  /** The lock of the mount table (namespace_sem). */
  | 'mounts'
  /** Reads or asks the file system. */
  | 'fileSystem'
  /** Opens the device, or sends it a command. */
  | 'device'
  /** The locks of device-mapper and its devices. */
  | 'deviceMapper'
  /** The lock of the cgroup hierarchy (cgroup_mutex). */
  | 'cgroup'
  /** Reads a file of a cgroup, which may flush its statistics. */
  | 'cgroupFile'
  /** The lock of the list of swap devices (swapon_mutex). */
  | 'swap'
  /** The lock of the list of modules (module_mutex). */
  | 'modules'
  /** The lock of the list of algorithms (crypto_alg_sem). */
  | 'crypto'
  /** The locks of keyrings. */
  | 'keys'
  /** Asks a server or the cluster, or takes the locks of the session with it. */
  | 'server'
  /** The locks of the client of a network file system, which it takes to talk to its server. */
  | 'session'
  /** The locks of DRBD. */
  | 'drbd'
  /** The locks of ZFS pools. */
  | 'zfs'
  /** Asks the driver of a graphics processor. */
  | 'gpu'
  /** The locks of USB devices. */
  | 'usb'
  /** The locks of BPF programs and maps. */
  | 'bpf'
  /** The locks of the packet filter. */
  | 'netfilter'
  /** Talks to the audit system. */
  | 'audit'
  /** The locks of the SCSI target. */
  | 'target'
  /** Opens the terminal. */
  | 'tty'
  /** The lock of the NFS server (nfsd_mutex), or its daemons. */
  | 'nfsd'
  /** Asks a daemon. */
  | 'daemon'
  /** The locks of Binder. */
  | 'binder'
  /** Lists a file system of message queues. */
  | 'mqueue'
  /** The locks of CPU and memory hotplug, and of the devices that stand for CPUs and memory. */
  | 'hotplug'
  /** The lock of the list of slab caches (slab_mutex). */
  | 'slab'
  /** The locks of tracing (trace_types_lock, ftrace_lock, event_mutex). */
  | 'tracing'
  /** The locks of the settings of a disk queue (sysfs_lock, limits_lock, elevator_lock), held while it is frozen. */
  | 'diskQueue'
  /** The lock of the bitmap of an md array (bitmap_info.mutex), which /proc/mdstat takes from Linux 6.12 on. */
  | 'mdBitmap'
  /** The lock of all bcache devices (bch_register_lock), which their files in /sys take. */
  | 'bcache'
  /** The locks of wireless devices and of rfkill. */
  | 'wireless'
  /** The lock of a socket. */
  | 'socket'
  /** The lock of the System V IPC tables. */
  | 'ipc'
  /** The locks of consoles. */
  | 'console'
  /** The locks of sound devices. */
  | 'sound'
  /** The lock of radio switches (rfkill_global_mutex). */
  | 'rfkill';

/**
 * Each command that rules advise, with what it may have to wait for. Those with an empty list take no lock that hangs.
 */
export const COMMANDS: Readonly<Record<string, readonly Resource[]>> = {
  'dmesg -T': [],
  'dmesg -T | tail': [],
  'dmesg -T | tail -50': [],
  'dmesg -T | grep drbd': [],
  'dmesg -T | grep -i "not responding"': [],
  'dmesg | grep -i oom': [],
  'dmesg | grep -i random': [],
  'dmesg | grep -i "rcu.*stall"': [],
  'iostat -x 1': [],
  'mpstat -P ALL 1': [],
  'vmstat 1': ['hotplug'],
  'free -m': [],
  'nstat -az': [],
  'ss -tan': [],
  'nfsstat -rc': [],
  'nfsstat -s': [],
  'slabtop -o': ['slab'],
  'slabtop -o -s c': ['slab'],
  lsblk: ['mounts', 'swap'],
  lsscsi: [],
  'lsscsi -g': [],
  'lscpu -e': ['hotplug'],
  lsmem: ['hotplug'],
  zramctl: ['mounts', 'swap'],
  'losetup -l': ['device', 'diskQueue'],
  'lspci -k': ['device'],
  'ipcs -q -p': ['ipc'],
  'ipcs -s -p': ['ipc'],
  'rfkill list': ['wireless', 'rfkill'],
  'kstack -D': [],
  'kstack -DL -f long': [],
  'kstack -D -c kworker': [],
  'kstack -DZ -f long': [],
  'kstack -p PID': [],
  'kstack -p PID -f long': [],
  'kstack -p PPID': [],
  'kstack -p 2': [],
  'kstack -c iou-': [],
  'kstack -c "automount|systemd" -f long': [],
  'kstack -L -c mountd -f long': [],
  'kstack -c nfsd -f long': [],
  'kstack -c gssd -f long': [],
  'kstack -c cachefilesd -f long': [],
  'kstack -c btrfs -f long': [],
  'kstack -c jbd2 -f long': [],
  'grep . /sys/block/dm-*/dm/suspended': [],
  'kstack -c mdmon -f long': [],
  'kstack -c modprobe -f long': [],
  'kstack -L -c "fuse|sshfs|gluster|s3fs|virtiofsd" -f long': [],
  'kstack -L -c qemu -f long': [],
  'kstack -c "coredump|abrt|apport" -f long': [],
  'kstack -c "fsfreeze|qemu-ga|vss" -f long': [],
  'kstack -c "lxcfs|seccomp|agent" -f long': [],
  'kstack -c "request-key|upcall|idmap" -f long': [],
  'kstack -c "scan|falcon|mdatp|ds_agent" -f long': [],
  'cat /proc/buddyinfo': [],
  'cat /proc/consoles': ['console'],
  'cat /proc/interrupts': [],
  'cat /proc/locks': [],
  'cat /proc/mdstat': ['mdBitmap'],
  'cat /proc/drbd': [],
  'cat /proc/net/dev': [],
  'cat /proc/pressure/cpu': [],
  'cat /proc/pressure/memory': [],
  'cat /proc/sys/kernel/printk': [],
  'cat /proc/sys/kernel/random/entropy_avail': [],
  'cat /proc/fs/jbd2/*/info': [],
  'cat /proc/fs/cifs/Stats': [],
  'cat /proc/fs/fscache/stats': [],
  'cat /proc/net/rpc/nfsd': [],
  'cat /proc/spl/kstat/zfs/*/txgs': [],
  'cat /proc/spl/kstat/zfs/*/state': [],
  'cat /proc/spl/kstat/zfs/arcstats': [],
  'grep . /proc/pressure/*': [],
  'grep PPid /proc/PID/status': [],
  'grep TracerPid /proc/PID/status': [],
  'grep Seccomp /proc/PID/status': [],
  'grep Sig /proc/PID/status': [],
  'grep -E "Vm|Rss" /proc/PID/status': [],
  'ls /proc/PID/task': [],
  'cat /proc/TID/schedstat': [],
  'cat /proc/TID/wchan': [],
  'cat /proc/TID/status': [],
  lslocks: ['processes', 'fileSystem'],
  'grep -E "Dirty|Writeback" /proc/meminfo': [],
  'grep -E "Vmalloc|Percpu" /proc/meminfo': [],
  'grep -i cma /proc/meminfo': [],
  'grep -i huge /proc/meminfo': [],
  'grep -i writeback /proc/meminfo': [],
  'grep -E "numa|migrate" /proc/vmstat': ['hotplug'],
  'grep -E "pgscan|pgsteal" /proc/vmstat': ['hotplug'],
  'grep -E "pgscan|pgsteal|allocstall" /proc/vmstat': ['hotplug'],
  'grep compact /proc/vmstat': ['hotplug'],
  'grep migrate /proc/vmstat': ['hotplug'],
  'grep -H . /sys/block/*/inflight': [],
  'grep -H . /sys/block/*/queue/nr_requests': ['diskQueue'],
  'grep -H . /sys/block/*/queue/wbt_lat_usec': ['diskQueue'],
  'cat /sys/block/*/queue/scheduler': ['diskQueue'],
  'cat /sys/block/nbd*/pid': [],
  'cat /sys/block/md*/md/stripe_cache_size /sys/block/md*/md/stripe_cache_active': [],
  'cat /sys/class/scsi_host/host*/state': [],
  'cat /sys/devices/system/cpu/online': [],
  'cat /sys/fs/fuse/connections/*/waiting': [],
  'grep . /sys/fs/fuse/connections/*/waiting': [],
  'grep . /sys/fs/xfs/*/log/*': [],
  'grep . /sys/fs/bcache/*/cache_available_percent': ['bcache'],
  'grep . /sys/class/fc_remote_ports/*/port_state': [],
  'grep . /sys/kernel/mm/ksm/*': [],
  'cat /sys/kernel/mm/transparent_hugepage/defrag': [],
  'cat /sys/kernel/mm/transparent_hugepage/enabled': [],
  'grep -r . /sys/kernel/mm/transparent_hugepage/khugepaged': [],
  'grep -r . /sys/module/damon_*/parameters': [],
  'cat /sys/kernel/tracing/current_tracer': ['tracing'],
  'cat /proc/asound/card*/pcm*/sub*/status': ['sound'],
  'sysctl dev.raid.speed_limit_max': [],
  'sysctl kernel.core_pattern': [],
  'sysctl kernel.hung_task_timeout_secs': [],
  'sysctl kernel.modprobe kernel.core_pattern': [],
  'sysctl vm.dirty_ratio vm.dirty_bytes': [],
  'top -H': ['processes'],
  'ps -eLo pid,cls,rtprio,psr,comm | grep -E "FF|RR"': ['processes'],
  'ps -eLo pid,tid,cls,rtprio,psr,stat,comm | grep -E "FF|RR"': ['processes'],
  '/bin/ls -l /proc/PID/fd': ['processes'],
  '/bin/ls -l /proc/PID/fd/0': ['processes'],
  '/bin/ls -l /proc/PID/cwd': ['processes'],
  '/bin/ls -l /proc/*/fd 2>/dev/null | grep kmsg': ['processes'],
  '/bin/ls -l /proc/*/fd 2>/dev/null | grep vfio': ['processes'],
  'cat /proc/PID/fdinfo/*': ['processes'],
  'grep -c inotify /proc/*/fdinfo/* 2>/dev/null | grep -v :0': ['processes'],
  'grep -l fanotify /proc/*/fdinfo/* 2>/dev/null': ['processes'],
  'ss -0ap': ['processes'],
  'ss -f netlink -p': ['processes'],
  'ss -ltnp': ['processes'],
  'ss -lxp': ['processes'],
  'ss -tanp': ['processes'],
  'ss -tanp state syn-sent': ['processes'],
  'ss -tanpi': ['processes', 'socket'],
  'ss -tnp sport = :445': ['processes'],
  'ss -uanp': ['processes'],
  'ss -xp | wc -l': ['processes'],
  'perf top -p PID': ['processes'],
  'perf top -g': ['processes'],
  lsns: ['processes'],
  'lsns -t net': ['processes'],
  'lsof -p PID': ['mmapLock'],
  'lsof -p PID | grep FIFO': ['mmapLock'],
  'lsof /dev/ipmi* /dev/i2c* /dev/tpm*': ['mmapLock'],
  'lsof | grep PIPE_INODE': ['mmapLock'],
  'grep -c . /proc/PID/maps': ['mmapLock'],
  'grep -l userfaultfd /proc/*/maps 2>/dev/null; /bin/ls -l /proc/*/fd 2>/dev/null | grep userfaultfd': ['mmapLock'],
  'gdb -p PID -batch -ex "thread apply all bt"': ['ptrace'],
  'strace -fp PID': ['ptrace'],
  'strace -p TID': ['ptrace'],
  'ip -s link': ['rtnl'],
  'ip link': ['rtnl'],
  'ethtool -i DEV': ['rtnl'],
  'rdma link': ['rtnl'],
  findmnt: ['mounts'],
  'findmnt -t fuse,fuseblk': ['mounts'],
  'cat /proc/self/mountinfo': ['mounts'],
  'cat /proc/self/mountstats': ['mounts'],
  'systemctl list-units -t automount': ['mounts'],
  'df -h': ['fileSystem'],
  'df -h -i': ['fileSystem'],
  'xfs_info MOUNTPOINT': ['fileSystem'],
  'xfs_quota -x -c report MOUNTPOINT': ['fileSystem'],
  'btrfs balance status MOUNTPOINT': ['fileSystem'],
  'btrfs device stats MOUNTPOINT': ['fileSystem'],
  'btrfs filesystem usage MOUNTPOINT': ['fileSystem'],
  'btrfs scrub status MOUNTPOINT': ['fileSystem'],
  'bcachefs fs usage MOUNTPOINT': ['fileSystem'],
  'repquota -a': ['fileSystem'],
  'cat /sys/kernel/debug/f2fs/status': ['fileSystem'],
  'smartctl -a /dev/sdX': ['device'],
  'nvme list': ['device'],
  'nvme list-subsys': ['device'],
  'nvme smart-log /dev/nvme0': ['device'],
  'lvs -a': ['device', 'deviceMapper'],
  'lvs -a -o+data_percent,metadata_percent': ['device', 'deviceMapper'],
  'dumpe2fs -h DEVICE | grep -i features': ['device'],
  'dumpe2fs -h DEVICE | grep -i journal': ['device'],
  'debugfs.ocfs2 -R "fs_locks -B" DEVICE': ['device'],
  'mt -f /dev/nst0 status': ['device'],
  'multipath -ll': ['device', 'deviceMapper'],
  'mdadm --detail /dev/mdX': ['device'],
  'lspci -vv': ['device'],
  'dmsetup info': ['deviceMapper'],
  'dmsetup info | grep -B3 SUSPENDED': ['deviceMapper'],
  'dmsetup status': ['deviceMapper'],
  'dmsetup table': ['deviceMapper'],
  'cat /proc/PID/cgroup': ['cgroup'],
  'cat /proc/cgroups': ['cgroup'],
  'grep -E "memory|num" /proc/cgroups': ['cgroup'],
  'cat /sys/fs/cgroup/PATH/cgroup.freeze': [],
  'cat /sys/fs/cgroup/PATH/cgroup.procs': [],
  'systemctl status': ['cgroup', 'daemon', 'processes'],
  'cat /sys/fs/cgroup/PATH/cpu.stat': ['cgroupFile'],
  'cat /sys/fs/cgroup/PATH/cpu.stat /sys/fs/cgroup/PATH/cpu.max': ['cgroupFile'],
  'cat /sys/fs/cgroup/PATH/memory.events /sys/fs/cgroup/PATH/memory.max': [],
  'cat /sys/fs/cgroup/io.cost.qos /sys/fs/cgroup/io.cost.model': ['cgroupFile'],
  'grep -r . /sys/fs/cgroup --include=io.latency': ['cgroupFile'],
  'grep -r . /sys/fs/cgroup --include=io.max': ['cgroupFile'],
  'swapon --show': ['swap'],
  'cat /proc/swaps': ['swap'],
  lsmod: ['modules'],
  'cat /proc/modules': ['modules'],
  'cat /proc/crypto': ['crypto'],
  'cat /proc/keys': ['keys'],
  'klist -ke': ['keys'],
  'ceph -s': ['server'],
  'cat /sys/kernel/debug/ceph/*/mdsc /sys/kernel/debug/ceph/*/osdc': ['session'],
  'cat /sys/kernel/debug/ceph/*/osdc': ['session'],
  'cat /proc/fs/cifs/DebugData': [],
  'lfs check servers': ['server'],
  'lctl get_param *.*.state': ['session'],
  'mmdiag --waiters': ['daemon'],
  'mmgetstate -a': ['server'],
  'iscsiadm -m session -P 3': ['server'],
  'dlm_tool ls': ['server'],
  'cat /sys/kernel/debug/gfs2/*/glocks': [],
  'cat /sys/kernel/debug/ocfs2/*/locking_state': [],
  'drbdadm status': ['drbd'],
  'zpool status -v': ['zfs'],
  'zpool iostat -v 1': ['zfs'],
  'zpool events': ['zfs'],
  'zfs get sync,logbias': ['zfs'],
  arc_summary: ['zfs'],
  'nvidia-smi': ['gpu'],
  'cat /sys/kernel/debug/dri/*/amdgpu_fence_info': ['gpu'],
  'cat /sys/kernel/debug/dri/0/*fence*': ['gpu'],
  'lsusb -t': ['usb'],
  'bpftool map': ['bpf'],
  'bpftool prog': ['bpf'],
  'nft list ruleset | wc -l': ['netfilter'],
  'auditctl -s': ['audit'],
  'ausearch -m avc -ts recent': ['audit'],
  'systemctl status auditd': ['audit'],
  'targetcli ls': ['target'],
  'stty -a -F TTY': ['tty'],
  'exportfs -v': ['nfsd'],
  'ls /proc/fs/nfsd/clients/': ['nfsd'],
  'systemctl status nfs-mountd': ['nfsd'],
  'systemctl status autofs': ['daemon'],
  'systemctl status cachefilesd': ['daemon'],
  'systemctl status fstrim.timer': ['daemon'],
  'systemctl status rpc-gssd': ['daemon'],
  'multipathd show paths': ['daemon'],
  'virsh list': ['daemon'],
  'cat /sys/kernel/debug/binder/transactions': ['binder'],
  'ls -l /dev/mqueue': ['mqueue'],
  'cat /proc/PID/task/PID/children': [],
  'cat /proc/loadavg': [],
  'cat /proc/softirqs': [],
  'cat /proc/sys/vm/nr_hugepages /proc/sys/vm/nr_overcommit_hugepages': [],
  'cat /sys/fs/cgroup/cgroup.stat': [],
  'cat /sys/fs/cgroup/PATH/memory.high /sys/fs/cgroup/PATH/memory.current': [],
  'cat /sys/fs/cgroup/PATH/memory.pressure': [],
  'cat /sys/kernel/sched_ext/state /sys/kernel/sched_ext/nr_rejected': [],
  'dmesg | grep -i sched_ext': [],
  'dmesg | grep -i "waiting for"': [],
  'dmesg | grep -i "refusing to freeze"': [],
  'dmesg | grep -i "workqueue lockup"': [],
  'grep -H . /sys/devices/system/memory/memory*/state': [],
  'grep -i percpu /proc/meminfo': [],
  'grep -i slab /proc/meminfo': [],
  'grep -E "State|PPid|TracerPid" /proc/PID/status': [],
  'grep -i swap /proc/meminfo': [],
  'grep -H . /sys/module/zswap/parameters/*': [],
  'kstack -D -c "cpuhp|migration" -f long': [],
  'kstack -D -f long': [],
  'kstack -c khugepaged -f long': [],
  'kstack -c ksmd -f long': [],
  'kstack -L -p PID -f long': [],
  'kstack -R -L -f long': [],
  'kstack -L --function "fanotify|fsnotify" -f long': [],
  'kstack -L --function "rtnl|netlink|cleanup_net" -f long': [],
  'kstack -L --function cgroup -f long': [],
  'kstack -L --function debugfs -f long': [],
  'kstack -L --function cpuset -f long': [],
  'kstack -L --function "do_exit|zap_pid_ns" -f long': [],
  'grep -H . /sys/block/loop*/loop/backing_file': [],
  'grep -H . /sys/block/zram*/mm_stat': [],
  'grep -H . /sys/block/sd*/device/state': [],
  'grep -H . /sys/block/dm-*/dm/name /sys/block/dm-*/dm/suspended': [],
  'grep -H . /sys/block/md*/md/array_state /sys/block/md*/md/sync_action': [],
  'grep -H . /sys/block/md*/md/dev-*/state': [],
  'grep -H . /sys/class/nvme/nvme*/state': [],
  'grep -H . /sys/class/scsi_tape/st*/stats/in_flight': [],
  'grep -H . /sys/class/iscsi_session/session*/state': [],
  'grep -H . /sys/class/net/*/operstate': [],
  'grep -H . /sys/class/drm/card*/device/power/runtime_status': [],
  'ls -l /sys/bus/pci/drivers/vfio-pci/': [],
  'timeout 10 ceph -s': [],
  'dmesg -T | grep -i nvme': [],
  'dmesg -T | grep -iE "drm|amdgpu|i915|nouveau|nvrm|xid"': [],
  'kstack -L -c bcache -f long': [],
  'kstack -L -c multipathd -f long': [],
  'kstack -L -c nbd -f long': [],
  'kstack -L -c ublk -f long': [],
  'kstack -L -c xenstored -f long': [],
  'kstack -L -c "fstrim|mkfs|blkdiscard" -f long': [],
  'kstack -L -c "lvs|lvm|vgs|pvs|dmsetup|dmeventd|multipathd" -f long': [],
  'kstack -L -c "^md" -f long': [],
  'kstack -L -c "qemu|vhost|kvm" -f long': [],
  'dmesg -T | grep -i amdgpu': [],
  'dmesg -T | grep -i "unregister_netdevice"': [],
  'kstack -L --function "pipe_|splice" -f long': [],
  'kstack -L --function "tty_|uart_" -f long': [],
  'kstack -L --function "unix_" -f long': [],
  'kstack -L --function "ep_|epoll" -f long': [],
  'kstack -L --function "io_uring|io_ring|io_sq|io_wq" -f long': [],
  'kstack -L --function "rtnl|netdev|netlink" -f long': [],
  'kstack -L --function "binder_" -f long': [],
  'kstack -L --function "drm_|dma_fence|amdgpu|i915|xe_|nvidia" -f long': [],
  'kstack -L --function "usb_|hub_|xhci" -f long': [],
  'kstack -L --function "bpf_" -f long': [],
  'kstack -L --function "trace|kprobe|klp_" -f long': [],
  'kstack -L --function "ieee80211|cfg80211|hci_" -f long': [],
  'kstack -L --function "vchiq|vc_|rpi_firmware" -f long': [],
  'kstack -L -c "auditd|kauditd" -f long': [],
  'kstack -L -c "systemd-udevd|modprobe|kmod" -f long': [],
  'kstack -R -f long': [],
  'cat /proc/cmdline': [],
  'cat /proc/sysvipc/msg': ['ipc'],
  'cat /proc/net/unix': [],
  'cat /proc/net/netlink': [],
  'cat /proc/net/sockstat': [],
  'cat /proc/net/softnet_stat': [],
  'cat /proc/net/bonding/*': [],
  'cat /proc/sys/net/netfilter/nf_conntrack_count': [],
  'cat /proc/sys/fs/pipe-user-pages-soft': [],
  'cat /proc/sys/kernel/tainted': [],
  'grep . /sys/class/net/*/operstate': [],
  'grep . /sys/bus/pci/devices/*/power/runtime_status': [],
  'grep . /sys/bus/usb/devices/*/power/runtime_status': [],
  'grep . /sys/bus/usb/devices/*/idVendor /sys/bus/usb/devices/*/idProduct': [],
  'grep . /sys/class/drm/card*/device/power/runtime_status': [],
  'ls /sys/class/devcoredump': [],
  'ls /sys/class/infiniband': [],
  'grep . /sys/power/suspend_stats/*': [],
  'grep . /sys/module/*/refcnt': [],
  'grep -l coming /sys/module/*/initstate': [],
  'grep -l going /sys/module/*/initstate': [],
  'grep . /sys/kernel/livepatch/*/transition': [],
  'cat /sys/kernel/debug/devices_deferred': [],
  'grep . /sys/block/loop*/loop/backing_file': [],
};

/** Commands that several rules advise. */
export const DISKS = ['iostat -x 1', 'grep -H . /sys/block/*/inflight', 'dmesg -T | tail'];
export const LOG = ['dmesg -T | tail -50'];
export const LOG_AND_DISKS = [...LOG, 'iostat -x 1', 'grep -H . /sys/block/*/inflight'];
export const OTHERS_BLOCKED = ['kstack -DL -f long'];
export const MEMORY = ['cat /proc/pressure/memory', 'free -m', 'grep -E "pgscan|pgsteal|allocstall" /proc/vmstat'];
export const DIRTY = ['grep -E "Dirty|Writeback" /proc/meminfo', 'sysctl vm.dirty_ratio vm.dirty_bytes', 'iostat -x 1'];
export const NFS = ['nfsstat -rc', 'cat /proc/self/mountstats', 'dmesg -T | grep -i "not responding"'];
export const NETWORK = ['ss -tanpi', 'nstat -az'];
export const MOUNTS = ['findmnt', 'cat /proc/self/mountinfo'];
export const DESCRIPTORS = ['/bin/ls -l /proc/PID/fd', 'strace -p TID'];
export const THAW = ['grep . /sys/block/dm-*/dm/suspended', 'kstack -c "fsfreeze|qemu-ga|vss" -f long'];
export const THAW_UNDO = ['fsfreeze -u MOUNTPOINT'];
/** What a disk that does not answer holds up, too. */
export const DISK_STUCK: readonly Resource[] = ['device', 'fileSystem', 'diskQueue'];
/** Of disks behind SCSI. */
export const SCSI = [...LOG, 'grep -H . /sys/block/sd*/device/state', 'cat /sys/class/scsi_host/host*/state'];
/** Of device-mapper, without its ioctls. */
export const DM = [
  'grep -H . /sys/block/dm-*/dm/name /sys/block/dm-*/dm/suspended',
  ...DISKS,
  'kstack -L -c "lvs|lvm|vgs|pvs|dmsetup|dmeventd|multipathd" -f long',
];
/** What a device-mapper device that does not answer holds up, too. */
export const DM_STUCK: readonly Resource[] = [...DISK_STUCK, 'deviceMapper'];
export const THIS_TASK = ['kstack -p PID -f long'];
export const SOCKET_COUNTERS = ['nstat -az', 'cat /proc/net/sockstat'];
export const NETWORK_DEVICES = ['cat /proc/net/dev', 'grep . /sys/class/net/*/operstate'];
