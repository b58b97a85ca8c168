import { ADDRESS_SPACES } from './address-spaces.ts';
import { BLOCK } from './block.ts';
import { BTRFS_RULES } from './btrfs.ts';
import { BTRFS_MAINTENANCE } from './btrfs-maintenance.ts';
import { BTRFS_SPACE } from './btrfs-space.ts';
import { CEPH_RULES } from './ceph.ts';
import { CGROUPS_AND_NAMESPACES } from './cgroups-and-namespaces.ts';
import { CLUSTER_FILESYSTEMS } from './cluster-filesystems.ts';
import { DEFERRED_WORK } from './deferred-work.ts';
import { DEVICE_MAPPER } from './device-mapper.ts';
import { DISK_DRIVERS } from './disks.ts';
import { EXT4 } from './ext4.ts';
import { FILE_LOCKS } from './file-locks.ts';
import { FILES } from './files.ts';
import { FUSE_RULES } from './fuse.ts';
import { INODES_AND_MOUNTS } from './inodes-and-mounts.ts';
import { JBD2 } from './jbd2.ts';
import { KERNEL_THREADS } from './kernel-threads.ts';
import { LOCKS } from './locks.ts';
import { MEMORY_RULES } from './memory.ts';
import { MOUNT_RULES } from './mounts.ts';
import { NETWORK_FILESYSTEMS } from './network-filesystems.ts';
import { NFS_STATE } from './nfs-state.ts';
import { NFSD_RULES } from './nfsd.ts';
import { OTHER_FILESYSTEMS } from './other-filesystems.ts';
import { PAGE_CACHE } from './page-cache.ts';
import { PROCESSES } from './processes.ts';
import type { Rule } from './rule.ts';
import { SERVICES } from './services.ts';
import { SMB_RULES } from './smb.ts';
import { SOCKETS } from './sockets.ts';
import { VIRTUALIZATION } from './virtualization.ts';
import { WAITS } from './waits.ts';
import { XFS_RULES } from './xfs.ts';
import { XFS_LOG } from './xfs-log.ts';
import { ZFS } from './zfs.ts';

/** All rules. Among those that are equally specific the first wins. */
export const RULES: readonly Rule[] = [
  ...MEMORY_RULES,
  ...ADDRESS_SPACES,
  ...BLOCK,
  ...DEVICE_MAPPER,
  ...DISK_DRIVERS,
  ...JBD2,
  ...EXT4,
  ...XFS_LOG,
  ...XFS_RULES,
  ...BTRFS_RULES,
  ...BTRFS_SPACE,
  ...BTRFS_MAINTENANCE,
  ...OTHER_FILESYSTEMS,
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
  ...WAITS,
  ...SOCKETS,
  ...VIRTUALIZATION,
  ...CGROUPS_AND_NAMESPACES,
  ...SERVICES,
  ...LOCKS,
  ...DEFERRED_WORK,
  ...KERNEL_THREADS,
];
