import type { Event, EventKind } from '../../model/event.ts';
import type { Fleet } from '../../model/fleet.ts';
import { type Sample, type Unread, unreadOf } from '../../model/sample.ts';
import { Deadlocks, DeadlockTimes, type ReportedDeadlock } from '../holders/deadlock-times.ts';
import { HolderSums, type ReportedHolder } from '../holders/holder-sums.ts';
import { HolderTimes, holderOf } from '../holders/holder-times.ts';
import { holdersIn } from '../holders/holding.ts';
import { waitGraph } from '../holders/wait-graph.ts';
import { BlockedSums, type ReportedFinding } from './blocked-sums.ts';
import type { HostListener } from './host-runs.ts';
import { HostStreams } from './host-streams.ts';
import { Hosts } from './hosts.ts';
import { MissingCounts, MissingParts } from './missing-parts.ts';
import type { Gap } from './pace.ts';
import { ReportTimes } from './report-times.ts';
import { type StuckRun, StuckRuns } from './stuck.ts';
import type { Moment } from './timeline.ts';

/** Bounds memory: a report is about a recording of any size. */
const MAX_EVENTS = 1000;
const MAX_GAPS = 1000;
const MAX_HOSTS = 10_000;

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
  /** Samples that name no host: nothing ties them to one of `hosts`. Undefined if nobody has counted them. */
  readonly unnamed?: number;
  readonly samples: number;
  /** Samples without a time: they count, but last no time. */
  readonly untimed: number;
  /**
   * Beside samples with a date, those that only tell the time since the boot of their host: they have no part in the
   * span and the timeline. Undefined if nobody has counted them.
   */
  readonly sinceBoot?: number;
  /** Samples without a task: nothing of what was looked for was there, or a log only tells that something happened. */
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
  /** Tasks that waited for each other, and how many such circles there were. Undefined if nobody has looked. */
  readonly deadlocks?: readonly ReportedDeadlock[];
  readonly deadlockCount?: number;
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

/** Reports what happened in samples that come in the order of their times, from one host or several. */
export async function report(samples: Iterable<Sample> | AsyncIterable<Sample>): Promise<Report> {
  const builder = new ReportBuilder();
  for await (const sample of samples) builder.add(sample);
  return builder.end();
}

class ReportBuilder {
  readonly #hosts = new Hosts();
  readonly #runs = new Map<string, HostStreams>();
  readonly #blocked = new BlockedSums();
  readonly #holders = new HolderSums();
  readonly #deadlocks = new Deadlocks();
  readonly #stuck = new StuckRuns();
  readonly #unread = new MissingCounts();
  readonly #times = new ReportTimes();
  readonly #gaps: Gap[] = [];
  readonly #events: ReportedEvent[] = [];
  #eventCount = 0;
  #samples = 0;
  #untimed = 0;
  #empty = 0;
  #unnamed = 0;

  add(sample: Sample): void {
    const { timeMs, unread, source, events = [] } = sample;
    const host = this.#hosts.keyOf(sample);
    this.#samples++;
    if ((sample.host ?? '') === '') this.#unnamed++;
    for (const { what, why } of unread) this.#unread.add({ what, why }, 1);
    for (const event of events) this.#happened(event, host, timeMs);
    const runs = this.#runsOf(host);
    runs.add(sample);
    if (timeMs === undefined) this.#untimed++;
    const isEventOnly = source.partial === true && sample.observations.length === 0;
    if (isEventOnly) this.#empty++;
    if (source.partial === true || timeMs === undefined) this.#addAlone(sample, host);
    if (timeMs === undefined) return;
    this.#times.add(timeMs);
    // That something happened does not say that no task was blocked.
    if (isEventOnly) return;
    let blocked = 0;
    for (const each of this.#runs.values()) blocked += each.blockedAt(timeMs);
    this.#times.count({ timeMs, blocked });
  }

  /** What follows from a sample that does not go on from the one before it. */
  #addAlone(sample: Sample, host: string): void {
    for (const { what, why } of unreadOf(sample.observations)) this.#unread.add({ what, why }, 1);
    const graph = waitGraph(sample);
    for (const root of holdersIn(sample, graph)) this.#holders.add(host, holderOf(root), 0, 0);
    if (graph.cycles.length === 0) return;
    const deadlocks = new DeadlockTimes(host, (deadlock) => this.#deadlocks.add(deadlock));
    deadlocks.add({ ...sample, cycles: graph.cycles }, sample.timeMs);
    deadlocks.end(false);
  }

  #runsOf(host: string): HostStreams {
    let runs = this.#runs.get(host);
    if (runs !== undefined) return runs;
    runs = new HostStreams(host, (stream) => this.#listenerTo(host, stream));
    this.#runs.set(host, runs);
    return runs;
  }

  #listenerTo(host: string, stream: number): HostListener {
    const holders = new HolderTimes((holder, seconds) => this.#holders.add(host, holder, seconds, stream));
    const deadlocks = new DeadlockTimes(host, (deadlock) => this.#deadlocks.add(deadlock));
    const missing = new MissingParts();
    let tasks = 0;
    return {
      ran: (run) => {
        this.#stuck.add(run);
        this.#blocked.add(run, stream);
      },
      gap: (gap) => {
        if (this.#gaps.length < MAX_GAPS) this.#gaps.push(gap);
      },
      clockSet: (timeMs, setMs) => this.#note({ host, timeMs, kind: 'clock', text: clockText(setMs) }),
      sampled: (sample, changes, seconds) => {
        holders.add(changes, sample, seconds);
        deadlocks.add(holders.deadlocked, sample.timeMs);
        missing.add(changes, this.#unread);
        tasks += changes.come.length - changes.gone.length;
        if (tasks === 0) this.#empty++;
      },
      over: (seconds, isLatest) => {
        holders.end(seconds);
        deadlocks.end(isLatest);
      },
    };
  }

  end(): Report {
    for (const runs of this.#runs.values()) runs.end();
    const named = <T extends { readonly host: string | undefined }>(one: T): T => ({
      ...one,
      host: this.#hosts.nameOf(one.host),
    });
    return {
      ...this.#times.end(),
      hosts: [...this.#runs.keys()].flatMap((key) => this.#hosts.nameOf(key) ?? []).slice(0, MAX_HOSTS),
      samples: this.#samples,
      unnamed: this.#unnamed,
      untimed: this.#untimed,
      empty: this.#empty,
      gaps: this.#gaps.map(named),
      events: this.#events.sort((a, b) => (a.timeMs ?? 0) - (b.timeMs ?? 0)).map(named),
      eventCount: this.#eventCount,
      findings: this.#blocked.mostFirst().map((found) => ({ ...found, tasks: found.tasks.map(named) })),
      findingCount: this.#blocked.count,
      deadlocks: this.#deadlocks.worstFirst().map(named),
      deadlockCount: this.#deadlocks.count,
      holders: this.#holders.mostFirst().map(named),
      holderCount: this.#holders.count,
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
}

function clockText(setMs: number): string {
  const seconds = Math.round(Math.abs(setMs) / 1000);
  // CLOCK_MONOTONIC stands still meanwhile.
  return setMs < 0
    ? `the clock was set back by ${seconds} s`
    : `the clock was set forward by ${seconds} s, or the host was suspended for so long`;
}
