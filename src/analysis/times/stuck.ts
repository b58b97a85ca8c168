import type { TaskId } from '../../model/task.ts';
import type { BlockedRun } from './blocked-runs.ts';

/** A task that stayed in one place, at times that are known. */
export interface StuckRun extends BlockedRun {
  readonly sinceMs: number;
  readonly untilMs: number;
}

/** Seen once, a task counts if it had not run for so long. */
const LEAST_MS = 1000;
const MAX_KEPT = 1000;

/**
 * Keeps the tasks that stayed where they were for longest. Runs of one task that overlap are one: two recordings, or a
 * recording and a kernel log, tell of the same time.
 */
export class StuckRuns {
  #kept = new Map<string, StuckRun[]>();
  #size = 0;
  #count = 0;

  add(run: BlockedRun): void {
    if (!isTimed(run) || lengthOf(run) < (run.seen === 1 ? LEAST_MS : 1)) return;
    this.#count++;
    this.#keep(run);
    if (this.#size <= 2 * MAX_KEPT) return;
    const longest = this.longest().slice(0, MAX_KEPT);
    this.#kept = new Map();
    this.#size = 0;
    for (const each of longest) this.#keep(each);
  }

  #keep(run: StuckRun): void {
    const { host, observation } = run;
    const { id, comm } = observation.task;
    const key = `${host ?? ''}/${id.tid ?? ''}/${comm ?? ''}`;
    const known = this.#kept.get(key);
    this.#size++;
    if (known === undefined) {
      this.#kept.set(key, [run]);
      return;
    }
    if (!known.some((other) => isOfSame(run, other))) {
      known.push(run);
      return;
    }
    const apart: StuckRun[] = [];
    let whole = run;
    for (const other of known) {
      if (isOfSame(whole, other)) whole = together(whole, other);
      else apart.push(other);
    }
    const joined = known.length - apart.length;
    this.#count -= joined;
    this.#size -= joined;
    this.#kept.set(key, [...apart, whole]);
  }

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  /** At least the longest thousand of them, longest first. */
  longest(): StuckRun[] {
    return [...this.#kept.values()].flat().sort((a, b) => lengthOf(b) - lengthOf(a));
  }
}

function isTimed(run: BlockedRun): run is StuckRun {
  return run.sinceMs !== undefined && run.untilMs !== undefined;
}

function lengthOf({ sinceMs, untilMs }: StuckRun): number {
  return untilMs - sinceMs;
}

/** Of two runs of tasks with one number and name. */
function isOfSame(a: StuckRun, b: StuckRun): boolean {
  const [one, other] = [a.observation.task.id, b.observation.task.id];
  return (
    one.tid !== undefined &&
    a.sinceMs < b.untilMs &&
    b.sinceMs < a.untilMs &&
    mayBeSame(one, other) &&
    a.finding.rule === b.finding.rule &&
    a.finding.waitsFor === b.finding.waitsFor
  );
}

/** Whether tasks with one number and name may be one: few logs tell when they started, and none tells it in ticks. */
export function mayBeSame(one: TaskId, other: TaskId): boolean {
  const isEqual = <T>(a: T | undefined, b: T | undefined) => a === undefined || b === undefined || a === b;
  return (
    isEqual(one.startTicks, other.startTicks) &&
    isEqual(one.startLocal, other.startLocal) &&
    isEqual(one.bootId, other.bootId)
  );
}

function together(a: StuckRun, b: StuckRun): StuckRun {
  const [sinceMs, untilMs] = [Math.min(a.sinceMs, b.sinceMs), Math.max(a.untilMs, b.untilMs)];
  const { isReported: _, ...known } = a.isReported === true ? b : a;
  const isWhole = (run: StuckRun) => run.isProven && run.sinceMs === sinceMs && run.untilMs === untilMs;
  return {
    ...known,
    sinceMs,
    untilMs,
    seconds: Math.max(a.seconds, b.seconds),
    seen: a.seen + b.seen,
    isStill: a.isStill || b.isStill,
    // It did not run in the time of either, and those overlap.
    isProven: (a.isProven && b.isProven) || isWhole(a) || isWhole(b),
    ...(a.isReported === true && b.isReported === true && { isReported: true }),
  };
}
