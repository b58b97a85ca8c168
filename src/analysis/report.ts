import type { Changes } from '../model/changes.ts';
import type { NodeKey } from '../model/edge.ts';
import type { Event, EventKind } from '../model/event.ts';
import type { Finding } from '../model/finding.ts';
import type { Fleet } from '../model/fleet.ts';
import { isWhole, type Observation, type Sample, type Unread, unreadOf } from '../model/sample.ts';
import type { Stack } from '../model/stack.ts';
import { type Task, taskKey } from '../model/task.ts';
import { type BlockedRun, stackOf } from './blocked-runs.ts';
import { type Holder, HolderTimes, holderOf } from './holder-times.ts';
import { holdersIn } from './holding.ts';
import { HostRuns } from './host-runs.ts';
import type { Gap } from './pace.ts';
import { mayBeSame, type StuckRun, StuckRuns } from './stuck.ts';
import { type Moment, Timeline } from './timeline.ts';

/** Bounds memory: a report is about a recording of any size. */
const MAX_TASKS = 100_000;
const MAX_FINDINGS = 10_000;
const MAX_EVENTS = 1000;
const MAX_GAPS = 1000;
const MAX_HOSTS = 10_000;

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

/** What others waited for: a task, or a resource. */
export interface ReportedHolder {
  readonly host: string | undefined;
  readonly key: NodeKey;
  /** The task's comm, or the resource's name. */
  readonly name: string | undefined;
  /** Of all waiters together. */
  readonly taskSeconds: number;
  readonly waiters: number;
}

export interface ReportedEvent extends Omit<Event, 'kind'> {
  /** `clock`: somebody set the clock of the host. */
  readonly kind: EventKind | 'clock';
  readonly host: string | undefined;
}

/** What happened in a stream of samples. */
export interface Report {
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
  readonly hosts: readonly string[];
  readonly samples: number;
  /** Samples without a time: they count, but last no time. */
  readonly untimed: number;
  /** Samples without a task: nothing of what was looked for was there. */
  readonly empty: number;
  readonly gaps: readonly Gap[];
  /** How many tasks were blocked when, over all hosts; neighbours are merged, the highest counts. */
  readonly timeline: readonly Moment[];
  /** In the order of their times, the first thousand. */
  readonly events: readonly ReportedEvent[];
  readonly eventCount: number;
  /** Those with the most task time, and how many there are. */
  readonly findings: readonly ReportedFinding[];
  readonly findingCount: number;
  readonly holders: readonly ReportedHolder[];
  readonly holderCount: number;
  readonly stuck: readonly StuckRun[];
  /** How many stuck tasks there are, of which `stuck` has the longest. */
  readonly stuckCount: number;
  /** What several hosts say together; absent if nobody has added it up. */
  readonly fleet?: Fleet;
  /** How often what could not be read, and why. */
  readonly unread: readonly (Pick<Unread, 'what' | 'why'> & { readonly count: number })[];
}

interface SummedTask extends Changing<ReportedTask> {
  /** In seconds: by logs, by samples, and while it is known not to have run, which is until `untilMs`. */
  reported: number;
  sampled: number;
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

/** Reports what happened in samples that come in the order of their times, from one host or several. */
export async function report(samples: Iterable<Sample> | AsyncIterable<Sample>): Promise<Report> {
  const builder = new ReportBuilder();
  for await (const sample of samples) builder.add(sample);
  return builder.end();
}

type Changing<T> = { -readonly [K in keyof T]: T[K] };

class ReportBuilder {
  readonly #hosts = new Map<string, HostRuns>();
  readonly #named = new Set<string>();
  readonly #sums = new Map<string, Sum>();
  readonly #holders = new Map<string, Changing<ReportedHolder> & { all: Set<number> }>();
  readonly #stuck = new StuckRuns();
  readonly #unread = new Counts();
  readonly #timeline = new Timeline();
  readonly #gaps: Gap[] = [];
  readonly #events: ReportedEvent[] = [];
  #eventCount = 0;
  #tasks = 0;
  #samples = 0;
  #untimed = 0;
  #empty = 0;
  #fromMs: number | undefined;
  #toMs: number | undefined;

  add(sample: Sample): void {
    const { timeMs, host, unread, source, events = [] } = sample;
    this.#samples++;
    if (host !== undefined && this.#named.size < MAX_HOSTS) this.#named.add(host);
    for (const { what, why } of unread) this.#unread.add({ what, why }, 1);
    for (const event of events) this.#happened(event, sample);
    const runs = this.#runsOf(host);
    runs.add(sample);
    if (timeMs === undefined) this.#untimed++;
    if (source.partial === true || timeMs === undefined) this.#addAlone(sample);
    if (timeMs === undefined) return;
    this.#fromMs = Math.min(this.#fromMs ?? timeMs, timeMs);
    this.#toMs = Math.max(this.#toMs ?? timeMs, timeMs);
    // That something happened does not say that no task was blocked.
    if (source.partial === true && sample.observations.length === 0) return;
    let blocked = 0;
    for (const each of this.#hosts.values()) blocked += each.blockedAt(timeMs);
    this.#timeline.add({ timeMs, blocked });
  }

  /** What follows from a sample that does not go on from the one before it. */
  #addAlone(sample: Sample): void {
    for (const { what, why } of unreadOf(sample.observations)) this.#unread.add({ what, why }, 1);
    for (const root of holdersIn(sample)) this.#hold(sample.host, holderOf(root), 0);
  }

  #runsOf(host: string | undefined): HostRuns {
    let runs = this.#hosts.get(host ?? '');
    if (runs !== undefined) return runs;
    const holders = new HolderTimes((holder, seconds) => this.#hold(host, holder, seconds));
    const missing = new MissingParts();
    let tasks = 0;
    runs = new HostRuns(host, {
      ran: (run) => this.#ran(run),
      gap: (gap) => {
        if (this.#gaps.length < MAX_GAPS) this.#gaps.push(gap);
      },
      clockSet: (timeMs, setMs) => this.#note({ host, timeMs, kind: 'clock', text: clockText(setMs) }),
      sampled: (sample, changes, seconds) => {
        holders.add(changes, sample, seconds);
        missing.add(changes, this.#unread);
        tasks += changes.come.length - changes.gone.length;
        if (tasks === 0) this.#empty++;
      },
      over: (seconds) => holders.end(seconds),
    });
    this.#hosts.set(host ?? '', runs);
    return runs;
  }

  end(): Report {
    for (const runs of this.#hosts.values()) runs.end();
    const findings = [...this.#sums.values()].sort((a, b) => b.taskSeconds - a.taskSeconds || b.count - a.count);
    return {
      fromMs: this.#fromMs,
      toMs: this.#toMs,
      hosts: [...this.#named],
      samples: this.#samples,
      untimed: this.#untimed,
      empty: this.#empty,
      gaps: this.#gaps,
      timeline: this.#timeline.inOrder(),
      events: this.#events.sort((a, b) => (a.timeMs ?? 0) - (b.timeMs ?? 0)),
      eventCount: this.#eventCount,
      findings: findings.map(({ tasks, named: _, ...sum }) => ({
        ...sum,
        isAtLeast: [...tasks.values()].some((task) => task.isAtLeast),
        tasks: [...tasks.values()].sort((a, b) => b.seconds - a.seconds),
      })),
      findingCount: findings.length,
      holderCount: this.#holders.size,
      holders: [...this.#holders.values()]
        .map(({ all, ...holder }) => ({ ...holder, waiters: all.size }))
        .sort((a, b) => b.taskSeconds - a.taskSeconds),
      stuck: this.#stuck.longest(),
      stuckCount: this.#stuck.count,
      unread: this.#unread.mostFirst(),
    };
  }

  #happened(event: Event, { timeMs, host }: Sample): void {
    this.#note({ host, ...(timeMs !== undefined && { timeMs }), ...event });
  }

  #note(event: ReportedEvent): void {
    this.#eventCount++;
    if (this.#events.length < MAX_EVENTS) this.#events.push(event);
  }

  #hold(host: string | undefined, { key: node, name, startTicks, waiters }: Holder, seconds: number): void {
    const key = `${host ?? ''}/${node}/${startTicks ?? ''}`;
    let holder = this.#holders.get(key);
    if (holder === undefined) {
      if (this.#holders.size >= MAX_TASKS) return;
      holder = { host, key: node, name, taskSeconds: 0, waiters: 0, all: new Set() };
      this.#holders.set(key, holder);
    }
    for (const waiter of waiters) {
      holder.taskSeconds += seconds;
      if (holder.all.size < MAX_TASKS) holder.all.add(waiter);
    }
  }

  #ran(run: BlockedRun): void {
    const { host, observation, finding } = run;
    const { task } = observation;
    this.#stuck.add(run);
    const key = `${finding.rule ?? ''}\n${finding.waitsFor}`;
    let sum = this.#sums.get(key);
    if (sum === undefined) {
      if (this.#sums.size >= MAX_FINDINGS) return;
      sum = { finding, stack: stackOf(observation), taskSeconds: 0, tasks: new Map(), named: new Map(), count: 0 };
      this.#sums.set(key, sum);
    }
    const name = `${host ?? ''}/${taskKey(task.id)}`;
    const short = () => `${host ?? ''}/${task.id.tid ?? ''}/${task.comm ?? ''}`;
    let known = sum.tasks.get(name);
    if (known === undefined) {
      const alike = sum.named.get(short());
      if (alike !== undefined && mayBeSame(alike.task.id, task.id)) known = alike;
    }
    if (known === undefined) {
      sum.count++;
      known = { host, task, seconds: 0, isAtLeast: false, reported: 0, sampled: 0, proven: 0, untilMs: 0 };
      if (this.#tasks < MAX_TASKS) {
        this.#tasks++;
        sum.tasks.set(name, known);
        sum.named.set(short(), known);
      }
    }
    const before = known.seconds;
    addRun(known, run);
    sum.taskSeconds += known.seconds - before;
  }
}

/** A log and several recordings may tell of the same time. What did not run was blocked in gaps, too. */
function addRun(sum: SummedTask, { observation, seconds, isReported, isProven, sinceMs, untilMs }: BlockedRun): void {
  if (isReported === true) sum.reported += seconds;
  else {
    sum.task = observation.task;
    sum.sampled += seconds;
    if (isProven && sinceMs !== undefined && untilMs !== undefined) {
      sum.proven += Math.max(0, untilMs - Math.max(sinceMs, sum.untilMs)) / 1000;
      sum.untilMs = Math.max(sum.untilMs, untilMs);
    }
  }
  const seen = Math.max(sum.sampled, sum.proven);
  sum.seconds = Math.max(sum.reported, seen);
  sum.isAtLeast = sum.reported > seen;
}

function clockText(setMs: number): string {
  const seconds = Math.round(Math.abs(setMs) / 1000);
  // CLOCK_MONOTONIC stands still meanwhile.
  return setMs < 0
    ? `the clock was set back by ${seconds} s`
    : `the clock was set forward by ${seconds} s, or the host was suspended for so long`;
}

type Missing = Pick<Unread, 'what' | 'why'>;

/** How often what could not be read. */
class Counts {
  readonly #counts = new Map<string, Missing & { count: number }>();

  add({ what, why }: Missing, count: number): void {
    const key = `${what}: ${why}`;
    const known = this.#counts.get(key) ?? { what, why, count: 0 };
    known.count += count;
    this.#counts.set(key, known);
  }

  all(): (Missing & { count: number })[] {
    return [...this.#counts.values()];
  }

  mostFirst(): (Missing & { count: number })[] {
    return this.all().sort((a, b) => b.count - a.count);
  }
}

/** Follows what could not be read of the tasks of one host. */
class MissingParts {
  readonly #now = new Counts();

  add({ gone, come }: Changes, all: Counts): void {
    this.#count(gone, -1);
    this.#count(come, 1);
    for (const { count, ...missing } of this.#now.all()) if (count > 0) all.add(missing, count);
  }

  #count(observations: readonly Observation[], sign: number): void {
    for (const observation of observations)
      if (!isWhole(observation)) for (const missing of unreadOf([observation])) this.#now.add(missing, sign);
  }
}
