import type { Changes } from '../../model/changes.ts';
import type { Event } from '../../model/event.ts';
import type { Finding } from '../../model/finding.ts';
import type { Observation, Sample } from '../../model/sample.ts';
import { printFrames, type Stack } from '../../model/stack.ts';
import { taskKey } from '../../model/task.ts';
import { explainObservation } from '../explain/explain-sample.ts';

/** A task that was blocked in one place, from when it was first seen there to when it was last seen there. */
export interface BlockedRun {
  readonly host: string | undefined;
  /** As it was first seen there. */
  readonly observation: Observation;
  readonly finding: Finding;
  /** Since then it is known not to have run, or since then it was seen there; absent without times. */
  readonly sinceMs: number | undefined;
  readonly untilMs: number | undefined;
  /** For how long: each sample speaks until the next one. */
  readonly seconds: number;
  /** In how many samples it was seen there. */
  readonly seen: number;
  /** Whether it was still there in the last sample of its host. */
  readonly isStill: boolean;
  /** Whether it did not run in between; else it was only seen in the same place. */
  readonly isProven: boolean;
  /**
   * Set if it is from a log: the task was blocked for at least so long, before its first report and after its last one.
   */
  readonly isReported?: true;
}

/** What keeps the runs of one host. */
export interface Runs {
  end(): void;
}

/** The finding of a task that waits for a resource; undefined for all others, and for kstack itself. */
export function blockedFinding(observation: Observation): Finding | undefined {
  if (observation.task.own === true) return undefined;
  const finding = explainObservation(observation);
  return isBlocked(observation, finding) ? finding : undefined;
}

/** The same of a task with its finding. */
export function isBlocked({ task, state }: Observation, { kind }: Finding): boolean {
  return task.own !== true && (kind === 'blocked' || (kind === 'unexplained' && state === 'D'));
}

/** How many tasks of a sample wait for a resource. */
export function countBlocked({ observations }: Sample): number {
  return observations.filter((observation) => blockedFinding(observation) !== undefined).length;
}

interface Open {
  readonly finding: Finding;
  readonly observation: Observation;
  /** The same task may be in a sample twice. */
  count: number;
  readonly sinceMs: number | undefined;
  /** How far the clock had been set until then. */
  readonly setMs: number;
  readonly sinceSample: number;
  readonly sinceSeconds: number;
  readonly isProven: boolean;
}

/** Bounds memory. */
const MAX_OPEN = 300_000;

/** Follows the blocked tasks of a host by what changes between its samples. */
export class SampledRuns implements Runs {
  readonly #host: string | undefined;
  readonly #ended: (run: BlockedRun) => void;
  readonly #open = new Map<string | Observation, Open>();
  #samples = 0;
  #seconds = 0;
  #lastMs: number | undefined;
  /** How far the clock has been set until the last sample. */
  #setMs = 0;

  constructor(host: string | undefined, ended: (run: BlockedRun) => void) {
    this.#host = host;
    this.#ended = ended;
  }

  /** The tasks that are blocked, by what tells them apart. */
  get blocked(): ReadonlyMap<unknown, { readonly observation: Observation }> {
    return this.#open;
  }

  /**
   * Takes a sample that differs so from the one before, which spoke for `seconds`.
   * @param setMs how far the clock has been set since the first sample: the times of a run are by the clock as it was
   * in the end
   */
  add({ timeMs }: Sample, { gone, come }: Changes, seconds: number, setMs = 0): void {
    this.#seconds += seconds;
    const left = new Map<string | Observation, Open>();
    for (const observation of gone) {
      if (blockedFinding(observation) === undefined) continue;
      const key = keyOf(observation);
      const open = this.#open.get(key);
      if (open === undefined || --open.count > 0) continue;
      this.#open.delete(key);
      left.set(key, open);
    }
    for (const observation of come) {
      const finding = blockedFinding(observation);
      if (finding !== undefined) this.#come(observation, finding, left, { timeMs, setMs });
    }
    for (const open of left.values()) this.#end(open, false);
    this.#samples++;
    this.#lastMs = timeMs;
    this.#setMs = setMs;
  }

  #come(
    observation: Observation,
    finding: Finding,
    left: Map<unknown, Open>,
    { timeMs, setMs }: { readonly timeMs: number | undefined; readonly setMs: number },
  ): void {
    const key = keyOf(observation);
    const open = this.#open.get(key);
    if (open !== undefined) {
      open.count++;
      return;
    }
    const last = left.get(key);
    if (last !== undefined && isSamePlace(last.observation, observation)) {
      last.count = 1;
      this.#open.set(key, last);
      left.delete(key);
      return;
    }
    if (this.#open.size >= MAX_OPEN) return;
    this.#open.set(key, {
      finding,
      observation,
      count: 1,
      sinceMs: timeMs === undefined ? undefined : timeMs - (observation.facts?.offCpuMs ?? 0),
      setMs,
      sinceSample: this.#samples,
      sinceSeconds: this.#seconds,
      isProven: observation.facts?.switches !== undefined,
    });
  }

  /**
   * @param seconds for how long the last sample speaks
   * @param isLatest whether no other sample of the host is later
   */
  end(seconds = 0, isLatest = true): void {
    this.#seconds += seconds;
    for (const open of this.#open.values()) this.#end(open, isLatest);
    this.#open.clear();
  }

  #end(open: Open, isStill: boolean): void {
    const { finding, observation, sinceMs, setMs, sinceSample, sinceSeconds, isProven } = open;
    this.#ended({
      host: this.#host,
      observation,
      finding,
      sinceMs: sinceMs === undefined ? undefined : sinceMs + (this.#setMs - setMs),
      untilMs: this.#lastMs,
      seconds: this.#seconds - sinceSeconds,
      seen: this.#samples - sinceSample,
      isStill,
      isProven,
    });
  }
}

/** Reports of one task that are further apart do not tell that it was blocked in between. */
const MOST_BETWEEN_MS = 620_000;

/** kernel/hung_task.c: for so long, the task has not left a CPU. Older kernels print the least they look for. */
const HUNG = /^INFO: task .{1,64}:(\d{1,10}) (?:<.{0,20}> )?blocked (?:in I\/O wait )?for more than (\d{1,9}) seconds/s;

/** For how many seconds the kernel says that tasks have not run, by their TIDs. */
function hungSeconds(events: readonly Event[]): Map<number, number> {
  const seconds = new Map<number, number>();
  for (const { kind, text } of events) {
    const [, tid, told] = (kind === 'hung-task' && HUNG.exec(text)) || [];
    if (tid !== undefined) seconds.set(Number(tid), Number(told));
  }
  return seconds;
}

type Sighting = { -readonly [K in keyof BlockedRun]: BlockedRun[K] };

/**
 * Follows the blocked tasks that a log tells of. A task that it does not mention may be blocked, too: so one is taken
 * to be blocked from its first report to the last one in the same place, and before that for as long as the kernel says
 * in the first one.
 */
export class ReportedRuns implements Runs {
  readonly #host: string | undefined;
  readonly #ended: (run: BlockedRun) => void;
  readonly #open = new Map<string | Observation, Sighting>();
  #lastMs: number | undefined;
  blocked = 0;

  constructor(host: string | undefined, ended: (run: BlockedRun) => void) {
    this.#host = host;
    this.#ended = ended;
  }

  add({ timeMs, observations, events = [] }: Sample): void {
    const hung = hungSeconds(events);
    const keys = new Set<string | Observation>();
    for (const observation of observations) {
      const finding = blockedFinding(observation);
      const key = keyOf(observation);
      if (finding === undefined || keys.has(key)) continue;
      keys.add(key);
      const seconds = hung.get(observation.task.id.tid ?? -1);
      this.#sight({ host: this.#host, observation, finding, ...sightedAt(timeMs, seconds) }, key);
    }
    this.blocked = keys.size;
    // A moment in which something else happened is none in which it is gone.
    if (keys.size > 0) this.#lastMs = timeMs;
    if (this.#open.size > MAX_OPEN) this.end();
  }

  #sight(now: Sighting, key: string | Observation): void {
    const last = this.#open.get(key);
    const isSame = last !== undefined && isSamePlace(last.observation, now.observation);
    if (isSame && last.untilMs === undefined && now.untilMs === undefined) {
      last.seconds = Math.max(last.seconds, now.seconds);
      last.seen++;
      return;
    }
    if (isSame && last.untilMs !== undefined && now.untilMs !== undefined) {
      const betweenMs = now.untilMs - last.untilMs;
      if (betweenMs >= 0 && betweenMs <= MOST_BETWEEN_MS) {
        last.seconds = Math.max(last.seconds + betweenMs / 1000, now.seconds);
        last.isProven &&= now.isProven && (now.sinceMs ?? 0) <= last.untilMs;
        last.sinceMs = Math.min(last.sinceMs ?? 0, now.sinceMs ?? 0);
        last.untilMs = now.untilMs;
        last.seen++;
        return;
      }
    }
    if (last !== undefined) this.#ended(last);
    this.#open.set(key, now);
  }

  end(): void {
    for (const run of this.#open.values()) this.#ended({ ...run, isStill: run.untilMs === this.#lastMs });
    this.#open.clear();
  }
}

/** @param seconds for how long the kernel says that it has not run */
function sightedAt(timeMs: number | undefined, seconds = 0) {
  const sinceMs = timeMs === undefined ? undefined : Math.max(0, timeMs - 1000 * seconds);
  const [seen, isStill, isProven, isReported] = [1, false, seconds > 0, true as const];
  return { sinceMs, untilMs: timeMs, seconds, seen, isStill, isProven, isReported };
}

/** A task without a number is not known again. */
function keyOf(observation: Observation): string | Observation {
  const { id } = observation.task;
  return id.tid === undefined ? observation : taskKey(id);
}

function isSamePlace(a: Observation, b: Observation): boolean {
  const isSame = a.facts?.switches === b.facts?.switches && a.task.comm === b.task.comm;
  return isSame && a.waitsBy === b.waitsBy && isSameStack(stackOf(a), stackOf(b));
}

/** Two recordings of a host each have an object of their own for a stack. */
function isSameStack(a: Stack | undefined, b: Stack | undefined): boolean {
  if (a === b || a === undefined || b === undefined) return a === b;
  return a.frames.length === b.frames.length && printFrames(a.frames) === printFrames(b.frames);
}

export function stackOf({ stack }: Observation): Stack | undefined {
  return 'value' in stack ? stack.value : undefined;
}
