/**
 * System call numbers by Node.js's name of the architecture: arch/x86/entry/syscalls/syscall_64.tbl and
 * include/uapi/asm-generic/unistd.h.
 */
const NUMBERS = {
  x64: {
    read: 0,
    close: 3,
    pread64: 17,
    pwrite64: 18,
    write: 1,
    socket: 41,
    fcntl: 72,
    fsync: 74,
    ftruncate: 77,
    fchmod: 91,
    fchown: 93,
    statfs: 137,
    fstatfs: 138,
    getdents64: 217,
    openat: 257,
    mkdirat: 258,
    unlinkat: 263,
    linkat: 265,
    readlinkat: 267,
    renameat2: 316,
    statx: 332,
  },
  arm64: {
    read: 63,
    close: 57,
    pread64: 67,
    pwrite64: 68,
    write: 64,
    socket: 198,
    fcntl: 25,
    fsync: 82,
    ftruncate: 46,
    fchmod: 52,
    fchown: 55,
    statfs: 43,
    fstatfs: 44,
    getdents64: 61,
    openat: 56,
    mkdirat: 34,
    unlinkat: 35,
    linkat: 37,
    readlinkat: 78,
    renameat2: 276,
    statx: 291,
  },
} as const;

export type SystemCall = keyof (typeof NUMBERS)['x64'];

export function numberOf(call: SystemCall): number {
  return NUMBERS[process.arch === 'arm64' ? 'arm64' : 'x64'][call];
}
