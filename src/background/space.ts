import type { Space } from '../files/files.ts';

/** Why so many bytes more may not be written, undefined when they may: the file system is too full, or would be. */
export function describeFull(
  { blocks, used, blockBytes }: Space,
  maxUsedPercent: number,
  bytes: number,
): string | undefined {
  // Some file systems (overlays of nothing, some fuse) have no blocks to count.
  if (blocks === 0) return undefined;
  const usedPercent = Math.ceil((100 * used) / blocks);
  // One block more for the end of the last one, one for what the file system needs to find them.
  const then = used + Math.ceil(bytes / blockBytes) + 2;
  const wouldPass = bytes > 0 && (100 * then) / blocks > maxUsedPercent;
  if (usedPercent >= maxUsedPercent || wouldPass)
    return `Maximum filesystem space reached. Used: ${usedPercent}%, Threshold: ${maxUsedPercent}%`;
  return undefined;
}

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** Whether a write that fails with this has found no space. */
export function meansFull(code: string): boolean {
  return FULL.has(code);
}
