import { type Registers, uint } from './arguments.ts';
import { CONSTANTS } from './constants.ts';
import { I386_SIGNATURES, SIGNATURES } from './signatures.ts';

const { O_CREAT, O_TMPFILE, O_DIRECTORY } = CONSTANTS.openflags.flags;
/** O_TMPFILE has O_DIRECTORY in it, which is not the same on all architectures. */
const CREATES = O_CREAT | (O_TMPFILE - O_DIRECTORY);
const { MREMAP_FIXED, MREMAP_DONTUNMAP } = CONSTANTS.remapflags.flags;

/** By the operation, whose order is that of include/uapi/linux/futex.h (kernel/futex/syscalls.c, do_futex). */
const FUTEX = [
  'pointer futexop uint timespec',
  'pointer futexop int',
  'pointer futexop int',
  'pointer futexop int int pointer',
  'pointer futexop int int pointer uint',
  'pointer futexop int int pointer hex',
  'pointer futexop - timespec',
  'pointer futexop',
  'pointer futexop',
  'pointer futexop uint timespec - futexbits',
  'pointer futexop int - - futexbits',
  'pointer futexop uint timespec pointer',
  'pointer futexop int int pointer uint',
  'pointer futexop - timespec',
];

/** By the command (fs/fcntl.c, do_fcntl). */
const FCNTL: Readonly<Record<string, string>> = {
  F_DUPFD: 'int',
  F_DUPFD_CLOEXEC: 'int',
  F_GETFD: '-',
  F_SETFD: 'descriptorflags',
  F_GETFL: '-',
  F_SETFL: 'openflags',
  F_GETLK: 'flock',
  F_SETLK: 'flock',
  F_SETLKW: 'flock',
  F_GETLK64: 'flock64',
  F_SETLK64: 'flock64',
  F_SETLKW64: 'flock64',
  F_OFD_GETLK: 'flock64',
  F_OFD_SETLK: 'flock64',
  F_OFD_SETLKW: 'flock64',
  F_GETOWN: '-',
  F_SETOWN: 'int',
  F_GETOWN_EX: 'buffer',
  F_SETOWN_EX: 'buffer',
  F_GETSIG: '-',
  F_SETSIG: 'signal',
  F_GETLEASE: '-',
  F_SETLEASE: 'locktype',
  F_GETPIPE_SZ: '-',
  F_SETPIPE_SZ: 'int',
  F_GET_SEALS: '-',
};

/** Calls whose arguments depend on one of them. */
const VARIANTS: Readonly<Record<string, (registers: Registers) => string | undefined>> = {
  open: (registers) => (uint(registers, 1) & CREATES ? undefined : 'path openflags'),
  openat: (registers) => (uint(registers, 2) & CREATES ? undefined : 'dirfd path openflags'),
  mq_open: (registers) => (uint(registers, 1) & O_CREAT ? undefined : 'string openflags'),
  mremap: (registers) =>
    uint(registers, 3) & (MREMAP_FIXED | MREMAP_DONTUNMAP) ? undefined : 'pointer size size remapflags',
  futex: (registers) => FUTEX[uint(registers, 1) & CONSTANTS.futexop.mask],
  fcntl: fcntlSignature,
  fcntl64: fcntlSignature,
};

/** What the arguments of a call are; undefined where that is not known. */
export function signatureOf(name: string, registers: Registers): string | undefined {
  // The forms with a time of 64 bits differ in nothing else (arch/x86/entry/syscalls/syscall_32.tbl).
  const base = name.replace(/_time64$/, '');
  const own = registers.bits === 32 ? I386_SIGNATURES[name] : undefined;
  const signature = own ?? VARIANTS[base]?.(registers) ?? SIGNATURES[base];
  return base === name ? signature : signature?.replace('timespec', 'timespec64');
}

function fcntlSignature(registers: Registers): string {
  const values: Readonly<Record<string, number>> = CONSTANTS.fcntlcommand.values;
  const command = Object.keys(values).find((each) => values[each] === uint(registers, 1));
  return `fd fcntlcommand ${FCNTL[command ?? ''] ?? 'hex'}`;
}
