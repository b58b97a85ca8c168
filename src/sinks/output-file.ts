import { closeSync, constants, fchownSync, fstatSync, fsyncSync, lstatSync, openSync, renameSync, type Stats, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { writeAll } from './output.ts';

/** Puts a file that has no name yet under one that is free; returns the errno's name where that fails. */
export type Link = (fd: number, path: string) => string | undefined;

/** The user and the group that a file is to belong to. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface OutputFileOptions {
  readonly link: Link;
  /** Of a file that is new, or was theirs before. A file of somebody else is replaced by one of this process's user. */
  readonly owner: Owner | undefined;
}

/**
 * Writes a file so that under its name there is either what was there before or all of the new content, never a part, whenever kstack is killed. Nothing else is left
 * behind, unless it is killed in the microseconds between the two calls that put the content in its place: then that is there too, whole, as .kstack-PID.tmp. It can be read by its owner only: command lines are nobody else's business. A device or a FIFO is written to as it is.
 * @throws Error that names the file, also where it is a link, which root must not follow, or a FIFO that nobody reads.
 */
export function writeOutputFile(path: string, pieces: Iterable<string | Uint8Array>, { link, owner }: OutputFileOptions): void {
  try {
    const there = lstatSync(path, { throwIfNoEntry: false });
    const keepsOwner = there !== undefined && there.uid !== owner?.uid;
    if (there === undefined || there.isFile()) replace(path, pieces, link, keepsOwner ? undefined : owner);
    else if (isStream(there)) writeInto(openStream(path), pieces);
    else throw new Error(`it is ${kindOf(there)}`);
  } catch (error) {
    throw new Error(`cannot write ${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** Without O_NONBLOCK, open(2) waits for the reader of a FIFO, and for the carrier of a serial line. */
const STREAM_FLAGS = constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NOCTTY | constants.O_NONBLOCK;
/** __O_TMPFILE of include/uapi/asm-generic/fcntl.h, the same on x64 and arm64. */
const UNNAMED_FLAGS = constants.O_WRONLY | constants.O_DIRECTORY | 0o20000000;
const NAMED_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

function kindOf(there: Stats): string {
  if (there.isSymbolicLink()) return 'a symbolic link; name the file that it points to';
  return there.isDirectory() ? 'a directory' : 'neither a file nor a character device nor a FIFO';
}

function isStream(there: Stats): boolean {
  return there.isCharacterDevice() || there.isFIFO();
}

function openStream(path: string): number {
  let fd: number;
  try {
    fd = openSync(path, STREAM_FLAGS);
  } catch (error) {
    const isUnread = error instanceof Error && 'code' in error && error.code === 'ENXIO';
    throw isUnread ? new Error('no process has it open for reading (ENXIO)') : error;
  }
  if (isStream(fstatSync(fd))) return fd;
  closeSync(fd);
  throw new Error('it was replaced while it was being opened');
}

function replace(path: string, pieces: Iterable<string | Uint8Array>, link: Link, owner: Owner | undefined): void {
  const beside = join(dirname(path), `.kstack-${process.pid}.tmp`);
  const fd = openUnnamed(dirname(path));
  const rename = () => {
    try {
      renameSync(beside, path);
    } catch (error) {
      unlinkSync(beside);
      throw error;
    }
  };
  if (fd === undefined) {
    writeInto(
      openNamed(beside),
      pieces,
      (named) => giveTo(named, owner),
      () => unlinkSync(beside),
    );
    rename();
  } else
    writeInto(fd, pieces, () => {
      giveTo(fd, owner);
      let failure = link(fd, beside);
      if (failure === 'EEXIST') {
        // Left by one that was killed before it renamed it, and had the same PID.
        unlinkSync(beside);
        failure = link(fd, beside);
      }
      if (failure !== undefined) throw new Error(`${failure}: cannot be put in its place`);
      rename();
    });
}

/** Where that is not allowed (a user namespace, NFS with root squashed), the file stays with who wrote it. */
function giveTo(fd: number, owner: Owner | undefined): void {
  if (owner === undefined) return;
  try {
    fchownSync(fd, owner.uid, owner.gid);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
  }
}

/** A file without a name, which goes with its last descriptor; undefined on file systems that have none. */
function openUnnamed(folder: string): number | undefined {
  try {
    return openSync(folder, UNNAMED_FLAGS, 0o600);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EOPNOTSUPP' || code === 'EISDIR' || code === 'EINVAL') return undefined;
    throw error;
  }
}

function openNamed(path: string): number {
  try {
    return openSync(path, NAMED_FLAGS, 0o600);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    // Left by one that was killed and had the same PID.
    unlinkSync(path);
    return openSync(path, NAMED_FLAGS, 0o600);
  }
}

/** Writes all pieces and closes the descriptor, after `whole` has seen the file complete. */
function writeInto(fd: number, pieces: Iterable<string | Uint8Array>, whole?: (fd: number) => void, failed?: () => void): void {
  try {
    for (const piece of pieces) {
      const failure = writeAll(fd, piece);
      if (failure !== undefined) throw failure;
    }
    if (whole === undefined) return;
    fsyncSync(fd);
    whole(fd);
  } catch (error) {
    failed?.();
    throw error;
  } finally {
    closeSync(fd);
  }
}
