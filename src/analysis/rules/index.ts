import { ADAPTERS } from './adapters.ts';
import { ADDRESS_SPACES } from './address-spaces.ts';
import { BLOCK } from './block.ts';
import { BTRFS_RULES } from './btrfs.ts';
import { CGROUPS_AND_NAMESPACES } from './cgroups-and-namespaces.ts';
import { CHARACTER_DEVICES } from './character-devices.ts';
import { CLUSTER_FILESYSTEMS } from './cluster-filesystems.ts';
import { DEFERRED_WORK } from './deferred-work.ts';
import { DEVICE_MAPPER } from './device-mapper.ts';
import { DEVICES } from './devices.ts';
import { DISK_DRIVERS } from './disks.ts';
import { EXT4 } from './ext4.ts';
import { FILES } from './files.ts';
import { FIRMWARE_AND_BUSES } from './firmware-and-buses.ts';
import { GRAPHICS_DRIVERS } from './graphics-drivers.ts';
import { INODES_AND_MOUNTS } from './inodes-and-mounts.ts';
import { IO_URING } from './io-uring.ts';
import { IPC } from './ipc.ts';
import { KERNEL_THREADS } from './kernel-threads.ts';
import { KERNEL_THREADS_OF_DRIVERS } from './kernel-threads-of-drivers.ts';
import { KERNEL_THREADS_OF_STORAGE } from './kernel-threads-of-storage.ts';
import { LOCKS } from './locks.ts';
import { MEMORY_RULES } from './memory.ts';
import { MODULES } from './modules.ts';
import { NETWORK_FILESYSTEMS } from './network-filesystems.ts';
import { NETWORK_INTERFACES } from './network-interfaces.ts';
import { OTHER_FILESYSTEMS } from './other-filesystems.ts';
import { PCI } from './pci.ts';
import { PIPES_AND_TERMINALS } from './pipes-and-terminals.ts';
import { POWER_AND_SCHEDULER } from './power-and-scheduler.ts';
import { PROCESSES } from './processes.ts';
import type { Rule } from './rule.ts';
import { SECURITY } from './security.ts';
import { SERVICES } from './services.ts';
import { SOCKETS } from './sockets.ts';
import { SOUND } from './sound.ts';
import { TRACING } from './tracing.ts';
import { UNIX_SOCKETS } from './unix-sockets.ts';
import { USB } from './usb.ts';
import { VIRTUALIZATION } from './virtualization.ts';
import { WAITS } from './waits.ts';
import { XFS_RULES } from './xfs.ts';

/** All rules. Among those that are equally specific the first wins. */
export const RULES: readonly Rule[] = [
  ...MEMORY_RULES,
  ...ADDRESS_SPACES,
  ...BLOCK,
  ...DEVICE_MAPPER,
  ...DISK_DRIVERS,
  ...EXT4,
  ...XFS_RULES,
  ...BTRFS_RULES,
  ...OTHER_FILESYSTEMS,
  ...NETWORK_FILESYSTEMS,
  ...CLUSTER_FILESYSTEMS,
  ...FILES,
  ...INODES_AND_MOUNTS,
  ...PROCESSES,
  ...PIPES_AND_TERMINALS,
  ...WAITS,
  ...IO_URING,
  ...SOCKETS,
  ...UNIX_SOCKETS,
  ...IPC,
  ...CHARACTER_DEVICES,
  ...SOUND,
  ...NETWORK_INTERFACES,
  ...ADAPTERS,
  ...GRAPHICS_DRIVERS,
  ...VIRTUALIZATION,
  ...CGROUPS_AND_NAMESPACES,
  ...MODULES,
  ...DEVICES,
  ...PCI,
  ...USB,
  ...FIRMWARE_AND_BUSES,
  ...TRACING,
  ...SECURITY,
  ...SERVICES,
  ...POWER_AND_SCHEDULER,
  ...LOCKS,
  ...DEFERRED_WORK,
  ...KERNEL_THREADS_OF_STORAGE,
  ...KERNEL_THREADS_OF_DRIVERS,
  ...KERNEL_THREADS,
];
