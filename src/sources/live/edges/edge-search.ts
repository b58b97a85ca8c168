import { withEdgeMarks } from '../../../model/edge-marks.ts';
import type { Observation, Sample } from '../../../model/sample.ts';
import type { Clock } from '../../../model/time.ts';
import type { Reader } from '../../../native/reader/reader.ts';
import { OptionalProgram } from '../bpf/optional-program.ts';
import type { BpfReader } from '../bpf/tasks.ts';
import { TRANSACTION_RECORDS, type TransactionTask } from '../bpf/transactions.ts';
import { WORK_RECORDS, type WorkWaiter } from '../bpf/works.ts';
import { FileReads } from '../procfs/file-reads.ts';
import { withOffCpuTimes } from '../procfs/off-cpu.ts';
import type { TaskDetails } from '../procfs/task-details.ts';
import type { UnixSockets } from '../unix-sockets.ts';
import type { FoundEdges } from './edge-source.ts';
import { findEdges } from './find-edges.ts';
import { OpenFiles } from './open-files.ts';
import { ownTime } from './own-time.ts';
import { timedWaits } from './timed-waits.ts';
import { withHoldersCalls } from './with-calls.ts';

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

interface SearchOptions {
  readonly clock: Clock;
  /** The mount point of the procfs. */
  readonly root: string;
  readonly reader: Reader;
  readonly unixSockets: UnixSockets;
  readonly bpf: BpfReader | undefined;
  /** Leaves out waits that are normal, and that nothing can be wrong with. */
  readonly forVerdict: boolean;
  /** Called with what is missing, and why. */
  tell(text: string): void;
}

/** One search. */
interface Asked {
  readonly details: TaskDetails;
  /** When the sample was begun, by the monotonic clock. */
  readonly startMs: number;
  /** Reads tasks that were not seen yet. */
  observe(pids: readonly number[]): Promise<readonly Observation[]>;
}

export type Followed = Pick<Sample, 'observations' | 'holders' | 'unread'> & FoundEdges;

/** Searches, sample after sample, for who waits for whom. It holds BPF programs until it is closed. */
export class EdgeSearch {
  readonly #options: SearchOptions;
  readonly #openFiles: OpenFiles;
  readonly #transactions: OptionalProgram<TransactionTask>;
  readonly #works: OptionalProgram<WorkWaiter>;

  constructor(options: SearchOptions) {
    const hasBpf = options.bpf !== undefined;
    this.#options = options;
    this.#openFiles = new OpenFiles(hasBpf);
    this.#transactions = new OptionalProgram(TRANSACTION_RECORDS, hasBpf);
    this.#works = new OptionalProgram(WORK_RECORDS, hasBpf);
  }

  /**
   * What these tasks wait for, beyond what facts tell, the tasks that they wait for and that were not seen yet, and for
   * how long those that wait have done so.
   */
  async follow(seen: Pick<Sample, 'observations' | 'holders'>, asked: Asked): Promise<Followed> {
    const { clock, root, reader } = this.#options;
    const files = new FileReads(reader);
    const own = ownTime(clock, root, Math.max(0, asked.startMs + OVERLOADED_MS - clock.monotonicMs()));
    const context = {
      ...this.#options,
      clock: own,
      files,
      details: asked.details,
      openFiles: this.#openFiles,
      transactions: this.#transactions,
      works: this.#works,
      searchMs: searchMs(),
    };
    const found = await findEdges([...seen.observations, ...seen.holders], context, asked.observe);
    const holders = [...seen.holders, ...found.holders];
    const timed = timedWaits([...seen.observations, ...holders], found.edges, found.resources);
    const wants = ({ task }: Observation) => timed.has(task.id.tid ?? 0);
    const read = { files, root, clock: own, untilMs: own.monotonicMs() + TIMES_MS, tell: context.tell };
    const marked = (tasks: readonly Observation[]) => withEdgeMarks(tasks, found.edges);
    const complete = async (tasks: readonly Observation[]) =>
      withOffCpuTimes(
        context.forVerdict ? await withHoldersCalls(marked(tasks), found.edges, reader) : marked(tasks),
        wants,
        read,
      );
    return { ...found, holders: await complete(holders), observations: await complete(seen.observations) };
  }

  close(): void {
    this.#openFiles.close();
    this.#transactions.close();
    this.#works.close();
  }
}

/** How long a search may take: longer on emulated machines, if the environment says so. */
function searchMs(): number {
  const told = Number(process.env[SEARCH]);
  return told > 0 ? told : SEARCH_MS;
}
