import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Answer,
  type DecodedCall,
  decodeSystemCall,
  keyOf,
  nameOfCall,
  printSystemCall,
  type Question,
} from './decode.ts';
import { arm64Names, i386Names, x64Names } from './names.ts';
import { hex } from './question.ts';

const HIGH = { stackPointer: '0x7ffc00001000', programCounter: '0x7f0000002000' };
const LOW = { stackPointer: '0xffffd000', programCounter: '0xf7f01549' };
const KINDS_OF_TASK = {
  x64: { architecture: 'x64', names: x64Names(), place: HIGH },
  i386: { architecture: 'x64', names: i386Names(), place: LOW },
  arm64: { architecture: 'arm64', names: arm64Names(), place: HIGH },
} as const;

function decode(name: string, values: readonly (number | bigint)[], task: keyof typeof KINDS_OF_TASK = 'x64') {
  const { architecture, names, place } = KINDS_OF_TASK[task];
  const number = [...names.keys()].find((each) => names.get(each) === name) ?? Number.NaN;
  // What a call does not take is left over from other calls.
  const words = Array.from({ length: 6 }, (_, at) => hex(BigInt.asUintN(64, BigInt(values[at] ?? 0xdead_beefn))));
  return decodeSystemCall({ number, arguments: words, ...place }, architecture);
}

/** What is asked before a call can be printed, by what is answered. */
function questionsOf(call: DecodedCall, answer: (question: Question) => Answer = () => undefined): Question[] {
  const asked = new Map<string, Question>();
  printSystemCall(call, (question) => {
    asked.set(keyOf(question), question);
    return answer(question);
  });
  return [...asked.values()];
}

/** The bytes at addresses; of strings, with the NUL that ends them. */
type Memory = readonly (readonly [address: number, bytes: Buffer | string])[];

/** The call with nothing known but the memory at some addresses, descriptor 3 and the working directory. */
function print(
  name: string,
  values: readonly (number | bigint)[],
  memory: Memory = [],
  task: keyof typeof KINDS_OF_TASK = 'x64',
): string {
  return printSystemCall(decode(name, values, task), (question) => {
    if (question.kind === 'cwd') return '/srv';
    if (question.kind === 'fd') return question.fd === 3 ? 'pipe:[77]' : undefined;
    const found = memory.find(([address]) => BigInt(address) === question.address)?.[1];
    return typeof found === 'string' ? Buffer.from(`${found}\0and what follows`) : found;
  });
}

/** Little-endian bytes: `i32(3)`, `i16(1)`, `i64(600)`. */
const i16 = (...values: number[]) => Buffer.from(new Int16Array(values).buffer);
const i32 = (...values: number[]) => Buffer.from(new Int32Array(values).buffer);
const i64 = (...values: number[]) => Buffer.from(new BigInt64Array(values.map(BigInt)).buffer);
const MEMORY: Memory = [
  [0x10, '/data/f'],
  [0x18, 'f'],
  [0x20, '/data/g'],
  [0x30, i64(10, 0)],
  [0x40, i64(10, 500_000_000)],
  [0x50, i64(10, 250_000)],
  [0x60, Buffer.concat([i16(2), Buffer.of(1, 0xbb, 10, 0, 0, 1), i64(0)])],
  [0x70, Buffer.concat([i32(3), i16(1, 0), i32(4), i16(5, 0)])],
  [0x80, Buffer.of(0b1001)],
  [0x90, Buffer.concat([i16(1, 0, 0, 0), i64(100, 50, 0)])],
  [0xa0, i64(0x1_0002)],
  [0xb0, i64(0xa0, 8)],
];

describe('a system call', () => {
  it.each([
    [
      'signed and unsigned integers, of the bits that the call takes',
      'msgrcv',
      [7n << 32n, 1, 100, -3, 0],
      'msgrcv(0, ..., 100, -3, 0)',
    ],
    ['signals by name', 'kill', [-4711, 15], 'kill(-4711, SIGTERM)'],
    ['buffers as dots', 'write', [-1, 0x1234, 8192], 'write(-1, ..., 8192)'],
    ['no buffer as NULL', 'wait4', [-1, 0, 2, 0], 'wait4(-1, NULL, WSTOPPED, NULL)'],
    ['addresses of mappings', 'munmap', [0x7f00_0000_0000n, 4096], 'munmap(0x7f0000000000, 4096)'],
    [
      'a mapping',
      'mmap',
      [0, 4096, 3, 0x22, 0xffff_ffff, 0],
      'mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0x0)',
    ],
    ['no access by name', 'mprotect', [0x1000, 4096, 0], 'mprotect(0x1000, 4096, PROT_NONE)'],
    ['advice by name', 'madvise', [0x1000, 4096, 4], 'madvise(0x1000, 4096, MADV_DONTNEED)'],
    ['modes in octal', 'mkdir', [0x10, 0o40755], 'mkdir("/data/f", 040755)'],
    ['two paths', 'rename', [0x10, 0x20], 'rename("/data/f", "/data/g")'],
    ['the working directory', 'unlinkat', [0xffff_ff9c, 0x10, 0x200], 'unlinkat(AT_FDCWD, "/data/f", AT_REMOVEDIR)'],
    ['the working directory, sign-extended', 'unlinkat', [-100, 0x10, 0], 'unlinkat(AT_FDCWD, "/data/f", 0)'],
    [
      'the mode of a file that is made',
      'openat',
      [-100, 0x10, 0o101, 0o644],
      'openat(AT_FDCWD, "/data/f", O_WRONLY|O_CREAT, 0644)',
    ],
    [
      'no mode of one that is not',
      'openat',
      [-100, 0x10, 0o2000000, 0o644],
      'openat(AT_FDCWD, "/data/f", O_RDONLY|O_CLOEXEC)',
    ],
    ['the mode of one without a name', 'open', [0x10, 0o20200002, 0], 'open("/data/f", O_RDWR|O_TMPFILE, 0)'],
    ['flags without a name as a number', 'open', [0x10, 0o40000000], 'open("/data/f", O_RDONLY|0x800000)'],
    ['owners', 'chown', [0x10, 0xffff_ffff, 1000], 'chown("/data/f", -1, 1000)'],
    ['offsets', 'pread64', [-1, 1, 10, -1], 'pread64(-1, ..., 10, -1)'],
    ['offsets that come in halves', 'preadv2', [-1, 1, 2, -1, 99, 8], 'preadv2(-1, ..., 2, -1, RWF_NOWAIT)'],
    [
      'a mapping that moves',
      'mremap',
      [16, 32, 64, 5, 0x1000],
      'mremap(0x10, 32, 64, MREMAP_MAYMOVE|MREMAP_DONTUNMAP, 0x1000)',
    ],
    ['one that moves to anywhere', 'mremap', [16, 32, 64, 1, 0x1000], 'mremap(0x10, 32, 64, MREMAP_MAYMOVE)'],
    ['a queue that is made', 'mq_open', [0x10, 0o102, 0o600, 1], 'mq_open("/data/f", O_RDWR|O_CREAT, 0600, ...)'],
    ['one that is not', 'mq_open', [0x10, 2], 'mq_open("/data/f", O_RDWR)'],
    ['no flags', 'tee', [-1, -1, 1, 0], 'tee(-1, -1, 1, 0)'],
    ['flags that have no names here', 'userfaultfd', [0x80800], 'userfaultfd(0x80800)'],
    ['no flags of those', 'userfaultfd', [0], 'userfaultfd(0)'],
    ['whence', 'lseek', [-1, -10, 2], 'lseek(-1, -10, SEEK_END)'],
    ['a lock on a file', 'flock', [-1, 6], 'flock(-1, LOCK_EX|LOCK_NB)'],
    ['a well-known request', 'ioctl', [-1, 0xc0045877, 0], 'ioctl(-1, FIFREEZE, 0x0)'],
    ['another request in hexadecimal', 'ioctl', [-1, 0xc0de0001, 16], 'ioctl(-1, 0xc0de0001, 0x10)'],
    ['only what the command takes', 'fcntl', [-1, 3], 'fcntl(-1, F_GETFL)'],
    ['flags that are set', 'fcntl', [-1, 4, 0o4000], 'fcntl(-1, F_SETFL, O_RDONLY|O_NONBLOCK)'],
    [
      'a futex with its operation',
      'futex',
      [0x7f12_0000_0000n, 128, 2, 0],
      'futex(0x7f1200000000, FUTEX_WAIT|FUTEX_PRIVATE_FLAG, 2, NULL)',
    ],
    [
      'a futex with a point in time',
      'futex',
      [0x1000, 0x189, 2, 0x40, 0, -1],
      'futex(0x1000, FUTEX_WAIT_BITSET|FUTEX_PRIVATE_FLAG|FUTEX_CLOCK_REALTIME, 2, {10.5 s}, FUTEX_BITSET_MATCH_ANY)',
    ],
    ['a futex without what its operation does not take', 'futex', [0x1000, 1, 1], 'futex(0x1000, FUTEX_WAKE, 1)'],
    ['an operation that does not exist in full', 'futex', [16, 99, 1, 2, 3, 4], 'futex(0x10, 0x63, 1, 0x2, 0x3, 0x4)'],
    ['what an epoll is told', 'epoll_ctl', [-1, 1, -2, 0], 'epoll_ctl(-1, EPOLL_CTL_ADD, -2, NULL)'],
    ['a timeout that does not end', 'epoll_wait', [-1, 1, 128, 0xffff_ffff], 'epoll_wait(-1, ..., 128, -1)'],
    [
      'a clock and how long',
      'clock_nanosleep',
      [1, 1, 0x40, 0],
      'clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, {10.5 s}, NULL)',
    ],
    ['a futex that is locked', 'futex', [0x1000, 6, 99, 0x30], 'futex(0x1000, FUTEX_LOCK_PI, {10 s})'],
    ['a clock that has no name', 'clock_gettime', [-6, 1], 'clock_gettime(-6, ...)'],
    ['whole seconds', 'nanosleep', [0x30, 0], 'nanosleep({10 s}, NULL)'],
    ['microseconds', 'select', [0, 0, 0, 0, 0x50], 'select(0, NULL, NULL, NULL, {10.25 s})'],
    ['what a child shares, and its signal', 'clone', [0x4111, 0], 'clone(CLONE_VM|CLONE_VFORK|SIGCHLD, NULL)'],
    ['namespaces', 'unshare', [0x20080], 'unshare(CLONE_NEWTIME|CLONE_NEWNS)'],
    ['what poll waits for', 'poll', [0x70, 2, -1], 'poll([{3<pipe:[77]>, POLLIN}, {4, POLLIN|POLLOUT}], 2, -1)'],
    [
      'what select waits for',
      'pselect6',
      [4, 0x80, 0, 0, 0x40, 0],
      'pselect6(4, [0 3<pipe:[77]>], NULL, NULL, {10.5 s}, NULL)',
    ],
    [
      'a lock on part of a file',
      'fcntl',
      [-1, 7, 0x90],
      'fcntl(-1, F_SETLKW, {F_WRLCK, SEEK_SET, start 100, length 50})',
    ],
    ['the address of a socket', 'connect', [-1, 0x60, 16], 'connect(-1, {AF_INET 10.0.0.1:443}, 16)'],
    ['where it sends to', 'sendto', [-1, 1, 5, 0, 0x60, 16], 'sendto(-1, ..., 5, 0, {AF_INET 10.0.0.1:443}, 16)'],
    ['an address of a length that there is not', 'sendto', [-1, 1, 5, 0, 0x60, -1], 'sendto(-1, ..., 5, 0, 0x60, -1)'],
    [
      'how long ppoll waits, and its signals',
      'ppoll',
      [0x70, 1, 0x40, 0xa0, 8],
      'ppoll([{3<pipe:[77]>, POLLIN}], 1, {10.5 s}, [INT CHLD], 8)',
    ],
    ['no signals', 'ppoll', [0, 0, 0, 0, 8], 'ppoll(NULL, 0, NULL, NULL, 8)'],
    [
      'the signals of pselect6',
      'pselect6',
      [0, 0, 0, 0, 0, 0xb0],
      'pselect6(0, NULL, NULL, NULL, NULL, {[INT CHLD], 8})',
    ],
    ['those of an epoll', 'epoll_pwait', [-1, 1, 8, 50, 0xa0, 8], 'epoll_pwait(-1, ..., 8, 50, [INT CHLD], 8)'],
    [
      'those of an epoll, and how long it waits',
      'epoll_pwait2',
      [-1, 1, 8, 0x40, 0xa0, 8],
      'epoll_pwait2(-1, ..., 8, {10.5 s}, [INT CHLD], 8)',
    ],
    [
      'signals that are waited for',
      'rt_sigtimedwait',
      [0xa0, 1, 0x30, 8],
      'rt_sigtimedwait([INT CHLD], ..., {10 s}, 8)',
    ],
    ['signals that are let through', 'rt_sigsuspend', [0xa0, 8], 'rt_sigsuspend([INT CHLD], 8)'],
    ['those of a descriptor', 'signalfd4', [-1, 0xa0, 8, 0o2000000], 'signalfd4(-1, [INT CHLD], 8, SFD_CLOEXEC)'],
    ['signals of a size that there is not', 'rt_sigsuspend', [0xa0, 1n << 63n], `rt_sigsuspend(0xa0, ${1n << 63n})`],
    ['a socket', 'socket', [10, 0o2000001, 6], 'socket(AF_INET6, SOCK_STREAM|SOCK_CLOEXEC, 6)'],
    ['no address', 'sendto', [-1, 1, 5, 0x4040, 0, 0], 'sendto(-1, ..., 5, MSG_DONTWAIT|MSG_NOSIGNAL, NULL, 0)'],
    [
      'the working directory that a relative path starts from',
      'renameat2',
      [-100, 0x18, -100, 0x20, 0],
      'renameat2(AT_FDCWD</srv>, "f", AT_FDCWD, "/data/g", 0)',
    ],
    ['no directory that a path does not start from', 'openat', [3, 0x18, 0], 'openat(3<pipe:[77]>, "f", O_RDONLY)'],
    ['the directory of a path alone', 'mkdir', [0x18, 0o700], 'mkdir("f" in </srv>, 0700)'],
    ['no path', 'utimensat', [-100, 0, 0, 0], 'utimensat(AT_FDCWD, NULL, NULL, 0)'],
    ['no directory of a text', 'symlinkat', [0x18, -100, 0x10], 'symlinkat("f", AT_FDCWD, "/data/f")'],
    ['a mount', 'mount', [0x10, 0x20, 0, 4097, 0], 'mount("/data/f", "/data/g", NULL, MS_RDONLY|MS_BIND, NULL)'],
    ['no arguments', 'pause', [], 'pause()'],
    ['not what a resumed call was', 'restart_syscall', [1, 2, 3], 'restart_syscall()'],
    [
      'all registers of a call whose arguments are not known',
      'tuxcall',
      [0, 1, 2, 3, 4, 5],
      'tuxcall(0x0, 0x1, 0x2, 0x3, 0x4, 0x5)',
    ],
  ] as const)('is shown with %s', (_, name, values, text) => {
    expect(print(name, values, MEMORY)).toBe(text);
  });

  it('of an unknown number is shown with the number and all registers', () => {
    const call = { number: 999, arguments: ['0x1', '0x2', '0x3', '0x4', '0x5', '0xffffffffffffffff'], ...HIGH };
    const text = 'system call 999(0x1, 0x2, 0x3, 0x4, 0x5, 0xffffffffffffffff)';
    expect(printSystemCall(decodeSystemCall(call, 'x64'), () => undefined)).toBe(text);
    expect(printSystemCall(decodeSystemCall({ ...call, ...LOW }, 'riscv64'), () => undefined)).toBe(text);
    expect(nameOfCall(call, 'x64')).toBeUndefined();
    expect(nameOfCall({ ...call, number: 0 }, 'riscv64')).toBeUndefined();
  });

  it('of arm64 has the numbers and the flags of arm64', () => {
    expect(print('openat', [-100, 0x10, 0o40000], MEMORY, 'arm64')).toBe(
      'openat(AT_FDCWD, "/data/f", O_RDONLY|O_DIRECTORY)',
    );
    expect(print('openat', [-100, 0x10, 0o40000], MEMORY)).toBe('openat(AT_FDCWD, "/data/f", O_RDONLY|O_DIRECT)');
  });
});

describe('a 32-bit task', () => {
  it.each([
    ['read', [3, 1, 100], 'read(3<pipe:[77]>, ..., 100)'],
    ['write', [-1, 1, -1], 'write(-1, ..., 4294967295)'],
    ['_newselect', [0, 0, 0, 0, 0x50], '_newselect(0, NULL, NULL, NULL, {600.25 s})'],
    ['fanotify_mark', [-1, 1, 2, 1, -100, 0], 'fanotify_mark(-1, 0x1, 0x100000002, AT_FDCWD, NULL)'],
    ['lseek', [-1, 0xffff_fff6, 2], 'lseek(-1, -10, SEEK_END)'],
    ['pread64', [-1, 1, 10, 1, 2], 'pread64(-1, ..., 10, 8589934593)'],
    ['preadv2', [-1, 1, 10, -1, -1, 1], 'preadv2(-1, ..., 10, -1, RWF_HIPRI)'],
    ['fallocate', [-1, 1, 1, 0, 2, 1], 'fallocate(-1, FALLOC_FL_KEEP_SIZE, 1, 4294967298)'],
    ['mmap2', [0, 4096, 1, 2, -1, 3], 'mmap2(NULL, 4096, PROT_READ, MAP_PRIVATE, -1, 0x3000)'],
    ['mmap', [16], 'mmap(...)'],
    ['nanosleep', [0x10, 0], 'nanosleep({600.5 s}, NULL)'],
    ['futex', [0x2000, 0, 2, 0x10], 'futex(0x2000, FUTEX_WAIT, 2, {600.5 s})'],
    ['futex_time64', [0x2000, 0, 2, 0x20], 'futex_time64(0x2000, FUTEX_WAIT, 2, {700.5 s})'],
    ['ppoll_time64', [0, 0, 0x20, 0, 8], 'ppoll_time64(NULL, 0, {700.5 s}, NULL, 8)'],
    ['pselect6_time64', [0, 0, 0, 0, 0x20, 0x60], 'pselect6_time64(0, NULL, NULL, NULL, {700.5 s}, {[USR1 34], 8})'],
    ['rt_sigtimedwait', [0x70, 0, 0x10, 8], 'rt_sigtimedwait([USR1 34], NULL, {600.5 s}, 8)'],
    ['sigsuspend', [0, 0, 0xffff_fdff], 'sigsuspend(~[USR1])'],
    ['fcntl64', [-1, 7, 0x30], 'fcntl64(-1, F_SETLKW, {F_WRLCK, SEEK_SET, start 5, length 6})'],
    ['fcntl64', [-1, 14, 0x40], 'fcntl64(-1, F_SETLKW64, {F_RDLCK, SEEK_CUR, start 5, length -6})'],
    ['socketcall', [10, 0x10], 'socketcall(SYS_RECV, ...)'],
    ['ipc', [0x10001, 7, 1, 0, 0x40, 0], 'ipc(SEMOP|0x10000, 7, 0x1, 0x0, 0x40, 0x0)'],
  ] as const)('has its own numbers, arguments and structures: %s', (name, values, text) => {
    const memory: Memory = [
      [0x10, i32(600, 500_000_000)],
      [0x20, i64(700, 500_000_000)],
      [0x30, Buffer.concat([i16(1, 0), i32(5, 6, 0)])],
      [0x40, Buffer.concat([i16(0, 1), i64(5, -6), i32(0)])],
      [0x50, i32(600, 250_000)],
      [0x60, i32(0x70, 8)],
      [0x70, i32(1 << 9, 1 << 1)],
    ];
    expect(print(name, values, memory, 'i386')).toBe(text);
  });

  it('is told by both its stack pointer and its program counter being below 4 GiB', () => {
    const nameAt = (place: Partial<typeof HIGH>, architecture = 'x64') =>
      decodeSystemCall({ number: 1, arguments: [], ...HIGH, ...place }, architecture).name;
    expect(nameAt(LOW)).toBe('exit');
    expect(nameOfCall({ number: 1, arguments: [], ...LOW }, 'x64')).toBe('exit');
    expect(nameOfCall({ number: 1, arguments: [], ...HIGH }, 'x64')).toBe('write');
    expect(nameAt({ programCounter: '0x401000' })).toBe('write');
    expect(nameAt({ stackPointer: '0xffffffff' })).toBe('write');
    expect(nameAt(LOW, 'arm64')).toBe('system call 1 (32-bit)');
    expect(nameAt(LOW, 'riscv64')).toBe('system call 1');
  });
});

describe('what is asked', () => {
  it('is what each descriptor refers to, unless it cannot be one', () => {
    expect(questionsOf(decode('splice', [3, 0, 4, 0, 1, 0]))).toEqual([
      { kind: 'fd', fd: 3 },
      { kind: 'fd', fd: 4 },
    ]);
    expect(questionsOf(decode('close', [0xffff_ffff]))).toEqual([]);
  });

  it('is no more than can be shown', () => {
    const asked = (name: string, values: readonly number[]) => questionsOf(decode(name, values));
    expect(asked('poll', [0x1000, 1_000_000, 0])).toEqual([
      { kind: 'memory', address: 0x1000n, bytes: 64, as: 'pollfds', count: 1_000_000 },
    ]);
    expect(asked('select', [1_000_000, 0x1000, 0, 0, 0])).toMatchObject([
      { bytes: 128, as: 'fdset', count: 1_000_000 },
    ]);
    expect(asked('connect', [-1, 0x1000, 1_000_000])).toMatchObject([{ bytes: 128, as: 'sockaddr' }]);
    expect(asked('connect', [-1, 0x1000, -1])).toEqual([]);
  });
});

describe('anything', () => {
  const word = fc
    .oneof(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), fc.bigInt({ min: 0n, max: 4096n }), fc.constant(0xffff_ff9cn))
    .map(hex);
  const place = fc.oneof(word, fc.constantFrom(...Object.values(HIGH), ...Object.values(LOW)));
  const call = fc.record({
    number: fc.oneof(fc.integer({ min: 0, max: 470 }), fc.integer()),
    arguments: fc.array(word, { minLength: 6, maxLength: 6 }),
    stackPointer: place,
    programCounter: place,
  });
  const answer = fc.oneof(
    fc.uint8Array({ maxLength: 4200 }),
    fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) }),
    fc.constant(undefined),
  );

  it('a task may be in, with anything in its memory, is shown in one line that acts on no terminal', () => {
    fc.assert(
      fc.property(
        call,
        fc.constantFrom('x64', 'arm64', 's390x'),
        fc.array(answer, { minLength: 1 }),
        (call, architecture, answers) => {
          const decoded = decodeSystemCall(call, architecture);
          let asked = 0;
          const text = printSystemCall(decoded, () => answers[asked++ % answers.length]);
          expect(text).toMatch(/^[a-z_][\w ()-]*\(.*\)$/u);
          expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('that is asked for is little, whatever the memory holds', () => {
    fc.assert(
      fc.property(call, fc.constantFrom('x64', 'arm64'), answer, (call, architecture, answer) => {
        const questions = questionsOf(decodeSystemCall(call, architecture), () => answer);
        expect(questions.length).toBeLessThan(40);
        for (const question of questions) {
          if (question.kind === 'fd') expect(question.fd).toBeGreaterThanOrEqual(0);
          if (question.kind === 'memory')
            expect(question.bytes > 0 && question.bytes <= 4096 && question.address > 0n).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
