import { type Changes, changesBetween } from '../model/changes.ts';
import type { Sample } from '../model/sample.ts';
import { type BlockedRun, ReportedRuns, SampledRuns } from './blocked-runs.ts';
import { type Gap, Pace } from './pace.ts';

/** What is told of the samples of a host. */
export interface HostListener {
  /** A task was blocked in one place, and no longer is, or the stream is over. */
  ran(run: BlockedRun): void;
  gap(gap: Gap): void;
  /** Called for each sample with what changed, and how long the one before it spoke. Not for those of a log. */
  sampled?(sample: Sample, changes: Changes, seconds: number): void;
  /** Behind the last sample, which speaks for so long. */
  over?(seconds: number): void;
}

/** Follows the blocked tasks of a host. Samples without a time, and those of a log of events, are followed apart. */
export class HostRuns {
  readonly #listener: HostListener;
  readonly #pace: Pace;
  readonly #sampled: SampledRuns;
  readonly #untimed: SampledRuns;
  readonly #reported: ReportedRuns;
  #last: Sample | undefined;
  #lastUntimed: Sample | undefined;
  #reportedMs = 0;
  /** How long all samples speak together. */
  seconds = 0;

  constructor(host: string | undefined, listener: HostListener) {
    this.#listener = listener;
    this.#pace = new Pace((fromMs, toMs) => listener.gap({ host, fromMs, toMs }));
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
      const seconds = this.#pace.arrive(timeMs, intervalMs);
      this.seconds += seconds;
      const changes = changesBetween(this.#last, sample);
      this.#sampled.add(sample, changes, seconds);
      this.#listener.sampled?.(sample, changes, seconds);
      this.#last = sample;
    }
  }

  end(): void {
    const seconds = this.#pace.usualMs / 1000;
    this.seconds += seconds;
    this.#sampled.end(seconds);
    this.#untimed.end();
    this.#reported.end();
    this.#listener.over?.(seconds);
  }

  /** How many tasks are blocked at a time at or soon after the latest sample. */
  blockedAt(timeMs: number): number {
    const sampled = timeMs <= this.#pace.untilMs || timeMs === this.#last?.timeMs ? this.#sampled.blocked : 0;
    const reported = timeMs === this.#reportedMs ? this.#reported.blocked : 0;
    return Math.max(sampled, reported);
  }
}
