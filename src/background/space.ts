import type { Space } from '../files/files.ts';

/** Why `bytes` more must not be written: the file system is too full, or would be. Undefined if they may. */
export function describeFull(
  { blocks, used, blockBytes }: Space,
  maxUsedPercent: number,
  bytes: number,
): string | undefined {
  // Some file systems (overlays of nothing, some fuse) have no blocks to count.
  if (blocks === 0) return undefined;
  const usedPercent = Math.ceil((100 * used) / blocks);
  // One more block for rounding, and one for the file system's metadata.
  const then = used + Math.ceil(bytes / blockBytes) + 2;
  const wouldPass = bytes > 0 && (100 * then) / blocks > maxUsedPercent;
  const figures = `Used: ${usedPercent}%, Threshold: ${maxUsedPercent}%`;
  if (usedPercent >= maxUsedPercent) return `Maximum filesystem space reached. ${figures}`;
  return wouldPass ? `${bytes} bytes more would pass the maximum filesystem space. ${figures}` : undefined;
}

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** Whether a write failed with this errno because there is no space. */
export function meansFull(code: string): boolean {
  return FULL.has(code);
}
