import type { CompiledSelection } from '../../../model/compiled-selection.ts';
import type { Reading } from '../../../model/reading.ts';
import type { KernelFacts, LockWait } from '../../../model/sample.ts';
import { isOnlyPids, takesAll } from '../../../model/selection.ts';
import { pause } from '../../../native/pause.ts';
import type { OpenPrefetch, Prefetch, Processes } from '../procfs/prefetch.ts';
import { lockWait, type TaskRecord } from './records.ts';
import { replacedTasks } from './replaced.ts';
import type { BpfReader } from './tasks.ts';

/**
 * How long an mmap lock must be held to count. Programs that map memory hold theirs for microseconds, many times a
 * second.
 */
const HELD_MS = 20;

interface Remembered {
  readonly startTicks: number | undefined;
  readonly comm: string;
  readonly commandLine: Reading<string>;
  readonly readMs: number;
  readonly untilMs: number;
  /** No thread of the process has been on a CPU since, so the process cannot have changed it. */
  quiet: boolean;
}

/** So many command lines of processes that have ended are kept, in addition to an eighth of those that have not. */
const MOST_OLD = 100;

/** The limit even for a sleeping process, since another process may write to its memory. */
const QUIET_MS = 60_000;

export interface BpfPrefetchOptions {
  /** Whether to collect what /proc does not show: locks, their holders, time off the CPU. */
  readonly facts: boolean;
  /** Whether many passes will follow, so that each can build on the one before. */
  readonly steady: boolean;
  readonly monotonicMs: () => number;
  /**
   * How long a command line is cached. Programs may change theirs (setproctitle), and some do so with each request.
   */
  readonly rememberMs: number;
}

/** Runs the BPF program over all tasks; /proc is then read only for what the program does not provide. */
export function prefetchByBpf(reader: BpfReader, options: BpfPrefetchOptions): OpenPrefetch {
  const memory: Memory = { commandLines: new Map(), mostCommandLines: MOST_OLD, hidden: undefined, last: undefined };
  return (selection, processes) => prefetch(reader, selection, processes, memory, options);
}

/** State kept from sample to sample. */
interface Memory {
  readonly commandLines: Map<number, Remembered>;
  /** With more than this, those of processes that have ended are forgotten. */
  mostCommandLines: number;
  /** Processes that /proc lists and the program does not visit, and until when the list is valid. */
  hidden: { readonly pids: readonly number[]; readonly untilMs: number } | undefined;
  /** The last pass with the first selection. The next pass with that selection builds on it. */
  last: { readonly selection: CompiledSelection; records: Map<number, TaskRecord>; nowNs: number } | undefined;
}

function prefetch(
  reader: BpfReader,
  selection: CompiledSelection,
  processes: Processes,
  memory: Memory,
  { monotonicMs, rememberMs, facts, steady }: BpfPrefetchOptions,
): Prefetch<TaskRecord> {
  const beganMs = monotonicMs();
  const lastTid = processes.lastTid();
  const isHiddenKnown = memory.hidden !== undefined && beganMs < memory.hidden.untilMs;
  const before = isOnlyPids(selection) || isHiddenKnown ? undefined : countBefore(processes);
  const remembered = memory.commandLines;
  const seesAllThreads =
    takesAll(selection) && selection.threads === true && selection.command === undefined && rememberMs > 0;
  if (steady) memory.last ??= { selection, records: new Map(), nowNs: 0 };
  const last = memory.last?.selection === selection ? memory.last : undefined;
  const records: TaskRecord[] = [];
  let nowNs = 0;
  let stacks: ReadonlyMap<string, string> = new Map();
  let seen: ReturnType<BpfReader['seen']> = { tasks: 0, visited: () => false };
  let locks: ReadonlyMap<number, LockWait> | undefined;
  let held: ReadonlySet<number> | undefined;
  let over = false;
  function* tasks(): Generator<readonly TaskRecord[]> {
    const stream = reader.stream(selection, last);
    let next = stream.next();
    try {
      for (; next.done !== true; next = stream.next()) {
        for (const record of next.value) records.push(record);
        yield next.value;
      }
    } finally {
      // The caller may stop early.
      stream.return(0);
    }
    nowNs = next.value;
    stacks = reader.stacksOf(records);
    seen = reader.seen();
    if (facts) locks = reader.locksOf(records);
    if (last !== undefined) {
      advance(last, records, nowNs, remembered);
      forgetOthers(memory, records);
    }
    over = true;
  }
  return {
    tasks,
    stackOf: ({ addresses }) => stacks.get(addresses) ?? '',
    monotonicMs: () => (facts ? milliseconds(nowNs) : undefined),
    factsOf: (record) => (facts ? factsOf(record, nowNs, locks) : undefined),
    visited: (pid) => seen.visited(pid),
    hidden: () => {
      if (memory.hidden === undefined || !isHiddenKnown) {
        const parents = records.map(({ stat }) => stat.ppid);
        memory.hidden = { pids: findHidden(parents, seen, before, processes), untilMs: beganMs + rememberMs };
      }
      return memory.hidden.pids.filter((pid) => !seen.visited(pid));
    },
    isMmapLocked: (pid) => {
      held ??= stillHeld(reader, records);
      return held.has(pid);
    },
    recall: ({ pid, stat }) => {
      const entry = remembered.get(pid);
      if (entry === undefined || entry.startTicks !== stat.startTicks || entry.comm !== stat.comm) return undefined;
      return beganMs < entry.untilMs || (over && isStillQuiet(entry, beganMs)) ? entry.commandLine : undefined;
    },
    // Whether the process stayed off the CPU is known only after its last thread was visited.
    recallsLater: ({ pid }) => {
      const entry = remembered.get(pid);
      return !over && entry !== undefined && isStillQuiet(entry, beganMs);
    },
    remember: ({ pid, stat: { startTicks, comm } }, commandLine) => {
      if (rememberMs === 0) return;
      // Spread over time, so that no sample reads all of them again.
      const untilMs = beganMs + rememberMs * (0.5 + ((pid * 7919) % 500) / 1000);
      remembered.set(pid, { startTicks, comm, commandLine, readMs: beganMs, untilMs, quiet: seesAllThreads });
    },
    replaced: () => replacedTasks(records, reader, lastTid, processes),
  };
}

/** With fewer threads, listing all processes takes no longer than counting them. */
const THREADS_WORTH_COUNTING = 1000;

interface Counts {
  readonly forks: number;
  readonly threads: number;
}

function countBefore(processes: Processes): Counts | undefined {
  if (processes.threads() < THREADS_WORTH_COUNTING) return undefined;
  // Threads are counted after the forks: a thread created in between would otherwise offset a hidden one.
  const forks = processes.forks();
  return { forks, threads: processes.threads() };
}

/**
 * The processes that the program does not visit. Hosts that hide processes usually hide PID 1 and other parents. If
 * nothing was forked since the threads were counted, and the visited threads plus those of the hidden parents add up to
 * that count, nothing else is hidden and /proc need not be listed.
 */
export function findHidden(
  parents: readonly number[],
  { tasks, visited }: ReturnType<BpfReader['seen']>,
  before: Counts | undefined,
  processes: Pick<Processes, 'list' | 'threads' | 'forks' | 'threadsOf'>,
): readonly number[] {
  if (before !== undefined) {
    const likely = [...new Set([1, ...parents])].filter((pid) => pid > 0 && !visited(pid)).sort((a, b) => a - b);
    const threads = likely.reduce((sum, pid) => sum + processes.threadsOf(pid), 0);
    if (tasks + threads === before.threads && processes.forks() === before.forks) return likely;
  }
  return processes.list().filter((pid) => !visited(pid));
}

/** Whether the process has slept since its command line was read, and that was recent. */
function isStillQuiet({ quiet, readMs }: Remembered, nowMs: number): boolean {
  return quiet && nowMs < readMs + QUIET_MS;
}

/** Makes this pass the last one, and marks command lines of processes that ran as possibly changed. */
function advance(
  last: NonNullable<Memory['last']>,
  records: readonly TaskRecord[],
  nowNs: number,
  commandLines: Memory['commandLines'],
): void {
  last.nowNs = nowNs;
  for (const record of records) {
    if (last.records.get(record.tid) === record) continue;
    last.records.set(record.tid, record);
    const commandLine = commandLines.get(record.pid);
    if (commandLine !== undefined) commandLine.quiet = false;
  }
  if (last.records.size > records.length) last.records = new Map(records.map((record) => [record.tid, record]));
}

/**
 * The facts in a record. Most records hold only the time, so the early return matters with tens of thousands.
 * @param locks by TID, if the record does not tell
 */
export function factsOf(
  { tid, arrivalNs, onCpu, switches, lock: recorded, mmapOwner, vforkParent, tracer }: TaskRecord,
  nowNs: number,
  locks: ReadonlyMap<number, LockWait> | undefined,
): KernelFacts {
  const lock = locks === undefined ? recorded && lockWait(recorded) : locks.get(tid);
  // A task that got a CPU after the pass began would have a negative time. Each moment is rounded on its own, so that
  // the two differ by the same in every sample while the task sleeps.
  const offCpuMs = Math.max(0, milliseconds(nowNs) - milliseconds(arrivalNs));
  const time = onCpu || arrivalNs === 0 ? { switches } : { offCpuMs, switches };
  if (lock === undefined && mmapOwner === undefined && vforkParent === 0 && tracer === 0) return time;
  return {
    ...time,
    ...(lock && { lock }),
    ...(mmapOwner !== undefined && { mmapLockOwner: mmapOwner }),
    ...(vforkParent > 0 && { vforkParent }),
    ...(tracer > 0 && { tracer }),
  };
}

function milliseconds(nanoseconds: number): number {
  return Math.round(nanoseconds / 1e6);
}

/** The processes whose mmap lock is still held by the same thread {@link HELD_MS} later. */
function stillHeld(reader: BpfReader, records: readonly TaskRecord[]): Set<number> {
  const owners = new Map(
    records.filter(({ mmapOwner }) => mmapOwner !== undefined).map(({ pid, mmapOwner }) => [pid, mmapOwner]),
  );
  pause(HELD_MS);
  // If the pass fails, command lines of locked processes are read and miss their deadline.
  const still = reader.read({ pids: [...owners.keys()] })?.records ?? [];
  return new Set(
    still
      .filter(({ pid, mmapOwner }) => mmapOwner !== undefined && mmapOwner === owners.get(pid))
      .map(({ pid }) => pid),
  );
}

/** Drops the command lines of processes that a pass has not found, once they are many. */
function forgetOthers(memory: Memory, records: readonly TaskRecord[]): void {
  const { commandLines } = memory;
  if (commandLines.size <= memory.mostCommandLines) return;
  const pids = new Set(records.map(({ pid }) => pid));
  for (const pid of commandLines.keys()) if (!pids.has(pid)) commandLines.delete(pid);
  memory.mostCommandLines = (9 / 8) * commandLines.size + MOST_OLD;
}
