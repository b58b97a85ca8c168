import { constants } from 'node:os';
import { errnoName, lastErrno } from './errno.ts';
import { libcFunction } from './libc.ts';

/** struct flock on 64-bit systems (fcntl.h of glibc and musl): 16-bit type and whence, then start, length and PID behind their padding. */
const FLOCK_INT16 = { type: 0, whence: 1 } as const;
const FLOCK_INT32 = { pid: 6 } as const;
const FLOCK_BYTES = 32;

const F_GETLK = 5;
const F_SETLK = 6;
const F_WRLCK = 1;
const F_UNLCK = 2;

function request(fd: number, command: number): Int32Array {
  const flock = new Int32Array(FLOCK_BYTES / 4);
  new Int16Array(flock.buffer)[FLOCK_INT16.type] = F_WRLCK;
  const result = libcFunction('int fcntl(int fd, int command, void *flock)')(fd, command, flock);
  if (result === 0) return flock;
  const errno = lastErrno();
  throw Object.assign(new Error(`fcntl: ${errnoName(errno)}`), { errno });
}

/** Who has a file locked. The PID is undefined where the kernel does not tell: in another PID namespace, on another host, or by a lock that no process owns. */
export interface LockHolder {
  readonly pid: number | undefined;
}

/**
 * Takes the write lock of a whole file (fcntl(2), advisory record locking). The kernel lets go of it when the process ends, however it ends, or closes any descriptor of the file.
 * Returns undefined when the lock is taken, else who has it.
 * @throws Error with the errno's name where the file system does not lock.
 */
export function lockFile(fd: number): LockHolder | undefined {
  for (;;) {
    try {
      request(fd, F_SETLK);
      return undefined;
    } catch (error) {
      const errno = error instanceof Error && 'errno' in error ? error.errno : undefined;
      if (errno !== constants.errno.EAGAIN && errno !== constants.errno.EACCES) throw error;
    }
    // Whoever had it may have let go in between: then once more.
    const holder = lockHolder(fd);
    if (holder !== undefined) return holder;
  }
}

/** The process that has the file locked, as the kernel knows it; undefined when none has. */
export function lockHolder(fd: number): LockHolder | undefined {
  const flock = request(fd, F_GETLK);
  if (new Int16Array(flock.buffer)[FLOCK_INT16.type] === F_UNLCK) return undefined;
  const pid = flock[FLOCK_INT32.pid] ?? 0;
  return { pid: pid > 1 ? pid : undefined };
}
