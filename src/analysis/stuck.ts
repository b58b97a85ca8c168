import type { BlockedRun } from './blocked-runs.ts';

/** A task that stayed in one place, at times that are known. */
export interface StuckRun extends BlockedRun {
  readonly sinceMs: number;
  readonly untilMs: number;
}

/** Seen once, a task counts if it had not run for so long. */
const LEAST_MS = 1000;
const MAX_KEPT = 1000;

/** Keeps the tasks that stayed where they were for longest. */
export class StuckRuns {
  #kept: StuckRun[] = [];
  #count = 0;

  add(run: BlockedRun): void {
    const { sinceMs, untilMs, seen } = run;
    if (sinceMs === undefined || untilMs === undefined || untilMs - sinceMs < (seen === 1 ? LEAST_MS : 1)) return;
    this.#count++;
    this.#kept.push({ ...run, sinceMs, untilMs });
    if (this.#kept.length > 2 * MAX_KEPT) this.#kept = this.longest().slice(0, MAX_KEPT);
  }

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  /** At least the longest thousand of them, longest first. */
  longest(): StuckRun[] {
    return this.#kept.sort((a, b) => b.untilMs - b.sinceMs - (a.untilMs - a.sinceMs));
  }
}
