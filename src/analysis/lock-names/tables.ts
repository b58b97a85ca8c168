import { CORE_LOCKS } from './core.ts';
import { DRIVER_LOCKS } from './drivers.ts';
import { FILE_SYSTEM_LOCKS } from './file-systems.ts';
import { STORAGE_LOCKS } from './storage.ts';

/**
 * Lines `kind name: functions`, continued by lines that begin with a space. Each function takes that lock and no other
 * one of its kind, neither itself nor in the functions of its file that a compiler may build into it. A name ends with
 * `()` where an inline function takes the lock; of a member of a structure, the structure's variable stands before it
 * where the member's name alone is short.
 */
export const LOCK_NAMES: readonly string[] = [CORE_LOCKS, FILE_SYSTEM_LOCKS, STORAGE_LOCKS, DRIVER_LOCKS];
