/** Names of numbers, of include/uapi/. Of flags, a name may stand for several bits; it then comes before those of single ones. */
export type Names = readonly (readonly [number, string])[];

/** `A|B|0x40`; what no name is known for as a number, and `none` where no bit is set. */
export function flags(value: number, names: Names, none = '0'): string {
  let rest = value >>> 0;
  const set: string[] = [];
  for (const [bits, name] of names) {
    if (bits === 0 || (rest & bits) >>> 0 !== bits >>> 0) continue;
    set.push(name);
    rest = (rest & ~bits) >>> 0;
  }
  if (rest !== 0) set.push(`0x${rest.toString(16)}`);
  return set.length === 0 ? none : set.join('|');
}

/** The name of a number; the number where it has none. */
export function oneOf(value: number, names: Names): string {
  return names.find(([number]) => number === value)?.[1] ?? String(value);
}

/** Consecutive numbers from `first` on. */
function series(text: string, first = 0): Names {
  return text.split(' ').map((name, at) => [first + at, name] as const);
}

/** Consecutive bits from 1 on; `-` leaves one out. */
function bits(text: string, prefix = ''): Names {
  return text
    .split(' ')
    .map((name, at) => [2 ** at, name] as const)
    .filter(([, name]) => name !== '-')
    .map(([bit, name]) => [bit, `${prefix}${name}`] as const);
}

const OPEN_COMMON: Names = [
  [0o4010000, 'O_SYNC'],
  [0o100, 'O_CREAT'],
  [0o200, 'O_EXCL'],
  [0o400, 'O_NOCTTY'],
  [0o1000, 'O_TRUNC'],
  [0o2000, 'O_APPEND'],
  [0o4000, 'O_NONBLOCK'],
  [0o10000, 'O_DSYNC'],
  [0o20000, 'O_ASYNC'],
];
const OPEN_LATE: Names = [
  [0o1000000, 'O_NOATIME'],
  [0o2000000, 'O_CLOEXEC'],
  [0o10000000, 'O_PATH'],
];
const ACCESS_MODES = ['O_RDONLY', 'O_WRONLY', 'O_RDWR', 'O_ACCMODE'];
const OPEN_X86: Names = [
  [0o20200000, 'O_TMPFILE'],
  [0o40000, 'O_DIRECT'],
  [0o100000, 'O_LARGEFILE'],
  [0o200000, 'O_DIRECTORY'],
  [0o400000, 'O_NOFOLLOW'],
];
/** arch/arm64/include/uapi/asm/fcntl.h */
const OPEN_ARM64: Names = [
  [0o20040000, 'O_TMPFILE'],
  [0o40000, 'O_DIRECTORY'],
  [0o100000, 'O_NOFOLLOW'],
  [0o200000, 'O_DIRECT'],
  [0o400000, 'O_LARGEFILE'],
];

export function openFlags(value: number, architecture: string): string {
  const rest = flags(value & ~3, [...OPEN_COMMON, ...(architecture === 'arm64' ? OPEN_ARM64 : OPEN_X86), ...OPEN_LATE], '');
  return [ACCESS_MODES[value & 3], ...(rest === '' ? [] : [rest])].join('|');
}

/** Whether a file may be made, so that a mode counts: O_CREAT or __O_TMPFILE. */
export function makesFile(openFlagsValue: number): boolean {
  return (openFlagsValue & (0o100 | 0o20000000)) !== 0;
}

export const SIGNALS = series(
  'SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL SIGUSR1 SIGSEGV SIGUSR2 SIGPIPE SIGALRM SIGTERM SIGSTKFLT SIGCHLD SIGCONT SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGXCPU SIGXFSZ SIGVTALRM SIGPROF SIGWINCH SIGIO SIGPWR SIGSYS',
  1,
);

const FUTEX_OPERATIONS = series(
  'FUTEX_WAIT FUTEX_WAKE FUTEX_FD FUTEX_REQUEUE FUTEX_CMP_REQUEUE FUTEX_WAKE_OP FUTEX_LOCK_PI FUTEX_UNLOCK_PI FUTEX_TRYLOCK_PI FUTEX_WAIT_BITSET FUTEX_WAKE_BITSET FUTEX_WAIT_REQUEUE_PI FUTEX_CMP_REQUEUE_PI FUTEX_LOCK_PI2',
);
export const FUTEX_COMMAND_MASK = 0x7f;

export function futexOperation(value: number): string {
  const modifiers = flags(
    value & ~FUTEX_COMMAND_MASK,
    [
      [128, 'FUTEX_PRIVATE_FLAG'],
      [256, 'FUTEX_CLOCK_REALTIME'],
    ],
    '',
  );
  return [oneOf(value & FUTEX_COMMAND_MASK, FUTEX_OPERATIONS), ...(modifiers === '' ? [] : [modifiers])].join('|');
}

export const CLOCKS = series(
  'CLOCK_REALTIME CLOCK_MONOTONIC CLOCK_PROCESS_CPUTIME_ID CLOCK_THREAD_CPUTIME_ID CLOCK_MONOTONIC_RAW CLOCK_REALTIME_COARSE CLOCK_MONOTONIC_COARSE CLOCK_BOOTTIME CLOCK_REALTIME_ALARM CLOCK_BOOTTIME_ALARM CLOCK_SGI_CYCLE CLOCK_TAI',
);
export const WHENCE = series('SEEK_SET SEEK_CUR SEEK_END SEEK_DATA SEEK_HOLE');
export const EPOLL_OPERATIONS = series('EPOLL_CTL_ADD EPOLL_CTL_DEL EPOLL_CTL_MOD', 1);
export const FLOCK_OPERATIONS = bits('LOCK_SH LOCK_EX LOCK_NB LOCK_UN');
export const PROTECTIONS = bits('READ WRITE EXEC', 'PROT_');
export const MAP_FLAGS: Names = [
  [3, 'MAP_SHARED_VALIDATE'],
  [1, 'MAP_SHARED'],
  [2, 'MAP_PRIVATE'],
  ...bits(
    '- - - - FIXED ANONYMOUS 32BIT - GROWSDOWN - - DENYWRITE EXECUTABLE LOCKED NORESERVE POPULATE NONBLOCK STACK HUGETLB SYNC FIXED_NOREPLACE',
    'MAP_',
  ),
];
export const MESSAGE_FLAGS: Names = [
  ...bits(
    'OOB PEEK DONTROUTE CTRUNC PROBE TRUNC DONTWAIT EOR WAITALL FIN SYN CONFIRM RST ERRQUEUE NOSIGNAL MORE WAITFORONE - BATCH - - - - - - - ZEROCOPY',
    'MSG_',
  ),
  [0x20000000, 'MSG_FASTOPEN'],
  [0x40000000, 'MSG_CMSG_CLOEXEC'],
];
export const POLL_EVENTS = bits('IN PRI OUT ERR HUP NVAL RDNORM RDBAND WRNORM WRBAND MSG - - RDHUP', 'POLL');
export const WAIT_OPTIONS: Names = [
  ...bits('WNOHANG WSTOPPED WEXITED WCONTINUED'),
  [0x01000000, 'WNOWAIT'],
  [0x20000000, '__WNOTHREAD'],
  [0x40000000, '__WALL'],
  [0x80000000, '__WCLONE'],
];
export const WAITID_TYPES = series('P_ALL P_PID P_PGID P_PIDFD');
export const FCNTL_COMMANDS: Names = [
  ...series('F_DUPFD F_GETFD F_SETFD F_GETFL F_SETFL F_GETLK F_SETLK F_SETLKW F_SETOWN F_GETOWN F_SETSIG F_GETSIG'),
  [36, 'F_OFD_GETLK'],
  [37, 'F_OFD_SETLK'],
  [38, 'F_OFD_SETLKW'],
  ...series('F_SETLEASE F_GETLEASE F_NOTIFY', 1024),
  [1030, 'F_DUPFD_CLOEXEC'],
  ...series('F_SETPIPE_SZ F_GETPIPE_SZ F_ADD_SEALS F_GET_SEALS', 1031),
];
export const DOMAINS: Names = [
  [1, 'AF_UNIX'],
  [2, 'AF_INET'],
  [10, 'AF_INET6'],
  [16, 'AF_NETLINK'],
  [17, 'AF_PACKET'],
  [38, 'AF_ALG'],
  [40, 'AF_VSOCK'],
  [44, 'AF_XDP'],
];
const SOCKET_TYPES = series('SOCK_STREAM SOCK_DGRAM SOCK_RAW SOCK_RDM SOCK_SEQPACKET SOCK_DCCP', 1);

export function socketType(value: number): string {
  const modifiers = flags(
    value & ~0xf,
    [
      [0o4000, 'SOCK_NONBLOCK'],
      [0o2000000, 'SOCK_CLOEXEC'],
    ],
    '',
  );
  return [oneOf(value & 0xf, SOCKET_TYPES), ...(modifiers === '' ? [] : [modifiers])].join('|');
}

export const CLONE_FLAGS: Names = [
  ...bits(
    '- - - - - - - - VM FS FILES SIGHAND PIDFD PTRACE VFORK PARENT THREAD NEWNS SYSVSEM SETTLS PARENT_SETTID CHILD_CLEARTID DETACHED UNTRACED CHILD_SETTID NEWCGROUP NEWUTS NEWIPC NEWUSER NEWPID NEWNET IO',
    'CLONE_',
  ),
  [0x80, 'CLONE_NEWTIME'],
];
export const MOUNT_FLAGS: Names = bits(
  'RDONLY NOSUID NODEV NOEXEC SYNCHRONOUS REMOUNT MANDLOCK DIRSYNC NOSYMFOLLOW - NOATIME NODIRATIME BIND MOVE REC SILENT POSIXACL UNBINDABLE PRIVATE SLAVE SHARED RELATIME KERNMOUNT I_VERSION STRICTATIME LAZYTIME',
  'MS_',
);
export const UNMOUNT_FLAGS: Names = bits('MNT_FORCE MNT_DETACH MNT_EXPIRE UMOUNT_NOFOLLOW');
export const AT_FLAGS: Names = [
  [0x100, 'AT_SYMLINK_NOFOLLOW'],
  [0x200, 'AT_REMOVEDIR'],
  [0x400, 'AT_SYMLINK_FOLLOW'],
  [0x800, 'AT_NO_AUTOMOUNT'],
  [0x1000, 'AT_EMPTY_PATH'],
  [0x2000, 'AT_STATX_FORCE_SYNC'],
  [0x4000, 'AT_STATX_DONT_SYNC'],
  [0x8000, 'AT_RECURSIVE'],
];
export const ADVICE: Names = [
  ...series('MADV_NORMAL MADV_RANDOM MADV_SEQUENTIAL MADV_WILLNEED MADV_DONTNEED'),
  ...series(
    'MADV_FREE MADV_REMOVE MADV_DONTFORK MADV_DOFORK MADV_MERGEABLE MADV_UNMERGEABLE MADV_HUGEPAGE MADV_NOHUGEPAGE MADV_DONTDUMP',
    8,
  ),
  ...series(
    'MADV_DODUMP MADV_WIPEONFORK MADV_KEEPONFORK MADV_COLD MADV_PAGEOUT MADV_POPULATE_READ MADV_POPULATE_WRITE MADV_DONTNEED_LOCKED MADV_COLLAPSE',
    17,
  ),
];
export const SYNC_FLAGS: Names = bits('MS_ASYNC MS_INVALIDATE MS_SYNC');
/** include/uapi/linux/fs.h, asm-generic/ioctls.h and device-mapper's, loop's and KVM's. */
export const IOCTLS: Names = [
  [0x5401, 'TCGETS'],
  [0x5402, 'TCSETS'],
  [0x5403, 'TCSETSW'],
  [0x5404, 'TCSETSF'],
  [0x5409, 'TCSBRK'],
  [0x5413, 'TIOCGWINSZ'],
  [0x541b, 'FIONREAD'],
  [0x5421, 'FIONBIO'],
  [0x1260, 'BLKGETSIZE'],
  [0x125f, 'BLKRRPART'],
  [0x1261, 'BLKFLSBUF'],
  [0x1277, 'BLKDISCARD'],
  [0x127d, 'BLKSECDISCARD'],
  [0x127f, 'BLKZEROOUT'],
  [0x2285, 'SG_IO'],
  [0x4c00, 'LOOP_SET_FD'],
  [0x4c01, 'LOOP_CLR_FD'],
  [0x4c0a, 'LOOP_CONFIGURE'],
  [0x5331, 'CDROM_GET_CAPABILITY'],
  [0x40049409, 'FICLONE'],
  [0x4020940d, 'FICLONERANGE'],
  [0xc0045877, 'FIFREEZE'],
  [0xc0045878, 'FITHAW'],
  [0xc0185879, 'FITRIM'],
  [0x660b, 'FS_IOC_FIEMAP'],
  [0xc0306201, 'BINDER_WRITE_READ'],
  [0xae80, 'KVM_RUN'],
  [0xae01, 'KVM_CREATE_VM'],
  [0xae41, 'KVM_CREATE_VCPU'],
  [0xc138fd03, 'DM_DEV_CREATE'],
  [0xc138fd04, 'DM_DEV_REMOVE'],
  [0xc138fd06, 'DM_DEV_SUSPEND'],
  [0xc138fd07, 'DM_DEV_STATUS'],
  [0xc138fd08, 'DM_DEV_WAIT'],
  [0xc138fd0c, 'DM_TABLE_STATUS'],
  [0x9408, 'BTRFS_IOC_SYNC'],
];
export const PTRACE_REQUESTS: Names = [
  ...series(
    'PTRACE_TRACEME PTRACE_PEEKTEXT PTRACE_PEEKDATA PTRACE_PEEKUSR PTRACE_POKETEXT PTRACE_POKEDATA PTRACE_POKEUSR PTRACE_CONT PTRACE_KILL PTRACE_SINGLESTEP',
  ),
  [16, 'PTRACE_ATTACH'],
  [17, 'PTRACE_DETACH'],
  [24, 'PTRACE_SYSCALL'],
  [0x4206, 'PTRACE_SEIZE'],
  [0x4207, 'PTRACE_INTERRUPT'],
  [0x4208, 'PTRACE_LISTEN'],
];
/** socketcall(2), include/uapi/linux/net.h. */
export const SOCKETCALLS = series(
  'SYS_SOCKET SYS_BIND SYS_CONNECT SYS_LISTEN SYS_ACCEPT SYS_GETSOCKNAME SYS_GETPEERNAME SYS_SOCKETPAIR SYS_SEND SYS_RECV SYS_SENDTO SYS_RECVFROM SYS_SHUTDOWN SYS_SETSOCKOPT SYS_GETSOCKOPT SYS_SENDMSG SYS_RECVMSG SYS_ACCEPT4 SYS_RECVMMSG SYS_SENDMMSG',
  1,
);
/** ipc(2), include/uapi/linux/ipc.h. */
export const IPC_CALLS: Names = [
  [1, 'SEMOP'],
  [2, 'SEMGET'],
  [3, 'SEMCTL'],
  [4, 'SEMTIMEDOP'],
  [11, 'MSGSND'],
  [12, 'MSGRCV'],
  [13, 'MSGGET'],
  [14, 'MSGCTL'],
  [21, 'SHMAT'],
  [22, 'SHMDT'],
  [23, 'SHMGET'],
  [24, 'SHMCTL'],
];
