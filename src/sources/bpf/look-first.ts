import type { KernelFacts } from '../../model/sample.ts';
import type { Selection } from '../../model/selection.ts';
import type { FirstLook, KnownTask, LookFirst } from '../procfs/first-look.ts';
import type { TaskRecord } from './records.ts';
import type { BpfReader } from './tasks.ts';

/** A tick of /proc/PID/stat's times in nanoseconds: USER_HZ is 100. */
const TICK_NS = 1e7;
/** How long an mmap lock must be held to count: programs that map memory hold theirs for microseconds, many times a second. */
const HELD_MS = 20;

interface Remembered {
  readonly startTicks: number;
  readonly comm: string;
  readonly commandLine: string;
  readonly untilMs: number;
}

export interface LookFirstOptions {
  readonly monotonicMs: () => number;
  /** For how long a command line that was read is believed: programs may change what the kernel shows of it (setproctitle), and some do with each request. */
  readonly rememberMs: number;
}

/** Has the kernel's own program look at the tasks before /proc is asked for what it does not read. */
export function lookFirst(reader: BpfReader, options: LookFirstOptions): LookFirst {
  const memory: Memory = { commandLines: new Map(), hidden: undefined };
  return (selection) => look(reader, selection, memory, options);
}

/** What is kept from sample to sample. */
interface Memory {
  readonly commandLines: Map<number, Remembered>;
  /** The processes that /proc lists and the program does not come by, and until when that is believed. */
  hidden: { readonly pids: readonly number[]; readonly untilMs: number } | undefined;
}

function look(reader: BpfReader, selection: Selection, memory: Memory, options: LookFirstOptions): FirstLook {
  const { monotonicMs, rememberMs } = options;
  const remembered = memory.commandLines;
  const { records, stacks, sees } = reader.read(selection);
  const nowMs = monotonicMs();
  const owners = new Map(records.filter(({ mmapOwner }) => mmapOwner !== undefined).map(({ pid, mmapOwner }) => [pid, mmapOwner]));
  let held: ReadonlySet<number> | undefined;
  forgetOthers(remembered, records, nowMs);
  return {
    tasks: records.map((record) => knownTask(record, stacks)),
    sees,
    hidden: (list) => {
      if (memory.hidden === undefined || nowMs >= memory.hidden.untilMs)
        memory.hidden = { pids: list().filter((pid) => !sees(pid)), untilMs: nowMs + rememberMs };
      return memory.hidden.pids;
    },
    isMmapLocked: (pid) => {
      if (!owners.has(pid)) return false;
      held ??= stillHeld(reader, owners);
      return held.has(pid);
    },
    recall: ({ pid, stat }) => {
      const entry = remembered.get(pid);
      return entry?.startTicks === stat.startTicks && entry.comm === stat.comm && nowMs < entry.untilMs ? entry.commandLine : undefined;
    },
    remember: ({ pid, stat: { startTicks, comm } }, commandLine) => {
      // Spread out, so that not all are read anew with the same sample.
      remembered.set(pid, { startTicks, comm, commandLine, untilMs: nowMs + rememberMs * (0.5 + ((pid * 7919) % 500) / 1000) });
    },
  };
}

function knownTask(record: TaskRecord, stacks: ReadonlyMap<string, string>): KnownTask {
  const { pid, tid, ppid, uid, cpu, kernelThread, state, startNs, comm, addresses } = record;
  // That other threads could hold its mmap lock is known from the lock itself.
  const stat = { comm, state, ppid, kernelThread, threads: 1, startTicks: Math.floor(startNs / TICK_NS), cpu };
  return { pid, tid, stat, uid, stack: stacks.get(addresses) ?? '', facts: factsOf(record) };
}

/** The facts that a record tells. Most tell the time only: of tens of thousands, no others are looked for. */
export function factsOf({ offCpuNs, lock, mmapOwner, vforkParent, tracer }: TaskRecord): KernelFacts {
  const offCpuMs = Math.round(offCpuNs / 1e6);
  if (lock === undefined && mmapOwner === undefined && vforkParent === 0 && tracer === 0) return offCpuNs > 0 ? { offCpuMs } : NO_FACTS;
  return {
    ...(offCpuNs > 0 && { offCpuMs }),
    ...(lock && { lock: { kind: lock.kind, address: lock.address.toString(16), ...(lock.owner > 0 && { owner: lock.owner }) } }),
    ...(mmapOwner !== undefined && { mmapLockOwner: mmapOwner }),
    ...(vforkParent > 0 && { vforkParent }),
    ...(tracer > 0 && { tracer }),
  };
}

const NO_FACTS: KernelFacts = {};

const idle = new Int32Array(new SharedArrayBuffer(4));

/** The processes whose mmap lock is held by the same thread a while later. */
function stillHeld(reader: BpfReader, owners: ReadonlyMap<number, TaskRecord['mmapOwner']>): Set<number> {
  Atomics.wait(idle, 0, 0, HELD_MS);
  const { records } = reader.read({ pids: [...owners.keys()] });
  return new Set(records.filter(({ pid, mmapOwner }) => mmapOwner !== undefined && mmapOwner === owners.get(pid)).map(({ pid }) => pid));
}

/** Lets go of processes that have ended, once there are many more than there are processes. */
function forgetOthers(remembered: Map<number, Remembered>, records: readonly TaskRecord[], nowMs: number): void {
  if (remembered.size < 2 * records.length + 1000) return;
  for (const [pid, { untilMs }] of remembered) if (untilMs < nowMs) remembered.delete(pid);
}
