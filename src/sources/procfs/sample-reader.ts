import { isGone, type Reading, type Unreadable } from '../../model/reading.ts';
import type { Field, Observation, Sample, State, Unread } from '../../model/sample.ts';
import { isOnlyPids, type Selection, takesAll, takesStack } from '../../model/selection.ts';
import type { Stack, StackTable } from '../../model/stack.ts';
import { decodeBytes } from '../../model/text.ts';
import type { BoundedReads } from './bounded-reads.ts';
import { candidates } from './candidates.ts';
import { type Cgroups, parseCgroups } from './cgroup.ts';
import { type CommandLineLimits, CommandLines } from './command-lines.ts';
import { commandLineOf, type Draft, emptyDraft, hasNoMemory } from './draft.ts';
import { listPids, readStatus } from './files.ts';
import type { FirstLook, KnownTask } from './first-look.ts';
import type { ReadKind } from './read-kind.ts';
import { parseStat, parseState } from './stat.ts';
import { parseStatus } from './status.ts';
import { parseSystemCall } from './system-call.ts';

/** More than a stat file or a stack ever has: 52 numbers and a name; 64 entries (fs/proc/base.c, MAX_STACK_TRACE_DEPTH). */
const FILE_LIMIT_BYTES = 1 << 20;
/** From so many reads on that hang, the tasks in D have their stat read behind all others. */
const MANY_STUCK = 8;

export interface SampleReaderOptions {
  readonly selection: Selection;
  readonly root: string;
  /** Descriptor of `root`. */
  readonly directory: number;
  readonly reads: BoundedReads<Draft>;
  readonly stacks: StackTable;
  readonly commandLines: CommandLineLimits;
  /** What is to be read of each task beside its stat, stack and command line. */
  readonly fields: readonly Field[];
  /** What a faster way found before. */
  readonly look: FirstLook | undefined;
}

/** Reads the tasks of one sample: the stat of every task that can match, then the other files of those that do. */
export class SampleReader {
  readonly #options: SampleReaderOptions;
  readonly #all: boolean;
  readonly #threads: boolean;
  readonly #states: ReadonlySet<State>;
  readonly #asked: ReadonlySet<number>;
  readonly #users: ReadonlySet<number> | undefined;
  readonly #fields: ReadonlySet<Field>;
  /** By the text of their file: of thousands of tasks, most share a few. */
  readonly #cgroupsOf = new Map<string, Reading<Cgroups>>();
  readonly #unread: Unread[] = [];
  /** Numbers of tasks that a first look found, where some are asked for by number. */
  readonly #looked = new Set<number>();
  /** Those that are selected, in the order in which their stat came. The others are let go of at once: of 50,000 tasks, few are in D. */
  readonly #drafts: Draft[] = [];
  /** Those whose other files have not been asked for. */
  #fresh: Draft[] = [];
  /** The stacks of a first look, by their text. */
  readonly #knownStacks = new Map<string, Reading<Stack>>();
  readonly #commandLines: CommandLines;

  constructor(options: SampleReaderOptions) {
    const { selection } = options;
    this.#options = options;
    this.#all = takesAll(selection);
    this.#threads = selection.threads === true;
    this.#states = new Set(selection.states);
    this.#asked = new Set(selection.all === true ? [] : selection.pids);
    this.#users = selection.users && new Set(selection.users);
    this.#fields = new Set(options.fields);
    const { root, directory, reads, look, commandLines } = options;
    const pathOf = (draft: Draft) => this.#path(draft);
    this.#commandLines = new CommandLines({ limits: commandLines, root, directory, reads, look, threads: this.#threads, pathOf });
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

  readonly #status: ReadKind<Draft> = {
    limitBytes: () => FILE_LIMIT_BYTES,
    deliver: (draft, bytes) => {
      const status = parseStatus(bytes);
      draft.uid = status === undefined ? { unread: 'malformed' } : { value: status.uid };
    },
    miss: (draft, unread) => {
      draft.uid = { unread };
    },
  };

  readonly #cgroup: ReadKind<Draft> = {
    limitBytes: () => FILE_LIMIT_BYTES,
    deliver: (draft, bytes) => {
      const text = decodeBytes(bytes);
      let cgroups = this.#cgroupsOf.get(text);
      if (cgroups === undefined) {
        const parsed = parseCgroups(text);
        cgroups = parsed === undefined ? { unread: 'malformed' } : { value: parsed };
        this.#cgroupsOf.set(text, cgroups);
      }
      this.#takeCgroups(draft, cgroups);
    },
    miss: (draft, unread) => this.#takeCgroups(draft, { unread }),
  };

  readonly #systemCall: ReadKind<Draft> = {
    limitBytes: () => FILE_LIMIT_BYTES,
    deliver: (draft, bytes) => {
      const value = parseSystemCall(bytes.toString('latin1'));
      draft.systemCall = value === undefined ? { unread: 'malformed' } : { value };
    },
    miss: (draft, unread) => {
      draft.systemCall = { unread };
    },
  };

  async read(): Promise<Pick<Sample, 'observations' | 'unread'>> {
    const { selection, root, directory, reads, look } = this.#options;
    if (look !== undefined) {
      for (const tasks of look.tasks()) {
        for (const known of tasks) this.#takeKnown(known);
        this.#addOthers();
      }
      this.#commandLines.addHeld();
    }
    while (this.#addOthers()) reads.flush();
    const looked = this.#looked;
    const isKnown = (number: number) => looked.has(number) || look?.sees(number) === true;
    /** Those that may hang, when so many do that there might be no thread left for the others. */
    const last: Draft[] = [];
    const list = () => (look === undefined ? listPids(root) : look.hidden());
    for (const { pid, tid } of candidates(selection, root, isKnown, list)) {
      const draft = emptyDraft(pid, tid, undefined);
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

  /** A task that a first look found. It decided by what it could, which need not be all. */
  #takeKnown(known: KnownTask): void {
    const { pid, tid, stat, uid } = known;
    const draft = emptyDraft(pid, tid, known);
    if (this.#asked.size > 0) this.#looked.add(tid);
    if (!this.#selects(draft, stat.state)) return;
    if (this.#options.selection.command?.test(stat.comm) === false || this.#users?.has(uid) === false) return;
    draft.stat = stat;
    if (this.#fields.has('uid') || this.#users !== undefined) draft.uid = { value: uid };
    this.#fresh.push(draft);
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
    const uid = readStatus(`${this.#options.root}/${this.#path(draft)}`)?.uid;
    if (uid === undefined) return false;
    draft.uid = { value: uid };
    return this.#users.has(uid);
  }

  /** Notes the control group, and goes on with the task unless the selection is for others. */
  #takeCgroups(draft: Draft, cgroups: Reading<Cgroups>): void {
    draft.cgroups = cgroups;
    const { cgroup: pattern } = this.#options.selection;
    if (pattern === undefined) return;
    if ('unread' in cgroups) this.#missTask(draft, cgroups.unread, 'cgroup');
    else if (cgroups.value.paths.some(pattern)) this.#fresh.push(draft);
  }

  /** Notes that a task could not be read, where it may be one of those selected. Its status never blocks, and has its state and its name. */
  #missTask(draft: Draft, why: Unreadable, what: Unread['what'] = 'task'): void {
    if (why === 'gone' && !this.#asked.has(draft.tid)) return;
    const status = readStatus(`${this.#options.root}/${this.#path(draft)}`);
    if (status !== undefined) {
      if (!this.#selects(draft, status.state)) return;
      if (!this.#passesFilters(draft, status.name)) return;
    }
    this.#unread.push({ tid: draft.tid, what, why, ...(status && { comm: status.name, state: status.state }) });
  }

  /** Asks for the other files of the tasks found: for the control group alone where it decides; false when there are none. */
  #addOthers(): boolean {
    const drafts = this.#fresh;
    if (drafts.length === 0) return false;
    this.#fresh = [];
    const { reads, directory, selection } = this.#options;
    for (const draft of drafts) {
      if (draft.cgroups === undefined && (selection.cgroup !== undefined || this.#fields.has('cgroup')))
        reads.add(this.#cgroup, draft, directory, `${this.#path(draft)}/cgroup`);
      if (draft.cgroups === undefined && selection.cgroup !== undefined) continue;
      this.#drafts.push(draft);
      if (draft.known === undefined) reads.add(this.#stack, draft, directory, `${this.#path(draft)}/stack`);
      if (this.#fields.has('uid') && draft.uid === undefined) reads.add(this.#status, draft, directory, `${this.#path(draft)}/status`);
      if (this.#fields.has('systemCall')) this.#addSystemCall(draft);
      this.#commandLines.add(draft);
    }
    return true;
  }

  #addSystemCall(draft: Draft): void {
    // A kernel thread and a zombie are in none.
    if (draft.stat === undefined || hasNoMemory(draft.stat)) draft.systemCall = { value: 'none' };
    else this.#options.reads.add(this.#systemCall, draft, this.#options.directory, `${this.#path(draft)}/syscall`);
  }

  #stackOf(draft: Draft): Reading<Stack> | undefined {
    const { look, stacks } = this.#options;
    if (look === undefined || draft.known === undefined) return draft.stack;
    const text = look.stackOf(draft.known);
    let reading = this.#knownStacks.get(text);
    if (reading === undefined) {
      reading = { value: stacks.intern(text) };
      this.#knownStacks.set(text, reading);
    }
    return reading;
  }

  /** The observations of the tasks that did not go away while they were read. */
  #observations(): Observation[] {
    const observations: Observation[] = [];
    for (const draft of this.#drafts.sort(this.#inOrder())) {
      const { pid, tid, uid, cgroups, systemCall, stat } = draft;
      if (stat === undefined) continue;
      const stack = this.#stackOf(draft);
      const commandLine = commandLineOf(draft);
      if (stack === undefined || commandLine === undefined) throw new Error(`TID ${tid}: its files were not read to the end`);
      const { comm, ppid, startTicks, kernelThread, state, cpu } = stat;
      if (isGone(stack) || isGone(commandLine) || isGone(uid) || isGone(cgroups) || isGone(systemCall)) {
        this.#missTask(draft, 'gone');
        continue;
      }
      if (!takesStack(this.#options.selection, stack)) continue;
      const cgroup = cgroups !== undefined && 'value' in cgroups ? { value: cgroups.value.main } : cgroups;
      // Spread only where there is something: of 50,000 tasks, each costs.
      const known = { pid, tid, ppid, startTicks, comm, commandLine, kernelThread };
      const task = uid === undefined && cgroup === undefined ? known : { ...known, ...(uid && { uid }), ...(cgroup && { cgroup }) };
      const facts = draft.known && this.#options.look?.factsOf(draft.known);
      const seen = facts === undefined ? { task, state, stack, cpu } : { task, state, stack, cpu, facts };
      observations.push(systemCall === undefined ? seen : { ...seen, systemCall });
    }
    return observations;
  }

  /** By number, as /proc lists them; those asked for by number alone, in the order they were asked for. */
  #inOrder(): (a: Draft, b: Draft) => number {
    const byNumber = (a: Draft, b: Draft) => a.pid - b.pid || a.tid - b.tid;
    if (!isOnlyPids(this.#options.selection)) return this.#threads ? byNumber : (a, b) => a.tid - b.tid;
    const ranks = new Map([...this.#asked].map((number, rank) => [number, rank]));
    const rankOf = ({ pid, tid }: Draft) => ranks.get(tid) ?? ranks.get(pid) ?? 0;
    return (a, b) => rankOf(a) - rankOf(b) || byNumber(a, b);
  }
}
