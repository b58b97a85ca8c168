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
import type { HostListener } from './host-runs.ts';
import { HostStreams, StreamSeconds } from './host-streams.ts';
import { Hosts } from './hosts.ts';
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

interface HeldUp extends Omit<ReportedHolder, 'taskSeconds' | 'waiters'> {
  readonly waiters: Map<number, StreamSeconds>;
}

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

/** Reports what happened in samples that come in the order of their times, from one host or several. */
export async function report(samples: Iterable<Sample> | AsyncIterable<Sample>): Promise<Report> {
  const builder = new ReportBuilder();
  for await (const sample of samples) builder.add(sample);
  return builder.end();
}

type Changing<T> = { -readonly [K in keyof T]: T[K] };

class ReportBuilder {
  readonly #hosts = new Hosts();
  readonly #runs = new Map<string, HostStreams>();
  readonly #sums = new Map<string, Sum>();
  readonly #holders = new Map<string, HeldUp>();
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
    const { timeMs, unread, source, events = [] } = sample;
    const host = this.#hosts.keyOf(sample);
    this.#samples++;
    for (const { what, why } of unread) this.#unread.add({ what, why }, 1);
    for (const event of events) this.#happened(event, host, timeMs);
    const runs = this.#runsOf(host);
    runs.add(sample);
    if (timeMs === undefined) this.#untimed++;
    if (source.partial === true || timeMs === undefined) this.#addAlone(sample, host);
    if (timeMs === undefined) return;
    this.#fromMs = Math.min(this.#fromMs ?? timeMs, timeMs);
    this.#toMs = Math.max(this.#toMs ?? timeMs, timeMs);
    // That something happened does not say that no task was blocked.
    if (source.partial === true && sample.observations.length === 0) return;
    let blocked = 0;
    for (const each of this.#runs.values()) blocked += each.blockedAt(timeMs);
    this.#timeline.add({ timeMs, blocked });
  }

  /** What follows from a sample that does not go on from the one before it. */
  #addAlone(sample: Sample, host: string): void {
    for (const { what, why } of unreadOf(sample.observations)) this.#unread.add({ what, why }, 1);
    for (const root of holdersIn(sample)) this.#hold(host, holderOf(root), 0, 0);
  }

  #runsOf(host: string): HostStreams {
    let runs = this.#runs.get(host);
    if (runs !== undefined) return runs;
    runs = new HostStreams(host, (stream) => this.#listenerTo(host, stream));
    this.#runs.set(host, runs);
    return runs;
  }

  #listenerTo(host: string, stream: number): HostListener {
    const holders = new HolderTimes((holder, seconds) => this.#hold(host, holder, seconds, stream));
    const missing = new MissingParts();
    let tasks = 0;
    return {
      ran: (run) => this.#ran(run, stream),
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
    };
  }

  end(): Report {
    for (const runs of this.#runs.values()) runs.end();
    const named = <T extends { readonly host: string | undefined }>(one: T): T => ({
      ...one,
      host: this.#hosts.nameOf(one.host),
    });
    const findings = [...this.#sums.values()].sort((a, b) => b.taskSeconds - a.taskSeconds || b.count - a.count);
    return {
      fromMs: this.#fromMs,
      toMs: this.#toMs,
      hosts: [...this.#runs.keys()].flatMap((key) => this.#hosts.nameOf(key) ?? []).slice(0, MAX_HOSTS),
      samples: this.#samples,
      untimed: this.#untimed,
      empty: this.#empty,
      gaps: this.#gaps.map(named),
      timeline: this.#timeline.inOrder(),
      events: this.#events.sort((a, b) => (a.timeMs ?? 0) - (b.timeMs ?? 0)).map(named),
      eventCount: this.#eventCount,
      findings: findings.map(({ tasks, named: _, ...sum }) => ({
        ...sum,
        isAtLeast: [...tasks.values()].some((task) => task.isAtLeast),
        tasks: [...tasks.values()].sort((a, b) => b.seconds - a.seconds).map(named),
      })),
      findingCount: findings.length,
      holderCount: this.#holders.size,
      holders: [...this.#holders.values()]
        .map((holder) => named(reportedHolder(holder)))
        .sort((a, b) => b.taskSeconds - a.taskSeconds),
      stuck: this.#stuck.longest().map(named),
      stuckCount: this.#stuck.count,
      unread: this.#unread.mostFirst(),
    };
  }

  #happened(event: Event, host: string, timeMs: number | undefined): void {
    this.#note({ host, ...(timeMs !== undefined && { timeMs }), ...event });
  }

  #note(event: ReportedEvent): void {
    this.#eventCount++;
    if (this.#events.length < MAX_EVENTS) this.#events.push(event);
  }

  #hold(host: string, { key: node, name, startTicks, waiters }: Holder, seconds: number, stream: number): void {
    const key = `${host}/${node}/${startTicks ?? ''}`;
    let holder = this.#holders.get(key);
    if (holder === undefined) {
      if (this.#holders.size >= MAX_TASKS) return;
      holder = { host, key: node, name, waiters: new Map() };
      this.#holders.set(key, holder);
    }
    for (const waiter of waiters) {
      let known = holder.waiters.get(waiter);
      if (known === undefined) {
        if (holder.waiters.size >= MAX_TASKS) continue;
        known = new StreamSeconds();
        holder.waiters.set(waiter, known);
      }
      known.add(stream, seconds);
    }
  }

  #ran(run: BlockedRun, stream: number): void {
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
      known = {
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
        sum.tasks.set(name, known);
        sum.named.set(short(), known);
      }
    }
    const before = known.seconds;
    addRun(known, run, stream);
    sum.taskSeconds += known.seconds - before;
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

function reportedHolder({ waiters, ...holder }: HeldUp): ReportedHolder {
  let taskSeconds = 0;
  for (const seconds of waiters.values()) taskSeconds += seconds.longest;
  return { ...holder, taskSeconds, waiters: waiters.size };
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
