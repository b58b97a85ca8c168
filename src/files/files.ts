/**
 * A file's status, see statx(2). `device` and `inode` are exact: some file systems number inodes above 2^53.
 */
export interface FileStatus {
  readonly device: string;
  readonly inode: bigint;
  readonly size: number;
  readonly links: number;
  readonly uid: number;
  readonly mode: number;
  /** When its content was changed, in Unix milliseconds. */
  readonly modifiedMs: number;
}

/** How full a file system is: total and used blocks, and their size. `type` is f_type of statfs(2). */
export interface Space {
  readonly blocks: number;
  readonly used: number;
  readonly blockBytes: number;
  readonly type: number;
}

/**
 * Files on a file system that may not answer. Calls fail with an Error whose `code` is the errno's name, or with
 * {@link NoAnswer}. A path is relative to `folder` unless that is undefined.
 */
export interface Files {
  open(folder: number | undefined, path: string, flags: number, mode?: number): Promise<number>;
  close(fd: number): Promise<void>;
  /** At most 64 KiB. */
  read(fd: number, position: number, bytes: number): Promise<Buffer>;
  /** Writes all bytes: at the end if the file is open for appending, else at its position. */
  append(fd: number, bytes: Uint8Array): Promise<void>;
  write(fd: number, bytes: Uint8Array, position: number): Promise<void>;
  truncate(fd: number, size: number): Promise<void>;
  sync(fd: number): Promise<void>;
  /** Does not follow a symbolic link; undefined if there is no file. */
  status(folder: number | undefined, path: string): Promise<FileStatus | undefined>;
  statusOf(fd: number): Promise<FileStatus>;
  space(fd: number): Promise<Space>;
  spaceAt(path: string): Promise<Space>;
  list(fd: number): Promise<string[]>;
  rename(folder: number | undefined, from: string, to: string): Promise<void>;
  unlink(folder: number | undefined, path: string): Promise<void>;
  /** Names a file that was opened with O_TMPFILE. Fails with EEXIST if the name is taken. */
  link(fd: number, path: string): Promise<void>;
  makeFolder(path: string, mode: number): Promise<void>;
  changeMode(fd: number, mode: number): Promise<void>;
  changeOwner(fd: number, uid: number, gid: number): Promise<void>;
  /** The path of an open file, links resolved. */
  nameOf(fd: number): Promise<string>;
  /** False if another process has locked the file. */
  lock(fd: number): Promise<boolean>;
  unlock(fd: number): Promise<void>;
  isLocked(fd: number): Promise<boolean>;
}

/** A file system did not answer in time. The call is still pending and may yet succeed. */
export class NoAnswer extends Error {
  readonly code = 'ETIMEDOUT';

  constructor(path: string) {
    super(`${path}: the file system does not answer`);
  }
}

const { S_IFMT, S_IFREG } = { S_IFMT: 0o170000, S_IFREG: 0o100000 };

/** The file type bits of the mode (inode(7)). */
export function typeOf(status: FileStatus): number {
  return status.mode & S_IFMT;
}

export function isRegular(status: FileStatus): boolean {
  return typeOf(status) === S_IFREG;
}

/** The errno's name that an error carries; undefined if it carries none. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
