import type { Observation, Sample } from '../model/sample.ts';
import { taskKey } from '../model/task.ts';

/** A task that was reported with its stack. */
export interface Reported {
  /** In how many samples. */
  times: number;
  /** For how long it was blocked, or ran, at the last report that tells it. */
  forMs: number | undefined;
}

interface Stay {
  readonly reported: Reported;
  /** With which sample it came. */
  readonly since: number;
  readonly cameMs: number | undefined;
}

/** Counts in how many more samples tasks stay as they came, by what changes from sample to sample. */
export class Stays {
  readonly #open = new Map<string, Stay>();
  #samples = 0;
  #lastMs: number | undefined;

  /** Takes the tasks that the next sample no longer has as they were. */
  leave(gone: readonly Observation[]): void {
    for (const { task } of gone) {
      const key = taskKey(task.id);
      const stay = this.#open.get(key);
      if (stay === undefined) continue;
      this.#open.delete(key);
      this.#end(stay);
    }
  }

  /** Takes a task of the next sample that was counted once. */
  come({ task: { id } }: Observation, { monotonicMs }: Sample, reported: Reported): void {
    if (id.tid !== undefined) this.#open.set(taskKey(id), { reported, since: this.#samples, cameMs: monotonicMs });
  }

  /** The next sample is the last one now. */
  next({ monotonicMs }: Sample): void {
    this.#samples++;
    this.#lastMs = monotonicMs;
  }

  /** No sample follows. */
  end(): void {
    for (const stay of this.#open.values()) this.#end(stay);
    this.#open.clear();
  }

  #end({ reported, since, cameMs }: Stay): void {
    const more = this.#samples - since - 1;
    if (more <= 0) return;
    reported.times += more;
    if (reported.forMs !== undefined && cameMs !== undefined && this.#lastMs !== undefined)
      reported.forMs += this.#lastMs - cameMs;
  }
}
