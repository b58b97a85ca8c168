import type { CommandLineLimits } from '../../model/command-line.ts';
import { type CompiledSelection, takesEverything } from '../../model/compiled-selection.ts';
import type { Field } from '../../model/fields.ts';
import type { Observation, Sample, Source } from '../../model/sample.ts';
import { StackTable } from '../../model/stack.ts';
import { TaskTable } from '../../model/task.ts';
import type { Reader } from '../../native/reader/reader.ts';
import { holdersOf } from './bpf/holders.ts';
import { countMoreThreads, selectionOfThreads } from './bpf/more-threads.ts';
import type { BpfReader } from './bpf/tasks.ts';
import { countThreads } from './procfs/files.ts';
import { isOwnNamespace } from './procfs/hiding.ts';
import { type OpenPrefetch, type Prefetch, PrefetchFailed } from './procfs/prefetch.ts';
import { processesOf } from './procfs/processes.ts';
import { SampleReader } from './procfs/sample-reader.ts';
import type { OwnTasks } from './procfs/task-filter.ts';
import { UserNames } from './user-names.ts';

/** For one sample. Bounded because a process can make any of its memory its command line (PR_SET_MM_MAP). */
const LARGE: CommandLineLimits = { allBytes: 8 << 20, leastBytes: 4096 };

/** Reading the state of this many threads from /proc takes about 10 ms. */
const THREADS_SOON_COUNTED = 1000;

interface Host {
  /** The mount point of the procfs. */
  readonly root: string;
  readonly bootId: Sample['bootId'] & object;
  readonly reader: Reader;
  /** Undefined where tasks are read from /proc alone. */
  readonly bpf: BpfReader | undefined;
  readonly prefetch: OpenPrefetch | undefined;
  /** Whether this process belongs to kstack alone, so that its other threads are kstack's helpers. */
  readonly ownsProcess: boolean;
  tell(text: string): void;
}

/** What to read of each task. */
interface Wanted {
  /** None: they are `notTold`. */
  readonly commandLines?: CommandLineLimits | 'none';
  readonly fields: readonly Field[];
}

export type Seen = Pick<Sample, 'observations' | 'unread' | 'monotonicMs'> & {
  /** Set if the tasks were read in another way than usual. */
  readonly source?: Source;
};

/** Reads the tasks of a host. What stays the same from one sample to the next is one object. */
export class TaskReads {
  readonly #host: Host;
  readonly #wanted: Wanted;
  readonly #stacks = new StackTable();
  readonly #tasks = new TaskTable();
  readonly #users: UserNames;
  readonly #isHere: boolean;

  constructor(host: Host, wanted: Wanted) {
    this.#host = host;
    this.#wanted = wanted;
    this.#users = new UserNames(host.root, host.tell);
    this.#isHere = isOwnNamespace(host.root);
  }

  /** Called after each sample, when its tasks are read. Forgets what this one does not have, once that is much. */
  trim(observations: readonly Observation[]): void {
    this.#stacks.trim();
    this.#tasks.trim(observations.length, () => observations.map(({ task }) => task));
  }

  /** The tasks of a selection. Falls back to /proc alone if the prefetch fails. */
  async read(
    selection: CompiledSelection,
    forks: number,
    { commandLines = LARGE, fields }: Wanted = this.#wanted,
  ): Promise<Seen> {
    const { root, reader, bootId } = this.#host;
    const read = (prefetch: Prefetch | undefined) =>
      new SampleReader({
        selection,
        root,
        reader,
        stacks: this.#stacks,
        tasks: this.#tasks,
        bootId: 'value' in bootId ? bootId.value : undefined,
        commandLines,
        fields,
        prefetch,
        own: this.#own(),
        userName: (uid) => this.#users.of(uid),
      }).read();
    try {
      return await read(this.#host.prefetch?.(selection, processesOf(root, forks)));
    } catch (error) {
      if (!(error instanceof PrefetchFailed)) throw error;
      return { ...(await read(undefined)), source: { name: 'procfs', why: error.message } };
    }
  }

  #own(): OwnTasks {
    const { reader, ownsProcess } = this.#host;
    return {
      reader: this.#isHere ? reader.pid : undefined,
      kstack: this.#isHere && ownsProcess ? process.pid : undefined,
    };
  }

  /**
   * Tasks that these ones, of the selection, wait for as facts tell, and that are not selected themselves.
   * @param searches whether a search for edges follows
   */
  async holders(
    observations: readonly Observation[],
    { selection, forks, searches }: { selection: CompiledSelection; forks: number; searches: boolean },
  ): Promise<readonly Observation[]> {
    const { bpf } = this.#host;
    if (bpf === undefined) return [];
    // The search for edges looks up tasks that were not seen; here, these are new ones at most.
    if (searches && takesEverything(selection)) return [];
    const waits = observations.some(
      ({ state, facts }) =>
        state === 'D' || state === 't' || facts?.lock !== undefined || facts?.vforkParent !== undefined,
    );
    const pids = waits ? holdersOf(observations, bpf) : [];
    return pids.length === 0 ? [] : (await this.read({ pids }, forks)).observations;
  }

  /** How many threads in the selected states are left out, where that is cheap to know. */
  async countMoreThreads(
    selection: CompiledSelection,
    unread: Sample['unread'],
    forks: number,
  ): Promise<number | undefined> {
    const { bpf, root } = this.#host;
    const asked = selectionOfThreads(selection);
    if (asked === undefined) return undefined;
    if (bpf !== undefined) return countMoreThreads(asked, bpf);
    // From /proc it takes a look at each thread. Where a read hangs, that would hang once more.
    const isCheap = !asked.states?.some((state) => state === 'S' || state === 'I');
    if (!isCheap || unread.some(({ why }) => why === 'timeout' || why === 'skipped')) return undefined;
    if (countThreads(root) > THREADS_SOON_COUNTED) return undefined;
    const { observations } = await this.read(asked, forks, { commandLines: 'none', fields: [] });
    return observations.filter(({ task }) => task.id.tid !== task.pid).length;
  }
}
