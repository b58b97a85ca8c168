/** The structs that system calls on files take and return, on 64-bit systems. */

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
export const F_OFD_SETLK = 37;
export const LOCK = { read: 0, write: 1, none: 2, bytes: 32 } as const;

/** What statx(2) is asked for. */
export const STATX_BASIC_STATS = 0x7ff;
/** What to allocate for them. */
export const STATX_BYTES = STATX.bytes;
export const STATFS_BYTES = STATFS.bytes;

export function statusFrom(bytes: Buffer) {
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

/** The names in what getdents64(2) returned. */
export function namesFrom(bytes: Buffer, length: number): string[] {
  const names: string[] = [];
  for (let at = 0; at < length; at += bytes.readUInt16LE(at + ENTRY.length))
    names.push(bytes.toString('utf8', at + ENTRY.name, bytes.indexOf(0, at + ENTRY.name)));
  return names;
}

/** struct flock on 64-bit systems. Zeros after the type mean the whole file. */
export function flock(type: number): Buffer {
  const lock = Buffer.alloc(LOCK.bytes);
  lock.writeInt16LE(type, 0);
  return lock;
}

export function spaceOf(bytes: Buffer) {
  const blocks = Number(bytes.readBigUInt64LE(STATFS.blocks));
  return {
    blocks,
    used: blocks - Number(bytes.readBigUInt64LE(STATFS.free)),
    blockBytes: Number(bytes.readBigUInt64LE(STATFS.blockBytes)),
    type: Number(bytes.readBigUInt64LE(STATFS.type)),
  };
}

/** A path as system calls take it. */
export function text(path: string): Buffer {
  return Buffer.from(`${path}\0`);
}
