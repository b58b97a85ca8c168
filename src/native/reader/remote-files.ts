import { errnoName } from '../errno.ts';
import { O_CLOEXEC } from '../files.ts';
import { type CallArgument, MOST_BYTES } from './protocol.ts';
import type { Reader } from './reader.ts';
import { numberOf, type SystemCall } from './system-calls.ts';

/** The system calls that files need. */
type FileCall = Exclude<SystemCall, 'read' | 'socket'>;

/** include/uapi/linux/fcntl.h */
const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_SYMLINK_FOLLOW = 0x400;
const AT_EMPTY_PATH = 0x1000;
const STATX_BASIC_STATS = 0x7ff;
/** struct statx of include/uapi/linux/stat.h: offsets in bytes. */
const STATX = {
  links: 16,
  uid: 20,
  mode: 28,
  inode: 32,
  size: 40,
  modifiedSeconds: 112,
  modifiedNanoseconds: 120,
  deviceMajor: 136,
  deviceMinor: 140,
  bytes: 256,
} as const;
/** struct statfs of include/uapi/asm-generic/statfs.h on 64-bit systems. */
const STATFS = { type: 0, blockBytes: 8, blocks: 16, free: 24, bytes: 120 } as const;
/** struct linux_dirent64 (getdents64(2)). */
const ENTRY = { length: 16, name: 19 } as const;
/**
 * A lock of the open file description (fcntl(2)). Unlike a process's lock, it survives the close of another descriptor
 * of the file.
 */
const F_OFD_SETLK = 37;
const LOCK = { read: 0, write: 1, none: 2, bytes: 32 } as const;
const O_APPEND_PIECE = 1 << 20;
const PATH_BYTES = 4096;

/** A call's result, and the bytes it wrote. */
interface Answer {
  readonly result: number;
  readonly bytes: Buffer;
}

/** Makes the error of a call that missed the deadline; the caller knows the words for it. */
export type NoAnswerOf = (path: string) => Error;

/**
 * Files on file systems that may not answer. Every call is made by the reader, in a process that can be left behind.
 * Descriptors are the reader's. Sinks know this class as `Files`.
 */
export class RemoteFiles {
  /** How long to wait for a call. A late call goes on, and its result is discarded. */
  deadlineMs: number;
  readonly #reader: Pick<Reader, 'call'>;
  readonly #noAnswer: NoAnswerOf;
  readonly #pending = new Set<{ readonly sinceMs: number }>();
  readonly #names = new Map<number, string>();

  constructor(reader: Pick<Reader, 'call'>, deadlineMs: number, noAnswer: NoAnswerOf) {
    this.#reader = reader;
    this.deadlineMs = deadlineMs;
    this.#noAnswer = noAnswer;
  }

  /** The age of the oldest pending call; 0 if there is none. */
  get waitsMs(): number {
    const [oldest] = this.#pending;
    return oldest === undefined ? 0 : performance.now() - oldest.sinceMs;
  }

  async open(folder: number | undefined, path: string, flags: number, mode = 0): Promise<number> {
    const late = (fd: number) => void this.#call('close', [fd], path).catch(() => undefined);
    const { result } = await this.#call(
      'openat',
      [folder ?? AT_FDCWD, text(path), flags | O_CLOEXEC, mode],
      this.#nameIn(folder, path),
      late,
    );
    this.#names.set(result, this.#nameIn(folder, path));
    return result;
  }

  async close(fd: number): Promise<void> {
    const name = this.#nameOf(fd);
    this.#names.delete(fd);
    await this.#call('close', [fd], name);
  }

  async read(fd: number, position: number, bytes: number): Promise<Buffer> {
    const out = Math.min(bytes, MOST_BYTES);
    const { result, bytes: got } = await this.#call('pread64', [fd, { out }, out, position], this.#nameOf(fd));
    return got.subarray(0, result);
  }

  async append(fd: number, bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const piece = bytes.subarray(at, at + O_APPEND_PIECE);
      at += (await this.#call('write', [fd, piece, piece.length], this.#nameOf(fd))).result;
    }
  }

  async write(fd: number, bytes: Uint8Array, position: number): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const piece = bytes.subarray(at, at + O_APPEND_PIECE);
      at += (await this.#call('pwrite64', [fd, piece, piece.length, position + at], this.#nameOf(fd))).result;
    }
  }

  async truncate(fd: number, size: number): Promise<void> {
    await this.#call('ftruncate', [fd, size], this.#nameOf(fd));
  }

  async sync(fd: number): Promise<void> {
    await this.#call('fsync', [fd], this.#nameOf(fd));
  }

  async status(folder: number | undefined, path: string) {
    try {
      return await this.#statx(folder ?? AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, this.#nameIn(folder, path));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  statusOf(fd: number) {
    return this.#statx(fd, '', AT_EMPTY_PATH, this.#nameOf(fd));
  }

  async space(fd: number) {
    return spaceOf((await this.#call('fstatfs', [fd, { out: STATFS.bytes }], this.#nameOf(fd))).bytes);
  }

  async spaceAt(path: string) {
    return spaceOf((await this.#call('statfs', [text(path), { out: STATFS.bytes }], path)).bytes);
  }

  async list(fd: number): Promise<string[]> {
    const names: string[] = [];
    // Opened again, because a descriptor remembers how far it was listed.
    const folder = await this.open(fd, '.', 0);
    try {
      for (;;) {
        const { result, bytes } = await this.#call(
          'getdents64',
          [folder, { out: MOST_BYTES }, MOST_BYTES],
          this.#nameOf(fd),
        );
        if (result === 0) return names.filter((name) => name !== '.' && name !== '..');
        for (let at = 0; at < result; at += bytes.readUInt16LE(at + ENTRY.length))
          names.push(bytes.toString('utf8', at + ENTRY.name, bytes.indexOf(0, at + ENTRY.name)));
      }
    } finally {
      await this.close(folder);
    }
  }

  async rename(folder: number | undefined, from: string, to: string): Promise<void> {
    const at = folder ?? AT_FDCWD;
    await this.#call('renameat2', [at, text(from), at, text(to), 0], this.#nameIn(folder, from));
  }

  async unlink(folder: number | undefined, path: string): Promise<void> {
    await this.#call('unlinkat', [folder ?? AT_FDCWD, text(path), 0], this.#nameIn(folder, path));
  }

  async link(fd: number, path: string): Promise<void> {
    await this.#call('linkat', [AT_FDCWD, text(`/proc/self/fd/${fd}`), AT_FDCWD, text(path), AT_SYMLINK_FOLLOW], path);
  }

  async makeFolder(path: string, mode: number): Promise<void> {
    await this.#call('mkdirat', [AT_FDCWD, text(path), mode], path);
  }

  async changeMode(fd: number, mode: number): Promise<void> {
    await this.#call('fchmod', [fd, mode], this.#nameOf(fd));
  }

  async changeOwner(fd: number, uid: number, gid: number): Promise<void> {
    await this.#call('fchown', [fd, uid, gid], this.#nameOf(fd));
  }

  async nameOf(fd: number): Promise<string> {
    const link = text(`/proc/self/fd/${fd}`);
    const { result, bytes } = await this.#call(
      'readlinkat',
      [AT_FDCWD, link, { out: PATH_BYTES }, PATH_BYTES],
      this.#nameOf(fd),
    );
    return bytes.toString('utf8', 0, result);
  }

  lock(fd: number): Promise<boolean> {
    return this.#tryLock(fd, LOCK.write);
  }

  async unlock(fd: number): Promise<void> {
    await this.#call('fcntl', [fd, F_OFD_SETLK, flock(LOCK.none)], this.#nameOf(fd));
  }

  /** Tries a read lock, which several can hold. F_OFD_GETLK would need an output that the reader does not return. */
  async isLocked(fd: number): Promise<boolean> {
    if (!(await this.#tryLock(fd, LOCK.read))) return true;
    await this.unlock(fd);
    return false;
  }

  async #tryLock(fd: number, type: number): Promise<boolean> {
    try {
      await this.#call('fcntl', [fd, F_OFD_SETLK, flock(type)], this.#nameOf(fd));
      return true;
    } catch (error) {
      if (error instanceof Error && 'code' in error && (error.code === 'EAGAIN' || error.code === 'EACCES'))
        return false;
      throw error;
    }
  }

  #nameIn(folder: number | undefined, path: string): string {
    return folder === undefined ? path : `${this.#nameOf(folder)}/${path}`;
  }

  #nameOf(fd: number): string {
    return this.#names.get(fd) ?? `descriptor ${fd}`;
  }

  async #statx(folder: number, path: string, flags: number, name: string) {
    const { bytes } = await this.#call(
      'statx',
      [folder, text(path), flags, STATX_BASIC_STATS, { out: STATX.bytes }],
      name,
    );
    return {
      device: `${bytes.readUInt32LE(STATX.deviceMajor)}:${bytes.readUInt32LE(STATX.deviceMinor)}`,
      inode: bytes.readBigUInt64LE(STATX.inode),
      size: Number(bytes.readBigUInt64LE(STATX.size)),
      links: bytes.readUInt32LE(STATX.links),
      uid: bytes.readUInt32LE(STATX.uid),
      mode: bytes.readUInt16LE(STATX.mode),
      modifiedMs:
        Number(bytes.readBigInt64LE(STATX.modifiedSeconds)) * 1000 +
        Math.floor(bytes.readUInt32LE(STATX.modifiedNanoseconds) / 1e6),
    };
  }

  /** `late` gets the result of a call that returns after the deadline. */
  async #call(
    call: FileCall,
    args: readonly CallArgument[],
    path: string,
    late?: (result: number) => void,
  ): Promise<Answer> {
    const started = { sinceMs: performance.now() };
    this.#pending.add(started);
    let answer: Answer = { result: 0, bytes: Buffer.alloc(0) };
    let isLate = false;
    const done = this.#reader
      .call(numberOf(call), args, ({ result, bytes }) => {
        answer = { result, bytes: Buffer.from(bytes) };
      })
      .finally(() => {
        this.#pending.delete(started);
        if (isLate && answer.result >= 0) late?.(answer.result);
      });
    let timer: NodeJS.Timeout | undefined;
    if (Number.isFinite(this.deadlineMs)) {
      const expired = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          isLate = true;
          reject(this.#noAnswer(path));
        }, this.deadlineMs);
      });
      await Promise.race([done, expired]).finally(() => clearTimeout(timer));
    } else await done;
    if (answer.result >= 0) return answer;
    const code = errnoName(-answer.result);
    throw Object.assign(new Error(`${code}: ${VERBS[call]} ${path}`), { code });
  }
}

const VERBS: Readonly<Record<FileCall, string>> = {
  close: 'cannot close',
  pread64: 'cannot read',
  pwrite64: 'cannot write',
  write: 'cannot write',
  fcntl: 'cannot lock',
  fsync: 'cannot sync',
  ftruncate: 'cannot truncate',
  fchmod: 'cannot change the mode of',
  fchown: 'cannot change the owner of',
  statfs: 'cannot get the file system of',
  fstatfs: 'cannot get the file system of',
  getdents64: 'cannot list',
  openat: 'cannot open',
  mkdirat: 'cannot create',
  unlinkat: 'cannot remove',
  linkat: 'cannot link',
  readlinkat: 'cannot read the link',
  renameat2: 'cannot rename',
  statx: 'cannot stat',
};

function text(path: string): Buffer {
  return Buffer.from(`${path}\0`);
}

/** struct flock on 64-bit systems. Zeros after the type mean the whole file. */
function flock(type: number): Buffer {
  const lock = Buffer.alloc(LOCK.bytes);
  lock.writeInt16LE(type, 0);
  return lock;
}

function spaceOf(bytes: Buffer) {
  const blocks = Number(bytes.readBigUInt64LE(STATFS.blocks));
  return {
    blocks,
    used: blocks - Number(bytes.readBigUInt64LE(STATFS.free)),
    blockBytes: Number(bytes.readBigUInt64LE(STATFS.blockBytes)),
    type: Number(bytes.readBigUInt64LE(STATFS.type)),
  };
}
