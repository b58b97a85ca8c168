import { setFlagsFromString } from 'node:v8';

/** How much may be in the heap beyond what was alive in it the last time it was looked through. */
const SPARE_PERCENT = 25;

/**
 * Keeps the heap of a process near what is alive in it, where that runs for hours, or may read samples of 100,000 tasks.
 * V8 would let it grow to several times that, and takes minutes to get there. With Bun, the heap stays near it by itself.
 */
export function keepHeapSmall(): void {
  if (!('bun' in process.versions)) setFlagsFromString(`--heap-growing-percent=${SPARE_PERCENT}`);
}
