import { writeSync } from 'node:fs';

const STDOUT = 1;
const STDERR = 2;

const idle = new Int32Array(new SharedArrayBuffer(4));

/** Standard output or standard error could not be written. `brokenPipe` says that its reader has gone. */
export class OutputError extends Error {
  readonly brokenPipe: boolean;

  constructor(name: string, cause: Error) {
    super(`cannot write to ${name}: ${cause.message}`, { cause });
    this.brokenPipe = 'code' in cause && cause.code === 'EPIPE';
  }
}

/** @throws OutputError */
export function writeStdout(text: string): void {
  writeAll(STDOUT, 'standard output', text);
}

/** @throws OutputError */
export function writeStderr(text: string): void {
  writeAll(STDERR, 'standard error', text);
}

/** Writes all of the text before it returns, also to a pipe that is full and does not block. */
function writeAll(fd: number, name: string, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (!('code' in error && error.code === 'EAGAIN')) throw new OutputError(name, error);
      Atomics.wait(idle, 0, 0, 5);
    }
  }
}
