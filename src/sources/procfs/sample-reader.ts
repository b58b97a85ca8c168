import type { Reading, Unreadable } from '../../model/reading.ts';
import type { Observation, Sample, State, Unread } from '../../model/sample.ts';
import { type Selection, takesAll } from '../../model/selection.ts';
import type { Stack, StackTable } from '../../model/stack.ts';
import { decodeBytes } from '../../model/text.ts';
import type { BoundedReads, ReadKind } from './bounded-reads.ts';
import { candidates } from './candidates.ts';
import { listTids, readStatus } from './files.ts';
import { parseStat, parseState, type Stat } from './stat.ts';

/** More than a stat file or a stack ever has: 52 numbers and a name; 64 entries (fs/proc/base.c, MAX_STACK_TRACE_DEPTH). */
const FILE_LIMIT_BYTES = 1 << 20;
/** From so many reads on that hang, the tasks in D have their stat read behind all others. */
const MANY_STUCK = 8;

export interface CommandLineLimits {
  /** What is taken of one command line at most. */
  readonly eachBytes: number;
  /** Of all of a sample; of those that come later `leastBytes` are taken. */
  readonly allBytes: number;
  readonly leastBytes: number;
}

/** A candidate while its files are being read. */
export interface Draft {
  /** Among the candidates. */
  readonly place: number;
  readonly pid: number;
  readonly tid: number;
  /** Undefined for those that are not selected. */
  stat: Stat | undefined;
  uid: number | undefined;
  stack: Reading<Stack> | undefined;
  /** Of a process with several threads, one has the command line read, and the others point to it. */
  commandLine: Reading<string> | Draft | undefined;
}

export interface SampleReaderOptions {
  readonly selection: Selection;
  readonly root: string;
  /** Descriptor of `root`. */
  readonly directory: number;
  readonly reads: BoundedReads<Draft>;
  readonly stacks: StackTable;
  readonly commandLines: CommandLineLimits;
}

/** Reads the tasks of one sample: the stat of every task that can match, then the other files of those that do. */
export class SampleReader {
  readonly #options: SampleReaderOptions;
  readonly #all: boolean;
  readonly #threads: boolean;
  readonly #states: ReadonlySet<State>;
  readonly #asked: ReadonlySet<number>;
  readonly #users: ReadonlySet<number> | undefined;
  readonly #unread: Unread[] = [];
  /** Those that are selected, in the order in which their stat came. The others are let go of at once: of 50,000 tasks, few are in D. */
  readonly #drafts: Draft[] = [];
  /** Those whose other files have not been asked for. */
  #fresh: Draft[] = [];
  /** By PID, the thread whose command line stands for all of its process. */
  readonly #speakers = new Map<number, Draft>();
  #commandLineBytes = 0;

  constructor(options: SampleReaderOptions) {
    const { selection } = options;
    this.#options = options;
    this.#all = takesAll(selection);
    this.#threads = selection.threads === true;
    this.#states = new Set(selection.states);
    this.#asked = new Set(selection.all === true ? [] : selection.pids);
    this.#users = selection.users && new Set(selection.users);
  }

  readonly #stat: ReadKind<Draft> = {
    limitBytes: () => FILE_LIMIT_BYTES,
    deliver: (draft, bytes) => {
      const state = parseState(bytes);
      if (state !== undefined && !this.#selects(draft, state)) return;
      const stat = parseStat(bytes);
      if (stat === undefined) {
        this.#missTask(draft, 'malformed');
      } else if (this.#passesFilters(draft, stat.comm)) {
        draft.stat = stat;
        this.#drafts.push(draft);
        this.#fresh.push(draft);
      }
    },
    miss: (draft, why) => this.#missTask(draft, why),
  };

  readonly #stack: ReadKind<Draft> = {
    limitBytes: () => FILE_LIMIT_BYTES,
    deliver: (draft, bytes, cut) => {
      draft.stack = { value: this.#options.stacks.intern(decodeBytes(bytes).trim()), ...(cut && { cut }) };
    },
    miss: (draft, unread) => {
      draft.stack = { unread };
    },
  };

  readonly #commandLine: ReadKind<Draft> = {
    limitBytes: () => {
      const { eachBytes, allBytes, leastBytes } = this.#options.commandLines;
      return Math.max(leastBytes, Math.min(allBytes - this.#commandLineBytes, eachBytes));
    },
    deliver: (draft, bytes, cut) => {
      this.#commandLineBytes += bytes.length;
      draft.commandLine = { value: joinArguments(bytes), ...(cut && { cut }) };
    },
    miss: (draft, unread) => {
      draft.commandLine = { unread };
    },
  };

  readonly #commandLineAtRisk: ReadKind<Draft> = { ...this.#commandLine, looksStuck: ({ pid }) => this.#hasThreadInD(pid) };

  async read(): Promise<Pick<Sample, 'observations' | 'unread'>> {
    const { selection, root, directory, reads } = this.#options;
    /** Those that may hang, when so many do that there might be no thread left for the others. */
    const last: Draft[] = [];
    let place = 0;
    for (const { pid, tid } of candidates(selection, root)) {
      const draft: Draft = { place: place++, pid, tid, stat: undefined, uid: undefined, stack: undefined, commandLine: undefined };
      if (reads.stuck >= MANY_STUCK && this.#isInD(draft)) {
        last.push(draft);
        continue;
      }
      reads.add(this.#stat, draft, directory, `${this.#path(draft)}/stat`);
      this.#addOthers();
    }
    for (const draft of last) reads.add(this.#stat, draft, directory, `${this.#path(draft)}/stat`);
    reads.flush();
    // What merely lags comes in before the command lines at risk begin, which may take the last thread there is.
    while (this.#addOthers()) reads.flush();
    do {
      await reads.settle();
    } while (this.#addOthers());
    do {
      await reads.finish();
    } while (this.#addOthers());
    return { observations: this.#observations(), unread: this.#unread };
  }

  #isInD(draft: Draft): boolean {
    return readStatus(`${this.#options.root}/${this.#path(draft)}`)?.state === 'D';
  }

  /** Below the root. The stat of /proc/PID adds up the times of all threads, which costs; that of a thread does not. */
  #path({ pid, tid }: Draft): string {
    return this.#threads ? `${pid}/task/${tid}` : `${tid}`;
  }

  #isAskedFor({ pid, tid }: Draft): boolean {
    return this.#asked.has(tid) || (this.#threads && this.#asked.has(pid));
  }

  #selects(draft: Draft, state: State): boolean {
    return this.#all || this.#isAskedFor(draft) || this.#states.has(state);
  }

  /** Whether a task passes the filters that can be decided before its stack is read. */
  #passesFilters(draft: Draft, comm: string): boolean {
    if (this.#options.selection.command?.test(comm) === false) return false;
    if (this.#users === undefined) return true;
    draft.uid = readStatus(`${this.#options.root}/${this.#path(draft)}`)?.uid;
    return draft.uid !== undefined && this.#users.has(draft.uid);
  }

  /** Notes that a task could not be read, where it may be one of those selected. Its status never blocks, and has its state and its name. */
  #missTask(draft: Draft, why: Unreadable): void {
    if (why === 'gone' && !this.#asked.has(draft.tid)) return;
    const status = readStatus(`${this.#options.root}/${this.#path(draft)}`);
    if (status !== undefined) {
      if (!this.#selects(draft, status.state)) return;
      if (!this.#passesFilters(draft, status.name)) return;
    }
    this.#unread.push({ tid: draft.tid, what: 'task', why, ...(status && { comm: status.name, state: status.state }) });
  }

  /** Asks for the stack and the command line of the tasks found; false when there are none. */
  #addOthers(): boolean {
    const drafts = this.#fresh;
    if (drafts.length === 0) return false;
    this.#fresh = [];
    const { reads, directory } = this.#options;
    for (const draft of drafts) {
      reads.add(this.#stack, draft, directory, `${this.#path(draft)}/stack`);
      this.#addCommandLine(draft);
    }
    return true;
  }

  #addCommandLine(draft: Draft): void {
    const { stat, pid, tid } = draft;
    if (stat === undefined || hasNoCommandLine(stat)) {
      draft.commandLine = { value: '' };
      return;
    }
    if (this.#threads) {
      const speaker = this.#speakers.get(pid);
      if (speaker !== undefined) {
        draft.commandLine = speaker;
        return;
      }
      this.#speakers.set(pid, draft);
    }
    // The mmap lock, which the read takes, can only be held for long by a thread that waits: another one, or one in D.
    const atRisk = pid !== process.pid && (stat.threads > 1 || stat.state === 'D');
    const path = `${this.#threads ? `${pid}/task/${tid}` : tid}/cmdline`;
    this.#options.reads.add(atRisk ? this.#commandLineAtRisk : this.#commandLine, draft, this.#options.directory, path);
  }

  /** Whether a thread of the process is in uninterruptible sleep, as one is that waits with the mmap lock held. */
  #hasThreadInD(pid: number): boolean {
    const { root } = this.#options;
    return listTids(root, pid).some((tid) => readStatus(`${root}/${pid}/task/${tid}`)?.state === 'D');
  }

  /** The observations of the tasks that did not go away while they were read. */
  #observations(): Observation[] {
    const observations: Observation[] = [];
    for (const draft of this.#drafts.sort((a, b) => a.place - b.place)) {
      const { pid, tid, uid, stat, stack } = draft;
      if (stat === undefined) continue;
      const commandLine = commandLineOf(draft);
      if (stack === undefined || commandLine === undefined) throw new Error(`TID ${tid}: its files were not read to the end`);
      const { comm, ppid, startTicks, kernelThread, state, cpu } = stat;
      if (isGone(stack) || isGone(commandLine)) {
        this.#missTask(draft, 'gone');
        continue;
      }
      if (!this.#passesStackFilters(stack)) continue;
      const task = { pid, tid, ppid, startTicks, comm, commandLine, kernelThread, ...(uid !== undefined && { uid }) };
      observations.push({ task, state, stack, cpu });
    }
    return observations;
  }

  #passesStackFilters(stack: Reading<Stack>): boolean {
    const { function: pattern, module } = this.#options.selection;
    if (pattern === undefined && module === undefined) return true;
    if ('unread' in stack) return false;
    const { frames } = stack.value;
    if (pattern !== undefined && !frames.some(({ symbol }) => pattern.test(symbol))) return false;
    return module === undefined || frames.some((frame) => frame.module === module);
  }
}

/** Kernel threads and zombies have no memory that could hold one (fs/proc/base.c, get_task_cmdline). */
function hasNoCommandLine(stat: Stat): boolean {
  return stat.kernelThread || stat.state === 'Z' || stat.state === 'X';
}

function commandLineOf({ commandLine }: Draft): Reading<string> | undefined {
  return commandLine !== undefined && 'tid' in commandLine ? commandLineOf(commandLine) : commandLine;
}

function joinArguments(commandLine: Buffer): string {
  return decodeBytes(commandLine).replaceAll('\0', ' ').trim();
}

function isGone(reading: Reading<unknown>): boolean {
  return 'unread' in reading && reading.unread === 'gone';
}
