import type { Evidence } from '../src/model/edge.ts';
import type { Observation, Sample } from '../src/model/sample.ts';
import { type Frame, parseFrames, type Stack } from '../src/model/stack.ts';
import type { SystemCall } from '../src/model/system-call.ts';
import type { Task } from '../src/model/task.ts';

/** What a name may hold to act on a terminal, a log, a folded stack or a reader of any of them. */
export const HOSTILE = 'a;b\n\x1b]\u202e\udcff';

let nextId = 0;

function stackOf(frames: readonly Frame[]): Stack {
  return { id: nextId++, frames };
}

/** As /proc/PID/stack prints it. */
function printed(...lines: string[]): Stack {
  return stackOf(parseFrames(lines.map((line) => `[<0>] ${line}`).join('\n')));
}

const STACKS = {
  empty: stackOf([]),
  epoll: printed('ep_poll+0x315/0x390', 'do_epoll_wait+0xd0/0xf0', 'do_syscall_64+0x5d/0xc0'),
  kthreadd: printed('kthreadd+0x2c1/0x300', 'ret_from_fork+0x31/0x50', 'ret_from_fork_asm+0x1a/0x30'),
  mutex: printed('__mutex_lock.constprop.0+0x3a0/0x7f0', 'xfs_log_force+0x84/0x2c0 [xfs]', 'do_syscall_64+0x5d/0xc0'),
  rwsem: printed('rwsem_down_write_slowpath+0x2a4/0x6d0', 'down_write_killable+0x6b/0x80', 'vm_mmap_pgoff+0xd8/0x1c0'),
  vfork: printed('kernel_clone+0x3a2/0x450', '__do_sys_vfork+0x4d/0x60', 'do_syscall_64+0x5d/0xc0'),
  traced: printed('ptrace_stop.part.0+0x1a3/0x2d0', 'get_signal+0x8a1/0x9c0', 'do_syscall_64+0x5d/0xc0'),
  read: printed('folio_wait_bit_common+0x13d/0x350', 'filemap_fault+0x6a2/0xb00', 'asm_exc_page_fault+0x22/0x30'),
  hostile: printed('evil\x1b[31m;f\udcff+0x1/0x2 [m\u202e]', '0xffffffffc0123456'),
  /** As perf, a decoder and a log print them; the last frame is nothing known. */
  foreign: stackOf([
    { symbol: 'schedule', offset: 41, raw: 'ffffffff81a5d5d1 schedule+0x29 ([kernel.kallsyms])' },
    { symbol: 'io_schedule', raw: 'io_schedule (kernel/sched/core.c:9044)' },
    { symbol: 'wait_on_page_bit', offset: 5, size: 16, module: 'm', raw: '? wait_on_page_bit+0x5/0x10 [m]' },
    { symbol: 'what \x07 is this', raw: 'what \x07 is this' },
  ]),
} as const;

const BOOT = '6f1c1a52-9d4e-4d0c-8f3a-0123456789ab';
const CONTAINER = '0123456789abcdef'.repeat(4);
const POD = '12345678-1234-1234-1234-123456789abc';

/** The main thread of a process that root started from a shell, unless more is said. */
function task(tid: number, more: Partial<Task> = {}): Task {
  const isRoot = more.uid === undefined;
  return {
    id: { bootId: BOOT, tid, startTicks: tid * 100 },
    pid: tid,
    ppid: 1,
    comm: `t${tid}`,
    commandLine: { value: `/usr/bin/t${tid}\0-v\0` },
    kernelThread: false,
    uid: { value: 0 },
    ...(isRoot && { user: 'root' }),
    cgroup: { value: '/' },
    ...more,
  };
}

/** A task in S in a system call that was not looked at, unless more is said. */
function seen(task: Task, stack: Stack, more: Partial<Observation> = {}): Observation {
  return { task, state: 'S', stack: { value: stack }, cpu: 0, systemCall: { value: READ }, ...more };
}

const WORDS = ['0x3', '0x7ffd00001000', '0x2000', '0x0', '0x0', '0x0'];
const PLACE = { stackPointer: '0x7ffd00000ff8', programCounter: '0x7f1df8a4f1ca' };
const READ: SystemCall = { number: 0, arguments: WORDS, ...PLACE, name: 'read' };
const LOOKED_AT = { value: { ...READ, text: 'read(3</var/lib/db/wal>, ..., 8192)' } };
const UNNAMED = { value: { number: 999, arguments: WORDS, ...PLACE } };
const RUNNING = { value: 'running' } as const;
const NONE = { value: 'none' } as const;
const KERNEL = { commandLine: { value: '' }, kernelThread: true, ppid: 2 } as const;

const MUTEX = 'ffff8881001a2b40';

/** A task whose stat hung: its status tells its name, its state and its parent. */
const STUCK = { unread: 'timeout' } as const;
const STATUS_ONLY: Observation = {
  task: {
    id: { bootId: BOOT, tid: 624 },
    pid: 624,
    ppid: 1,
    comm: 'execve-stuck',
    commandLine: STUCK,
    kernelThread: false,
    uid: STUCK,
    cgroup: { value: '/system.slice/db.service' },
  },
  state: 'D',
  stack: STUCK,
  systemCall: STUCK,
  wchan: 'do_close_execat',
};

const MALFORMED_STATUS = {
  unread: 'malformed',
  detail: '/proc/625/status: Uid: "\\u001b[31m" is no number',
} as const;

const CALL: Evidence = { place: '/proc/612/syscall', text: 'read(3</mnt/loop/file>, ..., 8192)' };
const MOUNT: Evidence = { place: '/proc/self/mountinfo', text: '45 24 7:0 / /mnt/loop rw - ext4 /dev/loop0 rw' };

/** By the program in the kernel, which tells who holds what. */
const BY_BPF: Sample = {
  timeMs: Date.UTC(2026, 10, 25, 2, 9, 0, 123),
  host: 'db1',
  bootId: { value: BOOT },
  kernel: '6.18.0-1-amd64',
  architecture: 'x64',
  bootTimeSeconds: Date.UTC(2026, 10, 24) / 1000,
  ticksPerSecond: 100,
  source: { name: 'bpf' },
  threads: false,
  fields: ['uid', 'cgroup', 'systemCall'],
  observations: [
    seen(task(1, { comm: 'systemd', ppid: 0, cgroup: { value: '/init.scope' } }), STACKS.epoll, {
      facts: { offCpuMs: 12 },
      systemCall: { value: { ...READ, number: 232, name: 'epoll_wait', text: 'epoll_wait(4, ..., 16, -1)' } },
    }),
    seen(task(2, { ...KERNEL, comm: 'kthreadd', ppid: 0 }), STACKS.kthreadd, {
      systemCall: NONE,
      facts: { offCpuMs: 7_230_000 },
    }),
    // Each waits for what the other holds.
    seen(task(501, { comm: 'postgres' }), STACKS.mutex, {
      state: 'D',
      systemCall: LOOKED_AT,
      facts: { offCpuMs: 252_000, lock: { kind: 'mutex', address: MUTEX, owner: 502 } },
    }),
    seen(task(502, { comm: 'postgres' }), STACKS.rwsem, {
      state: 'D',
      systemCall: UNNAMED,
      facts: { offCpuMs: 251_000, lock: { kind: 'rwsem-write', address: 'ffff8881001a2c00', owner: 501 } },
    }),
    // One holder is not selected, one was never seen, of one lock nobody knows the owner.
    seen(task(503), STACKS.mutex, {
      state: 'D',
      systemCall: LOOKED_AT,
      cpu: 1,
      facts: { offCpuMs: 3_200, lock: { kind: 'mutex', address: 'ffff8881001a2d00', owner: 900 } },
    }),
    seen(task(504), STACKS.mutex, {
      state: 'D',
      cpu: 3,
      facts: { offCpuMs: 3_100, lock: { kind: 'semaphore', address: 'ffff8881001a2e00', owner: 901 } },
    }),
    seen(task(505), STACKS.rwsem, { state: 'D', facts: { lock: { kind: 'rwsem-read', address: 'ffff8881001a2f00' } } }),
    seen(task(510, { comm: 'make' }), STACKS.vfork, { state: 'D', facts: { offCpuMs: 0 } }),
    seen(task(511, { comm: 'make', ppid: 510 }), STACKS.epoll, { facts: { offCpuMs: 1, vforkParent: 510 } }),
    seen(task(520), STACKS.traced, { state: 't', facts: { offCpuMs: 60_000, tracer: 521 } }),
    seen(task(521, { comm: 'gdb', cgroup: { value: '' } }), STACKS.epoll, { facts: {} }),
    seen(task(600, { comm: 'defunct', commandLine: { value: '' }, uid: { value: 4711 } }), STACKS.empty, {
      state: 'Z',
      systemCall: NONE,
    }),
    seen(task(610, { comm: 'spin' }), STACKS.empty, { state: 'R', systemCall: RUNNING }),
    seen(task(611, { comm: 'woken' }), STACKS.epoll, { state: 'R', systemCall: RUNNING, cpu: 2 }),
    seen(task(612, { comm: 'mapped' }), STACKS.read, { state: 'D', systemCall: NONE, facts: { offCpuMs: 90_000 } }),
    seen(
      task(620, {
        comm: HOSTILE,
        commandLine: { value: `${HOSTILE}\0\0 \u009b2J\0--\ud83d\ude00\0` },
        cgroup: { value: `/user.slice/\x1b]\u202e\udcff` },
      }),
      STACKS.hostile,
      { state: 'D', wchan: `w${HOSTILE}` },
    ),
    seen(
      task(621, { comm: 'java', commandLine: { value: 'java\0-cp\0/usr/share/a.jar:/usr/sha', cut: true } }),
      STACKS.epoll,
    ),
    seen(task(622, { commandLine: { unread: 'locked' } }), STACKS.epoll, { facts: { mmapLockOwner: 'unknown' } }),
    {
      ...seen(
        task(623, { commandLine: { unread: 'skipped' }, uid: { unread: 'denied' }, cgroup: { unread: 'EIO' } }),
        STACKS.empty,
      ),
      state: 'D',
      stack: { unread: 'denied' },
      systemCall: { unread: 'denied' },
      facts: { mmapLockOwner: 622 },
    },
    STATUS_ONLY,
    seen(task(625, { uid: MALFORMED_STATUS, cgroup: MALFORMED_STATUS }), STACKS.epoll, {
      systemCall: { unread: 'EAGAIN' },
    }),
    seen(
      task(630, { comm: 'app', cgroup: { value: `/kubepods/pod${POD}/cri-containerd-${CONTAINER}.scope` } }),
      STACKS.epoll,
    ),
    seen(task(631, { comm: 'app', cgroup: { value: '/machine.slice/machine-web\\x1b.scope' } }), STACKS.epoll),
    seen(task(632, { comm: 'worker', cgroup: { value: '/system.slice/w.service' } }), STACKS.epoll, { cpu: 0 }),
    seen(task(633, { comm: 'worker', cgroup: { value: '/system.slice/w.service' } }), STACKS.epoll, { cpu: 1 }),
    seen(task(634, { comm: 'worker', cgroup: { value: '/system.slice/w.service' } }), STACKS.epoll, { cpu: 5 }),
    seen(task(999, { comm: 'kstack', own: true }), STACKS.empty, { state: 'R', systemCall: RUNNING }),
  ],
  holders: [
    seen(task(900, { comm: `holder\x1b` }), STACKS.epoll, { facts: { offCpuMs: 1_000 } }),
    {
      ...seen(task(902, { commandLine: { unread: 'timeout' } }), STACKS.empty),
      stack: { unread: 'timeout' },
      wchan: 'jbd2_log_wait_commit',
    },
  ],
  edges: [
    // A page of a file on a loop device, whose file lies on a file system that a daemon serves.
    { from: 612, to: 'mount 45', by: 'mount', inferred: true, evidence: [CALL, MOUNT] },
    { from: 'mount 45', to: 'device 7:0', by: 'beneath', evidence: [MOUNT] },
    { from: 'device 7:0', to: 'mount 44', by: 'backing-file', evidence: [] },
    {
      from: 'mount 44',
      to: 625,
      by: 'served-by',
      evidence: [{ ...CALL, timeMs: Date.UTC(2026, 10, 25, 2, 9, 0, 456) }],
    },
    // Names that anybody may have chosen, of a device that is suspended.
    { from: 620, to: `device ${HOSTILE}`, by: 'device', inferred: true, evidence: [{ place: HOSTILE, text: HOSTILE }] },
    // Any of several is enough: no deadlock, though one of them waits for the waiter.
    { from: 632, to: 633, by: 'pipe-writer', any: true, inferred: true, evidence: [] },
    { from: 632, to: 634, by: 'pipe-writer', any: true, inferred: true, evidence: [] },
    { from: 633, to: 632, by: 'pipe-reader', inferred: true, evidence: [] },
    // Each waits for the other, as far as one can infer.
    { from: 630, to: 'file 8:1', by: 'mount', evidence: [CALL] },
    { from: 'file 8:1', to: 631, by: 'commit', inferred: true, evidence: [CALL] },
    {
      from: 631,
      to: 630,
      by: 'flock',
      evidence: [{ place: '/proc/locks', text: '1: FLOCK  ADVISORY  WRITE 630 fe:00:1 0 EOF' }],
    },
    // Of a task that was never seen; and what facts have told already.
    { from: 521, to: 4243, by: 'posix-lock', evidence: [] },
    { from: 503, to: 900, by: 'mutex', evidence: [] },
  ],
  resources: [
    { key: 'mount 45', kind: 'mount', name: '/mnt/loop', evidence: [MOUNT] },
    {
      key: 'device 7:0',
      kind: 'device',
      name: 'loop0',
      condition: 'completed nothing',
      inferred: true,
      evidence: [CALL],
    },
    { key: 'mount 44', kind: 'mount', name: `/mnt/${HOSTILE}`, evidence: [] },
    { key: 'file 8:1', kind: 'file', name: 'sda1', evidence: [] },
    {
      key: `device ${HOSTILE}`,
      kind: 'device',
      name: `dm ${HOSTILE}`,
      condition: `is suspended ${HOSTILE}`,
      hangs: true,
      evidence: [{ place: HOSTILE, text: HOSTILE }],
    },
  ],
  leftOut: { threads: 3, idle: 5, blocked: 1 },
  unread: [
    { tid: 0, what: 'processes', why: 'hidden' },
    { tid: 0, what: 'namespaces', why: 'hidden', detail: '/proc is of another one' },
    { tid: 0, what: 'edges', why: 'timeout' },
    { tid: 4242, what: 'task', why: 'gone' },
    { tid: 624, pid: 624, comm: 'execve-stuck', state: 'D', what: 'task', why: 'timeout' },
    { tid: 626, pid: 626, what: 'threads', why: 'ENOMEM' },
    { tid: 627, pid: 627, comm: HOSTILE, state: 'S', what: 'uid', why: 'malformed', detail: MALFORMED_STATUS.detail },
  ],
  events: [
    {
      timeMs: Date.UTC(2026, 10, 25, 2, 8, 58, 7),
      uptimeSeconds: 93_538.000217,
      kind: 'hung-task',
      text: `INFO: task ${HOSTILE}:620 blocked for more than 120 seconds.`,
    },
    { timeMs: Date.UTC(2026, 10, 25, 2, 9, 0, 123), kind: 'trigger', text: 'blocked>5 for 10s: 9 blocked tasks' },
  ],
  pressure: { cpu: { some: 12.5 }, io: { some: 99.01, full: 97.3 }, memory: { some: 0, full: 0 } },
};

/** A thread of process 700; the files of threads tell less here. */
function thread(tid: number, comm: string, processName?: string): Task {
  const named = processName === undefined ? {} : { processName };
  const id = { tid, startTicks: 70_000 + tid };
  return { id, pid: 700, ppid: 1, comm, commandLine: { value: 'server\0' }, kernelThread: false, ...named };
}

/** By /proc alone, of threads, a minute later; stacks of before are the same objects. */
const BY_PROCFS: Sample = {
  timeMs: Date.UTC(2026, 10, 25, 2, 10, 0, 0),
  host: `db\u202e 1`,
  bootId: { unread: 'denied' },
  kernel: '6.18.0-1-amd64',
  architecture: 'arm64',
  bootTimeSeconds: Date.UTC(2026, 10, 24) / 1000,
  ticksPerSecond: 100,
  source: { name: 'procfs', why: 'bpf unavailable: there is no \x1b libbpf.so.1' },
  threads: true,
  fields: [],
  observations: [
    { task: thread(700, 'server'), state: 'S', stack: { value: STACKS.epoll }, cpu: 0 },
    { task: thread(701, 'server', 'server'), state: 'S', stack: { value: STACKS.epoll }, cpu: 1 },
    { task: thread(702, 'flusher', 'server'), state: 'D', stack: { value: STACKS.mutex }, cpu: 0 },
    { task: thread(703, HOSTILE, `p${HOSTILE}`), state: 'D', stack: { value: STACKS.mutex } },
    { task: thread(704, 'orphan'), state: 'I', stack: { value: STACKS.empty } },
  ],
  holders: [],
  edges: [{ from: 702, to: 703, by: 'futex', inferred: true, evidence: [{ place: 'the futex', text: '703' }] }],
  leftOut: {},
  unread: [],
};

const NOT_TOLD = { unread: 'notTold' } as const;

/** A text that tells no more than stacks. */
const BY_TEXT: Sample = {
  source: { name: 'text' },
  threads: true,
  fields: [],
  observations: [
    { task: { id: {}, commandLine: NOT_TOLD }, stack: { value: STACKS.foreign } },
    { task: { id: { tid: 0 }, comm: 'swapper/0', commandLine: NOT_TOLD }, state: 'P', stack: { value: STACKS.epoll } },
    { task: { id: { tid: 9 }, pid: 8, commandLine: NOT_TOLD }, state: 'X', stack: { value: STACKS.empty } },
  ],
  holders: [],
  leftOut: { guessedFrames: 4, lines: 1 },
  unread: [],
};

/** A kernel log, of which nothing is left but when it was. */
const OF_NOTHING: Sample = {
  uptimeSeconds: 4711.25,
  host: 'db2',
  source: { name: 'text' },
  threads: true,
  fields: [],
  observations: [],
  holders: [],
  leftOut: { lines: 2 },
  unread: [],
  events: [{ uptimeSeconds: 4711.25, kind: 'io-error', text: 'I/O error, dev sda, sector 2048' }],
};

/** A stream of samples with everything in it that a sample may have, and that may be missing. */
export const ODD_SAMPLES: readonly Sample[] = [BY_BPF, BY_PROCFS, BY_TEXT, OF_NOTHING];
