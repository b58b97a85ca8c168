import type { NativeMemory } from './ffi.ts';
import { allocateBytes } from './ffi-koffi.ts';

export type { NativeMemory } from './ffi.ts';
export { addressOf, stringAt, viewAt } from './ffi-koffi.ts';

/**
 * Allocates memory outside of the JavaScript heap. It is never freed: a hanging read may write into it until the
 * process ends. @throws Error where there is none left
 */
export function allocate(bytes: number, zeroed = true): NativeMemory {
  const memory = allocateBytes(bytes);
  if (zeroed) new Uint8Array(memory.bytes).fill(0);
  return memory;
}

/**
 * Collects garbage once in Bun, which makes the threads of its collector only then, and aborts where there are none
 * left to be had: so it is done before kstack takes what it can get. Node.js makes its own when it starts.
 */
export function makeCollectorThreads(): void {
  const { Bun: bun }: { Bun?: { gc(now: boolean): void } } = globalThis as object;
  bun?.gc(true);
}
