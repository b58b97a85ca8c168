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
/** Of a name with what follows it: proc_task_name of fs/proc/array.c has room for 64 bytes, one of them a zero. */
const MOST_NAME_BYTES = 63;
const NOT_UNWOUND = -4096;

/** PF_KTHREAD of include/linux/sched.h. */
const KERNEL_THREAD = 0x00200000;
/** What stands for a holder that is not known. */
const UNKNOWN = 0xffffffff;
/** A tick of /proc/PID/stat's times in nanoseconds: USER_HZ is 100. */
const TICK_NS = 1e7;

const LOCK_KINDS = [undefined, 'mutex', 'semaphore', 'rwsem-read', 'rwsem-write'] as const;

/**
 * What the program says of a task. As long as nothing of it changes, it is the same object in all looks that build on
 * each other.
 */
export interface TaskRecord {
  readonly tid: number;
  readonly pid: number;
  readonly uid: number;
  /** The number of its process in the PID namespace of the process. */
  readonly namespacePid: number;
  /** As /proc/PID/stat would have it, but for `threads`, which is not known and one here. */
  readonly stat: Stat;
  readonly startNs: number;
  /**
   * When it last got a CPU, by the scheduler's clock, and how often it has left one: while it is on none and both stay
   * the same, its stack does too.
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
  /** TID of the thread that holds the process's mmap lock for writing; `unknown` where it is held. */
  readonly mmapOwner: number | 'unknown' | undefined;
  /** TID of the thread that waits for this task to let go of the memory they share. */
  readonly vforkParent: number;
  /** TID. */
  readonly tracer: number;
  /** The addresses of its stack, innermost first, 8 bytes each, as text to look them up by; empty where it has none. */
  readonly addresses: string;
}

/** Takes what was read: a record, or the TID of a task whose stack was taken for known and is not. */
export interface RecordTaker {
  /** Names by their bytes: of thousands of tasks, most share a few. */
  readonly names: Map<string, string>;
  /** What an earlier pass found of the task with that number. */
  recall(tid: number): TaskRecord | undefined;
  take(record: TaskRecord): void;
  miss(tid: number): void;
  /** The time by the scheduler's clock, told with each task that is on no CPU. */
  tell(nowNs: number): void;
}

/**
 * Reads the records that the program wrote, in bytes that begin at a multiple of 8.
 * @throws Error where they are not as both sides have agreed
 */
export function readRecords(bytes: Buffer, taker: RecordTaker): void {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  for (let at = 0; at < words.length; ) {
    const length = (words[at + RECORD.bytes] ?? 0) >> 2;
    if (length < RECORD.words || at + length > words.length)
      throw new Error('the BPF program wrote a record of another form');
    readRecord(bytes, words, at, length, taker);
    at += length;
  }
}

function readRecord(bytes: Buffer, words: Uint32Array, at: number, length: number, taker: RecordTaker): void {
  const tid = wordAt(words, at + RECORD.tid);
  const arrivalNs = uint64(words, at + RECORD.arrivalNs);
  const offCpuNs = uint64(words, at + RECORD.offCpuNs);
  if (offCpuNs > 0) taker.tell(arrivalNs + offCpuNs);
  const state = STATES[wordAt(words, at + RECORD.state)];
  if (state === undefined) throw new Error('the BPF program wrote a state that there is not');
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
  // What a kernel thread is called goes on behind its record, where its stack was not known.
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
    // That other threads could hold its mmap lock is known from the lock itself.
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

function wordAt(words: Uint32Array, at: number): number {
  return words[at] ?? 0;
}

function holderOf(tid: number): TaskRecord['mmapOwner'] {
  return tid === 0 ? undefined : tid === UNKNOWN ? 'unknown' : tid;
}

/** Nanoseconds since boot stay exact for a hundred days, and right to a microsecond for longer than any host is up. */
function uint64(words: Uint32Array, at: number): number {
  return (words[at] ?? 0) + (words[at + 1] ?? 0) * 2 ** 32;
}

function hexadecimal(words: Uint32Array, at: number): string {
  return ((BigInt(words[at + 1] ?? 0) << 32n) | BigInt(words[at] ?? 0)).toString(16);
}

const MOST_NAMES = 10_000;

/**
 * The name as /proc/PID/stat has it: that of a kernel thread may be longer than 15 bytes, and a worker's goes on with
 * what it does (`+`) or did last (`-`).
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
