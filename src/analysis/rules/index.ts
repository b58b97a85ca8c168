import { BLOCK } from './block.ts';
import { DISK_FILESYSTEMS, FILES } from './filesystems.ts';
import { KERNEL_THREADS } from './kernel-threads.ts';
import type { Rule } from './rule.ts';

export const RULES: readonly Rule[] = [...BLOCK, ...DISK_FILESYSTEMS, ...FILES, ...KERNEL_THREADS];
