import type { Edge, Resource } from '../../../model/edge.ts';
import type { Observation } from '../../../model/sample.ts';
import type { Stack } from '../../../model/stack.ts';
import type { Clock } from '../../../model/time.ts';
import type { Reader } from '../../../native/reader/reader.ts';
import type { OptionalProgram } from '../bpf/optional-program.ts';
import type { BpfReader } from '../bpf/tasks.ts';
import type { TransactionTask } from '../bpf/transactions.ts';
import type { WorkWaiter } from '../bpf/works.ts';
import type { FileReads } from '../procfs/file-reads.ts';
import type { TaskDetails } from '../procfs/task-details.ts';
import type { UnixSockets } from '../unix-sockets.ts';
import type { FileSystems } from './file-systems.ts';
import type { OpenFiles } from './open-files.ts';

/** What sources of edges read with. Every read has a deadline. */
export interface EdgeContext {
  readonly clock: Clock;
  /** The mount point of the procfs. */
  readonly root: string;
  readonly files: FileReads;
  readonly details: TaskDetails;
  readonly reader: Reader;
  readonly unixSockets: UnixSockets;
  readonly fileSystems: FileSystems;
  readonly openFiles: OpenFiles;
  readonly transactions: OptionalProgram<TransactionTask>;
  readonly works: OptionalProgram<WorkWaiter>;
  /** Undefined if bpf is not used. */
  readonly bpf: BpfReader | undefined;
  /** Set if a verdict is all that is wanted: waits that are normal, and that nothing can be wrong with, may be left out. */
  readonly forVerdict: boolean;
  /** All tasks seen so far, by TID: those selected, and those they wait for. */
  readonly tasks: ReadonlyMap<number, Observation>;
  /** After this, by the monotonic clock, a source begins no more reads and returns what it has. */
  readonly untilMs: number;
  /** Called with what is missing, and why. */
  tell(text: string): void;
}

export interface FoundEdges {
  readonly edges: readonly Edge[];
  readonly resources: readonly Resource[];
}

/** Finds one kind of edges. It reads nothing while nobody waits for its like. */
export interface EdgeSource {
  /** For messages: `file locks`. */
  readonly name: string;
  /**
   * Whether the task may wait for its like, by what is known of it already: its stack and its state. It is asked again
   * with the task's system call, which is read of those that it takes.
   */
  concerns(observation: Observation): boolean;
  /** Set if it is asked after the others, to know what they have found. */
  readonly isLast?: true;
  /**
   * The edges from these tasks, each of which concerns it. May name tasks that were not seen, and new resources.
   * @param known the edges found so far
   */
  ofTasks(waiters: readonly Observation[], context: EdgeContext, known: readonly Edge[]): Promise<FoundEdges>;
  /** Edges from resources that others lead to, each of which `follows` takes. */
  follows?(resource: Resource): boolean;
  ofResources?(resources: readonly Resource[], context: EdgeContext): Promise<FoundEdges>;
  /**
   * Asked once, when all is found, if that has resources that it `settles`: everything, with what these turn out to be
   * like when they are watched for a moment, and without what turns out not to be waited for.
   */
  settles?(resource: Resource): boolean;
  settle?(found: FoundEdges, context: EdgeContext): Promise<FoundEdges>;
}

/** How many frames from the innermost one may tell what a task waits for. */
const INNERMOST = 12;

/** Thousands of tasks share a few stacks, and every source asks about each of them. */
const KNOWN = new WeakMap<Stack, Map<ReadonlySet<string>, boolean>>();

/** Whether one of the innermost functions of a task's stack is among these, whatever the compiler appended to it. */
export function waitsIn({ stack }: Observation, functions: ReadonlySet<string>): boolean {
  if (!('value' in stack)) return false;
  let answers = KNOWN.get(stack.value);
  if (answers === undefined) {
    answers = new Map();
    KNOWN.set(stack.value, answers);
  }
  let answer = answers.get(functions);
  if (answer === undefined) {
    const innermost = stack.value.frames.slice(0, INNERMOST);
    answer = innermost.some(({ symbol }) => functions.has(symbol.split('.', 1)[0] ?? ''));
    answers.set(functions, answer);
  }
  return answer;
}
