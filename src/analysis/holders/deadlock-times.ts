import { type Cycle, type NodeKey, type Resource, tasksByTid } from '../../model/edge.ts';
import type { Observation, Sample } from '../../model/sample.ts';
import { taskKey } from '../../model/task.ts';

/** Bounds memory. */
const MAX_DEADLOCKS = 1000;

/** Tasks that waited for each other. */
export interface ReportedDeadlock extends Pick<Cycle, 'edges'> {
  readonly host: string | undefined;
  /** As they were first seen so. */
  readonly observations: readonly Observation[];
  readonly resources: readonly Resource[];
  /** Since then none of them is known to have run, or since then they were seen so; absent without times. */
  readonly sinceMs: number | undefined;
  /** When they were last seen so. */
  readonly untilMs: number | undefined;
  /** In how many samples. */
  readonly seen: number;
  readonly isStill: boolean;
  /** Whether the kernel says each of its edges, or it was seen more than once. */
  readonly isConfirmed: boolean;
}

/** What tells it from others. */
type Keyed = ReportedDeadlock & { readonly key: string };

/** The cycles of a graph, and what they lead through. */
export type Deadlocked = Pick<Sample, 'observations' | 'holders' | 'resources'> & {
  readonly cycles: readonly Cycle[];
};

interface Open {
  readonly found: Omit<ReportedDeadlock, 'untilMs' | 'seen' | 'isStill' | 'isConfirmed'>;
  readonly isCertain: boolean;
  readonly sinceSample: number;
}

/** Follows the deadlocks of one recording of a host. */
export class DeadlockTimes {
  readonly #host: string | undefined;
  readonly #ended: (deadlock: Keyed) => void;
  #open = new Map<string, Open>();
  #cycles: readonly Cycle[] = [];
  #samples = 0;
  #lastMs: number | undefined;

  constructor(host: string | undefined, ended: (deadlock: Keyed) => void) {
    this.#host = host;
    this.#ended = ended;
  }

  /** Takes the deadlocks of the next sample. They are the same list as long as nothing changes. */
  add(deadlocked: Deadlocked, timeMs: number | undefined): void {
    if (deadlocked.cycles !== this.#cycles) this.#change(deadlocked, timeMs);
    this.#samples++;
    this.#lastMs = timeMs;
  }

  #change(deadlocked: Deadlocked, timeMs: number | undefined): void {
    this.#cycles = deadlocked.cycles;
    const now = new Map<string, Open>();
    const byTid = tasksByTid(deadlocked);
    for (const cycle of deadlocked.cycles.slice(0, MAX_DEADLOCKS)) {
      const keys = new Set(cycle.edges.flatMap(({ from, to }) => [from, to]));
      const observations = [...keys].flatMap((key) => (typeof key === 'number' && byTid.get(key)) || []);
      const key = keyOf(this.#host, keys, observations);
      const known = this.#open.get(key);
      this.#open.delete(key);
      const found = {
        host: this.#host,
        edges: cycle.edges,
        observations,
        resources: (deadlocked.resources ?? []).filter((resource) => keys.has(resource.key)),
        sinceMs: timeMs === undefined ? undefined : timeMs - leastWaitedMs(observations),
      };
      now.set(key, known ?? { found, isCertain: cycle.isCertain, sinceSample: this.#samples });
    }
    this.#endAll(false);
    this.#open = now;
  }

  /** @param isLatest whether no other sample of the host is later */
  end(isLatest: boolean): void {
    this.#endAll(isLatest);
    this.#open.clear();
    this.#cycles = [];
  }

  #endAll(isStill: boolean): void {
    for (const [key, { found, isCertain, sinceSample }] of this.#open) {
      const seen = this.#samples - sinceSample;
      this.#ended({ key, ...found, untilMs: this.#lastMs, seen, isStill, isConfirmed: isCertain || seen > 1 });
    }
  }
}

function keyOf(host: string | undefined, keys: ReadonlySet<NodeKey>, observations: readonly Observation[]): string {
  const tasks = observations.map(({ task }) => taskKey(task.id));
  return JSON.stringify([host, ...[...keys].map(String).sort(), ...tasks.sort()]);
}

/** The last of them closed the circle. One of which no time is known may have done so just now. */
function leastWaitedMs(observations: readonly Observation[]): number {
  const times = observations.map(({ facts }) => facts?.offCpuMs ?? 0);
  return times.reduce((a, b) => Math.min(a, b), times[0] ?? 0);
}

/** The deadlocks of all hosts. What two recordings tell of one at a time is one. */
export class Deadlocks {
  readonly #found = new Map<string, Keyed[]>();
  #count = 0;

  add(deadlock: Keyed): void {
    const known = this.#found.get(deadlock.key) ?? [];
    const at = known.findIndex((other) => overlaps(deadlock, other));
    const other = known[at];
    if (other !== undefined) known[at] = together(other, deadlock);
    else {
      this.#count++;
      if (this.#count <= MAX_DEADLOCKS) this.#found.set(deadlock.key, [...known, deadlock]);
    }
  }

  /** How many there were. */
  get count(): number {
    return this.#count;
  }

  /** The first thousand: those that are certain, then those that last, then the earliest ones come first. */
  worstFirst(): ReportedDeadlock[] {
    const all = [...this.#found.values()].flat().map(({ key: _, ...deadlock }): ReportedDeadlock => deadlock);
    return all.sort(
      (a, b) =>
        Number(b.isConfirmed) - Number(a.isConfirmed) ||
        Number(b.isStill) - Number(a.isStill) ||
        (a.sinceMs ?? 0) - (b.sinceMs ?? 0),
    );
  }
}

function overlaps(a: ReportedDeadlock, b: ReportedDeadlock): boolean {
  const [one, other] = [a, b].map(({ sinceMs = 0, untilMs = 0 }) => ({ sinceMs, untilMs }));
  return one !== undefined && other !== undefined && one.sinceMs <= other.untilMs && other.sinceMs <= one.untilMs;
}

function together(a: Keyed, b: Keyed): Keyed {
  const isTimed = a.sinceMs !== undefined && b.sinceMs !== undefined;
  return {
    ...a,
    sinceMs: isTimed ? Math.min(a.sinceMs, b.sinceMs) : (a.sinceMs ?? b.sinceMs),
    untilMs: isTimed ? Math.max(a.untilMs ?? 0, b.untilMs ?? 0) : (a.untilMs ?? b.untilMs),
    seen: a.seen + b.seen,
    isStill: a.isStill || b.isStill,
    isConfirmed: true,
  };
}
