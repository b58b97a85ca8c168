import { STATES, type State } from '../../model/sample.ts';
import { decodeBytes } from '../../model/text.ts';

/** struct record of bpf/kstack.bpf.c: byte offsets. */
const RECORD = {
  bytes: 0,
  tid: 4,
  pid: 8,
  ppid: 12,
  uid: 16,
  cpu: 20,
  taskFlags: 24,
  state: 28,
  startNs: 32,
  offCpuNs: 40,
  lock: 48,
  lockKind: 56,
  lockOwner: 60,
  mmapOwner: 64,
  vforkParent: 68,
  tracer: 72,
  atWork: 80,
  name: 88,
  fullName: 104,
  description: 144,
  size: 168,
} as const;
const FULL_NAME_BYTES = 40;

/** PF_KTHREAD of include/linux/sched.h. */
const KERNEL_THREAD = 0x00200000;
/** What stands for a holder that is not known. */
const UNKNOWN = 0xffffffff;

const LOCK_KINDS = [undefined, 'mutex', 'semaphore', 'rwsem-read', 'rwsem-write'] as const;

/** What the program says of a task. */
export interface TaskRecord {
  readonly tid: number;
  readonly pid: number;
  readonly ppid: number;
  readonly uid: number;
  readonly cpu: number;
  readonly kernelThread: boolean;
  readonly state: State;
  readonly startNs: number;
  /** Zero where it is not known, and for a task on a CPU. */
  readonly offCpuNs: number;
  readonly comm: string;
  readonly lock:
    | { readonly kind: 'mutex' | 'semaphore' | 'rwsem-read' | 'rwsem-write'; readonly address: bigint; readonly owner: number }
    | undefined;
  /** TID of the thread that holds the process's mmap lock for writing; `unknown` where it is held. */
  readonly mmapOwner: number | 'unknown' | undefined;
  /** TID of the thread that waits for this task to let go of the memory they share. */
  readonly vforkParent: number;
  /** TID. */
  readonly tracer: number;
  /** The addresses of its stack, innermost first, 8 bytes each, as text to look them up by; empty where it has none. */
  readonly addresses: string;
}

/** Names by their bytes: of thousands of tasks, most share a few. */
const names = new Map<string, string>();
const MOST_NAMES = 10_000;

/** Reads the records that the program wrote. @throws Error where they are not as both sides have agreed. */
export function* readRecords(bytes: Buffer): Generator<TaskRecord> {
  for (let at = 0; at < bytes.length; ) {
    const length = at + RECORD.size <= bytes.length ? bytes.readUInt32LE(at) : 0;
    if (length < RECORD.size || at + length > bytes.length) throw new Error('the BPF program wrote a record of another form');
    yield readRecord(bytes, at, length);
    at += length;
  }
}

function readRecord(bytes: Buffer, at: number, length: number): TaskRecord {
  const uint32 = (offset: number) => bytes.readUInt32LE(at + offset);
  const state = STATES[uint32(RECORD.state)];
  if (state === undefined) throw new Error('the BPF program wrote a state that there is not');
  const kind = LOCK_KINDS[uint32(RECORD.lockKind)];
  const mmapOwner = uint32(RECORD.mmapOwner);
  return {
    tid: uint32(RECORD.tid),
    pid: uint32(RECORD.pid),
    ppid: uint32(RECORD.ppid),
    uid: uint32(RECORD.uid),
    cpu: uint32(RECORD.cpu),
    kernelThread: (uint32(RECORD.taskFlags) & KERNEL_THREAD) !== 0,
    state,
    startNs: uint64(bytes, at + RECORD.startNs),
    offCpuNs: uint64(bytes, at + RECORD.offCpuNs),
    comm: nameOf(bytes, at),
    lock: kind && { kind, address: bytes.readBigUInt64LE(at + RECORD.lock), owner: uint32(RECORD.lockOwner) },
    mmapOwner: mmapOwner === 0 ? undefined : mmapOwner === UNKNOWN ? 'unknown' : mmapOwner,
    vforkParent: uint32(RECORD.vforkParent),
    tracer: uint32(RECORD.tracer),
    addresses: bytes.toString('latin1', at + RECORD.size, at + length),
  };
}

/** Nanoseconds since boot stay exact for a hundred days, and right to a microsecond for longer than any host is up. */
function uint64(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32;
}

/** The name as /proc/PID/stat has it: that of a kernel thread may be longer than 15 bytes, and a worker's goes on with what it does (`+`) or did last (`-`). */
function nameOf(bytes: Buffer, at: number): string {
  const key = bytes.toString('latin1', at + RECORD.atWork, at + RECORD.size);
  let name = names.get(key);
  if (name === undefined) {
    if (names.size > MOST_NAMES) names.clear();
    const text = (offset: number, end: number) => {
      const zero = bytes.indexOf(0, at + offset);
      return decodeBytes(bytes.subarray(at + offset, zero < 0 ? at + end : Math.min(zero, at + end)));
    };
    const long = text(RECORD.fullName, RECORD.fullName + FULL_NAME_BYTES);
    const description = text(RECORD.description, RECORD.size);
    name = long === '' ? text(RECORD.name, RECORD.fullName) : long;
    if (description !== '') name += (bytes.readUInt32LE(at + RECORD.atWork) !== 0 ? '+' : '-') + description;
    names.set(key, name);
  }
  return name;
}
