import type { Field } from '../../../model/fields.ts';
import { type Reading, type Unreadable, unreadableFrom } from '../../../model/reading.ts';
import { decodeBytes } from '../../../native/decode.ts';
import { errnoName } from '../../../native/errno.ts';
import { bitsOf, FLAG, TASK_FILES, WHAT } from '../../../native/reader/protocol.ts';
import type { RecordTaker } from '../../../native/reader/reader.ts';
import { parseCgroups } from './cgroup.ts';
import type { CommandLines } from './command-lines.ts';
import { type Draft, emptyDraft, hasNoMemory, type FieldReadings as Readings } from './draft.ts';
import { FieldReadings } from './field-readings.ts';
import { FIELD_SOURCES } from './field-sources.ts';
import { FileParser } from './file-parser.ts';
import type { PrefetchedTask } from './prefetch.ts';
import type { Missed, Refusals } from './refusals.ts';
import type { Requests } from './requests.ts';
import type { StackReadings } from './stack-readings.ts';
import { parseStat, parseState } from './stat.ts';
import { parseStatus, type Status } from './status.ts';
import type { TaskFilter } from './task-filter.ts';
import type { UnreadList } from './unread-list.ts';
import type { WantedFiles } from './wanted-files.ts';
import { Wchans } from './wchans.ts';

const BITS = {
  status: bitsOf(['status']),
  cgroup: bitsOf(['cgroup']),
  cmdline: bitsOf(['cmdline']),
} as const;

export interface DraftsOptions {
  /** The mount point of the procfs. */
  readonly root: string;
  readonly filter: TaskFilter;
  readonly wanted: WantedFiles;
  readonly requests: Requests;
  readonly stacks: StackReadings;
  readonly commandLines: CommandLines;
  readonly refusals: Refusals;
  readonly unread: UnreadList;
}

type Record = Parameters<RecordTaker>[0];

/**
 * The tasks of one sample while their files arrive. Each file decides what is read next of its task: nothing, because
 * a filter leaves it out, the file of the next filter, or all that a selected task has.
 */
export class Drafts {
  /** By TID. */
  readonly all = new Map<number, Draft>();
  readonly #filter: TaskFilter;
  readonly #wanted: WantedFiles;
  readonly #requests: Requests;
  readonly #stacks: StackReadings;
  readonly #commandLines: CommandLines;
  readonly #refusals: Refusals;
  readonly #unread: UnreadList;
  readonly #wchans: Wchans;
  readonly #parser: FileParser;
  readonly #fieldReadings: FieldReadings;
  /** Tasks whose command line has to wait for the end of the prefetch. */
  readonly #held: Draft[] = [];
  #isPrefetching = false;

  constructor(options: DraftsOptions) {
    const { root, filter, wanted, requests } = options;
    this.#filter = filter;
    this.#wanted = wanted;
    this.#requests = requests;
    this.#stacks = options.stacks;
    this.#commandLines = options.commandLines;
    this.#refusals = options.refusals;
    this.#unread = options.unread;
    this.#wchans = new Wchans(requests);
    this.#parser = new FileParser(root, filter.threads);
    this.#fieldReadings = new FieldReadings(wanted.fields, this.#parser);
  }

  beginPrefetch(): void {
    this.#isPrefetching = true;
  }

  endPrefetch(): void {
    this.#isPrefetching = false;
    for (const draft of this.#held) this.#wantCommandLine(draft);
  }

  /** Takes a task found by a prefetch, which may not have applied all filters. */
  takePrefetched(task: PrefetchedTask): void {
    const { pid, tid, stat, uid } = task;
    const filter = this.#filter;
    if (!filter.takesState(task, stat.state) || filter.isOwn(task, stat.ppid)) return;
    if (!filter.takesName(stat.comm) || !filter.takesUser(uid)) return;
    const draft = emptyDraft(pid, tid, task);
    draft.stat = stat;
    if (this.#wanted.fields.length > 0) draft.fields = prefetchedFields(task, this.#wanted.fields);
    this.all.set(tid, draft);
    this.#resume(draft);
  }

  /** Requests a task that the selection may take, unless it is there. */
  ask(pid: number, tid: number): void {
    if (this.all.has(tid)) return;
    const draft = emptyDraft(pid, tid, undefined);
    this.all.set(tid, draft);
    this.#requests.want(draft, bitsOf(this.#filter.users === undefined ? ['stat'] : ['stat', 'status']));
  }

  /** The thread through which a command line was requested may have ended: tries other ones. False if none is left. */
  askAgain(): boolean {
    let isAsked = false;
    for (const draft of this.all.values())
      if (draft.selected && !draft.ended && this.#wantCommandLine(draft)) isAsked = true;
    return isAsked;
  }

  /** Continues with a task that passed all filters except the control group: requests that, or everything. */
  #resume(draft: Draft): void {
    if (this.#filter.selection.cgroup !== undefined && !draft.inCgroup) this.#requests.want(draft, BITS.cgroup);
    else this.#select(draft);
  }

  #select(draft: Draft): void {
    draft.selected = true;
    const { stat, prefetched } = draft;
    let files = this.#wanted.all;
    if (prefetched !== undefined) files &= ~this.#wanted.prefetched;
    if (stat === undefined || hasNoMemory(stat)) files &= ~this.#wanted.needingMemory;
    if (files !== 0) this.#requests.want(draft, files);
    this.#wantCommandLine(draft);
  }

  #wantCommandLine(draft: Draft): boolean {
    const must = this.#commandLines.mustRead(draft, this.#isPrefetching);
    if (must === 'later') this.#held.push(draft);
    else if (must) this.#requests.want(draft, BITS.cmdline);
    return must === true;
  }

  /** Takes one file of a task, or why it could not be read. With `direct`, the reader sends the other files unasked. */
  take(record: Record, direct: boolean): void {
    const { pid, tid, what, flags, result, bytes } = record;
    let why = missOf(flags, result);
    if (what === WHAT.list) {
      if (pid === 0) throw new Error(`cannot list the processes: ${why}`);
      this.#unread.miss({ tid: pid, pid, what: 'threads' }, why ?? 'gone');
      return;
    }
    const draft = this.all.get(tid) ?? emptyDraft(pid, tid, undefined);
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
      this.all.delete(draft.tid);
      return;
    }
    const reading = this.#parser.parse(draft, 'stat', () => parseStat(bytes));
    if ('unread' in reading) {
      this.#missStat(draft, reading);
      return;
    }
    const stat = reading.value;
    if (!filter.takesName(stat.comm) || filter.isOwn(draft, stat.ppid)) {
      this.all.delete(draft.tid);
      return;
    }
    const again = draft.stat !== undefined;
    draft.stat = stat;
    this.all.set(draft.tid, draft);
    if (again) return;
    // The user filter needs the status, which arrives next.
    if (filter.users !== undefined && draft.fields?.uid === undefined) return;
    if (direct && (filter.all || filter.states.has(stat.state))) draft.selected = true;
    else this.#resume(draft);
  }

  #end(draft: Draft): void {
    draft.ended = true;
    if (this.#filter.numbers.has(draft.tid)) this.#unread.missTask(draft, { unread: 'gone' }, undefined);
    this.all.delete(draft.tid);
  }

  /**
   * A task whose stat hangs (in an execve, since Linux 6.18) or is forbidden. Its status has part of the information,
   * and takes no lock.
   */
  #missStat(draft: Draft, missed: Missed): void {
    this.all.set(draft.tid, draft);
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
    this.all.delete(draft.tid);
    if (uid !== undefined && 'unread' in uid) this.#unread.missFilter(draft, 'uid', uid);
  }

  /** Takes a task of which only the status can be read. */
  #takeStuck(draft: Draft, bytes: Buffer, why: Unreadable | undefined): void {
    const { missed } = draft;
    this.all.delete(draft.tid);
    if (why === 'gone' || missed === undefined) return;
    const status: Reading<Status> =
      why === undefined ? this.#parser.parse(draft, 'status', () => parseStatus(bytes)) : { unread: why };
    if ('unread' in status) {
      this.#unread.missTask(draft, missed, undefined);
      return;
    }
    const { name, state, uid, ppid } = status.value;
    const filter = this.#filter;
    if (!filter.takesState(draft, state) || !filter.takesName(name) || !filter.takesUser(uid)) return;
    this.#unread.missTask(draft, missed, status.value);
    draft.stat = { comm: name, state, ppid, kernelThread: false, threads: 1, startTicks: undefined, cpu: undefined };
    draft.stack = missed;
    draft.selected = this.#filter.selection.cgroup === undefined;
    this.#commandLines.miss(draft, missed);
    this.all.set(draft.tid, draft);
    // Of the other files, only the control group can be read without the task's locks.
    if (!draft.selected || this.#wanted.fields.includes('cgroup')) this.#requests.want(draft, BITS.cgroup);
  }

  /** Applies the filter for control groups: continues with the task or drops it. */
  #takeCgroup(draft: Draft, bytes: Buffer, why: Unreadable | undefined): void {
    if (this.#filter.selection.cgroup === undefined) return;
    const paths = this.#pathsOf(draft, bytes, why);
    if ('value' in paths && this.#filter.takesCgroup(paths.value)) {
      draft.inCgroup = true;
      if (draft.missed === undefined) this.#select(draft);
      else draft.selected = true;
      return;
    }
    this.all.delete(draft.tid);
    if ('unread' in paths) this.#unread.missFilter(draft, 'cgroup', paths);
  }

  #pathsOf(draft: Draft, bytes: Buffer, why: Unreadable | undefined): Reading<readonly string[]> {
    if (why !== undefined) return { unread: why };
    return this.#parser.parse(draft, 'cgroup', () => parseCgroups(decodeBytes(bytes)).paths);
  }
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
