import { existsSync } from 'node:fs';
import { type Reading, type Unreadable, unreadableFrom } from '../../../model/reading.ts';
import type { Field, Sample, State, Unread } from '../../../model/sample.ts';
import { isOnlyPids, type Selection, takesAll } from '../../../model/selection.ts';
import type { Stack, StackTable } from '../../../model/stack.ts';
import { decodeBytes } from '../../../native/decode.ts';
import { errnoName } from '../../../native/errno.ts';
import { bitsOf, FLAG, TASK_FILES, type TaskFile, WHAT } from '../../../native/reader/protocol.ts';
import type { Reader, RecordTaker } from '../../../native/reader/reader.ts';
import { candidates } from './candidates.ts';
import { type Cgroups, parseCgroups } from './cgroup.ts';
import { type CommandLineLimits, CommandLines } from './command-lines.ts';
import { type Draft, emptyDraft, hasNoMemory } from './draft.ts';
import { listPids } from './files.ts';
import type { FirstLook, KnownTask } from './first-look.ts';
import { hidesFromUs } from './hiding.ts';
import { inOrder, observe } from './observe.ts';
import { parseStat, parseState } from './stat.ts';
import { parseStatus, type Status } from './status.ts';
import { parseSystemCall } from './system-call.ts';

/** So many tasks are asked for at once. */
const BATCH = 512;
const WCHANS_ASKED_FIRST = 8;

export interface SampleReaderOptions {
  readonly selection: Selection;
  readonly root: string;
  readonly reader: Reader;
  readonly stacks: StackTable;
  readonly commandLines: CommandLineLimits;
  /** What is to be read of each task beside its stat, stack and command line. */
  readonly fields: readonly Field[];
  /** What a faster way found before. */
  readonly look: FirstLook | undefined;
  readonly own: OwnTasks;
}

/**
 * The tasks of kstack itself that are not shown: what reads for it, and, where the process is all its own, its threads
 * but the main one.
 */
export interface OwnTasks {
  /** The PID of what reads; undefined where the numbers of this procfs are not those of this process. */
  readonly reader: number | undefined;
  /** The process whose helper threads are left out. */
  readonly process: number | undefined;
}

type Record = Parameters<RecordTaker>[0];

/** Reads the tasks of one sample: the stat of every task that can match, then the other files of those that do. */
export class SampleReader {
  readonly #options: SampleReaderOptions;
  readonly #all: boolean;
  readonly #threads: boolean;
  readonly #states: ReadonlySet<State>;
  readonly #asked: ReadonlySet<number>;
  readonly #users: ReadonlySet<number> | undefined;
  readonly #fields: ReadonlySet<Field>;
  /**
   * What is read of a task that is selected, beside its command line and, where a filter wanted it before, its status.
   */
  readonly #files: readonly TaskFile[];
  readonly #drafts = new Map<number, Draft>();
  /** By the text of their file: of thousands of tasks, most share a few. */
  readonly #cgroupsOf = new Map<string, Reading<Cgroups>>();
  readonly #unread: Unread[] = [];
  /** The stacks of a first look, by their text. */
  readonly #knownStacks = new Map<string, Reading<Stack>>();
  readonly #readStacks = new Map<string, Reading<Stack>>();
  readonly #commandLines: CommandLines;
  /** What is to be asked for next, as a set of bits. */
  readonly #wanted = new Map<Draft, number>();
  readonly #jobs: Promise<void>[] = [];
  /** Those whose command line waits for the first look to be over. */
  readonly #held: Draft[] = [];
  #isLooking = false;
  /** What is known of the kernel's /proc/PID/wchan, and whose waits for that. */
  readonly #wchans = { asked: 0, answers: false, later: [] as Draft[] };

  constructor(options: SampleReaderOptions) {
    const { selection, fields, look } = options;
    this.#options = options;
    this.#all = takesAll(selection);
    this.#threads = selection.threads === true;
    this.#states = new Set(selection.states);
    this.#asked = new Set(selection.all === true ? [] : selection.pids);
    this.#users = selection.users && new Set(selection.users);
    this.#fields = new Set(fields);
    const optional: [boolean, TaskFile][] = [
      [this.#fields.has('uid') && this.#users === undefined, 'status'],
      [true, 'stack'],
      [this.#fields.has('systemCall'), 'syscall'],
      [this.#fields.has('cgroup') && selection.cgroup === undefined, 'cgroup'],
    ];
    this.#files = optional.filter(([wanted]) => wanted).map(([, file]) => file);
    this.#commandLines = new CommandLines(look);
  }

  async read(): Promise<Pick<Sample, 'observations' | 'unread'>> {
    const { selection, root, reader, look } = this.#options;
    reader.beginRound();
    const miss = (pid: number, why: Unreadable) => this.#unread.push({ tid: pid, what: 'threads', why });
    if (look === undefined && !isOnlyPids(selection)) {
      this.#scan();
    } else {
      const seen = new Set<number>();
      if (look !== undefined) await this.#look(look, seen);
      const isKnown = (number: number) => seen.has(number) || look?.sees(number) === true;
      const list = () => (look === undefined ? listPids(root) : look.hidden());
      for (const { pid, tid } of candidates(selection, root, isKnown, list, miss))
        this.#ask(emptyDraft(pid, tid, undefined));
    }
    await this.#finish();
    if (look === undefined && !isOnlyPids(selection) && this.#asked.size > 0) {
      // Threads that were asked for by number are in no list.
      const isKnown = (number: number) => this.#drafts.has(number);
      for (const { pid, tid } of candidates(
        { pids: [...this.#asked], ...(this.#threads && { threads: true }) },
        root,
        isKnown,
        () => [],
        miss,
      ))
        if (!this.#drafts.has(tid)) this.#ask(emptyDraft(pid, tid, undefined));
      await this.#finish();
    }
    if (!isOnlyPids(selection) && this.#isHidden()) this.#unread.push({ tid: 0, what: 'processes', why: 'hidden' });
    for (const tid of look?.replaced() ?? []) {
      const draft = this.#drafts.get(tid);
      if (draft?.known !== undefined) draft.ended = true;
    }
    const observations = observe([...this.#drafts.values()].sort(inOrder(selection)), {
      selection,
      fields: this.#fields,
      look,
      stackOf: (draft) => this.#stackOf(draft),
      commandLineOf: (draft) => this.#commandLines.of(draft),
      missEnded: (draft) => {
        if (this.#asked.has(draft.tid)) this.#missTask(draft, 'gone', undefined);
      },
    });
    return { observations, unread: this.#unread };
  }

  /**
   * Has the reader read all tasks. Where only states and numbers decide, it goes on by itself with those in the right
   * state, right behind their stat.
   */
  #scan(): void {
    const { reader, commandLines, selection } = this.#options;
    const direct = selection.command === undefined && this.#users === undefined && selection.cgroup === undefined;
    const scan = {
      first: this.#users === undefined ? (['stat'] as const) : (['stat', 'status'] as const),
      ofSelected: direct ? [...this.#files, 'cmdline' as const] : [],
      states: this.#all ? '' : [...this.#states].join(''),
      threads: this.#threads,
      commandLines,
    };
    this.#jobs.push(reader.scan(scan, (record) => this.#take(record, direct)));
  }

  async #look(look: FirstLook, seen: Set<number>): Promise<void> {
    this.#isLooking = true;
    try {
      for (const tasks of look.tasks())
        for (const known of tasks) {
          if (this.#asked.size > 0) seen.add(known.tid);
          this.#takeKnown(known);
        }
    } catch (error) {
      // What has been asked for is on its way, and whoever reads instead shall find the reader idle.
      await Promise.all(this.#jobs);
      throw error;
    }
    this.#isLooking = false;
    for (const draft of this.#held) this.#wantCommandLine(draft);
  }

  /** A task that a first look found. It decided by what it could, which need not be all. */
  #takeKnown(known: KnownTask): void {
    const { pid, tid, stat, uid } = known;
    const draft = emptyDraft(pid, tid, known);
    if (!this.#selects(draft, stat.state) || this.#isOwn(pid, tid, stat.ppid)) return;
    if (this.#options.selection.command?.test(stat.comm) === false || this.#users?.has(uid) === false) return;
    draft.stat = stat;
    if (this.#fields.has('uid') || this.#users !== undefined) draft.uid = { value: uid };
    this.#drafts.set(tid, draft);
    this.#goOn(draft);
  }

  #hides: boolean | undefined;

  #isHidden(): boolean {
    this.#hides ??= hidesFromUs(this.#options.root);
    return this.#hides;
  }

  #isOwn(pid: number, tid: number, ppid: number): boolean {
    const { reader, process } = this.#options.own;
    return pid === reader || ppid === reader || (pid === process && tid !== pid);
  }

  /** Asks for a task by its number. */
  #ask(draft: Draft): void {
    this.#drafts.set(draft.tid, draft);
    this.#want(draft, bitsOf(this.#users === undefined ? ['stat'] : ['stat', 'status']));
  }

  /** Goes on with a task that passed all filters but that for control groups: asks for it, or for the rest. */
  #goOn(draft: Draft): void {
    if (this.#options.selection.cgroup !== undefined && draft.cgroups === undefined)
      this.#want(draft, bitsOf(['cgroup']));
    else this.#select(draft);
  }

  #select(draft: Draft): void {
    draft.selected = true;
    const { stat, known } = draft;
    const files = this.#files.filter((file) => {
      if (known !== undefined && (file === 'stack' || file === 'status')) return false;
      return file !== 'syscall' || (stat !== undefined && !hasNoMemory(stat));
    });
    if (files.length > 0) this.#want(draft, bitsOf(files));
    this.#wantCommandLine(draft);
  }

  #wantCommandLine(draft: Draft): void {
    const must = this.#commandLines.mustRead(draft, this.#isLooking);
    if (must === 'later') this.#held.push(draft);
    else if (must) this.#want(draft, bitsOf(['cmdline']));
  }

  #want(draft: Draft, bits: number): void {
    this.#wanted.set(draft, (this.#wanted.get(draft) ?? 0) | bits);
    if (this.#wanted.size >= BATCH) this.#send();
  }

  #send(): void {
    if (this.#wanted.size === 0) return;
    const drafts = [...this.#wanted.keys()];
    const bits = [...this.#wanted.values()];
    this.#wanted.clear();
    const { reader, commandLines } = this.#options;
    const take: RecordTaker = (record) => this.#take(record, false);
    this.#jobs.push(reader.get(drafts, (at) => bits[at] ?? 0, { threads: this.#threads, commandLines }, take));
  }

  /** Resolves when all that has been asked for has come, and what that led to. */
  async #finish(): Promise<void> {
    for (;;) {
      this.#send();
      const jobs = this.#jobs.splice(0);
      if (jobs.length > 0) {
        await Promise.all(jobs);
        continue;
      }
      // Its thread that was asked for a command line may have ended meanwhile.
      for (const draft of this.#drafts.values()) if (draft.selected && !draft.ended) this.#wantCommandLine(draft);
      if (this.#wanted.size === 0) return;
    }
  }

  /**
   * Takes one file of a task, or why there is none. `direct`: what a selected task needs is read without being asked
   * for.
   */
  #take(record: Record, direct: boolean): void {
    const { pid, tid, what, flags, result, bytes } = record;
    let why = missOf(flags, result);
    if (what === WHAT.list) {
      if (pid === 0) throw new Error(`cannot list the processes: ${why}`);
      this.#unread.push({ tid: pid, what: 'threads', why: why ?? 'gone' });
      return;
    }
    const draft = this.#drafts.get(tid) ?? emptyDraft(pid, tid, undefined);
    const file = TASK_FILES[what];
    if (file === 'stat') {
      if (why === undefined) this.#takeStat(draft, bytes, direct);
      else if (why === 'gone' || draft.stat !== undefined) this.#end(draft);
      else this.#missStat(draft, why);
      return;
    }
    if (why === 'gone' && (file === 'syscall' || file === 'cgroup') && this.#lacks(file)) why = 'ENOENT';
    if (why === 'gone' && (file === 'stack' || file === 'status')) draft.ended = true;
    switch (file) {
      case 'status':
        this.#takeStatus(draft, bytes, why);
        return;
      case 'stack':
        draft.stack = why === undefined ? this.#stackFrom(bytes) : { unread: why };
        if (why === 'timeout') this.#wantWchan(draft);
        return;
      case 'syscall': {
        const value = why === undefined ? parseSystemCall(bytes.toString('latin1')) : undefined;
        draft.systemCall = value === undefined ? { unread: why ?? 'malformed' } : { value };
        return;
      }
      case 'cgroup':
        this.#takeCgroups(draft, bytes, why);
        return;
      case 'wchan':
        if (why === undefined) this.#takeWchan(draft, bytes);
        return;
      case 'cmdline':
        if (why === undefined) this.#commandLines.take(draft, bytes, (flags & FLAG.cut) !== 0);
        else this.#commandLines.miss(draft, { unread: why });
        if (why === 'gone') draft.ended = true;
    }
  }

  readonly #lacking = new Map<string, boolean>();

  /**
   * Whether this kernel has no such file (CONFIG_CGROUPS, CONFIG_HAVE_ARCH_TRACEHOOK): that it is not there need not
   * mean that the task has ended.
   */
  #lacks(file: string): boolean {
    let lacks = this.#lacking.get(file);
    if (lacks === undefined) {
      lacks = !existsSync(`${this.#options.root}/self/${file}`);
      this.#lacking.set(file, lacks);
    }
    return lacks;
  }

  #takeStat(draft: Draft, bytes: Buffer, direct: boolean): void {
    const state = parseState(bytes);
    // What was asleep and has no stack any more has its stat read again.
    if (state !== undefined && !this.#selects(draft, state)) {
      this.#drafts.delete(draft.tid);
      return;
    }
    const stat = parseStat(bytes);
    if (stat === undefined) {
      this.#missStat(draft, 'malformed');
      return;
    }
    if (this.#options.selection.command?.test(stat.comm) === false || this.#isOwn(draft.pid, draft.tid, stat.ppid)) {
      this.#drafts.delete(draft.tid);
      return;
    }
    const again = draft.stat !== undefined;
    draft.stat = stat;
    this.#drafts.set(draft.tid, draft);
    if (again) return;
    // Its status comes next.
    if (this.#users !== undefined && draft.uid === undefined) return;
    if (direct && (this.#all || this.#states.has(stat.state))) draft.selected = true;
    else this.#goOn(draft);
  }

  #end(draft: Draft): void {
    draft.ended = true;
    if (this.#asked.has(draft.tid)) this.#missTask(draft, 'gone', undefined);
    this.#drafts.delete(draft.tid);
  }

  /**
   * A task whose stat hangs (in an execve, since Linux 6.18) or is forbidden: its status tells some of it, and takes no
   * lock.
   */
  #missStat(draft: Draft, why: Unreadable): void {
    this.#drafts.set(draft.tid, draft);
    draft.missed = why;
    this.#want(draft, bitsOf(['status']));
    if (why === 'timeout') this.#wantWchan(draft);
  }

  /** Some kernels take no lock for it, others that on which the stack hangs: a few tell which this is. */
  #wantWchan(draft: Draft): void {
    if (this.#wchans.answers || this.#wchans.asked++ < WCHANS_ASKED_FIRST) this.#want(draft, bitsOf(['wchan']));
    else this.#wchans.later.push(draft);
  }

  #takeWchan(draft: Draft, bytes: Buffer): void {
    // A task that waits nowhere has 0.
    if (bytes.length > 1) draft.wchan = decodeBytes(bytes);
    this.#wchans.answers = true;
    for (const later of this.#wchans.later.splice(0)) this.#want(later, bitsOf(['wchan']));
  }

  #takeStatus(draft: Draft, bytes: Buffer, why: Unreadable | undefined): void {
    const status = why === undefined ? parseStatus(bytes) : undefined;
    draft.uid = status === undefined ? { unread: why ?? 'malformed' } : { value: status.uid };
    const isFilter = this.#users !== undefined;
    if (draft.stat === undefined) {
      // Its stat could not be read.
      this.#takeStuck(draft, status, why);
      return;
    }
    if (!isFilter || draft.selected) return;
    if (status === undefined) {
      this.#drafts.delete(draft.tid);
      if (why !== 'gone')
        this.#unread.push({ tid: draft.tid, comm: draft.stat.comm, what: 'uid', why: why ?? 'malformed' });
    } else if (this.#users.has(status.uid)) this.#goOn(draft);
    else this.#drafts.delete(draft.tid);
  }

  /** A task of which no more than its status can be read. */
  #takeStuck(draft: Draft, status: Status | undefined, why: Unreadable | undefined): void {
    const { missed } = draft;
    this.#drafts.delete(draft.tid);
    if (why === 'gone' || missed === undefined) return;
    if (status === undefined) {
      this.#missTask(draft, missed, undefined);
      return;
    }
    const { name, state, uid, ppid } = status;
    if (!this.#selects(draft, state) || this.#options.selection.command?.test(name) === false) return;
    if (this.#users?.has(uid) === false) return;
    this.#missTask(draft, missed, { name, state });
    draft.stat = { comm: name, state, ppid, kernelThread: false, threads: 1, startTicks: undefined, cpu: undefined };
    draft.stack = { unread: missed };
    draft.selected = true;
    this.#commandLines.miss(draft, { unread: missed });
    this.#drafts.set(draft.tid, draft);
    const files = this.#files.filter((file) => file === 'cgroup');
    if (this.#options.selection.cgroup !== undefined) {
      draft.selected = false;
      this.#want(draft, bitsOf(['cgroup']));
    } else if (files.length > 0) this.#want(draft, bitsOf(files));
  }

  /** Notes the control group, and goes on with the task unless the selection is for others. */
  #takeCgroups(draft: Draft, bytes: Buffer, why: Unreadable | undefined): void {
    draft.cgroups = why === undefined ? this.#cgroupsFrom(bytes) : { unread: why };
    const { cgroup: pattern } = this.#options.selection;
    if (pattern === undefined) return;
    if ('value' in draft.cgroups && draft.cgroups.value.paths.some(pattern)) {
      if (draft.missed === undefined) this.#select(draft);
      else draft.selected = true;
      return;
    }
    this.#drafts.delete(draft.tid);
    if ('value' in draft.cgroups || draft.cgroups.unread === 'gone' || draft.stat === undefined) return;
    const { comm, state } = draft.stat;
    this.#unread.push({ tid: draft.tid, comm, state, what: 'cgroup', why: draft.cgroups.unread });
  }

  #cgroupsFrom(bytes: Buffer): Reading<Cgroups> {
    const text = decodeBytes(bytes);
    let cgroups = this.#cgroupsOf.get(text);
    if (cgroups === undefined) {
      const parsed = parseCgroups(text);
      cgroups = parsed === undefined ? { unread: 'malformed' } : { value: parsed };
      this.#cgroupsOf.set(text, cgroups);
    }
    return cgroups;
  }

  #isAskedFor({ pid, tid }: Draft): boolean {
    return this.#asked.has(tid) || (this.#threads && this.#asked.has(pid));
  }

  #selects(draft: Draft, state: State): boolean {
    return this.#all || this.#isAskedFor(draft) || this.#states.has(state);
  }

  #missTask(
    { tid }: Draft,
    why: Unreadable,
    known: { readonly name: string; readonly state: State } | undefined,
  ): void {
    const reason = why === 'gone' && this.#isHidden() ? 'hidden' : why;
    this.#unread.push({ tid, what: 'task', why: reason, ...(known && { comm: known.name, state: known.state }) });
  }

  /** By its bytes: of thousands of tasks, most share a few, and decoding costs more than looking up. */
  #stackFrom(bytes: Buffer): Reading<Stack> {
    const key = bytes.toString('latin1');
    let reading = this.#readStacks.get(key);
    if (reading === undefined) {
      reading = { value: this.#options.stacks.intern(decodeBytes(bytes).trim()) };
      this.#readStacks.set(key, reading);
    }
    return reading;
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
}

/** Why a file could not be read; undefined where it could. */
function missOf(flags: number, result: number): Unreadable | undefined {
  if (flags & FLAG.late) return 'timeout';
  if (flags & FLAG.skipped) return 'skipped';
  return result < 0 ? unreadableFrom(errnoName(-result)) : undefined;
}
