// Apart from write.ts, which every command loads: this needs calls into the C library.
import { constants, fstatSync, openSync, writeSync } from 'node:fs';
import { errnoName, lastErrno } from './errno.ts';
import type { NativeFunction } from './ffi.ts';
import { libcFunction } from './libc.ts';
import type { Write } from './write.ts';

const { S_IFMT, S_IFCHR, S_IFIFO, S_IFSOCK } = constants;
/** Linux on x64 and arm64 (include/linux/socket.h, include/uapi/asm-generic/poll.h). */
const [MSG_DONTWAIT, MSG_NOSIGNAL] = [0x40, 0x4000];
const POLLOUT = 4;
/** PIPE_BUF: a pipe that poll(2) calls writable takes so much (pipe(7)). */
const PIPE_BYTES = 4096;

/**
 * Writes to a terminal, a pipe or a socket without waiting: what takes nothing now is an error with the code EAGAIN.
 * The descriptor itself stays as it is, since other processes share it.
 */
export function writeAtOnce(fd: number): Write {
  const type = typeOf(fd);
  if (type === S_IFSOCK) return sendAtOnce(fd);
  if (type !== S_IFIFO && type !== S_IFCHR) return (bytes) => writeSync(fd, bytes);
  try {
    // Opened again, because the flag would affect every process that shares the descriptor.
    const own = openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    return (bytes) => writeSync(own, bytes);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    // It belongs to another user, as after su(1), or its other side is gone. A terminal without one fails at once.
    return type === S_IFIFO ? writeIfWritable(fd) : (bytes) => writeSync(fd, bytes);
  }
}

function typeOf(fd: number): number | undefined {
  try {
    return fstatSync(fd).mode & S_IFMT;
  } catch (error) {
    // It is closed, which writing to it tells.
    if (!(error instanceof Error && 'code' in error)) throw error;
    return undefined;
  }
}

function sendAtOnce(fd: number): Write {
  const send = libcFunction('long send(int fd, const void *bytes, size_t length, int flags)');
  return (bytes) => {
    const sent = Number(send(fd, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL));
    if (sent >= 0) return sent;
    const code = errnoName(lastErrno());
    throw Object.assign(new Error(`${code}: cannot send`), { code });
  };
}

function writeIfWritable(fd: number): Write {
  const poll: NativeFunction = libcFunction('int poll(void *descriptors, unsigned long count, int timeout)');
  const asked = Buffer.alloc(8);
  return (bytes) => {
    asked.writeInt32LE(fd, 0);
    asked.writeInt16LE(POLLOUT, 4);
    if (poll(asked, 1, 0) === 0) throw Object.assign(new Error('EAGAIN: the pipe is full'), { code: 'EAGAIN' });
    return writeSync(fd, bytes.subarray(0, PIPE_BYTES));
  };
}
