import { BLOCK } from './block.ts';
import { DISK_FILESYSTEMS, FILES } from './filesystems.ts';
import { KERNEL_THREADS } from './kernel-threads.ts';
import { LOCKS } from './locks.ts';
import { MEMORY_RULES } from './memory.ts';
import { NETWORK_FILESYSTEMS } from './network-filesystems.ts';
import { PROCESSES } from './processes.ts';
import type { Rule } from './rule.ts';
import { SERVICES } from './services.ts';
import { WAITS } from './waits.ts';

/** All rules. Among those that are equally specific the first wins. */
export const RULES: readonly Rule[] = [
  ...MEMORY_RULES,
  ...BLOCK,
  ...DISK_FILESYSTEMS,
  ...NETWORK_FILESYSTEMS,
  ...FILES,
  ...PROCESSES,
  ...WAITS,
  ...SERVICES,
  ...LOCKS,
  ...KERNEL_THREADS,
];
