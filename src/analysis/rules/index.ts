import { ADAPTERS } from './adapters.ts';
import { ADDRESS_SPACES } from './address-spaces.ts';
import { ANSWERS_OF_ADAPTERS } from './answers-of-adapters.ts';
import { ANSWERS_OF_DEVICES } from './answers-of-devices.ts';
import { ANSWERS_OF_PERIPHERALS } from './answers-of-peripherals.ts';
import { BCACHE } from './bcache.ts';
import { BCACHEFS } from './bcachefs.ts';
import { BLOCK } from './block.ts';
import { BLOCK_DEVICES } from './block-devices.ts';
import { BLOCK_FREEZE } from './block-freeze.ts';
import { BTRFS_RULES } from './btrfs.ts';
import { BTRFS_MAINTENANCE } from './btrfs-maintenance.ts';
import { BTRFS_SPACE } from './btrfs-space.ts';
import { CEPH_RULES } from './ceph.ts';
import { CGROUPS } from './cgroups.ts';
import { CHARACTER_DEVICES } from './character-devices.ts';
import { CLUSTER_FILESYSTEMS } from './cluster-filesystems.ts';
import { CPU_HOTPLUG } from './cpu-hotplug.ts';
import { OTHER_CPUS } from './cpus.ts';
import { CPUSETS } from './cpusets.ts';
import { DEFERRED_WORK } from './deferred-work.ts';
import { DEVICE_MAPPER } from './device-mapper.ts';
import { DEVICES } from './devices.ts';
import { DISK_DRIVERS } from './disks.ts';
import { DM_TARGETS } from './dm-targets.ts';
import { DRBD_RULES } from './drbd.ts';
import { DRIVER_FAMILIES } from './driver-families.ts';
import { EXIT } from './exit.ts';
import { EXT4 } from './ext4.ts';
import { FILE_LOCKS } from './file-locks.ts';
import { FILES } from './files.ts';
import { FIRMWARE_AND_BUSES } from './firmware-and-buses.ts';
import { FUSE_RULES } from './fuse.ts';
import { GRAPHICS } from './graphics.ts';
import { GRAPHICS_DRIVERS } from './graphics-drivers.ts';
import { GRAPHICS_PURPOSES } from './graphics-purposes.ts';
import { GUESTS } from './guests.ts';
import { HUGE_PAGES } from './huge-pages.ts';
import { IDLE_READERS } from './idle-readers.ts';
import { INODES_AND_MOUNTS } from './inodes-and-mounts.ts';
import { IO_URING } from './io-uring.ts';
import { IPC } from './ipc.ts';
import { JBD2 } from './jbd2.ts';
import { KERNEL_MEMORY } from './kernel-memory.ts';
import { KERNEL_THREADS } from './kernel-threads.ts';
import { KERNEL_THREADS_OF_DRIVERS } from './kernel-threads-of-drivers.ts';
import { KERNEL_THREADS_OF_OLDER_KERNELS } from './kernel-threads-of-older-kernels.ts';
import { KERNEL_THREADS_OF_STORAGE } from './kernel-threads-of-storage.ts';
import { LOCKS } from './locks.ts';
import { LOCKS_OF_DEVICES } from './locks-of-devices.ts';
import { LOCKS_OF_FILE_SYSTEMS } from './locks-of-file-systems.ts';
import { LOCKS_OF_MEDIA } from './locks-of-media.ts';
import { LOCKS_OF_NETWORK_FILE_SYSTEMS } from './locks-of-network-file-systems.ts';
import { LOCKS_OF_NETWORKS } from './locks-of-networks.ts';
import { LOCKS_OF_STORAGE } from './locks-of-storage.ts';
import { LOCKS_OF_THE_CORE } from './locks-of-the-core.ts';
import { MD_RAID } from './md.ts';
import { MEMORY_RULES } from './memory.ts';
import { MEMORY_LIMITS } from './memory-limits.ts';
import { MMAP_LOCKS } from './mmap-lock.ts';
import { MODULES } from './modules.ts';
import { MORE_WAITS_OF_DEVICES } from './more-waits-of-devices.ts';
import { MORE_WAITS_OF_FILE_SYSTEMS } from './more-waits-of-file-systems.ts';
import { MORE_WAITS_OF_THE_CORE } from './more-waits-of-the-core.ts';
import { MOUNT_RULES } from './mounts.ts';
import { NAMESPACES } from './namespaces.ts';
import { NETLINK } from './netlink.ts';
import { NETWORK_ADAPTERS } from './network-adapters.ts';
import { NETWORK_CONFIGURATION } from './network-configuration.ts';
import { NETWORK_FILESYSTEMS } from './network-filesystems.ts';
import { NETWORK_INTERFACES } from './network-interfaces.ts';
import { NETWORK_LOCKS } from './network-locks.ts';
import { NFS_STATE } from './nfs-state.ts';
import { NFSD_RULES } from './nfsd.ts';
import { NVIDIA } from './nvidia.ts';
import { NVME_RULES } from './nvme.ts';
import { OTHER_FILESYSTEMS } from './other-filesystems.ts';
import { PAGE_CACHE } from './page-cache.ts';
import { PAGE_MOVES } from './page-moves.ts';
import { PCI } from './pci.ts';
import { PIPES_AND_TERMINALS } from './pipes-and-terminals.ts';
import { POWER_AND_SCHEDULER } from './power-and-scheduler.ts';
import { PROCESSES } from './processes.ts';
import { DEVICE_PURPOSES } from './purposes-devices.ts';
import { DRIVER_PURPOSES } from './purposes-drivers.ts';
import { KERNEL_PURPOSES } from './purposes-kernel.ts';
import { NETWORK_PURPOSES } from './purposes-network.ts';
import { PURPOSES_OF_DEVICES } from './purposes-of-devices.ts';
import { PURPOSES_OF_THE_CORE } from './purposes-of-the-core.ts';
import { OPERATION_PURPOSES } from './purposes-operations.ts';
import { RAW_FLASH } from './raw-flash.ts';
import { RCU } from './rcu.ts';
import type { Rule } from './rule.ts';
import { RUNNING } from './running.ts';
import { SCHED_EXT } from './sched-ext.ts';
import { SCSI_RULES } from './scsi.ts';
import { SCSI_TARGET } from './scsi-target.ts';
import { SCSI_TRANSPORTS } from './scsi-transports.ts';
import { SECURITY } from './security.ts';
import { SERVICES } from './services.ts';
import { SMB_RULES } from './smb.ts';
import { SOCKETS } from './sockets.ts';
import { SOUND } from './sound.ts';
import { MORE_SRCU_DOMAINS, SRCU_DOMAINS } from './srcu.ts';
import { STOPS } from './stops.ts';
import { SUBSYSTEM_LOCKS } from './subsystem-locks.ts';
import { SWAP_RULES } from './swap.ts';
import { THREADGROUP } from './threadgroup.ts';
import { TRACING } from './tracing.ts';
import { UNIX_SOCKETS } from './unix-sockets.ts';
import { USB } from './usb.ts';
import { VIDEOCORE } from './videocore.ts';
import { VIRTUALIZATION } from './virtualization.ts';
import { WAITS } from './waits.ts';
import { rulesInCallers } from './waits-in-callers.ts';
import { WAITS_OF_DEVICES } from './waits-of-devices.ts';
import { WAITS_OF_DRIVERS } from './waits-of-drivers.ts';
import { WAITS_OF_FILE_SYSTEMS } from './waits-of-file-systems.ts';
import { WAITS_OF_FILES } from './waits-of-files.ts';
import { WAITS_OF_LUSTRE } from './waits-of-lustre.ts';
import { WAITS_OF_NETWORKS } from './waits-of-networks.ts';
import { WAITS_OF_OLDER_KERNELS } from './waits-of-older-kernels.ts';
import { WAITS_OF_OTHER_TREES } from './waits-of-other-trees.ts';
import { WAITS_OF_SERVERS } from './waits-of-servers.ts';
import { WAITS_OF_STORAGE } from './waits-of-storage.ts';
import { WAITS_OF_THE_CORE } from './waits-of-the-core.ts';
import { XFS_RULES } from './xfs.ts';
import { XFS_LOG } from './xfs-log.ts';
import { ZFS } from './zfs.ts';
import { ZFS_LOCKS } from './zfs-locks.ts';
import { ZFS_OPERATIONS } from './zfs-operations.ts';

export { DUTIES } from './duties.ts';

/** All rules. Among those that are equally specific the first wins. */
const RULES_OF_FUNCTIONS: readonly Rule[] = [
  ...MEMORY_RULES,
  ...PAGE_MOVES,
  ...MEMORY_LIMITS,
  ...SWAP_RULES,
  ...MMAP_LOCKS,
  ...ADDRESS_SPACES,
  ...HUGE_PAGES,
  ...KERNEL_MEMORY,
  ...KERNEL_PURPOSES,
  ...BLOCK,
  ...BLOCK_FREEZE,
  ...BLOCK_DEVICES,
  ...DEVICE_MAPPER,
  ...DM_TARGETS,
  ...MD_RAID,
  ...BCACHE,
  ...DISK_DRIVERS,
  ...RAW_FLASH,
  ...NVME_RULES,
  ...SCSI_RULES,
  ...SCSI_TRANSPORTS,
  ...SCSI_TARGET,
  ...DRBD_RULES,
  ...JBD2,
  ...EXT4,
  ...XFS_LOG,
  ...XFS_RULES,
  ...BTRFS_RULES,
  ...BTRFS_SPACE,
  ...BTRFS_MAINTENANCE,
  ...OTHER_FILESYSTEMS,
  ...BCACHEFS,
  ...ZFS_LOCKS,
  ...ZFS_OPERATIONS,
  ...ZFS,
  ...FUSE_RULES,
  ...NETWORK_FILESYSTEMS,
  ...NFS_STATE,
  ...NFSD_RULES,
  ...SMB_RULES,
  ...CEPH_RULES,
  ...CLUSTER_FILESYSTEMS,
  ...FILES,
  ...PAGE_CACHE,
  ...INODES_AND_MOUNTS,
  ...FILE_LOCKS,
  ...MOUNT_RULES,
  ...PROCESSES,
  ...EXIT,
  ...STOPS,
  ...RUNNING,
  ...PIPES_AND_TERMINALS,
  ...WAITS,
  ...IO_URING,
  ...SOCKETS,
  ...UNIX_SOCKETS,
  ...IPC,
  ...CHARACTER_DEVICES,
  ...SOUND,
  ...NETWORK_INTERFACES,
  ...NETWORK_LOCKS,
  ...NETWORK_PURPOSES,
  ...ADAPTERS,
  ...GRAPHICS_DRIVERS,
  ...VIRTUALIZATION,
  ...CGROUPS,
  ...THREADGROUP,
  ...CPUSETS,
  ...NAMESPACES,
  ...NETWORK_CONFIGURATION,
  ...NETLINK,
  ...GUESTS,
  ...GRAPHICS,
  ...NVIDIA,
  ...GRAPHICS_PURPOSES,
  ...NETWORK_ADAPTERS,
  ...MODULES,
  ...DEVICES,
  ...PCI,
  ...VIDEOCORE,
  ...DEVICE_PURPOSES,
  ...DRIVER_PURPOSES,
  ...OPERATION_PURPOSES,
  ...PURPOSES_OF_THE_CORE,
  ...PURPOSES_OF_DEVICES,
  ...USB,
  ...FIRMWARE_AND_BUSES,
  ...DRIVER_FAMILIES,
  ...TRACING,
  ...SECURITY,
  ...SERVICES,
  ...POWER_AND_SCHEDULER,
  ...WAITS_OF_FILES,
  ...WAITS_OF_FILE_SYSTEMS,
  ...WAITS_OF_SERVERS,
  ...WAITS_OF_OLDER_KERNELS,
  ...WAITS_OF_OTHER_TREES,
  ...WAITS_OF_LUSTRE,
  ...WAITS_OF_NETWORKS,
  ...WAITS_OF_STORAGE,
  ...WAITS_OF_THE_CORE,
  ...WAITS_OF_DEVICES,
  ...WAITS_OF_DRIVERS,
  ...MORE_WAITS_OF_THE_CORE,
  ...MORE_WAITS_OF_FILE_SYSTEMS,
  ...MORE_WAITS_OF_DEVICES,
  ...ANSWERS_OF_ADAPTERS,
  ...ANSWERS_OF_DEVICES,
  ...ANSWERS_OF_PERIPHERALS,
  ...SUBSYSTEM_LOCKS,
  ...LOCKS_OF_FILE_SYSTEMS,
  ...LOCKS_OF_NETWORK_FILE_SYSTEMS,
  ...LOCKS_OF_THE_CORE,
  ...LOCKS_OF_STORAGE,
  ...LOCKS_OF_NETWORKS,
  ...LOCKS_OF_DEVICES,
  ...LOCKS_OF_MEDIA,
  ...LOCKS,
  ...SRCU_DOMAINS,
  ...MORE_SRCU_DOMAINS,
  ...RCU,
  ...DEFERRED_WORK,
  ...OTHER_CPUS,
  ...CPU_HOTPLUG,
  ...SCHED_EXT,
  ...IDLE_READERS,
  ...KERNEL_THREADS_OF_STORAGE,
  ...KERNEL_THREADS_OF_DRIVERS,
  ...KERNEL_THREADS_OF_OLDER_KERNELS,
  ...KERNEL_THREADS,
];

export const RULES: readonly Rule[] = [...RULES_OF_FUNCTIONS, ...rulesInCallers(RULES_OF_FUNCTIONS)];
