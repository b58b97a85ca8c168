import { release } from 'node:os';
import type { CommandLineLimits } from '../../model/command-line.ts';
import { type CompiledSelection, takesEverything } from '../../model/compiled-selection.ts';
import { withEdgeMarks } from '../../model/edge-marks.ts';
import type { Field } from '../../model/fields.ts';
import type { Observation, Sample, Source } from '../../model/sample.ts';
import { isOnlyPids, type Selection } from '../../model/selection.ts';
import { StackTable } from '../../model/stack.ts';
import { TaskTable } from '../../model/task.ts';
import type { Clock } from '../../model/time.ts';
import { hostName } from '../../native/host-name.ts';
import { Reader, ReaderEnded } from '../../native/reader/reader.ts';
import { conditions, openBpf } from './bpf/availability.ts';
import { holdersOf } from './bpf/holders.ts';
import { countMoreThreads, selectionOfThreads } from './bpf/more-threads.ts';
import { OptionalProgram } from './bpf/optional-program.ts';
import { prefetchByBpf } from './bpf/prefetch.ts';
import type { BpfReader } from './bpf/tasks.ts';
import { TRANSACTION_RECORDS, type TransactionTask } from './bpf/transactions.ts';
import { WORK_RECORDS, type WorkWaiter } from './bpf/works.ts';
import type { FoundEdges } from './edges/edge-source.ts';
import { findEdges } from './edges/find-edges.ts';
import { OpenFiles } from './edges/open-files.ts';
import { ownTime } from './edges/own-time.ts';
import { timedWaits } from './edges/timed-waits.ts';
import { withHoldersCalls } from './edges/with-calls.ts';
import { HostWatch } from './host/host-watch.ts';
import { FileReads } from './procfs/file-reads.ts';
import { countThreads, readBootId, readHostStat } from './procfs/files.ts';
import { isOwnNamespace } from './procfs/hiding.ts';
import { withOffCpuTimes } from './procfs/off-cpu.ts';
import { type OpenPrefetch, type Prefetch, PrefetchFailed } from './procfs/prefetch.ts';
import { processesOf } from './procfs/processes.ts';
import { SampleReader } from './procfs/sample-reader.ts';
import { TaskDetails } from './procfs/task-details.ts';
import type { OwnTasks } from './procfs/task-filter.ts';
import { compileSelection } from './selection/compiled.ts';
import type { SourceName } from './source-name.ts';
import { resolveSystemCalls } from './system-calls/resolve.ts';
import { UnixSockets } from './unix-sockets.ts';
import { UserNames } from './user-names.ts';

/** USER_HZ, the unit of times in /proc: 100 on every architecture Node.js runs on (include/asm-generic/param.h). */
const TICKS_PER_SECOND = 100;

/** For one sample. Bounded because a process can make any of its memory its command line (PR_SET_MM_MAP). */
const LARGE: CommandLineLimits = { allBytes: 8 << 20, leastBytes: 4096 };

/**
 * Loading the BPF program takes about as long as reading this many tasks from /proc, or twice as many states (npm run
 * bench).
 */
const TASKS_WORTH_LOADING = 250;

/** Reading the state of this many threads from /proc takes about 10 ms. */
const THREADS_SOON_COUNTED = 1000;

/** How long a stream reuses a command line that was read. */
const REMEMBER_MS = 2000;

/** How long the search for who waits for whom may take, and the variable that allows emulated machines more. */
const SEARCH_MS = 1600;
const SEARCH = 'KSTACK_EDGES_MS';

/**
 * How much longer the search may take where kstack has to wait for a CPU, less what the reading of the tasks has taken:
 * whoever asks wants an answer.
 */
const OVERLOADED_MS = 2500;

/** How long it may take to read since when tasks wait. */
const TIMES_MS = 300;

/** The sampled host: its clock, the mount point of its procfs, and its kernel log. */
export interface Host {
  readonly clock: Clock;
  readonly root: string;
  readonly kmsg?: string;
}

export interface SamplerOptions {
  readonly selection: Selection;
  readonly source: SourceName;
  /** What to read of each task in addition to its stat, stack and command line. */
  readonly fields: readonly Field[];
  /** Whether to take KernelFacts. */
  readonly facts: boolean;
  /**
   * Whether to find out who holds up whom, beyond what these facts tell. `verdict`: without waits that are normal, and
   * that nothing can be wrong with.
   */
  readonly edges?: boolean | 'verdict';
  /** Whether to take events and pressure. Events count from the moment on when the sampler is opened. */
  readonly events?: boolean;
  /** How far apart they are taken as long as nothing happens: told with each sample. */
  readonly intervalMs?: number;
  /** Whether many samples will be taken. */
  readonly steady: boolean;
  /** Look up the system calls of all tasks, not only of the first ones of each stack. */
  readonly allSystemCalls?: boolean;
  /** None: they are `notTold`. */
  readonly commandLines?: CommandLineLimits | 'none';
  readonly rememberMs?: number;
  /** Whether this process belongs to kstack alone, so that its other threads are kstack's helpers. */
  readonly ownsProcess?: boolean;
  /** Called with what sources of edges left out of who holds up whom; if absent, `tell` is. */
  missed?(text: string): void;
  /** Called with what went wrong and was put right, such as a reader that somebody killed; if absent, `tell` is. */
  mended?(text: string): void;
  /** Called with the chosen source, why the other was not chosen, and what is missing. */
  tell?(text: string): void;
}

/** Takes samples of the selected tasks of a host. It holds processes and BPF programs until it is closed. */
export interface Sampler extends AsyncIterable<Sample> {
  /** Takes one sample. @throws Error if not even the list of processes or the boot time can be read */
  next(): Promise<Sample>;
  close(): void;
}

/**
 * Opens a sampler for a host.
 * @throws PatternError if an expression in the selection is invalid
 * @throws Error if `bpf` is required but unavailable, or if the reader cannot be started
 */
export async function openSampler(host: Host, options: SamplerOptions): Promise<Sampler> {
  return new LiveSampler(host, options, await compileSelection(options.selection));
}

class LiveSampler implements Sampler {
  readonly #host: Host;
  readonly #options: SamplerOptions;
  readonly #selection: CompiledSelection;
  readonly #reader: Reader;
  readonly #bpf: BpfReader | undefined;
  readonly #source: Source;
  readonly #openPrefetch: OpenPrefetch | undefined;
  readonly #stacks = new StackTable();
  readonly #tasks = new TaskTable();
  readonly #users: UserNames;
  readonly #unixSockets: UnixSockets;
  readonly #openFiles: OpenFiles;
  readonly #transactions: OptionalProgram<TransactionTask>;
  readonly #works: OptionalProgram<WorkWaiter>;
  readonly #watch: HostWatch | undefined;
  readonly #bootId: Sample['bootId'] & object;
  readonly #isHere: boolean;
  readonly #told = new Set<string>();

  constructor(host: Host, options: SamplerOptions, selection: CompiledSelection) {
    const { root, clock } = host;
    const { source, facts, steady, rememberMs = steady ? REMEMBER_MS : 0 } = options;
    this.#host = host;
    this.#options = options;
    this.#selection = selection;
    // First, so that its process starts while the kernel takes in the BPF program.
    this.#reader = new Reader(root);
    const opened = this.#isSoonerFromProc() ? undefined : openBpf(conditions(root), clock.monotonicMs);
    if (source === 'bpf' && typeof opened === 'string') {
      this.#reader.close();
      throw new Error(`--source bpf: ${opened}; use --source procfs instead`);
    }
    this.#bpf = typeof opened === 'object' ? opened : undefined;
    this.#source = this.#bpf === undefined ? { name: 'procfs', why: whyNotBpf(source, opened) } : { name: 'bpf' };
    this.#tell(`source: ${this.#source.name}${this.#source.why === undefined ? '' : `; ${this.#source.why}`}`);
    this.#openPrefetch =
      this.#bpf && prefetchByBpf(this.#bpf, { monotonicMs: clock.monotonicMs, rememberMs, facts, steady });
    this.#users = new UserNames(root, (text) => this.#tell(text));
    this.#bootId = readBootId(root);
    this.#unixSockets = new UnixSockets(root, this.#reader);
    this.#openFiles = new OpenFiles(this.#bpf !== undefined);
    this.#transactions = new OptionalProgram(TRANSACTION_RECORDS, this.#bpf !== undefined);
    this.#works = new OptionalProgram(WORK_RECORDS, this.#bpf !== undefined);
    const { kmsg = '/dev/kmsg' } = host;
    this.#watch = options.events === true ? new HostWatch({ clock, kmsg }, new FileReads(this.#reader)) : undefined;
    this.#isHere = isOwnNamespace(root);
  }

  #own(): OwnTasks {
    return {
      reader: this.#isHere ? this.#reader.pid : undefined,
      kstack: this.#isHere && this.#options.ownsProcess === true ? process.pid : undefined,
    };
  }

  async next(): Promise<Sample> {
    const { pid } = this.#reader;
    try {
      return await this.#take();
    } catch (error) {
      // Somebody has killed or stopped it, such as the kernel for want of memory. Where it makes calls on files, these
      // have started the next one already.
      const how = error instanceof ReaderEnded ? error.how : this.#reader.end;
      if (!this.#reader.restart() && this.#reader.pid === pid) throw error;
      const text = `the process that reads /proc ended (${how ?? 'unknown reason'}); another one was started`;
      if (this.#options.mended === undefined) this.#tell(text);
      else this.#options.mended(text);
      return this.#take();
    }
  }

  async #take(): Promise<Sample> {
    const { clock, root } = this.#host;
    const { fields, steady, intervalMs } = this.#options;
    const selection = this.#selection;
    this.#stacks.trim();
    const timeMs = clock.nowMs();
    const startMs = clock.monotonicMs();
    const { bootTimeSeconds, forks, missed } = readHostStat(root);
    const seen = await this.#read(selection, forks);
    if (this.#reader.isAhead) this.#tell('the reader was started before the runtime, and had begun to read');
    const locked = await this.#holders(seen.observations, forks);
    const details = new TaskDetails(root, this.#reader, this.#unixSockets);
    const searched = { observations: seen.observations, holders: locked };
    const found = await this.#edges(searched, { forks, details, startMs });
    const threads = steady ? undefined : await this.#moreThreads(seen.unread, forks);
    this.#tasks.trim(seen.observations.length, () => seen.observations.map(({ task }) => task));
    for (const line of this.#bpf?.missing() ?? []) this.#tell(line);
    return {
      timeMs,
      ...(seen.monotonicMs !== undefined && { monotonicMs: seen.monotonicMs }),
      host: hostName(),
      bootId: this.#bootId,
      kernel: release(),
      architecture: process.arch,
      ...(intervalMs !== undefined && { intervalMs }),
      ...(bootTimeSeconds !== undefined && { bootTimeSeconds }),
      ticksPerSecond: TICKS_PER_SECOND,
      source: seen.source ?? this.#source,
      threads: selection.threads === true,
      fields,
      ...(await this.#resolved(found, details)),
      ...(found.edges.length > 0 && { edges: found.edges, resources: found.resources }),
      leftOut: threads === undefined ? {} : { threads },
      unread: [
        ...(missed === undefined ? [] : [{ tid: 0, what: 'host', ...missed } as const]),
        ...seen.unread,
        ...found.unread,
      ],
      ...(await this.#watch?.read()),
    };
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Sample, never> {
    for (;;) yield await this.next();
  }

  close(): void {
    this.#bpf?.close();
    this.#openFiles.close();
    this.#transactions.close();
    this.#works.close();
    this.#watch?.close();
    this.#reader.close();
  }

  /** Tells each text only once. */
  #tell(text: string): void {
    if (!this.#told.has(text)) this.#options.tell?.(text);
    this.#told.add(text);
  }

  #findsEdges(): boolean {
    return this.#options.edges === true || this.#options.edges === 'verdict';
  }

  #isSoonerFromProc(): boolean {
    const { source, facts, steady, selection } = this.#options;
    if (source === 'procfs') return true;
    if (source === 'bpf' || facts || steady) return false;
    if (isOnlyPids(selection) && selection.threads !== true) return true;
    // An estimate is enough.
    return countThreads(this.#host.root) < TASKS_WORTH_LOADING;
  }

  /** How many threads in the selected states are left out, where that is cheap to know. */
  async #moreThreads(unread: Sample['unread'], forks: number): Promise<number | undefined> {
    const asked = selectionOfThreads(this.#selection);
    if (asked === undefined) return undefined;
    if (this.#bpf !== undefined) return countMoreThreads(asked, this.#bpf);
    // From /proc it takes a look at each thread. Where a read hangs, that would hang once more.
    const isCheap = !asked.states?.some((state) => state === 'S' || state === 'I');
    if (!isCheap || unread.some(({ why }) => why === 'timeout' || why === 'skipped')) return undefined;
    if (countThreads(this.#host.root) > THREADS_SOON_COUNTED) return undefined;
    const { observations } = await this.#read(asked, forks, { commandLines: 'none', fields: [] });
    return observations.filter(({ task }) => task.id.tid !== task.pid).length;
  }

  /** The tasks of a selection. Falls back to /proc alone if the prefetch fails. */
  async #read(
    selection: CompiledSelection,
    forks: number,
    { commandLines = LARGE, fields }: Pick<SamplerOptions, 'commandLines' | 'fields'> = this.#options,
  ): Promise<Seen> {
    const { root } = this.#host;
    const read = (prefetch: Prefetch | undefined) =>
      new SampleReader({
        selection,
        root,
        reader: this.#reader,
        stacks: this.#stacks,
        tasks: this.#tasks,
        bootId: 'value' in this.#bootId ? this.#bootId.value : undefined,
        commandLines,
        fields,
        prefetch,
        own: this.#own(),
        userName: (uid) => this.#users.of(uid),
      }).read();
    try {
      return await read(this.#openPrefetch?.(selection, processesOf(root, forks)));
    } catch (error) {
      if (!(error instanceof PrefetchFailed)) throw error;
      return { ...(await read(undefined)), source: { name: 'procfs', why: error.message } };
    }
  }

  /** Tasks that selected ones wait for, but that are not selected themselves. */
  async #holders(observations: readonly Observation[], forks: number): Promise<readonly Observation[]> {
    if (this.#bpf === undefined || !this.#options.facts) return [];
    // The search for edges looks up tasks that were not seen; here, these are new ones at most.
    if (this.#findsEdges() && takesEverything(this.#selection)) return [];
    const waits = observations.some(
      ({ state, facts }) =>
        state === 'D' || state === 't' || facts?.lock !== undefined || facts?.vforkParent !== undefined,
    );
    const pids = waits ? holdersOf(observations, this.#bpf) : [];
    return pids.length === 0 ? [] : (await this.#read({ pids }, forks)).observations;
  }

  /**
   * What these tasks wait for, beyond what facts tell, the tasks that they wait for and that were not seen yet, and for
   * how long those that wait have done so.
   */
  async #edges(
    seen: Pick<Sample, 'observations' | 'holders'>,
    { forks, details, startMs }: { readonly forks: number; readonly details: TaskDetails; readonly startMs: number },
  ): Promise<Followed> {
    if (!this.#findsEdges()) return { ...seen, edges: [], resources: [], unread: [] };
    const { clock, root } = this.#host;
    const files = new FileReads(this.#reader);
    const overloadedMs = Math.max(0, startMs + OVERLOADED_MS - clock.monotonicMs());
    const own = ownTime(clock, root, overloadedMs);
    const context = {
      clock: own,
      root,
      files,
      details,
      reader: this.#reader,
      unixSockets: this.#unixSockets,
      openFiles: this.#openFiles,
      transactions: this.#transactions,
      works: this.#works,
      bpf: this.#bpf,
      searchMs: searchMs(),
      forVerdict: this.#options.edges === 'verdict',
      tell: this.#options.missed ?? ((text: string) => this.#tell(text)),
    };
    const observe = async (pids: readonly number[]) => (await this.#read({ pids }, forks)).observations;
    const found = await findEdges([...seen.observations, ...seen.holders], context, observe);
    const holders = [...seen.holders, ...found.holders];
    const timed = timedWaits([...seen.observations, ...holders], found.edges, found.resources);
    const wants = ({ task }: Observation) => timed.has(task.id.tid ?? 0);
    const read = { files, root, clock: own, untilMs: own.monotonicMs() + TIMES_MS, tell: context.tell };
    const marked = (tasks: readonly Observation[]) => withEdgeMarks(tasks, found.edges);
    const complete = async (tasks: readonly Observation[]) =>
      withOffCpuTimes(
        context.forVerdict ? await withHoldersCalls(marked(tasks), found.edges, this.#reader) : marked(tasks),
        wants,
        read,
      );
    return { ...found, holders: await complete(holders), observations: await complete(seen.observations) };
  }

  /** Adds what the system calls refer to, if they were requested. */
  async #resolved(
    sample: Pick<Sample, 'observations' | 'holders'>,
    details: TaskDetails,
  ): Promise<Pick<Sample, 'observations' | 'holders'>> {
    if (!this.#options.fields.includes('systemCall')) return sample;
    const { observations, holders } = sample;
    const all = this.#options.allSystemCalls === true;
    // Holders first: a call may end before its turn comes, and these matter most.
    const resolved = await resolveSystemCalls([...holders, ...observations], {
      details,
      architecture: process.arch,
      all,
    });
    return { holders: resolved.slice(0, holders.length), observations: resolved.slice(holders.length) };
  }
}

type Followed = Pick<Sample, 'observations' | 'holders' | 'unread'> & FoundEdges;

/** How long the search for who waits for whom may take: longer on emulated machines, if the environment says so. */
function searchMs(): number {
  const told = Number(process.env[SEARCH]);
  return told > 0 ? told : SEARCH_MS;
}

type Seen = Pick<Sample, 'observations' | 'unread' | 'monotonicMs'> & { readonly source?: Source };

function whyNotBpf(source: SourceName, refusal: BpfReader | string | undefined): string {
  if (typeof refusal === 'string') return `bpf unavailable: ${refusal}`;
  return source === 'procfs' ? 'requested with --source or KSTACK_SOURCE' : 'faster than bpf for so few tasks';
}

/** Takes one sample of a host. */
export async function takeSample(host: Host, options: Omit<SamplerOptions, 'steady'>): Promise<Sample> {
  const sampler = await openSampler(host, { ...options, steady: false });
  try {
    return await sampler.next();
  } finally {
    sampler.close();
  }
}
