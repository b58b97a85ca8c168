import { libcFunction } from './libc.ts';

/** The size of a memory page: 4 KiB on x64; 4, 16 or 64 KiB on arm64. */
export function pageBytes(): number {
  return libcFunction('int getpagesize(void)')();
}
