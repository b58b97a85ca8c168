import type { CommandLineLimits } from '../../../model/command-line.ts';
import type { CompiledSelection } from '../../../model/compiled-selection.ts';
import type { Field } from '../../../model/fields.ts';
import type { Reading, Unreadable } from '../../../model/reading.ts';
import type { Sample } from '../../../model/sample.ts';
import { isOnlyPids } from '../../../model/selection.ts';
import type { Stack, StackTable } from '../../../model/stack.ts';
import type { TaskTable } from '../../../model/task.ts';
import { TASK_FILES } from '../../../native/reader/protocol.ts';
import type { Reader } from '../../../native/reader/reader.ts';
import { candidates } from './candidates.ts';
import { CommandLines } from './command-lines.ts';
import type { Draft } from './draft.ts';
import { Drafts } from './drafts.ts';
import { listPids } from './files.ts';
import { inOrder, observe } from './observe.ts';
import type { Prefetch } from './prefetch.ts';
import { ProcessNames } from './process-names.ts';
import { Refusals } from './refusals.ts';
import { Requests } from './requests.ts';
import { StackReadings } from './stack-readings.ts';
import { type OwnTasks, TaskFilter } from './task-filter.ts';
import { UnreadList } from './unread-list.ts';
import { type WantedFiles, wantedFiles } from './wanted-files.ts';

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

/** Reads the tasks of one sample: the stat of every task that may match, then the other files of those that do. */
export class SampleReader {
  readonly #options: SampleReaderOptions;
  readonly #filter: TaskFilter;
  readonly #wanted: WantedFiles;
  readonly #refusals: Refusals;
  readonly #unread: UnreadList;
  readonly #stacks: StackReadings;
  readonly #commandLines: CommandLines;
  readonly #requests: Requests;
  readonly #drafts: Drafts;
  readonly #processNames: ProcessNames;

  constructor(options: SampleReaderOptions) {
    const { selection, root, prefetch, reader, commandLines } = options;
    this.#options = options;
    this.#filter = new TaskFilter(selection, options.own);
    this.#wanted = wantedFiles(selection, options.fields);
    this.#refusals = new Refusals(root);
    this.#unread = new UnreadList(this.#refusals);
    this.#stacks = new StackReadings(options.stacks);
    this.#commandLines = new CommandLines(prefetch, commandLines !== 'none');
    const limits = commandLines === 'none' ? NO_BYTES : commandLines;
    const asked = { threads: this.#filter.threads, commandLines: limits };
    this.#requests = new Requests(reader, asked, (record) => this.#drafts.take(record, false));
    this.#drafts = new Drafts({
      root,
      filter: this.#filter,
      wanted: this.#wanted,
      requests: this.#requests,
      stacks: this.#stacks,
      commandLines: this.#commandLines,
      refusals: this.#refusals,
      unread: this.#unread,
    });
    this.#processNames = new ProcessNames(root);
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
      const isKnown = (number: number) => this.#drafts.all.has(number);
      this.#askFor(this.#filter.threads ? { pids, threads: true } : { pids }, isKnown, () => []);
      await this.#finish();
    }
    // A prefetch shows those that /proc hides.
    if (!onlyPids && prefetch === undefined && this.#refusals.hides)
      this.#unread.miss({ tid: 0, what: 'processes' }, 'hidden');
    if (!onlyPids) this.#unread.missNamespaces();
    for (const tid of prefetch?.replaced() ?? []) {
      const draft = this.#drafts.all.get(tid);
      if (draft?.prefetched !== undefined) draft.ended = true;
    }
    const observations = observe([...this.#drafts.all.values()].sort(inOrder(selection)), {
      selection,
      fields: this.#wanted.fields,
      prefetch,
      bootId: this.#options.bootId,
      tasks: this.#options.tasks,
      ownPid: this.#options.own.kstack,
      userName: this.#options.userName,
      processName: (pid) => this.#processNames.of(pid, this.#drafts.all.get(pid)?.stat?.comm),
      stackOf: (draft) => this.#stackOf(draft),
      commandLineOf: (draft) => this.#commandLines.of(draft),
      missEnded: (draft) => {
        if (this.#filter.numbers.has(draft.tid)) this.#unread.missTask(draft, { unread: 'gone' }, undefined);
      },
    });
    const monotonicMs = prefetch?.monotonicMs();
    return { observations, unread: this.#unread.toArray(), ...(monotonicMs !== undefined && { monotonicMs }) };
  }

  /**
   * Requests all tasks. If only states and numbers decide, the reader reads everything else of the tasks in the right
   * state by itself, right after their stat.
   */
  #scan(): void {
    const { isDirect, users, all, states } = this.#filter;
    const ofSelected = TASK_FILES.filter((_, at) => (this.#wanted.all & (1 << at)) !== 0);
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
      if (record.tid !== again) this.#drafts.take(record, isDirect);
    });
    if (again !== undefined)
      this.#askFor(
        { pids: [again] },
        () => false,
        () => [],
      );
  }

  async #prefetch(prefetch: Prefetch, seen: Set<number>): Promise<void> {
    this.#drafts.beginPrefetch();
    try {
      for (const tasks of prefetch.tasks())
        for (const task of tasks) {
          if (this.#filter.numbers.size > 0) seen.add(task.tid);
          this.#drafts.takePrefetched(task);
        }
    } catch (error) {
      // Wait for requests under way, so that the fallback starts with an idle reader.
      await this.#requests.settle();
      throw error;
    }
    this.#drafts.endPrefetch();
  }

  /** Requests the tasks that a selection may take, by number. */
  #askFor(selection: CompiledSelection, isKnown: (number: number) => boolean, list: () => readonly number[]): void {
    const miss = (pid: number, why: Unreadable) => this.#unread.miss({ tid: pid, pid, what: 'threads' }, why);
    for (const { pid, tid } of candidates(selection, this.#options.root, isKnown, list, miss))
      this.#drafts.ask(pid, tid);
  }

  /** Resolves when everything has arrived. */
  async #finish(): Promise<void> {
    do {
      await this.#requests.settle();
    } while (this.#drafts.askAgain());
  }

  #stackOf(draft: Draft): Reading<Stack> | undefined {
    const { prefetch } = this.#options;
    if (prefetch === undefined || draft.prefetched === undefined) return draft.stack;
    return this.#stacks.ofText(prefetch.stackOf(draft.prefetched));
  }
}
