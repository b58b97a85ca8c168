import { type Changes, changesBetween } from '../../model/changes.ts';
import type { Sample } from '../../model/sample.ts';
import { type BlockedRun, ReportedRuns, SampledRuns } from './blocked-runs.ts';
import { type Gap, Pace } from './pace.ts';
import { SteadyClock } from './steady-clock.ts';

/** What is told of the samples of a host. */
export interface HostListener {
  /** A task was blocked in one place, and no longer is, or the stream is over. */
  ran(run: BlockedRun): void;
  gap(gap: Gap): void;
  /** Between the sample before and this one, the clock was set: back, if that is negative. */
  clockSet?(timeMs: number, setMs: number): void;
  /** Called for each sample with what changed, and how long the one before it spoke. Not for those of a log. */
  sampled?(sample: Sample, changes: Changes, seconds: number): void;
  /** Behind the last sample, which speaks for so long; no other one of the host may be later. */
  over?(seconds: number, isLatest: boolean): void;
}

/** Follows the blocked tasks of a host. Samples without a time, and those of a log of events, are followed apart. */
export class HostRuns {
  readonly #host: string | undefined;
  readonly #listener: HostListener;
  readonly #clock = new SteadyClock();
  /** By times as if nobody had set the clock. */
  readonly #pace: Pace;
  readonly #sampled: SampledRuns;
  readonly #untimed: SampledRuns;
  readonly #reported: ReportedRuns;
  #last: Sample | undefined;
  #lastUntimed: Sample | undefined;
  #reportedMs = 0;
  /** Whether the clock was set before the latest sample. */
  #isSet = false;
  /** How long all samples speak together. */
  seconds = 0;

  constructor(host: string | undefined, listener: HostListener) {
    this.#host = host;
    this.#listener = listener;
    this.#pace = new Pace((fromMs, toMs) => this.#foundGap(fromMs, toMs));
    const ran = (run: BlockedRun) => listener.ran(run);
    this.#sampled = new SampledRuns(host, ran);
    this.#untimed = new SampledRuns(host, ran);
    this.#reported = new ReportedRuns(host, ran);
  }

  add(sample: Sample): void {
    const { timeMs, source, intervalMs } = sample;
    if (source.partial === true) {
      this.#reported.add(sample);
      this.#reportedMs = timeMs ?? 0;
    } else if (timeMs === undefined) {
      this.#untimed.add(sample, changesBetween(this.#lastUntimed, sample), 0);
      this.#lastUntimed = sample;
    } else {
      const setMs = this.#clock.arrive(sample, timeMs, this.#pace.usualMs);
      if (setMs !== 0) this.#listener.clockSet?.(timeMs, setMs);
      this.#isSet = setMs !== 0;
      const seconds = this.#pace.arrive(timeMs - this.#clock.setMs, intervalMs);
      this.seconds += seconds;
      const changes = changesBetween(this.#last, sample);
      this.#sampled.add(sample, changes, seconds, this.#clock.setMs);
      this.#listener.sampled?.(sample, changes, seconds);
      this.#last = sample;
    }
  }

  /** What is between the times before the clock was set and those after it is found in the end. */
  #foundGap(fromMs: number, toMs: number): void {
    const { setMs } = this.#clock;
    if (!this.#isSet) this.#listener.gap({ host: this.#host, fromMs: fromMs + setMs, toMs: toMs + setMs });
  }

  /** @param isLatest whether no sample of another recording of the host is later */
  end(isLatest = true): void {
    for (const skipped of this.#clock.skipped()) this.#listener.gap({ host: this.#host, ...skipped });
    const seconds = this.#pace.usualMs / 1000;
    this.seconds += seconds;
    this.#sampled.end(seconds, isLatest);
    this.#untimed.end();
    this.#reported.end();
    this.#listener.over?.(seconds, isLatest);
  }

  /** Whether the latest sample still tells what is at that time. */
  speaksAt(timeMs: number): boolean {
    return timeMs - this.#clock.setMs <= this.#pace.untilMs || timeMs === this.#last?.timeMs;
  }

  /** How many tasks are blocked in the latest sample. */
  get blocked(): number {
    return this.#sampled.blocked.size;
  }

  /** What no two of them have in common: their numbers, as far as they are known. */
  *blockedNumbers(): Generator<unknown> {
    for (const [key, { observation }] of this.#sampled.blocked) yield observation.task.id.tid ?? key;
  }

  get latestMs(): number {
    return this.#last?.timeMs ?? 0;
  }

  /** How many blocked tasks a log tells of at that time. */
  reportedAt(timeMs: number): number {
    return timeMs === this.#reportedMs ? this.#reported.blocked : 0;
  }
}
