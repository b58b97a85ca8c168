import type { NodeKey } from '../../model/edge.ts';
import { StreamSeconds } from '../times/host-streams.ts';
import type { Holder } from './holder-times.ts';

/** Bounds memory: a report is about a recording of any size. */
const MAX_HOLDERS = 100_000;
const MAX_WAITERS = 100_000;

/** What others waited for: a task, or a resource. */
export interface ReportedHolder {
  readonly host: string | undefined;
  readonly key: NodeKey;
  /** The task's comm, or the resource's name. */
  readonly name: string | undefined;
  /** Of all waiters together. */
  readonly taskSeconds: number;
  readonly waiters: number;
}

interface HeldUp extends Omit<ReportedHolder, 'taskSeconds' | 'waiters'> {
  readonly waiters: Map<number, StreamSeconds>;
}

/** Adds up for how long others waited for each task and resource, over all hosts. */
export class HolderSums {
  readonly #holders = new Map<string, HeldUp>();

  get count(): number {
    return this.#holders.size;
  }

  add(host: string, { key: node, name, startTicks, waiters }: Holder, seconds: number, stream: number): void {
    const key = `${host}/${node}/${startTicks ?? ''}`;
    let holder = this.#holders.get(key);
    if (holder === undefined) {
      if (this.#holders.size >= MAX_HOLDERS) return;
      holder = { host, key: node, name, waiters: new Map() };
      this.#holders.set(key, holder);
    }
    for (const waiter of waiters) {
      let known = holder.waiters.get(waiter);
      if (known === undefined) {
        if (holder.waiters.size >= MAX_WAITERS) continue;
        known = new StreamSeconds();
        holder.waiters.set(waiter, known);
      }
      known.add(stream, seconds);
    }
  }

  mostFirst(): ReportedHolder[] {
    return [...this.#holders.values()].map(reported).sort((a, b) => b.taskSeconds - a.taskSeconds);
  }
}

function reported({ waiters, ...holder }: HeldUp): ReportedHolder {
  let taskSeconds = 0;
  for (const seconds of waiters.values()) taskSeconds += seconds.longest;
  return { ...holder, taskSeconds, waiters: waiters.size };
}
