import type { LockWait } from '../../../model/sample.ts';
import { STATES } from '../../../model/task.ts';
import { decodeBytes } from '../../../native/decode.ts';
import type { Stat } from '../procfs/stat.ts';

/** struct record of bpf/records.h: offsets in 32-bit words. */
const RECORD = {
  bytes: 0,
  tid: 1,
  pid: 2,
  ppid: 3,
  uid: 4,
  cpu: 5,
  taskFlags: 6,
  state: 7,
  startNs: 8,
  arrivalNs: 10,
  offCpuNs: 12,
  lock: 14,
  lockKind: 16,
  lockOwner: 17,
  mmapOwner: 18,
  vforkParent: 19,
  tracer: 20,
  switches: 21,
  frames: 22,
  namespacePid: 23,
  name: 24,
  words: 28,
} as const;
/** struct kernel_name, in bytes. */
const KERNEL_NAME = { full: 0, description: 64, atWork: 96, size: 104 } as const;
/** The limit for a name with its description: proc_task_name of fs/proc/array.c has 64 bytes, one of them the NUL. */
const MOST_NAME_BYTES = 63;
const NOT_UNWOUND = -4096;

/** PF_KTHREAD of include/linux/sched.h. */
const KERNEL_THREAD = 0x00200000;
/** Stands for an unknown holder. */
const UNKNOWN = 0xffffffff;
/** A tick of /proc/PID/stat's times in nanoseconds: USER_HZ is 100. */
const TICK_NS = 1e7;

const LOCK_KINDS = [undefined, 'mutex', 'semaphore', 'rwsem-read', 'rwsem-write'] as const;

/**
 * A task as the program reported it. While nothing changes, passes that build on each other return the same object.
 */
export interface TaskRecord {
  readonly tid: number;
  readonly pid: number;
  readonly uid: number;
  /** The process's PID in its own PID namespace. */
  readonly namespacePid: number;
  /** As in /proc/PID/stat, except that `threads` is unknown and always 1. */
  readonly stat: Stat;
  readonly startNs: number;
  /**
   * When it last got a CPU, by the scheduler's clock, and how often it has left one. While it is off the CPU and
   * neither changes, its stack does not change either.
   */
  readonly arrivalNs: number;
  readonly switches: number;
  readonly onCpu: boolean;
  readonly lock:
    | {
        readonly kind: 'mutex' | 'semaphore' | 'rwsem-read' | 'rwsem-write';
        readonly address: string;
        readonly owner: number;
      }
    | undefined;
  /** TID of the thread that holds the process's mmap lock for writing; `unknown` if the kernel does not name it. */
  readonly mmapOwner: number | 'unknown' | undefined;
  /** TID of the vfork parent that waits until this task releases the shared memory. */
  readonly vforkParent: number;
  /** TID. */
  readonly tracer: number;
  /** The addresses of its stack, innermost first, 8 bytes each, as latin1 text; empty if it has none. */
  readonly addresses: string;
}

/** Receives what was read: a record, or the TID of a task whose stack was wrongly assumed to be known. */
export interface RecordTaker {
  /** Names by their bytes. Thousands of tasks share a few names. */
  readonly names: Map<string, string>;
  /** The record that the previous pass found for the TID. */
  recall(tid: number): TaskRecord | undefined;
  take(record: TaskRecord): void;
  miss(tid: number): void;
  /** Gets the time by the scheduler's clock, with each task that is off the CPU. */
  noteTime(nowNs: number): void;
}

/**
 * Reads the records that the program wrote. `bytes` must be aligned to 8.
 * @throws Error if a record is malformed
 */
export function readRecords(bytes: Buffer, taker: RecordTaker): void {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  for (let at = 0; at < words.length; ) {
    const length = (words[at + RECORD.bytes] ?? 0) >> 2;
    if (length < RECORD.words || at + length > words.length)
      throw new Error('the BPF program wrote a malformed record');
    readRecord(bytes, words, at, length, taker);
    at += length;
  }
}

function readRecord(bytes: Buffer, words: Uint32Array, at: number, length: number, taker: RecordTaker): void {
  const tid = wordAt(words, at + RECORD.tid);
  const arrivalNs = uint64(words, at + RECORD.arrivalNs);
  const offCpuNs = uint64(words, at + RECORD.offCpuNs);
  if (offCpuNs > 0) taker.noteTime(arrivalNs + offCpuNs);
  const state = STATES[wordAt(words, at + RECORD.state)];
  if (state === undefined) throw new Error('the BPF program wrote an unknown state');
  const startNs = uint64(words, at + RECORD.startNs);
  const switches = wordAt(words, at + RECORD.switches);
  const known = (wordAt(words, at + RECORD.frames) | 0) === NOT_UNWOUND;
  const before = known ? taker.recall(tid) : undefined;
  if (known && (before?.startNs !== startNs || before.arrivalNs !== arrivalNs || before.switches !== switches)) {
    taker.miss(tid);
    return;
  }
  const kernelThread = (wordAt(words, at + RECORD.taskFlags) & KERNEL_THREAD) !== 0;
  const pid = wordAt(words, at + RECORD.pid);
  const ppid = wordAt(words, at + RECORD.ppid);
  const cpu = wordAt(words, at + RECORD.cpu);
  const kind = LOCK_KINDS[wordAt(words, at + RECORD.lockKind)];
  const mmapOwner = holderOf(wordAt(words, at + RECORD.mmapOwner));
  const vforkParent = wordAt(words, at + RECORD.vforkParent);
  const tracer = wordAt(words, at + RECORD.tracer);
  // A kernel thread's record is followed by more of its name, unless its stack was known.
  const named = kernelThread && before === undefined;
  const comm = kernelThread && before !== undefined ? before.stat.comm : nameOf(bytes, at, named, taker.names);
  const stat = before?.stat;
  if (
    before !== undefined &&
    stat?.state === state &&
    stat.ppid === ppid &&
    stat.comm === comm &&
    stat.cpu === cpu &&
    kind === undefined &&
    before.lock === undefined &&
    before.mmapOwner === mmapOwner &&
    before.vforkParent === vforkParent &&
    before.tracer === tracer
  ) {
    taker.take(before);
    return;
  }
  taker.take({
    tid,
    pid,
    uid: before === undefined ? wordAt(words, at + RECORD.uid) : before.uid,
    namespacePid: before === undefined ? wordAt(words, at + RECORD.namespacePid) || pid : before.namespacePid,
    // `threads` only decides whether another thread may hold the mmap lock, which `mmapOwner` answers.
    stat: { comm, state, ppid, kernelThread, threads: 1, startTicks: Math.floor(startNs / TICK_NS), cpu },
    startNs,
    arrivalNs,
    switches,
    onCpu: offCpuNs === 0,
    lock: kind && { kind, address: hexadecimal(words, at + RECORD.lock), owner: wordAt(words, at + RECORD.lockOwner) },
    mmapOwner,
    vforkParent,
    tracer,
    addresses:
      before === undefined
        ? bytes.toString('latin1', at * 4 + RECORD.words * 4 + (named ? KERNEL_NAME.size : 0), (at + length) * 4)
        : before.addresses,
  });
}

export function lockWait({ kind, address, owner }: NonNullable<TaskRecord['lock']>): LockWait {
  return { kind, address, ...(owner > 0 && { owner }) };
}

function wordAt(words: Uint32Array, at: number): number {
  return words[at] ?? 0;
}

function holderOf(tid: number): TaskRecord['mmapOwner'] {
  return tid === 0 ? undefined : tid === UNKNOWN ? 'unknown' : tid;
}

/** Nanoseconds since boot are exact for a hundred days, then right to a microsecond for longer than any host is up. */
function uint64(words: Uint32Array, at: number): number {
  return (words[at] ?? 0) + (words[at + 1] ?? 0) * 2 ** 32;
}

function hexadecimal(words: Uint32Array, at: number): string {
  return ((BigInt(words[at + 1] ?? 0) << 32n) | BigInt(words[at] ?? 0)).toString(16);
}

const MOST_NAMES = 10_000;

/**
 * The name as in /proc/PID/stat. A kernel thread's may be longer than 15 bytes, and a worker's ends with what it does
 * (`+`) or did last (`-`).
 */
function nameOf(bytes: Buffer, at: number, named: boolean, names: Map<string, string>): string {
  const nameAt = (at + RECORD.name) * 4;
  const more = (at + RECORD.words) * 4;
  const key = bytes.toString('latin1', nameAt, named ? more + KERNEL_NAME.size : more);
  let name = names.get(key);
  if (name === undefined) {
    if (names.size > MOST_NAMES) names.clear();
    const text = (from: number, end: number) => {
      const zero = bytes.indexOf(0, from);
      return decodeBytes(bytes.subarray(from, zero < 0 ? end : Math.min(zero, end)));
    };
    name = text(nameAt, more);
    if (named) {
      const long = text(more + KERNEL_NAME.full, more + KERNEL_NAME.description);
      const description = text(more + KERNEL_NAME.description, more + KERNEL_NAME.atWork);
      if (long !== '') name = long;
      if (description !== '') name += (bytes.readUInt32LE(more + KERNEL_NAME.atWork) !== 0 ? '+' : '-') + description;
      name = name.slice(0, MOST_NAME_BYTES);
    }
    names.set(key, name);
  }
  return name;
}
