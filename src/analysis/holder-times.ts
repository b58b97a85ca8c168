import type { Changes } from '../model/changes.ts';
import type { Observation } from '../model/sample.ts';
import { type Root, waitsOf } from '../model/wait.ts';
import { waitGraph } from './wait-graph.ts';

/** A task that others waited for, directly or indirectly. */
export interface Holder {
  readonly tid: number;
  readonly comm: string | undefined;
  readonly startTicks: number | undefined;
  /** The TIDs of its waiters. */
  readonly waiters: readonly number[];
}

/** Follows who holds up whom on one host. The graph is made anew only when something in it changes. */
export class HolderTimes {
  readonly #held: (holder: Holder, seconds: number) => void;
  readonly #byTid = new Map<number, Observation>();
  /** Those that wait for others. */
  readonly #linked = new Map<number, Observation>();
  #involved: ReadonlySet<number> = new Set();
  #holders: readonly Holder[] = [];
  #unselected: readonly Observation[] = [];
  #seconds = 0;
  #settledSeconds = 0;

  constructor(held: (holder: Holder, seconds: number) => void) {
    this.#held = held;
  }

  /**
   * Takes the next sample of the host, which differs so from the one before, which spoke for `seconds`.
   * @param unselected the sample's holders
   */
  add({ gone, come }: Changes, unselected: readonly Observation[], seconds: number): void {
    this.#seconds += seconds;
    let isChanged = unselected.length > 0 || this.#unselected.length > 0;
    this.#unselected = unselected;
    for (const { task } of gone) {
      const { tid } = task.id;
      if (tid === undefined) continue;
      this.#byTid.delete(tid);
      if (this.#linked.delete(tid) || this.#involved.has(tid)) isChanged = true;
    }
    for (const observation of come) {
      const { tid } = observation.task.id;
      if (tid === undefined) continue;
      this.#byTid.set(tid, observation);
      const { facts, state } = observation;
      const isWaiting = facts !== undefined && waitsOf(tid, state, facts).length > 0;
      if (isWaiting) this.#linked.set(tid, observation);
      if (isWaiting || this.#involved.has(tid)) isChanged = true;
    }
    if (isChanged) this.#look();
  }

  /** @param seconds for how long the last sample speaks */
  end(seconds: number): void {
    this.#seconds += seconds;
    this.#settle();
  }

  #look(): void {
    this.#settle();
    const waiting = [...this.#linked.values(), ...this.#unselected];
    const involved = new Set<number>();
    for (const { task, state, facts } of waiting)
      for (const { tid, holder } of waitsOf(task.id.tid ?? 0, state, facts ?? {})) involved.add(tid).add(holder);
    const observations = [...involved].flatMap((tid) => this.#byTid.get(tid) ?? []);
    this.#involved = involved;
    this.#holders = waitGraph({ observations, holders: this.#unselected }).roots.map(holderOf);
  }

  #settle(): void {
    const seconds = this.#seconds - this.#settledSeconds;
    for (const holder of this.#holders) this.#held(holder, seconds);
    this.#settledSeconds = this.#seconds;
  }
}

export function holderOf({ tid, observation, waits }: Root): Holder {
  const { comm, id } = observation?.task ?? {};
  return { tid, comm, startTicks: id?.startTicks, waiters: waits.map((wait) => wait.tid) };
}
