import type { CommandLineLimits } from '../../../model/command-line.ts';
import type { CompiledSelection } from '../../../model/compiled-selection.ts';
import type { Field } from '../../../model/fields.ts';
import { type Reading, type Unreadable, unreadableFrom } from '../../../model/reading.ts';
import type { Sample, Unread } from '../../../model/sample.ts';
import { isOnlyPids } from '../../../model/selection.ts';
import type { Stack, StackTable } from '../../../model/stack.ts';
import type { TaskTable } from '../../../model/task.ts';
import { decodeBytes } from '../../../native/decode.ts';
import { errnoName } from '../../../native/errno.ts';
import { bitsOf, FLAG, TASK_FILES, type TaskFile, WHAT } from '../../../native/reader/protocol.ts';
import type { Reader, RecordTaker } from '../../../native/reader/reader.ts';
import { candidates } from './candidates.ts';
import { parseCgroups } from './cgroup.ts';
import { CommandLines } from './command-lines.ts';
import { type Draft, emptyDraft, hasNoMemory, type FieldReadings as Readings } from './draft.ts';
import { FieldReadings } from './field-readings.ts';
import { FIELD_SOURCES } from './field-sources.ts';
import { FileParser } from './file-parser.ts';
import { listPids } from './files.ts';
import { inOrder, observe } from './observe.ts';
import type { Prefetch, PrefetchedTask } from './prefetch.ts';
import { ProcessNames } from './process-names.ts';
import { type Missed, Refusals } from './refusals.ts';
import { Requests } from './requests.ts';
import { StackReadings } from './stack-readings.ts';
import { parseStat, parseState } from './stat.ts';
import { parseStatus, type Status } from './status.ts';
import { type OwnTasks, TaskFilter } from './task-filter.ts';
import { Wchans } from './wchans.ts';

const BITS = {
  status: bitsOf(['status']),
  cgroup: bitsOf(['cgroup']),
  cmdline: bitsOf(['cmdline']),
} as const;

const NO_BYTES: CommandLineLimits = { allBytes: 0, leastBytes: 0 };

export interface SampleReaderOptions {
  readonly selection: CompiledSelection;
  readonly root: string;
  readonly reader: Reader;
  readonly stacks: StackTable;
  readonly tasks: TaskTable;
  readonly bootId: string | undefined;
  readonly commandLines: CommandLineLimits | 'none';
  /** What to read of each task in addition to its stat, stack and command line. */
  readonly fields: readonly Field[];
  /** What a faster source found. */
  readonly prefetch: Prefetch | undefined;
  readonly own: OwnTasks;
  /** The name of a user on the host. */
  userName(uid: number): string | undefined;
}

type Record = Parameters<RecordTaker>[0];

/** Reads the tasks of one sample: the stat of every task that may match, then the other files of those that do. */
export class SampleReader {
  readonly #options: SampleReaderOptions;
  readonly #filter: TaskFilter;
  readonly #fields: readonly Field[];
  /** The files of a selected task, except its command line and what a filter has read, as a bit set. */
  readonly #files: number;
  /** The files among these that kernel threads and zombies do not have. */
  readonly #needsMemory: number;
  /** The files that a prefetch makes unnecessary. */
  readonly #prefetched: number;
  readonly #drafts = new Map<number, Draft>();
  readonly #unread: Unread[] = [];
  readonly #stacks: StackReadings;
  readonly #commandLines: CommandLines;
  readonly #requests: Requests;
  /** Tasks whose command line has to wait for the end of the prefetch. */
  readonly #held: Draft[] = [];
  #isPrefetching = false;
  readonly #wchans: Wchans;
  readonly #parser: FileParser;
  readonly #fieldReadings: FieldReadings;
  readonly #processNames: ProcessNames;
  readonly #refusals: Refusals;

  constructor(options: SampleReaderOptions) {
    const { selection, fields, prefetch, stacks, reader, commandLines, own } = options;
    this.#options = options;
    this.#filter = new TaskFilter(selection, own);
    const { users, threads } = this.#filter;
    this.#fields = users === undefined || fields.includes('uid') ? fields : [...fields, 'uid'];
    const filtered: TaskFile[] = [
      ...(users === undefined ? [] : (['status'] as const)),
      ...(selection.cgroup === undefined ? [] : (['cgroup'] as const)),
    ];
    const ofFields = this.#fields.map((field) => FIELD_SOURCES[field].file).filter((file) => !filtered.includes(file));
    this.#files = bitsOf([...new Set<TaskFile>(['stack', ...ofFields])]);
    this.#needsMemory = bitsOf(
      this.#fields.filter((field) => FIELD_SOURCES[field].needsMemory).map((field) => FIELD_SOURCES[field].file),
    );
    const unprefetched = this.#fields.filter((field) => FIELD_SOURCES[field].prefetched === undefined);
    this.#prefetched = bitsOf(['stack', 'status']) & ~bitsOf(unprefetched.map((field) => FIELD_SOURCES[field].file));
    this.#stacks = new StackReadings(stacks);
    this.#commandLines = new CommandLines(prefetch, commandLines !== 'none');
    this.#parser = new FileParser(options.root, threads);
    this.#fieldReadings = new FieldReadings(this.#fields, this.#parser);
    this.#processNames = new ProcessNames(options.root);
    this.#refusals = new Refusals(options.root);
    const limits = commandLines === 'none' ? NO_BYTES : commandLines;
    this.#requests = new Requests(reader, { threads, commandLines: limits }, (record) => this.#take(record, false));
    this.#wchans = new Wchans(this.#requests);
  }

  async read(): Promise<Pick<Sample, 'observations' | 'unread' | 'monotonicMs'>> {
    const { selection, root, reader, prefetch } = this.#options;
    const onlyPids = isOnlyPids(selection);
    reader.beginRound();
    if (prefetch === undefined && !onlyPids) {
      this.#scan();
    } else {
      const seen = new Set<number>();
      if (prefetch !== undefined) await this.#prefetch(prefetch, seen);
      const isKnown = (number: number) => seen.has(number) || prefetch?.visited(number) === true;
      this.#askFor(selection, isKnown, () => (prefetch === undefined ? listPids(root) : prefetch.hidden()));
    }
    await this.#finish();
    if (prefetch === undefined && !onlyPids && this.#filter.numbers.size > 0) {
      // Threads selected by TID are not in the list of processes.
      const pids = [...this.#filter.numbers];
      const isKnown = (number: number) => this.#drafts.has(number);
      this.#askFor(this.#filter.threads ? { pids, threads: true } : { pids }, isKnown, () => []);
      await this.#finish();
    }
    // A prefetch shows those that /proc hides.
    if (!onlyPids && prefetch === undefined && this.#refusals.hides)
      this.#miss({ tid: 0, what: 'processes' }, 'hidden');
    const outside = onlyPids ? undefined : this.#refusals.namespace;
    if (outside !== undefined) this.#unread.push({ tid: 0, what: 'namespaces', why: 'hidden', detail: outside });
    for (const tid of prefetch?.replaced() ?? []) {
      const draft = this.#drafts.get(tid);
      if (draft?.prefetched !== undefined) draft.ended = true;
    }
    const observations = observe([...this.#drafts.values()].sort(inOrder(selection)), {
      selection,
      fields: this.#fields,
      prefetch,
      bootId: this.#options.bootId,
      tasks: this.#options.tasks,
      ownPid: this.#options.own.kstack,
      userName: this.#options.userName,
      processName: (pid) => this.#processNames.of(pid, this.#drafts.get(pid)?.stat?.comm),
      stackOf: (draft) => this.#stackOf(draft),
      commandLineOf: (draft) => this.#commandLines.of(draft),
      missEnded: (draft) => {
        if (this.#filter.numbers.has(draft.tid)) this.#missTask(draft, { unread: 'gone' }, undefined);
      },
    });
    const monotonicMs = prefetch?.monotonicMs();
    return { observations, unread: withoutTwins(this.#unread), ...(monotonicMs !== undefined && { monotonicMs }) };
  }

  /**
   * Requests all tasks. If only states and numbers decide, the reader reads everything else of the tasks in the right
   * state by itself, right after their stat.
   */
  #scan(): void {
    const { isDirect, users, all, states } = this.#filter;
    const ofSelected = TASK_FILES.filter((_, at) => (this.#files & (1 << at)) !== 0);
    const commandLine = this.#options.commandLines === 'none' ? [] : (['cmdline'] as const);
    const scan = {
      first: users === undefined ? (['stat'] as const) : (['stat', 'status'] as const),
      ofSelected: isDirect ? [...ofSelected, ...commandLine] : [],
      states: all ? '' : [...states].join(''),
    };
    const { reader, own } = this.#options;
    // An early scan saw kstack while its runtime started, perhaps waiting for its own file to be read.
    const again = reader.isAhead ? own.kstack : undefined;
    this.#requests.scan(scan, (record) => {
      if (record.tid !== again) this.#take(record, isDirect);
    });
    if (again !== undefined)
      this.#askFor(
        { pids: [again] },
        () => false,
        () => [],
      );
  }

  async #prefetch(prefetch: Prefetch, seen: Set<number>): Promise<void> {
    this.#isPrefetching = true;
    try {
      for (const tasks of prefetch.tasks())
        for (const task of tasks) {
          if (this.#filter.numbers.size > 0) seen.add(task.tid);
          this.#takePrefetched(task);
        }
    } catch (error) {
      // Wait for requests under way, so that the fallback starts with an idle reader.
      await this.#requests.settle();
      throw error;
    }
    this.#isPrefetching = false;
    for (const draft of this.#held) this.#wantCommandLine(draft);
  }

  /** Takes a task found by a prefetch, which may not have applied all filters. */
  #takePrefetched(task: PrefetchedTask): void {
    const { pid, tid, stat, uid } = task;
    const filter = this.#filter;
    if (!filter.takesState(task, stat.state) || filter.isOwn(task, stat.ppid)) return;
    if (!filter.takesName(stat.comm) || !filter.takesUser(uid)) return;
    const draft = emptyDraft(pid, tid, task);
    draft.stat = stat;
    if (this.#fields.length > 0) draft.fields = prefetchedFields(task, this.#fields);
    this.#drafts.set(tid, draft);
    this.#resume(draft);
  }

  /** Requests the tasks that a selection may take, by number. */
  #askFor(selection: CompiledSelection, isKnown: (number: number) => boolean, list: () => readonly number[]): void {
    const miss = (pid: number, why: Unreadable) => this.#miss({ tid: pid, pid, what: 'threads' }, why);
    const bits = bitsOf(this.#filter.users === undefined ? ['stat'] : ['stat', 'status']);
    for (const { pid, tid } of candidates(selection, this.#options.root, isKnown, list, miss)) {
      if (this.#drafts.has(tid)) continue;
      const draft = emptyDraft(pid, tid, undefined);
      this.#drafts.set(tid, draft);
      this.#requests.want(draft, bits);
    }
  }

  /** Continues with a task that passed all filters except the control group: requests that, or everything. */
  #resume(draft: Draft): void {
    if (this.#options.selection.cgroup !== undefined && !draft.inCgroup) this.#requests.want(draft, BITS.cgroup);
    else this.#select(draft);
  }

  #select(draft: Draft): void {
    draft.selected = true;
    const { stat, prefetched } = draft;
    let files = this.#files;
    if (prefetched !== undefined) files &= ~this.#prefetched;
    if (stat === undefined || hasNoMemory(stat)) files &= ~this.#needsMemory;
    if (files !== 0) this.#requests.want(draft, files);
    this.#wantCommandLine(draft);
  }

  #wantCommandLine(draft: Draft): boolean {
    const must = this.#commandLines.mustRead(draft, this.#isPrefetching);
    if (must === 'later') this.#held.push(draft);
    else if (must) this.#requests.want(draft, BITS.cmdline);
    return must === true;
  }

  /** Resolves when everything has arrived. */
  async #finish(): Promise<void> {
    for (let again = true; again; ) {
      await this.#requests.settle();
      again = false;
      // The thread through which a command line was requested may have ended: try another one.
      for (const draft of this.#drafts.values())
        if (draft.selected && !draft.ended && this.#wantCommandLine(draft)) again = true;
    }
  }

  /** Takes one file of a task, or why it could not be read. With `direct`, the reader sends the other files unasked. */
  #take(record: Record, direct: boolean): void {
    const { pid, tid, what, flags, result, bytes } = record;
    let why = missOf(flags, result);
    if (what === WHAT.list) {
      if (pid === 0) throw new Error(`cannot list the processes: ${why}`);
      this.#miss({ tid: pid, pid, what: 'threads' }, why ?? 'gone');
      return;
    }
    const draft = this.#drafts.get(tid) ?? emptyDraft(pid, tid, undefined);
    const file = TASK_FILES[what];
    if (file === undefined) return;
    if (why === 'gone' && (file === 'syscall' || file === 'cgroup') && this.#parser.lacks(file)) why = 'ENOENT';
    if (why === 'gone' && draft.prefetched !== undefined && this.#refusals.hides) why = 'hidden';
    if (why === 'gone' && file !== 'stat' && file !== 'wchan') draft.ended = true;
    switch (file) {
      case 'stat':
        if (why === undefined) this.#takeStat(draft, bytes, direct);
        else if (why === 'gone' || draft.stat !== undefined) this.#end(draft);
        else this.#missStat(draft, this.#refusals.of(why));
        return;
      case 'stack':
        draft.stack = why === undefined ? this.#stacks.ofBytes(bytes) : this.#refusals.of(why);
        if (why === 'timeout') this.#wchans.want(draft);
        return;
      case 'wchan':
        if (why === undefined) this.#wchans.take(draft, bytes);
        return;
      case 'cmdline':
        if (why === undefined) this.#commandLines.take(draft, bytes, (flags & FLAG.cut) !== 0);
        else this.#commandLines.miss(draft, { ...this.#refusals.of(why) }); // its own: equal ones count as of one process
        return;
      default:
        this.#fieldReadings.take(draft, file, bytes, why && this.#refusals.of(why));
        if (file === 'status') this.#takeStatus(draft, bytes, why);
        if (file === 'cgroup') this.#takeCgroup(draft, bytes, why);
    }
  }

  #takeStat(draft: Draft, bytes: Buffer, direct: boolean): void {
    const filter = this.#filter;
    const state = parseState(bytes);
    // The reader rereads the stat of a task that was asleep but has no stack any more, so the state may have changed.
    if (state !== undefined && !filter.takesState(draft, state)) {
      this.#drafts.delete(draft.tid);
      return;
    }
    const reading = this.#parser.parse(draft, 'stat', () => parseStat(bytes));
    if ('unread' in reading) {
      this.#missStat(draft, reading);
      return;
    }
    const stat = reading.value;
    if (!filter.takesName(stat.comm) || filter.isOwn(draft, stat.ppid)) {
      this.#drafts.delete(draft.tid);
      return;
    }
    const again = draft.stat !== undefined;
    draft.stat = stat;
    this.#drafts.set(draft.tid, draft);
    if (again) return;
    // The user filter needs the status, which arrives next.
    if (filter.users !== undefined && draft.fields?.uid === undefined) return;
    if (direct && (filter.all || filter.states.has(stat.state))) draft.selected = true;
    else this.#resume(draft);
  }

  #end(draft: Draft): void {
    draft.ended = true;
    if (this.#filter.numbers.has(draft.tid)) this.#missTask(draft, { unread: 'gone' }, undefined);
    this.#drafts.delete(draft.tid);
  }

  /**
   * A task whose stat hangs (in an execve, since Linux 6.18) or is forbidden. Its status has part of the information,
   * and takes no lock.
   */
  #missStat(draft: Draft, missed: Missed): void {
    this.#drafts.set(draft.tid, draft);
    draft.missed = missed;
    this.#requests.want(draft, BITS.status);
    if (missed.unread === 'timeout') this.#wchans.want(draft);
  }

  #takeStatus(draft: Draft, bytes: Buffer, why: Unreadable | undefined): void {
    if (draft.stat === undefined) {
      this.#takeStuck(draft, bytes, why);
      return;
    }
    if (this.#filter.users === undefined || draft.selected) return;
    const uid = draft.fields?.uid;
    if (uid !== undefined && 'value' in uid && this.#filter.takesUser(uid.value)) {
      this.#resume(draft);
      return;
    }
    this.#drafts.delete(draft.tid);
    if (uid !== undefined && 'unread' in uid) this.#missFilter(draft, 'uid', uid);
  }

  /** Takes a task of which only the status can be read. */
  #takeStuck(draft: Draft, bytes: Buffer, why: Unreadable | undefined): void {
    const { missed } = draft;
    this.#drafts.delete(draft.tid);
    if (why === 'gone' || missed === undefined) return;
    const status: Reading<Status> =
      why === undefined ? this.#parser.parse(draft, 'status', () => parseStatus(bytes)) : { unread: why };
    if ('unread' in status) {
      this.#missTask(draft, missed, undefined);
      return;
    }
    const { name, state, uid, ppid } = status.value;
    const filter = this.#filter;
    if (!filter.takesState(draft, state) || !filter.takesName(name) || !filter.takesUser(uid)) return;
    this.#missTask(draft, missed, status.value);
    draft.stat = { comm: name, state, ppid, kernelThread: false, threads: 1, startTicks: undefined, cpu: undefined };
    draft.stack = missed;
    draft.selected = this.#options.selection.cgroup === undefined;
    this.#commandLines.miss(draft, missed);
    this.#drafts.set(draft.tid, draft);
    // Of the other files, only the control group can be read without the task's locks.
    if (!draft.selected || this.#fields.includes('cgroup')) this.#requests.want(draft, BITS.cgroup);
  }

  /** Applies the filter for control groups: continues with the task or drops it. */
  #takeCgroup(draft: Draft, bytes: Buffer, why: Unreadable | undefined): void {
    if (this.#options.selection.cgroup === undefined) return;
    const paths = this.#pathsOf(draft, bytes, why);
    if ('value' in paths && this.#filter.takesCgroup(paths.value)) {
      draft.inCgroup = true;
      if (draft.missed === undefined) this.#select(draft);
      else draft.selected = true;
      return;
    }
    this.#drafts.delete(draft.tid);
    if ('unread' in paths) this.#missFilter(draft, 'cgroup', paths);
  }

  #pathsOf(draft: Draft, bytes: Buffer, why: Unreadable | undefined): Reading<readonly string[]> {
    if (why !== undefined) return { unread: why };
    return this.#parser.parse(draft, 'cgroup', () => parseCgroups(decodeBytes(bytes)).paths);
  }

  /** Reports a task that may be selected, but whose filter could not be applied. */
  #missFilter({ pid, tid, stat }: Draft, what: Field, { unread: why, detail }: Missed): void {
    if (why === 'gone' || stat === undefined) return;
    const { comm, state } = stat;
    this.#unread.push({ tid, pid, comm, state, what, why, ...(detail !== undefined && { detail }) });
  }

  #miss(what: Omit<Unread, 'why' | 'detail'>, why: Unreadable): void {
    const { unread, ...more } = this.#refusals.of(why);
    this.#unread.push({ ...what, why: unread, ...more });
  }

  #missTask({ pid, tid }: Draft, missed: Missed, status: Status | undefined): void {
    const isHidden = missed.unread === 'gone' && this.#refusals.hides;
    const { unread: why, detail } = isHidden ? this.#refusals.of('hidden') : missed;
    const known = status && { pid, comm: status.name, state: status.state };
    this.#unread.push({ tid, ...known, what: 'task', why, ...(detail !== undefined && { detail }) });
  }

  #stackOf(draft: Draft): Reading<Stack> | undefined {
    const { prefetch } = this.#options;
    if (prefetch === undefined || draft.prefetched === undefined) return draft.stack;
    return this.#stacks.ofText(prefetch.stackOf(draft.prefetched));
  }
}

/** Without the threads of a process of which, for the same reason, nothing at all could be read. */
function withoutTwins(unread: readonly Unread[]): readonly Unread[] {
  const tasks = new Map(unread.filter(({ what }) => what === 'task').map(({ tid, why }) => [tid, why]));
  return tasks.size === 0
    ? unread
    : unread.filter(({ what, tid, why }) => what !== 'threads' || tasks.get(tid) !== why);
}

/** Why a file could not be read; undefined if it could. */
function missOf(flags: number, result: number): Unreadable | undefined {
  if (flags & FLAG.late) return 'timeout';
  if (flags & FLAG.skipped) return 'skipped';
  return result < 0 ? unreadableFrom(errnoName(-result)) : undefined;
}

function prefetchedFields(task: PrefetchedTask, fields: readonly Field[]): Readings {
  const readings: Readings = {};
  for (const field of fields) {
    const value = FIELD_SOURCES[field].prefetched?.(task);
    if (value !== undefined) Object.assign(readings, { [field]: { value } });
  }
  return readings;
}
