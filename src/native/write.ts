import { writeSync } from 'node:fs';

const PAUSE_MS = 5;
const idle = new Int32Array(new SharedArrayBuffer(4));

/**
 * Writes the whole piece before it returns. If the descriptor is non-blocking and full, it waits, unless `waits` is
 * false. Returns the error that write(2) failed with.
 */
export function writeAll(fd: number, piece: string | Uint8Array, waits = true): Error | undefined {
  const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece;
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (!waits || !('code' in error && error.code === 'EAGAIN')) return error;
      Atomics.wait(idle, 0, 0, PAUSE_MS);
    }
  }
  return undefined;
}
