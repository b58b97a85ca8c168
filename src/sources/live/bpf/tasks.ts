import type { CompiledSelection, TextTest } from '../../../model/compiled-selection.ts';
import type { LockWait } from '../../../model/sample.ts';
import { takesAll } from '../../../model/selection.ts';
import { STATES } from '../../../model/task.ts';
import { lookUpElement, updateElement } from '../../../native/bpf.ts';
import { pause } from '../../../native/pause.ts';
import { PrefetchFailed } from '../procfs/prefetch.ts';
import type { IteratorProgram } from './iterator-program.ts';
import { lockWait, type RecordTaker, readRecords, type TaskRecord } from './records.ts';
import { numberKey, RequestMap } from './request-map.ts';
import type { StackLocks } from './stack-locks.ts';
import type { Symbols } from './symbols.ts';

/** struct request of bpf/records.h. */
const REQUEST = {
  all: 0,
  states: 4,
  asked: 8,
  threads: 12,
  knownBefore: 16,
  name: 24,
  nameMask: 40,
  size: 56,
} as const;
const NAME_BYTES = 16;
/** struct seen of bpf/records.h: a bitmap of PID_MAX_LIMIT bits, then counters. */
const SEEN = { tasks: (1 << 22) / 8, facts: (1 << 22) / 8 + 8, size: (1 << 22) / 8 + 16 } as const;
/** What is missing while a bit of FACT_* of bpf/records.h is not set, by bit. */
const FACTS = [
  'time off the CPU: this kernel does not record it (CONFIG_SCHED_INFO)',
  undefined, // locks are found on the stacks of their waiters then
  'the locks that tasks wait for, and holders of mmap locks: this kernel does not record them (PREEMPT_RT)',
] as const;
/** Bits of FACT_*. */
const LOCKS = 2;
const MMAP_LOCK = 4;
/** MOST_PIDS of bpf/records.h. A longer list is filtered here instead of in the kernel. */
const MOST_PIDS = 4096;
/** Flags in the map of PIDs. */
const ASKED = 1;
const UNWIND = 2;

/** What one pass of the program found. */
export interface BpfTasks {
  readonly records: readonly TaskRecord[];
  /** When the pass began, by the scheduler's clock. */
  readonly nowNs: number;
}

/** What a pass found, by TID. The next pass with the same selection builds on it. */
export interface PreviousPass {
  readonly records: ReadonlyMap<number, TaskRecord>;
  readonly nowNs: number;
}

/**
 * Reads tasks with the program of bpf/tasks.bpf.c, which filters by number, state, thread and simple names in the
 * kernel.
 */
export class BpfReader {
  readonly #symbols: Symbols;
  readonly #program: IteratorProgram;
  readonly #maps: { readonly requests: number; readonly seen: number };
  readonly #pids: RequestMap<number>;
  /** Reused: a new one per sample would be half a megabyte of garbage, most of a long run's memory. */
  readonly #seen = Buffer.alloc(SEEN.size);
  #hasRun = false;
  #facts: number | undefined;
  /** Why passes failed. */
  readonly #failures = new Set<string>();
  readonly #stackLocks: StackLocks;
  readonly #forcesStackLocks: boolean;
  readonly #names = new Map<string, string>();
  readonly #nothingSeen = Buffer.alloc(SEEN.size);

  /** @param forcesStackLocks whether to find locks on stacks even if the kernel records them */
  constructor(program: IteratorProgram, symbols: Symbols, stackLocks: StackLocks, forcesStackLocks: boolean) {
    this.#stackLocks = stackLocks;
    this.#forcesStackLocks = forcesStackLocks;
    this.#program = program;
    this.#symbols = symbols;
    this.#maps = { requests: program.map('requests'), seen: program.map('seen') };
    this.#pids = new RequestMap(program.map('pids'), numberKey);
  }

  close(): void {
    this.#symbols.close();
    this.#stackLocks.close();
    this.#program.close();
  }

  /** One pass over all tasks, in the order of their numbers; undefined if it failed. */
  read(selection: CompiledSelection): BpfTasks | undefined {
    return this.#try(() => this.#read(selection));
  }

  /** The tasks with these TIDs, without their siblings; undefined if the pass failed. */
  readTasks(tids: readonly number[]): readonly TaskRecord[] | undefined {
    return this.#try(() => this.#readTasks(tids));
  }

  #try<Result>(pass: () => Result): Result | undefined {
    try {
      return pass();
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
  }

  #read(selection: CompiledSelection): BpfTasks {
    const found = new Found(undefined, this.#names);
    this.#ask(selection, undefined);
    idleBriefly();
    for (const bytes of this.#program.read()) readRecords(bytes, found);
    return found;
  }

  /**
   * The same pass, but yields tasks in pieces as they are found. No other pass may run meanwhile. The stacks of tasks
   * that were off the CPU since the `last` pass are not unwound again; unwinding is most of the cost of a pass. Returns
   * when the pass began, see {@link BpfTasks.nowNs}.
   * @throws PrefetchFailed
   */
  *stream(selection: CompiledSelection, last: PreviousPass | undefined): Generator<readonly TaskRecord[], number> {
    try {
      return yield* this.#stream(selection, last);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  *#stream(selection: CompiledSelection, last: PreviousPass | undefined): Generator<readonly TaskRecord[], number> {
    const found = new Found(last, this.#names);
    this.#ask(selection, last);
    idleBriefly();
    for (const bytes of this.#program.read()) {
      readRecords(bytes, found);
      yield found.records;
      found.records = [];
    }
    if (found.missed.length > 0) yield this.#readTasks(found.missed);
    return found.nowNs;
  }

  #readTasks(tids: readonly number[]): TaskRecord[] {
    const wanted = new Set(tids);
    // Too many for the map: read all threads and pick these.
    return this.#read({ pids: tids, threads: wanted.size > MOST_PIDS }).records.filter(({ tid }) => wanted.has(tid));
  }

  #failed(error: unknown): PrefetchFailed {
    const reason = error instanceof Error ? error.message : String(error);
    this.#failures.add(reason);
    return new PrefetchFailed(`bpf failed: ${reason}`);
  }

  /** The stacks of these tasks as text, by {@link TaskRecord.addresses}. */
  stacksOf(records: readonly TaskRecord[]): ReadonlyMap<string, string> {
    const addresses = new Set<string>();
    for (const record of records) if (record.addresses !== '') addresses.add(record.addresses);
    return this.#symbols.resolve(addresses);
  }

  /**
   * The locks that these tasks wait for, by TID; undefined if the records tell all of them. Call it after {@link seen},
   * which finds out what this kernel records.
   */
  locksOf(records: readonly TaskRecord[]): ReadonlyMap<number, LockWait> | undefined {
    const facts = this.#facts ?? 0;
    // Without holders of mmap locks it is PREEMPT_RT, whose locks are others.
    if ((facts & MMAP_LOCK) === 0) return undefined;
    if ((facts & LOCKS) === 0 || this.#forcesStackLocks) return this.#stackLocks.of(records);
    // The kernel records no rw-semaphore that a task waits for so that it can be killed.
    const unrecorded = records.filter(({ stat, lock }) => stat.state === 'D' && lock === undefined);
    const found = unrecorded.length === 0 ? undefined : this.#stackLocks.of(unrecorded);
    if (found === undefined || found.size === 0) return undefined;
    const locks = new Map(found);
    for (const { tid, lock } of records) if (lock !== undefined) locks.set(tid, lockWait(lock));
    return locks;
  }

  /**
   * What the last pass visited, selected or not: the number of tasks, and whether it visited a process.
   * @throws PrefetchFailed
   */
  seen(): { readonly tasks: number; readonly visited: (pid: number) => boolean } {
    const seen = this.#seen;
    try {
      lookUpElement(this.#maps.seen, FIRST, seen);
    } catch (error) {
      throw this.#failed(error);
    }
    // Without tasks the program did not run, and has not written the facts.
    if (seen.readUInt32LE(SEEN.tasks) > 0) this.#facts = seen.readUInt32LE(SEEN.facts);
    return { tasks: seen.readUInt32LE(SEEN.tasks), visited: (pid) => ((seen[pid >> 3] ?? 0) & (1 << (pid & 7))) !== 0 };
  }

  /** What this kernel denies or lacks, as far as known so far, one line each. */
  missing(): string[] {
    const failures = [...this.#failures].map(
      (reason) => `bpf: a pass over the tasks failed: ${reason}; reading /proc instead`,
    );
    const { failed } = this.#stackLocks;
    if (failed !== undefined)
      failures.push(`bpf: locks on kernel stacks unavailable: ${failed}; who holds them is not known`);
    return [...failures, ...this.#symbols.missing, ...(this.#facts === undefined ? [] : lackingFacts(this.#facts))];
  }

  #ask(selection: CompiledSelection, last: PreviousPass | undefined): void {
    const { pids = [], states = [], threads, command } = selection;
    const asked = selection.all === true ? [] : pids;
    const requested = new Map<number, number>();
    // These were on a CPU in the last pass, so their stacks may have changed although their arrival has not.
    if (last !== undefined)
      for (const { tid, onCpu, arrivalNs } of last.records.values())
        if (onCpu && arrivalNs > 0 && requested.size < MOST_PIDS / 2) requested.set(tid, UNWIND);
    const tooMany = requested.size + asked.length > MOST_PIDS;
    if (!tooMany) for (const pid of asked) requested.set(pid, (requested.get(pid) ?? 0) | ASKED);
    const request = Buffer.alloc(REQUEST.size);
    request.writeUInt32LE(Number(takesAll(selection) || tooMany), REQUEST.all);
    request.writeUInt32LE(
      states.reduce((bits, state) => bits | (1 << STATES.indexOf(state)), 0),
      REQUEST.states,
    );
    request.writeUInt32LE(Number(requested.size > 0), REQUEST.asked);
    request.writeUInt32LE(Number(threads === true), REQUEST.threads);
    request.writeBigUInt64LE(BigInt(last?.nowNs ?? 0), REQUEST.knownBefore);
    writeName(request, command);
    updateElement(this.#maps.requests, FIRST, request);
    // The map starts zeroed, which saves a write of half a megabyte.
    if (this.#hasRun) {
      updateElement(this.#maps.seen, FIRST, this.#nothingSeen);
    }
    this.#hasRun = true;
    this.#pids.set(requested);
  }
}

/** What a kernel does not record, given the FACT_* bits that it does. */
export function lackingFacts(recorded: number): string[] {
  return FACTS.flatMap((what, bit) =>
    what === undefined || (recorded & (1 << bit)) !== 0 ? [] : `bpf: without ${what}`,
  );
}

/** Collects what the program wrote. */
class Found implements RecordTaker {
  readonly #last: PreviousPass | undefined;
  readonly names: Map<string, string>;
  records: TaskRecord[] = [];
  readonly missed: number[] = [];
  nowNs = 0;

  constructor(last: PreviousPass | undefined, names: Map<string, string>) {
    this.#last = last;
    this.names = names;
  }

  recall(tid: number): TaskRecord | undefined {
    return this.#last?.records.get(tid);
  }

  take(record: TaskRecord): void {
    this.records.push(record);
  }

  miss(tid: number): void {
    this.missed.push(tid);
  }

  noteTime(nowNs: number): void {
    if (this.nowNs === 0) this.nowNs = nowNs;
  }
}

const FIRST = Buffer.alloc(4);

/** Yields the CPU for a moment: the program takes the time from when its reader last got a CPU. */
function idleBriefly(): void {
  pause(0.05);
}

/**
 * The kernel compares names with `^nginx` and `^nginx$`. Any other regular expression is applied to the records.
 */
function writeName(request: Buffer, command: TextTest | undefined): void {
  // i ignores case, and with m ^ matches after a newline, too.
  if (/[im]/.test(command?.flags ?? '')) return;
  const [, literal, end] = /^\^([\w/:-]+)(\$?)$/.exec(command?.source.replaceAll('\\/', '/') ?? '') ?? [];
  if (literal === undefined) return;
  const bytes = Buffer.from(end === '$' ? `${literal}\0` : literal).subarray(0, NAME_BYTES);
  bytes.copy(request, REQUEST.name);
  request.fill(0xff, REQUEST.nameMask, REQUEST.nameMask + bytes.length);
}
