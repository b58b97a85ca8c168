import { closeSync, constants, fsyncSync, lstatSync, openSync, renameSync, type Stats, unlinkSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Writes a file so that under its name there is either what was there before or all of the new content, never a part. It can be read by its owner only: command lines
 * are nobody else's business. A device or a FIFO is written to as it is. A signal takes effect when the file is complete.
 * @throws Error that names the file, also where it is a link, which root must not follow.
 */
export async function writeOutputFile(path: string, pieces: Iterable<string | Uint8Array>): Promise<void> {
  let caught: NodeJS.Signals | undefined;
  const note = (signal: NodeJS.Signals) => {
    caught ??= signal;
  };
  for (const signal of SIGNALS) process.on(signal, note);
  try {
    write(path, pieces);
    await nextTurn();
  } catch (error) {
    throw new Error(`cannot write ${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  } finally {
    for (const signal of SIGNALS) process.off(signal, note);
    if (caught !== undefined) process.kill(process.pid, caught);
  }
}

function write(path: string, pieces: Iterable<string | Uint8Array>): void {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there === undefined || there.isFile()) replace(path, pieces);
  else if (there.isCharacterDevice() || there.isFIFO()) {
    const fd = openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NOCTTY);
    try {
      writePieces(fd, pieces);
    } finally {
      closeSync(fd);
    }
  } else throw new Error(`it is ${kindOf(there)}`);
}

function kindOf(there: Stats): string {
  if (there.isSymbolicLink()) return 'a symbolic link; name the file that it points to';
  return there.isDirectory() ? 'a directory' : 'neither a file nor a character device nor a FIFO';
}

function replace(path: string, pieces: Iterable<string | Uint8Array>): void {
  const beside = join(dirname(path), `.kstack-${process.pid}.tmp`);
  const fd = openNew(beside);
  try {
    try {
      writePieces(fd, pieces);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(beside, path);
  } catch (error) {
    unlinkSync(beside);
    throw error;
  }
}

function openNew(path: string): number {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  try {
    return openSync(path, flags, 0o600);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    // Left by one that was killed and had the same PID.
    unlinkSync(path);
    return openSync(path, flags, 0o600);
  }
}

function writePieces(fd: number, pieces: Iterable<string | Uint8Array>): void {
  for (const piece of pieces) {
    const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece;
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
  }
}
