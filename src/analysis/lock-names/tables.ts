import { CORE_LOCKS } from './core.ts';
import { DRBD_LOCK_NAMES } from './drbd.ts';
import { DRIVER_LOCKS } from './drivers.ts';
import { FILE_SYSTEM_LOCKS } from './file-systems.ts';
import { GRAPHICS_LOCKS } from './graphics.ts';
import { LUSTRE_LOCK_NAMES } from './lustre.ts';
import { LUSTRE_MODULES } from './lustre-modules.ts';
import { NETWORK_LOCKS } from './networks.ts';
import { STORAGE_LOCKS } from './storage.ts';
import { WIFI_LOCKS } from './wifi.ts';
import { ZFS_LOCK_NAMES } from './zfs.ts';

export { LINUX_6_1_LOCKS } from './linux-6.1.ts';
export { OLDER_LOCKS } from './older-kernels.ts';
export { WORKS as WORK_NAMES } from './works.ts';

/**
 * Lines `kind name: functions`, continued by lines that begin with a space. Each function takes that lock, itself or in
 * the functions of its file that a compiler may build into it, and no other one of its kind, or one other that has a
 * row, too. A name ends with `()` where an inline function takes the lock; of a member of a structure, the structure's
 * variable stands before it where the member's name alone is short.
 */
export const LOCK_NAMES: readonly string[] = [
  CORE_LOCKS,
  FILE_SYSTEM_LOCKS,
  STORAGE_LOCKS,
  NETWORK_LOCKS,
  WIFI_LOCKS,
  GRAPHICS_LOCKS,
  DRIVER_LOCKS,
];

/** Names of locks that hold for functions of some modules only, whose sources are not the kernel's. */
export interface LocksOfModules {
  readonly modules: readonly string[];
  readonly source: string;
  readonly rows: string;
  /** A module of the kernel has the same name: its names come first. */
  readonly isInKernel?: true;
}

export const LOCKS_OF_MODULES: readonly LocksOfModules[] = [
  { modules: ['zfs', 'spl'], source: 'OpenZFS 2.4', rows: ZFS_LOCK_NAMES },
  { modules: LUSTRE_MODULES, source: 'Lustre 2.18', rows: LUSTRE_LOCK_NAMES },
  { modules: ['drbd'], source: 'DRBD 9.3', rows: DRBD_LOCK_NAMES, isInKernel: true },
];
