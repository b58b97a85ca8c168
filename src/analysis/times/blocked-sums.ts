import type { Finding } from '../../model/finding.ts';
import type { Stack } from '../../model/stack.ts';
import { type Task, taskKey } from '../../model/task.ts';
import { type BlockedRun, stackOf } from './blocked-runs.ts';
import { StreamSeconds } from './host-streams.ts';
import { mayBeSame } from './stuck.ts';

/** Bounds memory: a report is about a recording of any size. */
const MAX_TASKS = 100_000;
const MAX_FINDINGS = 10_000;

export interface ReportedTask {
  readonly host: string | undefined;
  readonly task: Task;
  readonly seconds: number;
  /** Set if that is from a log: at least so long. */
  readonly isAtLeast: boolean;
}

/** What was blocked on one kind of wait, over a stream. */
export interface ReportedFinding {
  readonly finding: Finding;
  readonly stack: Stack | undefined;
  /** Of all tasks together. */
  readonly taskSeconds: number;
  /** Set if some of it is from a log: at least so long. */
  readonly isAtLeast: boolean;
  /** Those that were blocked longest first; those beyond a limit of memory are missing. */
  readonly tasks: readonly ReportedTask[];
  /** How many different tasks. */
  readonly count: number;
}

type Changing<T> = { -readonly [K in keyof T]: T[K] };

interface SummedTask extends Changing<ReportedTask> {
  /** In seconds: by logs, by samples, and while it is known not to have run, which is until `untilMs`. */
  reported: number;
  readonly sampled: StreamSeconds;
  proven: number;
  untilMs: number;
}

interface Sum {
  readonly finding: Finding;
  readonly stack: Stack | undefined;
  taskSeconds: number;
  readonly tasks: Map<string, SummedTask>;
  /** The last one of each host, TID and name: a log does not know when a task started. */
  readonly named: Map<string, SummedTask>;
  count: number;
}

/** Adds up for how long tasks were blocked on each kind of wait, over all hosts. */
export class BlockedSums {
  readonly #sums = new Map<string, Sum>();
  #tasks = 0;

  get count(): number {
    return this.#sums.size;
  }

  add(run: BlockedRun, stream: number): void {
    const { host, observation, finding } = run;
    const { task } = observation;
    const key = `${finding.rule ?? ''}\n${finding.waitsFor}`;
    let sum = this.#sums.get(key);
    if (sum === undefined) {
      if (this.#sums.size >= MAX_FINDINGS) return;
      sum = { finding, stack: stackOf(observation), taskSeconds: 0, tasks: new Map(), named: new Map(), count: 0 };
      this.#sums.set(key, sum);
    }
    const known = this.#knownIn(sum, host, task);
    const before = known.seconds;
    addRun(known, run, stream);
    sum.taskSeconds += known.seconds - before;
  }

  #knownIn(sum: Sum, host: string | undefined, task: Task): SummedTask {
    const name = `${host ?? ''}/${taskKey(task.id)}`;
    const short = () => `${host ?? ''}/${task.id.tid ?? ''}/${task.comm ?? ''}`;
    const known = sum.tasks.get(name);
    if (known !== undefined) return known;
    const alike = sum.named.get(short());
    if (alike !== undefined && mayBeSame(alike.task.id, task.id)) return alike;
    sum.count++;
    const added = {
      host,
      task,
      seconds: 0,
      isAtLeast: false,
      reported: 0,
      sampled: new StreamSeconds(),
      proven: 0,
      untilMs: 0,
    };
    if (this.#tasks < MAX_TASKS) {
      this.#tasks++;
      sum.tasks.set(name, added);
      sum.named.set(short(), added);
    }
    return added;
  }

  /** Those with the most task time first. */
  mostFirst(): ReportedFinding[] {
    return [...this.#sums.values()]
      .sort((a, b) => b.taskSeconds - a.taskSeconds || b.count - a.count)
      .map(({ tasks, named: _, ...sum }) => ({
        ...sum,
        isAtLeast: [...tasks.values()].some((task) => task.isAtLeast),
        tasks: [...tasks.values()].sort((a, b) => b.seconds - a.seconds),
      }));
  }
}

/** A log and several recordings may tell of the same time. What did not run was blocked in gaps, too. */
function addRun(sum: SummedTask, run: BlockedRun, stream: number): void {
  const { observation, seconds, isReported, isProven, sinceMs, untilMs } = run;
  if (isReported === true) sum.reported += seconds;
  else {
    sum.task = observation.task;
    sum.sampled.add(stream, seconds);
    if (isProven && sinceMs !== undefined && untilMs !== undefined) {
      sum.proven += Math.max(0, untilMs - Math.max(sinceMs, sum.untilMs)) / 1000;
      sum.untilMs = Math.max(sum.untilMs, untilMs);
    }
  }
  const seen = Math.max(sum.sampled.longest, sum.proven);
  sum.seconds = Math.max(sum.reported, seen);
  sum.isAtLeast = sum.reported > seen;
}
