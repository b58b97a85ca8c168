import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { reasonOf } from '../native/reason.ts';
import { codeOf } from './files.ts';

const STDIN = 0;
/** Stays in the cache of a CPU. */
export const CHUNK_BYTES = 128 * 1024;
/** More than any kernel log: /dev/zero has no end. */
const MAX_DEVICE_BYTES = 64 << 20;
/** How long to wait for input that another program has made non-blocking. */
const PAUSE_MS = 20;
const { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFMT, S_IFREG } = constants;

/** A file cannot be read. */
export class InputError extends Error {}

/** Who says that a file is to be read. */
export interface NamedBy {
  /** Only the directory that it was found in, which may be somebody else's: by now it may be a link, or a FIFO. */
  readonly isListed?: boolean;
}

/**
 * The bytes of a file, or of standard input, in pieces. Each stands in the same memory, where the next one replaces it.
 * Of a character device, what it has now: /dev/kmsg has no end.
 * @throws InputError naming the file if it cannot be read, or is a directory or a block device
 */
export async function* inputBytes(name: string | undefined, by: NamedBy = {}): AsyncGenerator<Buffer, void> {
  const shown = name === undefined ? 'standard input' : named(name);
  const fd = name === undefined ? STDIN : open(name, by);
  try {
    const { mode, size } = fstatSync(fd);
    const type = mode & S_IFMT;
    if (type === S_IFDIR) {
      throw new InputError(`cannot read ${shown}: it is a directory without recordings (*.kstack); name files to read`);
    }
    if (type === S_IFBLK) throw new InputError(`cannot read ${shown}: it is a disk; name a file`);
    const isEndless = name !== undefined && type === S_IFCHR;
    // Room for all of a small file, and one byte more to see its end. Files of /proc have no size.
    const chunk = Buffer.allocUnsafeSlow(size > 0 ? Math.min(CHUNK_BYTES, size + 1) : CHUNK_BYTES);
    for (let left = isEndless ? MAX_DEVICE_BYTES : Number.POSITIVE_INFINITY; left > 0; ) {
      const length = await readSome(fd, chunk, shown, isEndless);
      if (length === 0) return;
      left -= length;
      yield chunk.subarray(0, length);
    }
  } finally {
    if (fd !== STDIN) closeSync(fd);
  }
}

/** An empty name is not seen without quotes. */
function named(name: string): string {
  return name === '' ? "''" : name;
}

/** Whether what a name leads to has its bytes only once: a FIFO, or what a shell puts in the place of `<(command)`. */
export function isPipe(name: string): boolean {
  try {
    return typeOf(name) === S_IFIFO;
  } catch (error) {
    // It is told when the file is read.
    if (codeOf(error) === undefined) throw error;
    return false;
  }
}

function typeOf(name: string): number {
  return statSync(name).mode & S_IFMT;
}

/**
 * Opens a file, unless it is a FIFO and none is wanted: to open it and close it again would end whoever writes to it.
 * Without O_NONBLOCK, a read of /dev/kmsg would wait for the next message. A FIFO is to wait for its writer.
 */
function open(name: string, by: NamedBy): number;
function open(name: string, by: NamedBy, butNoPipe: true): number | undefined;
function open(name: string, { isListed = false }: NamedBy, butNoPipe = false): number | undefined {
  try {
    if (isListed) return openListed(name);
    const type = typeOf(name);
    if (butNoPipe && type === S_IFIFO) return undefined;
    return openSync(name, constants.O_RDONLY | constants.O_NOCTTY | (type === S_IFCHR ? constants.O_NONBLOCK : 0));
  } catch (error) {
    throw new InputError(`cannot read ${named(name)}: ${reasonOf(error)}`, { cause: error });
  }
}

/** @throws Error for anything but a regular file: ELOOP for a link */
function openListed(name: string): number {
  const fd = openSync(name, constants.O_RDONLY | constants.O_NOCTTY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  if ((fstatSync(fd).mode & S_IFMT) === S_IFREG) return fd;
  closeSync(fd);
  throw new InputError('it is no longer a file');
}

/** 0 at the end. */
async function readSome(fd: number, chunk: Buffer, shown: string, isEndless: boolean): Promise<number> {
  for (;;) {
    try {
      return readSync(fd, chunk);
    } catch (error) {
      const code = codeOf(error);
      // A record of /dev/kmsg was overwritten before it was read; the next read has the one after it.
      if (code === 'EPIPE' && isEndless) continue;
      if (code === 'EAGAIN' && isEndless) return 0;
      // The end of a terminal whose other side is gone.
      if (code === 'EOF') return 0;
      if (code !== 'EAGAIN') throw new InputError(`cannot read ${shown}: ${reasonOf(error)}`, { cause: error });
      await setTimeout(PAUSE_MS);
    }
  }
}

/** A file of which any part can be read. */
export interface SeekableFile {
  readonly sizeBytes: number;
  /** Fewer bytes at the end. */
  readAt(offset: number, length: number): Buffer;
  /** Puts the bytes from a place on into memory. Returns how many; 0 at the end. */
  readInto(bytes: Uint8Array, offset: number): number;
  close(): void;
}

/**
 * Opens a regular file; undefined for anything else.
 * @throws InputError naming the file if it cannot be opened
 */
export function openSeekable(name: string, by: NamedBy = {}): SeekableFile | undefined {
  const fd = open(name, by, true);
  if (fd === undefined) return undefined;
  const stat = fstatSync(fd);
  if ((stat.mode & S_IFMT) !== S_IFREG) {
    closeSync(fd);
    return undefined;
  }
  const readInto = (bytes: Uint8Array, offset: number) => {
    let read = 0;
    try {
      for (let more = -1; read < bytes.length && more !== 0; read += more)
        more = readSync(fd, bytes, read, bytes.length - read, offset + read);
    } catch (error) {
      throw new InputError(`cannot read ${named(name)}: ${reasonOf(error)}`, { cause: error });
    }
    return read;
  };
  return {
    sizeBytes: stat.size,
    readAt: (offset, length) => {
      const bytes = Buffer.allocUnsafe(length);
      return bytes.subarray(0, readInto(bytes, offset));
    },
    readInto,
    close: () => closeSync(fd),
  };
}
