import type { Finding } from '../model/finding.ts';
import { type Observation, type Sample, unreadOf } from '../model/sample.ts';
import type { Stack } from '../model/stack.ts';
import { type Task, taskKey } from '../model/task.ts';
import { explainObservation } from './explain-sample.ts';
import { type StuckTask, StuckTasks } from './stuck.ts';
import { type Gap, timed } from './timed.ts';
import { waitGraph } from './wait-graph.ts';

/** Bounds memory: a report is about a recording of any size. */
const MAX_TASKS = 20_000;
const MAX_MOMENTS = 20_000;

/** What was blocked on one kind of wait, over a stream. */
export interface ReportedFinding {
  readonly finding: Finding;
  readonly stack: Stack | undefined;
  /** Of all tasks together. */
  readonly taskSeconds: number;
  /** Those that were blocked longest first. */
  readonly tasks: readonly { readonly host: string | undefined; readonly task: Task; readonly seconds: number }[];
  /** How many different tasks. */
  readonly count: number;
}

/** A task that others waited for. */
export interface ReportedHolder {
  readonly host: string | undefined;
  readonly tid: number;
  readonly comm: string | undefined;
  /** Of all waiters together. */
  readonly taskSeconds: number;
  readonly waiters: number;
}

export interface Moment {
  readonly timeMs: number;
  readonly blocked: number;
}

/** What happened in a stream of samples. */
export interface Report {
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
  readonly hosts: readonly string[];
  readonly samples: number;
  /** Samples without a time: they count, but last no time. */
  readonly untimed: number;
  readonly gaps: readonly Gap[];
  /** How many tasks were blocked when, over all hosts; neighbours are merged, the highest counts. */
  readonly timeline: readonly Moment[];
  readonly findings: readonly ReportedFinding[];
  readonly holders: readonly ReportedHolder[];
  readonly stuck: readonly StuckTask[];
  /** How often what could not be read, and why: `stack: timeout`. */
  readonly unread: readonly { readonly what: string; readonly count: number }[];
}

export interface Blocked {
  readonly observation: Observation;
  readonly finding: Finding;
}

interface Sum {
  readonly finding: Finding;
  readonly stack: Stack | undefined;
  taskSeconds: number;
  readonly tasks: Map<string, { readonly host: string | undefined; readonly task: Task; seconds: number }>;
  count: number;
}

/** Reports what happened in samples that come in the order of their times, from one host or several. */
export async function report(samples: Iterable<Sample> | AsyncIterable<Sample>): Promise<Report> {
  const gaps: Gap[] = [];
  const builder = new ReportBuilder();
  for await (const { sample, seconds } of timed(samples, (gap) => gaps.push(gap))) builder.add(sample, seconds);
  return { ...builder.end(), gaps };
}

type Changing<T> = { -readonly [K in keyof T]: T[K] };

class ReportBuilder {
  readonly #hosts = new Set<string>();
  readonly #sums = new Map<string, Sum>();
  readonly #holders = new Map<string, Changing<ReportedHolder> & { all: Set<number> }>();
  readonly #stuck = new StuckTasks();
  readonly #unread = new Map<string, number>();
  #timeline: Moment[] = [];
  #samples = 0;
  #untimed = 0;

  /** Adds a sample that speaks for so long. */
  add(sample: Sample, seconds: number): void {
    const { timeMs, host } = sample;
    this.#samples++;
    if (host !== undefined) this.#hosts.add(host);
    for (const { what, why } of [...sample.unread, ...unreadOf(sample.observations)])
      this.#unread.set(`${what}: ${why}`, (this.#unread.get(`${what}: ${why}`) ?? 0) + 1);
    const blocked = blockedIn(sample);
    for (const { observation, finding } of blocked) this.#sum(host, observation, finding, seconds);
    this.#hold(sample, seconds);
    this.#stuck.add(
      sample,
      blocked.map(({ observation }) => observation),
    );
    if (timeMs === undefined) this.#untimed++;
    else this.#note({ timeMs, blocked: blocked.length });
  }

  end(): Omit<Report, 'gaps'> {
    const timeline = this.#timeline.toSorted((a, b) => a.timeMs - b.timeMs);
    const findings = [...this.#sums.values()].sort((a, b) => b.taskSeconds - a.taskSeconds || b.count - a.count);
    return {
      fromMs: timeline[0]?.timeMs,
      toMs: timeline.at(-1)?.timeMs,
      hosts: [...this.#hosts],
      samples: this.#samples,
      untimed: this.#untimed,
      timeline,
      findings: findings.map(({ tasks, ...sum }) => ({
        ...sum,
        tasks: [...tasks.values()].sort((a, b) => b.seconds - a.seconds),
      })),
      holders: [...this.#holders.values()]
        .map(({ all, ...holder }) => ({ ...holder, waiters: all.size }))
        .sort((a, b) => b.taskSeconds - a.taskSeconds),
      stuck: this.#stuck.end(),
      unread: [...this.#unread].map(([what, count]) => ({ what, count })).sort((a, b) => b.count - a.count),
    };
  }

  #hold(sample: Sample, seconds: number): void {
    const { host } = sample;
    for (const { tid, observation, waits } of waitGraph(sample).roots) {
      const key = `${host ?? ''}/${tid}/${observation?.task.id.startTicks ?? ''}`;
      let holder = this.#holders.get(key);
      if (holder === undefined) {
        if (this.#holders.size >= MAX_TASKS) continue;
        holder = { host, tid, comm: observation?.task.comm, taskSeconds: 0, waiters: 0, all: new Set() };
        this.#holders.set(key, holder);
      }
      for (const wait of waits) {
        holder.taskSeconds += seconds;
        holder.all.add(wait.tid);
      }
    }
  }

  #sum(host: string | undefined, { task, stack }: Observation, finding: Finding, seconds: number): void {
    const key = `${finding.rule ?? ''}\n${finding.waitsFor}`;
    let sum = this.#sums.get(key);
    if (sum === undefined) {
      sum = { finding, stack: 'value' in stack ? stack.value : undefined, taskSeconds: 0, tasks: new Map(), count: 0 };
      this.#sums.set(key, sum);
    }
    sum.taskSeconds += seconds;
    const name = `${host ?? ''}/${taskKey(task.id)}`;
    const known = sum.tasks.get(name);
    if (known !== undefined) known.seconds += seconds;
    else sum.count++;
    if (known === undefined && sum.tasks.size < MAX_TASKS) sum.tasks.set(name, { host, task, seconds });
  }

  #note(moment: Moment): void {
    this.#timeline.push(moment);
    if (this.#timeline.length > MAX_MOMENTS) this.#timeline = merged(this.#timeline, MAX_MOMENTS / 2);
  }
}

/** The tasks that wait for a resource, without kstack's own. */
export function blockedIn({ observations }: Sample): Blocked[] {
  const blocked: Blocked[] = [];
  for (const observation of observations) {
    const finding = explainObservation(observation);
    const isBlocked = finding.kind === 'blocked' || (finding.kind === 'unexplained' && observation.state === 'D');
    if (isBlocked && observation.task.own !== true) blocked.push({ observation, finding });
  }
  return blocked;
}

/** So many moments that stand for all, each with the most blocked tasks of those it stands for. */
export function merged(moments: readonly Moment[], count: number): Moment[] {
  const [first, last] = [moments[0], moments.at(-1)];
  if (first === undefined || last === undefined || moments.length <= count) return [...moments];
  const span = Math.max(1, last.timeMs - first.timeMs);
  const merged: Moment[] = [];
  let bucket = -1;
  for (const { timeMs, blocked } of moments) {
    const at = Math.min(count - 1, Math.floor(((timeMs - first.timeMs) * count) / span));
    const before = merged.at(-1);
    if (at !== bucket || before === undefined) merged.push({ timeMs, blocked });
    else merged[merged.length - 1] = { ...before, blocked: Math.max(before.blocked, blocked) };
    bucket = at;
  }
  return merged;
}
