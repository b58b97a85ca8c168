import type { Changes } from '../../model/changes.ts';
import { edgesOf, type NodeKey, type Root } from '../../model/edge.ts';
import type { Observation, Sample } from '../../model/sample.ts';
import type { Deadlocked } from './deadlock-times.ts';
import { holdersIn } from './holding.ts';
import { waitGraph } from './wait-graph.ts';

/** What others waited for, directly or indirectly: a task, or a resource. */
export interface Holder {
  readonly key: NodeKey;
  /** The task's comm, or the resource's name. */
  readonly name: string | undefined;
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
  #involved: ReadonlySet<NodeKey> = new Set();
  #holders: readonly Holder[] = [];
  #unselected: readonly Observation[] = [];
  #edges: Pick<Sample, 'edges' | 'resources'> = {};
  #deadlocked: Deadlocked = { observations: [], holders: [], cycles: [] };
  #seconds = 0;
  #settledSeconds = 0;

  constructor(held: (holder: Holder, seconds: number) => void) {
    this.#held = held;
  }

  /**
   * Takes the next sample of the host, which differs so from the one before, which spoke for `seconds`.
   */
  add({ gone, come }: Changes, { holders, edges, resources }: Sample, seconds: number): void {
    this.#seconds += seconds;
    let isChanged = holders.length > 0 || this.#unselected.length > 0 || edges !== this.#edges.edges;
    this.#unselected = holders;
    this.#edges = { ...(edges !== undefined && { edges }), ...(resources !== undefined && { resources }) };
    for (const [at, { task }] of gone.entries()) {
      const { tid } = task.id;
      if (tid === undefined) continue;
      // Most are only seen in another way: to be put in place is cheaper than to be added again.
      if (come[at]?.task !== task) this.#byTid.delete(tid);
      if (this.#linked.delete(tid) || this.#involved.has(tid)) isChanged = true;
    }
    for (const observation of come) {
      const { tid } = observation.task.id;
      if (tid === undefined) continue;
      this.#byTid.set(tid, observation);
      const isWaiting = edgesOf(observation).length > 0;
      if (isWaiting) this.#linked.set(tid, observation);
      if (isWaiting || this.#involved.has(tid)) isChanged = true;
    }
    if (isChanged) this.#look();
  }

  /** Who waits for each other in the latest sample. */
  get deadlocked(): Deadlocked {
    return this.#deadlocked;
  }

  /** @param seconds for how long the last sample speaks */
  end(seconds: number): void {
    this.#seconds += seconds;
    this.#settle();
  }

  #look(): void {
    this.#settle();
    const waiting = [...this.#linked.values(), ...this.#unselected];
    const involved = new Set<NodeKey>();
    for (const { from, to } of [...waiting.flatMap(edgesOf), ...(this.#edges.edges ?? [])]) involved.add(from).add(to);
    const observations = [...involved].flatMap((key) => (typeof key === 'number' && this.#byTid.get(key)) || []);
    this.#involved = involved;
    const involving = { observations, holders: this.#unselected, ...this.#edges };
    const graph = waitGraph(involving);
    this.#holders = holdersIn(involving, graph).map(holderOf);
    this.#deadlocked = { ...involving, cycles: graph.cycles };
  }

  #settle(): void {
    const seconds = this.#seconds - this.#settledSeconds;
    for (const holder of this.#holders) this.#held(holder, seconds);
    this.#settledSeconds = this.#seconds;
  }
}

export function holderOf({ key, observation, resource, edges }: Root): Holder {
  const { comm, id } = observation?.task ?? {};
  const waiters = new Set(edges.flatMap(({ from }) => (typeof from === 'number' ? from : [])));
  return { key, name: comm ?? resource?.name, startTicks: id?.startTicks, waiters: [...waiters] };
}
