import { CORE_LOCKS } from './core.ts';
import { DRIVER_LOCKS } from './drivers.ts';
import { FILE_SYSTEM_LOCKS } from './file-systems.ts';
import { GRAPHICS_LOCKS } from './graphics.ts';
import { NETWORK_LOCKS } from './networks.ts';
import { STORAGE_LOCKS } from './storage.ts';
import { WIFI_LOCKS } from './wifi.ts';

/**
 * Lines `kind name: functions`, continued by lines that begin with a space. Each function takes that lock, itself or in the
 * functions of its file that a compiler may build into it, and no other one of its kind, or one other that has a row,
 * too. A name ends with `()` where an inline function takes the lock; of a member of a structure, the structure's
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
