import { closeSync, openSync } from 'node:fs';
import { hostname, release } from 'node:os';
import type { Reading } from '../../model/reading.ts';
import type { Observation, Sample, State, Unread } from '../../model/sample.ts';
import { isOnlyPids, type Selection } from '../../model/selection.ts';
import { type Stack, StackTable } from '../../model/stack.ts';
import { decodeBytes } from '../../model/text.ts';
import type { Clock } from '../../model/time.ts';
import { type BoundedReads, boundedReads } from './bounded-reads.ts';
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

/** A selected task while its files are being read. */
interface Draft {
  readonly tid: number;
  readonly stat: Stat;
  stack?: Reading<Stack>;
  commandLine?: Reading<string>;
}

/**
 * Samples of the selected processes, each taken when it is asked for, from /proc. The iteration never ends by itself.
 * @throws Error where not even the list of processes or the boot time can be read.
 */
export async function* procfs(selection: Selection, { clock, root }: ProcfsOptions): AsyncGenerator<Sample, never> {
  const stacks = new StackTable();
  const reads = boundedReads(clock.monotonicMs);
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
  readonly #reads: BoundedReads;
  readonly #stacks: StackTable;
  readonly #selection: Selection;
  readonly #all: boolean;
  readonly #states: ReadonlySet<State>;
  readonly #asked: ReadonlySet<number>;
  readonly #unread: Unread[] = [];
  /** In the order of the candidates; a place stays empty where the candidate is not selected. */
  readonly #drafts: (Draft | undefined)[] = [];
  /** Those whose other files have not been asked for. */
  #fresh: Draft[] = [];
  #commandLineBytes = 0;

  constructor(selection: Selection, root: string, directory: number, reads: BoundedReads, stacks: StackTable) {
    this.#root = root;
    this.#directory = directory;
    this.#reads = reads;
    this.#stacks = stacks;
    this.#selection = selection;
    this.#all = selection.all === true;
    this.#states = new Set(selection.states);
    this.#asked = new Set(this.#all ? [] : selection.pids);
  }

  async read(): Promise<Pick<Sample, 'observations' | 'unread'>> {
    for (const tid of this.#candidates()) {
      this.#addStat(tid);
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

  #addStat(tid: number): void {
    const place = this.#drafts.push(undefined) - 1;
    this.#reads.add({
      directory: this.#directory,
      path: `${tid}/stat`,
      limitBytes: FILE_LIMIT_BYTES,
      deliver: (bytes) => {
        if ('unread' in bytes) this.#missTask(tid, bytes.unread);
        else if (this.#selects(tid, bytes.value)) {
          const stat = parseStat(bytes.value);
          if (stat === undefined) {
            this.#missTask(tid, 'malformed');
            return;
          }
          const draft = { tid, stat };
          this.#drafts[place] = draft;
          this.#fresh.push(draft);
        }
      },
    });
  }

  #selects(tid: number, stat: Buffer): boolean {
    if (this.#all || this.#asked.has(tid)) return true;
    const state = parseState(stat);
    return state === undefined || this.#states.has(state);
  }

  /** Notes that a task could not be read, where it may be one of those selected. Its status never blocks, and has its state and its name. */
  #missTask(tid: number, why: Unread['why']): void {
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
      this.#addStack(draft);
      if (hasNoCommandLine(draft.stat)) draft.commandLine = { value: '' };
      else this.#addCommandLine(draft);
    }
    return true;
  }

  #addStack(draft: Draft): void {
    this.#reads.add({
      directory: this.#directory,
      path: `${draft.tid}/stack`,
      limitBytes: FILE_LIMIT_BYTES,
      deliver: (bytes) => {
        draft.stack = 'unread' in bytes ? bytes : { ...bytes, value: this.#stacks.intern(decodeBytes(bytes.value).trim()) };
      },
    });
  }

  #addCommandLine(draft: Draft): void {
    const { tid, stat } = draft;
    // The mmap lock, which the read takes, can only be held for long by a thread that waits: another one, or one in D.
    const atRisk = tid !== process.pid && (stat.threads > 1 || stat.state === 'D');
    const left = COMMAND_LINES_LIMIT_BYTES - this.#commandLineBytes;
    this.#reads.add({
      directory: this.#directory,
      path: `${tid}/cmdline`,
      limitBytes: Math.max(PAGE_BYTES, Math.min(left, COMMAND_LINE_LIMIT_BYTES)),
      ...(atRisk && { looksStuck: () => this.#hasThreadInD(tid) }),
      deliver: (bytes) => {
        if ('value' in bytes) this.#commandLineBytes += bytes.value.length;
        draft.commandLine = 'unread' in bytes ? bytes : { ...bytes, value: joinArguments(bytes.value) };
      },
    });
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
      if (draft === undefined) continue;
      const { tid, stat, stack, commandLine } = draft;
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
