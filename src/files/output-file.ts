import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { reasonOf } from '../native/reason.ts';
import { writeAll } from '../native/write.ts';
import { absolutePath } from './absolute-path.ts';
import { codeOf, type FileStatus, type Files, isRegular, typeOf } from './files.ts';

type Pieces = Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>;

/** The user and group that a file will belong to. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface OutputFileOptions {
  readonly files: Files;
  /** Who gets a file that is new or was theirs. Anyone else's file is replaced by one of this process's user. */
  readonly owner: Owner | undefined;
  /** Of a new file; else only its owner can read it, because command lines may hold secrets. */
  readonly mode?: number;
  /** Called once the file system has answered. From then on it is at worst slow. */
  answered(): void;
}

/**
 * Writes a file atomically: whenever kstack is killed, the name leads to the old content or to all of the new one. Only
 * a kill in the microseconds between link and rename leaves something behind: the whole file, as .kstack-PID.tmp (on
 * file systems without O_TMPFILE, any kill does). A device or a FIFO is written to in place.
 * @throws Error naming the file if it cannot be written, is a symbolic link (which root must not follow), is a FIFO
 * without a reader, or is on a file system that does not answer
 */
export async function writeOutputFile(name: string, pieces: Pieces, options: OutputFileOptions): Promise<void> {
  const path = absolutePath(name);
  const { files, owner } = options;
  try {
    const existing = await files.status(undefined, path);
    const keepsOwner = existing !== undefined && existing.uid !== owner?.uid;
    if (existing === undefined || isRegular(existing))
      await replace(path, pieces, { ...options, owner: keepsOwner ? undefined : owner });
    else if (isStream(typeOf(existing))) await writeStream(openStream(path), pieces);
    else throw new Error(`it is ${kindOf(existing)}`);
  } catch (error) {
    throw new Error(`cannot write ${name}: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

const { S_IFCHR, S_IFIFO, S_IFDIR, S_IFLNK, S_IFMT } = constants;
/** Without O_NONBLOCK, open(2) would wait for the reader of a FIFO or the carrier of a serial line. */
const STREAM_FLAGS = constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NOCTTY | constants.O_NONBLOCK;
/** __O_TMPFILE of include/uapi/asm-generic/fcntl.h, the same on x64 and arm64. */
const UNNAMED_FLAGS = constants.O_WRONLY | constants.O_DIRECTORY | 0o20000000;
/** What open(2) fails with then. Node.js and Bun name EOPNOTSUPP of Linux after ENOTSUP, which is the same number. */
const WITHOUT_UNNAMED: ReadonlySet<string> = new Set(['EOPNOTSUPP', 'ENOTSUP', 'EISDIR', 'EINVAL']);
const NAMED_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const PRIVATE = 0o600;
const PIECE_BYTES = 1 << 20;

function kindOf(existing: FileStatus): string {
  if (typeOf(existing) === S_IFLNK) return 'a symbolic link; name the file that it points to';
  return typeOf(existing) === S_IFDIR ? 'a directory' : 'neither a file nor a character device nor a FIFO';
}

function isStream(type: number): boolean {
  return type === S_IFCHR || type === S_IFIFO;
}

function openStream(path: string): number {
  let fd: number;
  try {
    fd = openSync(path, STREAM_FLAGS);
  } catch (error) {
    throw codeOf(error) === 'ENXIO' ? new Error('no process has it open for reading (ENXIO)') : error;
  }
  if (isStream(fstatSync(fd).mode & S_IFMT)) return fd;
  closeSync(fd);
  throw new Error('it was replaced while it was being opened');
}

async function writeStream(fd: number, pieces: Pieces): Promise<void> {
  try {
    for await (const piece of pieces) {
      const failure = writeAll(fd, piece);
      if (failure !== undefined) throw failure;
    }
  } finally {
    closeSync(fd);
  }
}

async function replace(
  path: string,
  pieces: Pieces,
  { files, owner, mode = PRIVATE, answered }: OutputFileOptions,
): Promise<void> {
  const temporary = join(dirname(path), `.kstack-${process.pid}.tmp`);
  const unnamed = await openUnnamed(files, dirname(path), mode);
  const fd = unnamed ?? (await openNamed(files, temporary, mode));
  answered();
  let isNamed = unnamed === undefined;
  try {
    for await (const bytes of joined(pieces)) await files.append(fd, bytes);
    await giveTo(files, fd, owner);
    await files.sync(fd);
    if (!isNamed) await link(files, fd, temporary);
    isNamed = true;
    await files.rename(undefined, temporary, path);
  } catch (error) {
    if (isNamed) await files.unlink(undefined, temporary);
    throw error;
  } finally {
    await files.close(fd);
  }
}

async function link(files: Files, fd: number, path: string): Promise<void> {
  try {
    await files.link(fd, path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    // Left by a kstack with the same PID that was killed before it renamed the file.
    await files.unlink(undefined, path);
    await files.link(fd, path);
  }
}

/** Joins small pieces, since each append is a round trip to the reader. */
async function* joined(pieces: Pieces): AsyncGenerator<Uint8Array> {
  let some: Uint8Array[] = [];
  let length = 0;
  for await (const piece of pieces) {
    const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece;
    some.push(bytes);
    length += bytes.length;
    if (length < PIECE_BYTES) continue;
    yield Buffer.concat(some);
    some = [];
    length = 0;
  }
  if (length > 0) yield Buffer.concat(some);
}

/** If that is not allowed (a user namespace, NFS with root_squash), the file keeps its owner. */
async function giveTo(files: Files, fd: number, owner: Owner | undefined): Promise<void> {
  if (owner === undefined) return;
  try {
    await files.changeOwner(fd, owner.uid, owner.gid);
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
  }
}

/** A file without a name, which vanishes with its last descriptor; undefined if the file system has no O_TMPFILE. */
async function openUnnamed(files: Files, folder: string, mode: number): Promise<number | undefined> {
  try {
    return await files.open(undefined, folder, UNNAMED_FLAGS, mode);
  } catch (error) {
    if (WITHOUT_UNNAMED.has(codeOf(error) ?? '')) return undefined;
    throw error;
  }
}

async function openNamed(files: Files, path: string, mode: number): Promise<number> {
  try {
    return await files.open(undefined, path, NAMED_FLAGS, mode);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    // Left by a kstack with the same PID that was killed.
    await files.unlink(undefined, path);
    return files.open(undefined, path, NAMED_FLAGS, mode);
  }
}
