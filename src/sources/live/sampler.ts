import { release } from 'node:os';
import type { CommandLineLimits } from '../../model/command-line.ts';
import type { CompiledSelection } from '../../model/compiled-selection.ts';
import type { Field } from '../../model/fields.ts';
import type { Sample, Source } from '../../model/sample.ts';
import { isOnlyPids, type Selection } from '../../model/selection.ts';
import type { Clock } from '../../model/time.ts';
import { hostName } from '../../native/host-name.ts';
import { Reader, ReaderEnded } from '../../native/reader/reader.ts';
import { conditions, openBpf } from './bpf/availability.ts';
import { prefetchByBpf } from './bpf/prefetch.ts';
import type { BpfReader } from './bpf/tasks.ts';
import type { EdgeSearch, Followed } from './edges/edge-search.ts';
import { HostWatch } from './host/host-watch.ts';
import { FileReads } from './procfs/file-reads.ts';
import { countThreads, readBootId, readHostStat } from './procfs/files.ts';
import { TaskDetails } from './procfs/task-details.ts';
import { compileSelection } from './selection/compiled.ts';
import type { SourceName } from './source-name.ts';
import { resolveSystemCalls } from './system-calls/resolve.ts';
import { TaskReads } from './task-reads.ts';
import { UnixSockets } from './unix-sockets.ts';

/** USER_HZ, the unit of times in /proc: 100 on every architecture Node.js runs on (include/asm-generic/param.h). */
const TICKS_PER_SECOND = 100;

/**
 * Loading the BPF program takes about as long as reading this many tasks from /proc, or twice as many states (npm run
 * bench).
 */
const TASKS_WORTH_LOADING = 250;

/** How long a stream reuses a command line that was read. */
const REMEMBER_MS = 2000;

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
  const selection = await compileSelection(options.selection);
  const search = options.edges ? (await import('./edges/edge-search.ts')).EdgeSearch : undefined;
  return new LiveSampler(host, options, selection, search);
}

class LiveSampler implements Sampler {
  readonly #host: Host;
  readonly #options: SamplerOptions;
  readonly #selection: CompiledSelection;
  readonly #reader: Reader;
  readonly #bpf: BpfReader | undefined;
  readonly #source: Source;
  readonly #tasks: TaskReads;
  readonly #unixSockets: UnixSockets;
  readonly #search: EdgeSearch | undefined;
  readonly #watch: HostWatch | undefined;
  readonly #bootId: Sample['bootId'] & object;
  readonly #told = new Set<string>();

  constructor(
    host: Host,
    options: SamplerOptions,
    selection: CompiledSelection,
    Search: typeof EdgeSearch | undefined,
  ) {
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
    this.#bootId = readBootId(root);
    this.#unixSockets = new UnixSockets(root, this.#reader);
    const tell = (text: string) => this.#tell(text);
    const parts = { root, reader: this.#reader, bpf: this.#bpf };
    this.#tasks = new TaskReads(
      {
        ...parts,
        prefetch: this.#bpf && prefetchByBpf(this.#bpf, { monotonicMs: clock.monotonicMs, rememberMs, facts, steady }),
        bootId: this.#bootId,
        ownsProcess: options.ownsProcess === true,
        tell,
      },
      options,
    );
    this.#search =
      Search &&
      new Search({
        ...parts,
        clock,
        unixSockets: this.#unixSockets,
        forVerdict: options.edges === 'verdict',
        tell: options.missed ?? tell,
      });
    const { kmsg = '/dev/kmsg' } = host;
    this.#watch = options.events === true ? new HostWatch({ clock, kmsg }, new FileReads(this.#reader)) : undefined;
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
    const { fields, facts, steady, intervalMs } = this.#options;
    const selection = this.#selection;
    const search = this.#search;
    const timeMs = clock.nowMs();
    const startMs = clock.monotonicMs();
    const { bootTimeSeconds, forks, missed } = readHostStat(root);
    const seen = await this.#tasks.read(selection, forks);
    if (this.#reader.isAhead) this.#tell('the reader was started before the runtime, and had begun to read');
    const { observations } = seen;
    const searches = search !== undefined;
    const holders = facts ? await this.#tasks.holders(observations, { selection, forks, searches }) : [];
    const details = new TaskDetails(root, this.#reader, this.#unixSockets);
    const observe = async (pids: readonly number[]) => (await this.#tasks.read({ pids }, forks)).observations;
    const found: Followed = searches
      ? await search.follow({ observations, holders }, { details, startMs, observe })
      : { observations, holders, edges: [], resources: [], unread: [] };
    const threads = steady ? undefined : await this.#tasks.countMoreThreads(selection, seen.unread, forks);
    this.#tasks.trim(observations);
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
    this.#search?.close();
    this.#watch?.close();
    this.#reader.close();
  }

  /** Tells each text only once. */
  #tell(text: string): void {
    if (!this.#told.has(text)) this.#options.tell?.(text);
    this.#told.add(text);
  }

  #isSoonerFromProc(): boolean {
    const { source, facts, steady, selection } = this.#options;
    if (source === 'procfs') return true;
    if (source === 'bpf' || facts || steady) return false;
    if (isOnlyPids(selection) && selection.threads !== true) return true;
    // An estimate is enough.
    return countThreads(this.#host.root) < TASKS_WORTH_LOADING;
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
