import type { NativeMemory } from './ffi.ts';
import { allocateBytes } from './ffi-koffi.ts';

export type { NativeMemory } from './ffi.ts';
export { addressOf, stringAt, viewAt } from './ffi-koffi.ts';

/**
 * Allocates memory outside the JavaScript heap. It is never freed: a read that hangs may write into it until the
 * process ends. @throws Error if memory is short
 */
export function allocate(bytes: number, zeroed = true): NativeMemory {
  const memory = allocateBytes(bytes);
  if (zeroed) new Uint8Array(memory.bytes).fill(0);
  return memory;
}

/**
 * Collects garbage once in Bun. Bun starts its collector threads with the first collection and aborts if it cannot, so
 * that must happen before kstack starts threads of its own. Node.js starts its collector threads at once.
 */
export function makeCollectorThreads(): void {
  const { Bun: bun }: { Bun?: { gc(now: boolean): void } } = globalThis as object;
  bun?.gc(true);
}
