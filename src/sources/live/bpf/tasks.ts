import { closeSync } from 'node:fs';
import { takesAll } from '../../../model/selection.ts';
import { STATES } from '../../../model/task.ts';
import {
  attachIterator,
  deleteElement,
  descriptorOf,
  type LoadedBpf,
  lookUpElement,
  readIterator,
  tryIterator,
  unloadBpf,
  updateElement,
} from '../../../native/bpf.ts';
import { pause } from '../../../native/pause.ts';
import { PrefetchFailed } from '../procfs/prefetch.ts';
import type { CompiledSelection, TextTest } from '../selection/compiled.ts';
import { type RecordTaker, readRecords, type TaskRecord } from './records.ts';
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
/** struct seen: PID_MAX_LIMIT of 64-bit kernels, a bit for each, and how many tasks were come by. */
const SEEN = { tasks: (1 << 22) / 8, facts: (1 << 22) / 8 + 8, size: (1 << 22) / 8 + 16 } as const;
/** FACT_* of bpf/records.h, by bit: what is missing where it is not set. */
const FACTS = [
  'time off the CPU: this kernel does not record it (CONFIG_SCHED_INFO)',
  'the locks that tasks wait for: this kernel does not record them (Linux 6.16, CONFIG_DETECT_HUNG_TASK_BLOCKER)',
  'holders of mmap locks: this kernel does not record them (PREEMPT_RT)',
] as const;
/** MOST_PIDS of bpf/records.h: more are not asked for in the kernel. */
const MOST_PIDS = 4096;
/** What the map of PIDs says of one. */
const ASKED = 1;
const UNWIND = 2;

/** What one run of the program found. */
export interface BpfTasks {
  readonly records: readonly TaskRecord[];
  /** When it was begun, by the scheduler's clock, in nanoseconds. */
  readonly nowNs: number;
}

/** What one run found, by TID, for the next one at the same selection to build on. */
export interface PreviousPass {
  readonly records: ReadonlyMap<number, TaskRecord>;
  readonly nowNs: number;
}

/**
 * Reads tasks by the program of bpf/tasks.bpf.c, which decides on numbers, states, threads and simple names in the
 * kernel.
 */
export class BpfReader {
  readonly #symbols: Symbols;
  readonly #iterator: number;
  readonly #maps: { readonly requests: number; readonly pids: number; readonly seen: number };
  /** One for all reads: half a megabyte of garbage a sample would be the most of what a long run holds. */
  readonly #seen = Buffer.alloc(SEEN.size);
  #hasRun = false;
  #facts: number | undefined;
  /** Why looks failed. */
  readonly #failures = new Set<string>();
  /** What is in the map of PIDs. */
  readonly #requested = new Map<number, number>();

  readonly #loaded: LoadedBpf;
  readonly #names = new Map<string, string>();
  readonly #nothingSeen = Buffer.alloc(SEEN.size);

  constructor(loaded: LoadedBpf, symbols: Symbols) {
    const { maps, programs } = loaded;
    this.#loaded = loaded;
    this.#iterator = attachIterator(descriptorOf(programs, 'tasks'));
    tryIterator(this.#iterator);
    this.#symbols = symbols;
    this.#maps = {
      requests: descriptorOf(maps, 'requests'),
      pids: descriptorOf(maps, 'pids'),
      seen: descriptorOf(maps, 'seen'),
    };
  }

  /** Unloads the programs. */
  close(): void {
    this.#symbols.close();
    closeSync(this.#iterator);
    unloadBpf(this.#loaded);
  }

  /** One pass over all tasks, in the order of their numbers; undefined where it failed. */
  read(selection: CompiledSelection): BpfTasks | undefined {
    return this.#try(() => this.#read(selection));
  }

  /** Those with these TIDs, and none of their siblings, as {@link read}. */
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
    for (const bytes of readIterator(this.#iterator)) readRecords(bytes, found);
    return found;
  }

  /**
   * The same, the tasks some at a time, as they are found; nothing else may be asked meanwhile. Of those that were on
   * no CPU since the `last` pass, the stack is not unwound again, which is most of what a pass costs. Returns when it
   * was begun, as {@link BpfTasks}.
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
    for (const bytes of readIterator(this.#iterator)) {
      readRecords(bytes, found);
      yield found.records;
      found.records = [];
    }
    if (found.missed.length > 0) yield this.#readTasks(found.missed);
    return found.nowNs;
  }

  #readTasks(tids: readonly number[]): TaskRecord[] {
    const wanted = new Set(tids);
    // More than can be asked for are picked out of all threads.
    return this.#read({ pids: tids, threads: wanted.size > MOST_PIDS }).records.filter(({ tid }) => wanted.has(tid));
  }

  #failed(error: unknown): PrefetchFailed {
    const reason = error instanceof Error ? error.message : String(error);
    this.#failures.add(reason);
    return new PrefetchFailed(`bpf failed: ${reason}`);
  }

  /** The text of the stacks of these tasks, by {@link TaskRecord.addresses}. */
  stacksOf(records: readonly TaskRecord[]): ReadonlyMap<string, string> {
    const addresses = new Set<string>();
    for (const record of records) if (record.addresses !== '') addresses.add(record.addresses);
    return this.#symbols.resolve(addresses);
  }

  /**
   * What the program came by, selected or not, when it was last run: how many tasks, and whether a process.
   * @throws PrefetchFailed
   */
  seen(): { readonly tasks: number; readonly visited: (pid: number) => boolean } {
    const seen = this.#seen;
    try {
      lookUpElement(this.#maps.seen, FIRST, seen);
    } catch (error) {
      throw this.#failed(error);
    }
    // No task, no answer.
    if (seen.readUInt32LE(SEEN.tasks) > 0) this.#facts = seen.readUInt32LE(SEEN.facts);
    return { tasks: seen.readUInt32LE(SEEN.tasks), visited: (pid) => ((seen[pid >> 3] ?? 0) & (1 << (pid & 7))) !== 0 };
  }

  /** What this kernel denies or lacks, as far as it was asked for so far, a line each. */
  missing(): string[] {
    const failures = [...this.#failures].map(
      (reason) => `bpf: a pass over the tasks failed: ${reason}; /proc is read instead`,
    );
    return [...failures, ...this.#symbols.missing, ...(this.#facts === undefined ? [] : lackingFacts(this.#facts))];
  }

  #ask(selection: CompiledSelection, last: PreviousPass | undefined): void {
    const { pids = [], states = [], threads, command } = selection;
    const asked = selection.all === true ? [] : pids;
    const requested = new Map<number, number>();
    // Their stacks may be others though they got their CPU before the last pass.
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
    // The map begins as zeros, half a megabyte of them.
    if (this.#hasRun) {
      updateElement(this.#maps.seen, FIRST, this.#nothingSeen);
    }
    this.#hasRun = true;
    this.#request(requested);
  }

  /** Makes the map of PIDs say that; one by one, since a change may fail for want of memory. */
  #request(requested: ReadonlyMap<number, number>): void {
    for (const number of [...this.#requested.keys()]) {
      if (requested.has(number)) continue;
      deleteElement(this.#maps.pids, numberKey(number));
      this.#requested.delete(number);
    }
    for (const [number, what] of requested) {
      if (this.#requested.get(number) === what) continue;
      updateElement(this.#maps.pids, numberKey(number), Buffer.of(what));
      this.#requested.set(number, what);
    }
  }
}

/** What a kernel does not record, by the FACT_* that it does. */
export function lackingFacts(recorded: number): string[] {
  return FACTS.filter((_, bit) => (recorded & (1 << bit)) === 0).map((what) => `bpf: without ${what}`);
}

/** Takes in what the program wrote. */
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

  tell(nowNs: number): void {
    if (this.nowNs === 0) this.nowNs = nowNs;
  }
}

const FIRST = Buffer.alloc(4);

function numberKey(number: number): Buffer {
  const key = Buffer.alloc(4);
  key.writeUInt32LE(number);
  return key;
}

/** Lets go of the CPU for a moment: the program tells the time by when its reader got one. */
function idleBriefly(): void {
  pause(0.05);
}

/**
 * `^nginx` and `^nginx$` are compared in the kernel. What else a regular expression may say is decided where the
 * records are read.
 */
function writeName(request: Buffer, command: TextTest | undefined): void {
  // With these, the same text may begin elsewhere, or be written otherwise.
  if (/[im]/.test(command?.flags ?? '')) return;
  const [, literal, end] = /^\^([\w/:-]+)(\$?)$/.exec(command?.source.replaceAll('\\/', '/') ?? '') ?? [];
  if (literal === undefined) return;
  const bytes = Buffer.from(end === '$' ? `${literal}\0` : literal).subarray(0, NAME_BYTES);
  bytes.copy(request, REQUEST.name);
  request.fill(0xff, REQUEST.nameMask, REQUEST.nameMask + bytes.length);
}
