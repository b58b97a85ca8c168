/**
 * What is known of a file, see statx(2). `device` and `inode` are whole: some file systems number inodes above 2^53.
 */
export interface FileStatus {
  readonly device: string;
  readonly inode: bigint;
  readonly size: number;
  readonly links: number;
  readonly uid: number;
  readonly mode: number;
}

/** How full a file system is: blocks in all and blocks used, of so many bytes; and what it is (f_type of statfs(2)). */
export interface Space {
  readonly blocks: number;
  readonly used: number;
  readonly blockBytes: number;
  readonly type: number;
}

/**
 * Files on a file system that may not answer. Calls fail with an Error that carries the errno's name as `code`, or with
 * {@link NoAnswer}. A path is relative to `folder`, where that is not `undefined`.
 */
export interface Files {
  open(folder: number | undefined, path: string, flags: number, mode?: number): Promise<number>;
  close(fd: number): Promise<void>;
  /** Up to 64 KiB from a position on. */
  read(fd: number, position: number, bytes: number): Promise<Buffer>;
  /** Writes all of it at the end of a file that is open for appending, or else where its position is. */
  append(fd: number, bytes: Uint8Array): Promise<void>;
  write(fd: number, bytes: Uint8Array, position: number): Promise<void>;
  truncate(fd: number, size: number): Promise<void>;
  sync(fd: number): Promise<void>;
  /** Of the file itself where it is a link; undefined where there is none. */
  status(folder: number | undefined, path: string): Promise<FileStatus | undefined>;
  statusOf(fd: number): Promise<FileStatus>;
  space(fd: number): Promise<Space>;
  spaceAt(path: string): Promise<Space>;
  list(fd: number): Promise<string[]>;
  rename(folder: number | undefined, from: string, to: string): Promise<void>;
  unlink(folder: number | undefined, path: string): Promise<void>;
  /** Gives a file that was opened without a name (O_TMPFILE) one that is free. */
  link(fd: number, path: string): Promise<void>;
  makeFolder(path: string, mode: number): Promise<void>;
  changeMode(fd: number, mode: number): Promise<void>;
  changeOwner(fd: number, uid: number, gid: number): Promise<void>;
  /** The path of an open file, without links. */
  nameOf(fd: number): Promise<string>;
  /** False where another has the file locked. */
  lock(fd: number): Promise<boolean>;
  unlock(fd: number): Promise<void>;
  isLocked(fd: number): Promise<boolean>;
}

/** A file system has not answered in time. The call is still under way, and may yet be done. */
export class NoAnswer extends Error {
  readonly code = 'ETIMEDOUT';

  constructor(path: string) {
    super(`${path}: the file system does not answer`);
  }
}

const { S_IFMT, S_IFREG } = { S_IFMT: 0o170000, S_IFREG: 0o100000 };

/** The type of a file, as in its mode (inode(7)). */
export function typeOf(status: FileStatus): number {
  return status.mode & S_IFMT;
}

export function isRegular(status: FileStatus): boolean {
  return typeOf(status) === S_IFREG;
}

/** The errno's name that an error carries; undefined where it is none of a call. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
