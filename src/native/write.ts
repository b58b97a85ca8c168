import { writeSync } from 'node:fs';

const PAUSE_MS = 5;
const idle = new Int32Array(new SharedArrayBuffer(4));

/** Writes bytes, as write(2) does. Returns how many it wrote. */
export type Write = (bytes: Uint8Array) => number;

/**
 * Writes the whole piece before it returns. If the descriptor is non-blocking and full, it waits, unless `waits` is
 * false. Returns the error that write(2) failed with.
 */
export function writeAll(to: number | Write, piece: string | Uint8Array, waits = true): Error | undefined {
  const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece;
  const write = typeof to === 'number' ? (rest: Uint8Array) => writeSync(to, rest) : to;
  for (let at = 0; at < bytes.length; ) {
    try {
      at += write(bytes.subarray(at));
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (!waits || !isFull(error)) return error;
      Atomics.wait(idle, 0, 0, PAUSE_MS);
    }
  }
  return undefined;
}

/** Whether what was written to takes nothing now. */
export function isFull(error: Error): boolean {
  return 'code' in error && error.code === 'EAGAIN';
}
