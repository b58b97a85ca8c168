import { unescapeOctal } from '../../procfs/mountinfo.ts';

/** A device or file with pages that were swapped out. */
export interface Swap {
  readonly path: string;
  readonly isDevice: boolean;
}

/** Parses /proc/swaps (mm/swapfile.c, swap_show): those in use, that is, with something in them. */
export function parseSwaps(text: string): Swap[] {
  return text.split('\n').flatMap((line) => {
    const [, path, type, used] = /^(\/\S*)\s+(partition|file)\s+\d+\s+(\d+)\s+-?\d+$/.exec(line) ?? [];
    if (path === undefined || used === undefined || Number(used) === 0) return [];
    return { path: unescapeOctal(path), isDevice: type === 'partition' };
  });
}
