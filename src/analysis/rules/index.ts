import { ADDRESS_SPACES } from './address-spaces.ts';
import { BCACHE } from './bcache.ts';
import { BLOCK } from './block.ts';
import { BLOCK_DEVICES } from './block-devices.ts';
import { BLOCK_FREEZE } from './block-freeze.ts';
import { BTRFS_RULES } from './btrfs.ts';
import { CGROUPS_AND_NAMESPACES } from './cgroups-and-namespaces.ts';
import { CLUSTER_FILESYSTEMS } from './cluster-filesystems.ts';
import { DEFERRED_WORK } from './deferred-work.ts';
import { DEVICE_MAPPER } from './device-mapper.ts';
import { DISK_DRIVERS } from './disks.ts';
import { DM_TARGETS } from './dm-targets.ts';
import { DRBD_RULES } from './drbd.ts';
import { EXT4 } from './ext4.ts';
import { FILES } from './files.ts';
import { GRAPHICS } from './graphics.ts';
import { GUESTS } from './guests.ts';
import { INODES_AND_MOUNTS } from './inodes-and-mounts.ts';
import { KERNEL_THREADS } from './kernel-threads.ts';
import { LOCKS } from './locks.ts';
import { MD_RAID } from './md.ts';
import { MEMORY_RULES } from './memory.ts';
import { NETWORK_ADAPTERS } from './network-adapters.ts';
import { NETWORK_FILESYSTEMS } from './network-filesystems.ts';
import { NVME_RULES } from './nvme.ts';
import { OTHER_FILESYSTEMS } from './other-filesystems.ts';
import { PROCESSES } from './processes.ts';
import type { Rule } from './rule.ts';
import { SCSI_RULES } from './scsi.ts';
import { SCSI_TARGET } from './scsi-target.ts';
import { SCSI_TRANSPORTS } from './scsi-transports.ts';
import { SERVICES } from './services.ts';
import { SOCKETS } from './sockets.ts';
import { VIRTUALIZATION } from './virtualization.ts';
import { WAITS } from './waits.ts';
import { XFS_RULES } from './xfs.ts';

/** All rules. Among those that are equally specific the first wins. */
export const RULES: readonly Rule[] = [
  ...MEMORY_RULES,
  ...ADDRESS_SPACES,
  ...BLOCK,
  ...BLOCK_FREEZE,
  ...BLOCK_DEVICES,
  ...DEVICE_MAPPER,
  ...DM_TARGETS,
  ...MD_RAID,
  ...BCACHE,
  ...DISK_DRIVERS,
  ...NVME_RULES,
  ...SCSI_RULES,
  ...SCSI_TRANSPORTS,
  ...SCSI_TARGET,
  ...DRBD_RULES,
  ...EXT4,
  ...XFS_RULES,
  ...BTRFS_RULES,
  ...OTHER_FILESYSTEMS,
  ...NETWORK_FILESYSTEMS,
  ...CLUSTER_FILESYSTEMS,
  ...FILES,
  ...INODES_AND_MOUNTS,
  ...PROCESSES,
  ...WAITS,
  ...SOCKETS,
  ...VIRTUALIZATION,
  ...GUESTS,
  ...GRAPHICS,
  ...NETWORK_ADAPTERS,
  ...CGROUPS_AND_NAMESPACES,
  ...SERVICES,
  ...LOCKS,
  ...DEFERRED_WORK,
  ...KERNEL_THREADS,
];
