import type { Sample } from '../../model/sample.ts';
import { type HostListener, HostRuns } from './host-runs.ts';

/**
 * Follows the blocked tasks of a host of which several recordings may tell at a time. What a sample of one does not
 * show says nothing of the tasks of the other.
 */
export class HostStreams {
  readonly #host: string;
  readonly #listenerOf: (stream: number) => HostListener;
  readonly #streams = new Map<number, HostRuns>();
  #latestMs = 0;

  constructor(host: string, listenerOf: (stream: number) => HostListener) {
    this.#host = host;
    this.#listenerOf = listenerOf;
  }

  add(sample: Sample): void {
    const { timeMs, stream = 0 } = sample;
    if (timeMs !== undefined) this.#latestMs = timeMs;
    (this.#streams.get(stream) ?? this.#begun(stream)).add(sample);
  }

  #begun(stream: number): HostRuns {
    const listener = this.#listenerOf(stream);
    const runs: HostRuns = new HostRuns(this.#host, {
      ...listener,
      gap: (gap) => {
        const others = [...this.#streams.values()].filter((each) => each !== runs);
        if (others.every((each) => each.latestMs <= gap.fromMs)) listener.gap(gap);
      },
    });
    this.#streams.set(stream, runs);
    return runs;
  }

  end(): void {
    for (const runs of this.#streams.values()) runs.end(runs.speaksAt(this.#latestMs));
  }

  /** How many tasks are blocked at a time at or soon after the latest sample, each counted once. */
  blockedAt(timeMs: number): number {
    const all = [...this.#streams.values()];
    const reported = all.reduce((most, runs) => Math.max(most, runs.reportedAt(timeMs)), 0);
    const speaking = all.filter((runs) => runs.speaksAt(timeMs));
    const [only] = speaking;
    if (only === undefined) return reported;
    const sampled =
      speaking.length === 1 ? only.blocked : new Set(speaking.flatMap((runs) => [...runs.blockedNumbers()])).size;
    return Math.max(sampled, reported);
  }
}

/** How long something was seen by each of the streams that tell of it. They tell of the same time. */
export class StreamSeconds {
  readonly #seconds: number[] = [];

  add(stream: number, seconds: number): void {
    this.#seconds[stream] = (this.#seconds[stream] ?? 0) + seconds;
  }

  get longest(): number {
    return this.#seconds.reduce((most, seconds) => Math.max(most, seconds), 0);
  }
}
