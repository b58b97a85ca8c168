import { writeSync } from 'node:fs';

const idle = new Int32Array(new SharedArrayBuffer(4));

/** Writes all of the text before it returns, also to a pipe that is full and does not block. @throws what write(2) fails with. */
export function writeAll(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
      Atomics.wait(idle, 0, 0, 5);
    }
  }
}
