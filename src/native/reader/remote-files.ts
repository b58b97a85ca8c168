import type { NoAnswerOf } from './file-calls.ts';
import {
  F_OFD_SETLK,
  flock,
  LOCK,
  namesFrom,
  STATFS_BYTES,
  STATX_BASIC_STATS,
  STATX_BYTES,
  spaceOf,
  statusFrom,
  text,
} from './file-structs.ts';
import { type Argument, AT_EMPTY_PATH, AT_FDCWD, folderArgument, HeldFiles } from './held-files.ts';
import { MOST_BYTES } from './protocol.ts';
import type { Reader } from './reader.ts';

/** include/uapi/linux/fcntl.h */
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_SYMLINK_FOLLOW = 0x400;
const O_APPEND_PIECE = 1 << 20;
const PATH_BYTES = 4096;

/**
 * Files on file systems that may not answer. Every call is made by the reader, in a process that can be left behind.
 * If somebody kills that, another one is started, and files that are still the same are opened and locked again as they
 * are needed. Sinks know this class as `Files`.
 */
export class RemoteFiles {
  readonly #held: HeldFiles;

  constructor(reader: Pick<Reader, 'call' | 'end' | 'restart'>, deadlineMs: number, noAnswer: NoAnswerOf) {
    this.#held = new HeldFiles(reader, deadlineMs, noAnswer);
  }

  /** How long to wait for a call. */
  set deadlineMs(milliseconds: number) {
    this.#held.calls.deadlineMs = milliseconds;
  }

  /** Called with how the reader ended when another one was started. */
  set renewed(tell: (end: string) => void) {
    this.#held.calls.renewed = tell;
  }

  /** The age of the oldest pending call; 0 if there is none. */
  get waitsMs(): number {
    return this.#held.calls.waitsMs;
  }

  open(folder: number | undefined, path: string, flags: number, mode = 0): Promise<number> {
    return this.#held.open(folder, path, flags, mode);
  }

  close(fd: number): Promise<void> {
    return this.#held.close(fd);
  }

  async read(fd: number, position: number, bytes: number): Promise<Buffer> {
    const out = Math.min(bytes, MOST_BYTES);
    const { result, bytes: got } = await this.#held.call(
      'pread64',
      [{ held: fd }, { out }, out, position],
      this.#held.nameOf(fd),
    );
    return got.subarray(0, result);
  }

  async append(fd: number, bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const piece = bytes.subarray(at, at + O_APPEND_PIECE);
      at += (
        await this.#held.call('write', [{ held: fd, isPositioned: true }, piece, piece.length], this.#held.nameOf(fd))
      ).result;
    }
  }

  async write(fd: number, bytes: Uint8Array, position: number): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const piece = bytes.subarray(at, at + O_APPEND_PIECE);
      at += (
        await this.#held.call('pwrite64', [{ held: fd }, piece, piece.length, position + at], this.#held.nameOf(fd))
      ).result;
    }
  }

  async truncate(fd: number, size: number): Promise<void> {
    await this.#held.call('ftruncate', [{ held: fd }, size], this.#held.nameOf(fd));
  }

  async sync(fd: number): Promise<void> {
    await this.#held.call('fsync', [{ held: fd }], this.#held.nameOf(fd));
  }

  async status(folder: number | undefined, path: string) {
    try {
      return await this.#statx(folderArgument(folder), path, AT_SYMLINK_NOFOLLOW, this.#held.nameIn(folder, path));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async statusOf(fd: number) {
    const status = await this.#statx({ held: fd }, '', AT_EMPTY_PATH, this.#held.nameOf(fd));
    this.#held.identify(fd, status);
    return status;
  }

  async space(fd: number) {
    return spaceOf(
      (await this.#held.call('fstatfs', [{ held: fd }, { out: STATFS_BYTES }], this.#held.nameOf(fd))).bytes,
    );
  }

  async spaceAt(path: string) {
    return spaceOf((await this.#held.call('statfs', [text(path), { out: STATFS_BYTES }], path)).bytes);
  }

  async list(fd: number): Promise<string[]> {
    const names: string[] = [];
    // Opened again, because a descriptor remembers how far it was listed.
    const folder = await this.open(fd, '.', 0);
    try {
      for (;;) {
        const { result, bytes } = await this.#held.call(
          'getdents64',
          [{ held: folder }, { out: MOST_BYTES }, MOST_BYTES],
          this.#held.nameOf(fd),
        );
        if (result === 0) return names.filter((name) => name !== '.' && name !== '..');
        for (const name of namesFrom(bytes, result)) names.push(name);
      }
    } finally {
      await this.close(folder);
    }
  }

  async rename(folder: number | undefined, from: string, to: string): Promise<void> {
    const at = folderArgument(folder);
    await this.#held.call('renameat2', [at, text(from), at, text(to), 0], this.#held.nameIn(folder, from));
  }

  async unlink(folder: number | undefined, path: string): Promise<void> {
    await this.#held.call('unlinkat', [folderArgument(folder), text(path), 0], this.#held.nameIn(folder, path));
  }

  async link(fd: number, path: string): Promise<void> {
    await this.#held.call('linkat', [AT_FDCWD, { linkOf: fd }, AT_FDCWD, text(path), AT_SYMLINK_FOLLOW], path);
  }

  async makeFolder(path: string, mode: number): Promise<void> {
    await this.#held.call('mkdirat', [AT_FDCWD, text(path), mode], path);
  }

  async changeMode(fd: number, mode: number): Promise<void> {
    await this.#held.call('fchmod', [{ held: fd }, mode], this.#held.nameOf(fd));
  }

  async changeOwner(fd: number, uid: number, gid: number): Promise<void> {
    await this.#held.call('fchown', [{ held: fd }, uid, gid], this.#held.nameOf(fd));
  }

  async nameOf(fd: number): Promise<string> {
    const { result, bytes } = await this.#held.call(
      'readlinkat',
      [AT_FDCWD, { linkOf: fd }, { out: PATH_BYTES }, PATH_BYTES],
      this.#held.nameOf(fd),
    );
    return bytes.toString('utf8', 0, result);
  }

  async lock(fd: number): Promise<boolean> {
    const isLocked = await this.#tryLock(fd, LOCK.write);
    this.#held.setLocked(fd, isLocked);
    return isLocked;
  }

  async unlock(fd: number): Promise<void> {
    await this.#held.call('fcntl', [{ held: fd }, F_OFD_SETLK, flock(LOCK.none)], this.#held.nameOf(fd));
    this.#held.setLocked(fd, false);
  }

  /** Tries a read lock, which several can hold. F_OFD_GETLK would need an output that the reader does not return. */
  async isLocked(fd: number): Promise<boolean> {
    if (!(await this.#tryLock(fd, LOCK.read))) return true;
    await this.unlock(fd);
    return false;
  }

  async #tryLock(fd: number, type: number): Promise<boolean> {
    try {
      await this.#held.call('fcntl', [{ held: fd }, F_OFD_SETLK, flock(type)], this.#held.nameOf(fd));
      return true;
    } catch (error) {
      if (error instanceof Error && 'code' in error && (error.code === 'EAGAIN' || error.code === 'EACCES'))
        return false;
      throw error;
    }
  }

  async #statx(folder: Argument, path: string, flags: number, name: string) {
    const { bytes } = await this.#held.call(
      'statx',
      [folder, text(path), flags, STATX_BASIC_STATS, { out: STATX_BYTES }],
      name,
    );
    return statusFrom(bytes);
  }
}
