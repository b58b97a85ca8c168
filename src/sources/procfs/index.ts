import { closeSync, openSync } from 'node:fs';
import { hostname, release } from 'node:os';
import type { Reading, Unreadable } from '../../model/reading.ts';
import type { Observation, Sample, State, Unread } from '../../model/sample.ts';
import { isOnlyPids, type Selection } from '../../model/selection.ts';
import { type Stack, StackTable } from '../../model/stack.ts';
import { decodeBytes } from '../../model/text.ts';
import type { Clock } from '../../model/time.ts';
import { BoundedReads, type ReadKind } from './bounded-reads.ts';
import { listPids, listTids, readBootTime, readSmall } from './files.ts';
import { parseStat, parseState, type Stat } from './stat.ts';
import { parseStatus } from './status.ts';

/** USER_HZ, the unit of times in /proc: 100 on every architecture Node.js runs on (include/asm-generic/param.h). */
const TICKS_PER_SECOND = 100;

/** More than a stat file or a stack ever has: 52 numbers and a name; 64 entries (fs/proc/base.c, MAX_STACK_TRACE_DEPTH). */
const FILE_LIMIT_BYTES = 1 << 20;
/** What execve(2) takes at the most; but a process may let the kernel show anything it has mapped (PR_SET_MM_MAP). */
const COMMAND_LINE_LIMIT_BYTES = 6 << 20;
/** Of all command lines of one sample; what comes later is cut to a page. */
const COMMAND_LINES_LIMIT_BYTES = 32 << 20;
const PAGE_BYTES = 4096;

export interface ProcfsOptions {
  readonly clock: Clock;
  /** Where the procfs is mounted. */
  readonly root: string;
}

/** A candidate while its files are being read. */
interface Draft {
  readonly tid: number;
  /** Undefined for those that are not selected. */
  stat: Stat | undefined;
  stack: Reading<Stack> | undefined;
  commandLine: Reading<string> | undefined;
}

let reads: BoundedReads<Draft> | undefined;

/**
 * Samples of the selected processes, each taken when it is asked for, from /proc. The iteration never ends by itself.
 * @throws Error where not even the list of processes or the boot time can be read.
 */
export async function* procfs(selection: Selection, { clock, root }: ProcfsOptions): AsyncGenerator<Sample, never> {
  const stacks = new StackTable();
  reads ??= new BoundedReads(clock.monotonicMs);
  const bootId = readBootId(root);
  const directory = openSync(root, 'r');
  try {
    for (;;) {
      stacks.trim();
      const timeMs = clock.nowMs();
      const bootTimeSeconds = readBootTime(root);
      const seen = await new Reader(selection, root, directory, reads, stacks).read();
      yield { timeMs, host: hostname(), bootId, kernel: release(), bootTimeSeconds, ticksPerSecond: TICKS_PER_SECOND, ...seen };
    }
  } finally {
    closeSync(directory);
  }
}

/** One sample of the selected processes, now. */
export async function takeSample(selection: Selection, options: ProcfsOptions): Promise<Sample> {
  for await (const sample of procfs(selection, options)) return sample;
  throw new Error('procfs() ended');
}

function readBootId(root: string): Reading<string> {
  const read = readSmall(`${root}/sys/kernel/random/boot_id`);
  return 'unread' in read ? read : { value: read.value.toString('latin1').trim() };
}

/** Reads the tasks of one sample: the stat of every process that can match, then the other files of those that do. */
class Reader {
  readonly #root: string;
  readonly #directory: number;
  readonly #reads: BoundedReads<Draft>;
  readonly #stacks: StackTable;
  readonly #selection: Selection;
  readonly #all: boolean;
  readonly #states: ReadonlySet<State>;
  readonly #asked: ReadonlySet<number>;
  readonly #unread: Unread[] = [];
  /** In the order of the candidates. */
  readonly #drafts: Draft[] = [];
  /** Those whose other files have not been asked for. */
  #fresh: Draft[] = [];
  #commandLineBytes = 0;

  constructor(selection: Selection, root: string, directory: number, reads: BoundedReads<Draft>, stacks: StackTable) {
    this.#root = root;
    this.#directory = directory;
    this.#reads = reads;
    this.#stacks = stacks;
    this.#selection = selection;
    this.#all = selection.all === true;
    this.#states = new Set(selection.states);
    this.#asked = new Set(this.#all ? [] : selection.pids);
  }

  readonly #stat: ReadKind<Draft> = {
    limitBytes: () => FILE_LIMIT_BYTES,
    deliver: (draft, bytes) => {
      if (!this.#selects(draft.tid, bytes)) return;
      draft.stat = parseStat(bytes);
      if (draft.stat === undefined) this.#missTask(draft.tid, 'malformed');
      else this.#fresh.push(draft);
    },
    miss: (draft, why) => this.#missTask(draft.tid, why),
  };

  readonly #stack: ReadKind<Draft> = {
    limitBytes: () => FILE_LIMIT_BYTES,
    deliver: (draft, bytes, cut) => {
      draft.stack = { value: this.#stacks.intern(decodeBytes(bytes).trim()), ...(cut && { cut }) };
    },
    miss: (draft, unread) => {
      draft.stack = { unread };
    },
  };

  readonly #commandLine: ReadKind<Draft> = {
    limitBytes: () => Math.max(PAGE_BYTES, Math.min(COMMAND_LINES_LIMIT_BYTES - this.#commandLineBytes, COMMAND_LINE_LIMIT_BYTES)),
    deliver: (draft, bytes, cut) => {
      this.#commandLineBytes += bytes.length;
      draft.commandLine = { value: joinArguments(bytes), ...(cut && { cut }) };
    },
    miss: (draft, unread) => {
      draft.commandLine = { unread };
    },
  };

  readonly #commandLineAtRisk: ReadKind<Draft> = { ...this.#commandLine, looksStuck: ({ tid }) => this.#hasThreadInD(tid) };

  async read(): Promise<Pick<Sample, 'observations' | 'unread'>> {
    for (const tid of this.#candidates()) {
      const draft: Draft = { tid, stat: undefined, stack: undefined, commandLine: undefined };
      this.#drafts.push(draft);
      this.#reads.add(this.#stat, draft, this.#directory, `${tid}/stat`);
      this.#addOthers();
    }
    this.#reads.flush();
    this.#addOthers();
    do {
      await this.#reads.finish();
    } while (this.#addOthers());
    const observations = this.#observations();
    return { observations, unread: this.#unread };
  }

  #candidates(): Iterable<number> {
    if (isOnlyPids(this.#selection)) return this.#asked;
    const listed = listPids(this.#root);
    if (this.#asked.size === 0) return listed;
    return [...new Set([...listed, ...this.#asked])].sort((a, b) => a - b);
  }

  #selects(tid: number, stat: Buffer): boolean {
    if (this.#all || this.#asked.has(tid)) return true;
    const state = parseState(stat);
    return state === undefined || this.#states.has(state);
  }

  /** Notes that a task could not be read, where it may be one of those selected. Its status never blocks, and has its state and its name. */
  #missTask(tid: number, why: Unreadable): void {
    const asked = this.#asked.has(tid);
    if (why === 'gone' && !asked) return;
    const read = readSmall(`${this.#root}/${tid}/status`);
    const status = 'value' in read ? parseStatus(read.value) : undefined;
    if (status !== undefined && !this.#all && !asked && !this.#states.has(status.state)) return;
    this.#unread.push({ tid, what: 'task', why, ...(status && { comm: status.name, state: status.state }) });
  }

  /** Asks for the stack and the command line of the tasks found; false when there are none. */
  #addOthers(): boolean {
    const drafts = this.#fresh;
    if (drafts.length === 0) return false;
    this.#fresh = [];
    for (const draft of drafts) {
      const { tid, stat } = draft;
      if (stat === undefined) continue;
      this.#reads.add(this.#stack, draft, this.#directory, `${tid}/stack`);
      if (hasNoCommandLine(stat)) draft.commandLine = { value: '' };
      else
        this.#reads.add(this.#isAtRisk(tid, stat) ? this.#commandLineAtRisk : this.#commandLine, draft, this.#directory, `${tid}/cmdline`);
    }
    return true;
  }

  /** The mmap lock, which reading a command line takes, can only be held for long by a thread that waits: another one, or one in D. */
  #isAtRisk(tid: number, stat: Stat): boolean {
    return tid !== process.pid && (stat.threads > 1 || stat.state === 'D');
  }

  /** Whether a thread of the process is in uninterruptible sleep, as one is that waits with the mmap lock held. */
  #hasThreadInD(pid: number): boolean {
    return listTids(this.#root, pid).some((tid) => {
      const status = readSmall(`${this.#root}/${pid}/task/${tid}/status`);
      return 'value' in status && parseStatus(status.value)?.state === 'D';
    });
  }

  /** The observations of the tasks that did not go away while they were read. */
  #observations(): Observation[] {
    const observations: Observation[] = [];
    for (const draft of this.#drafts) {
      const { tid, stat, stack, commandLine } = draft;
      if (stat === undefined) continue;
      if (stack === undefined || commandLine === undefined) throw new Error(`PID ${tid}: its files were not read to the end`);
      const { comm, ppid, startTicks, kernelThread, state, cpu } = stat;
      if (isGone(stack) || isGone(commandLine)) {
        this.#missTask(tid, 'gone');
        continue;
      }
      const pid = this.#asked.has(tid) ? this.#pidOf(tid) : tid;
      observations.push({ task: { pid, tid, ppid, startTicks, comm, commandLine, kernelThread }, state, stack, cpu });
    }
    return observations;
  }

  /** The process of a task that was asked for by number: /proc/TID leads to threads too, which no list of /proc shows. */
  #pidOf(tid: number): number {
    const read = readSmall(`${this.#root}/${tid}/status`);
    return ('value' in read ? parseStatus(read.value)?.pid : undefined) ?? tid;
  }
}

/** Kernel threads and zombies have no memory that could hold one (fs/proc/base.c, get_task_cmdline). */
function hasNoCommandLine(stat: Stat): boolean {
  return stat.kernelThread || stat.state === 'Z' || stat.state === 'X';
}

function joinArguments(commandLine: Buffer): string {
  return decodeBytes(commandLine).replaceAll('\0', ' ').trim();
}

function isGone(reading: Reading<unknown>): boolean {
  return 'unread' in reading && reading.unread === 'gone';
}
