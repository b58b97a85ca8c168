import type { Header } from '../line.ts';
import { isSameMoment, type Stamp } from '../stamps.ts';

const MOST = 256;

/** A task that was said to be hung or to wait for a lock. */
export interface Waiter {
  readonly waiter: Header;
  readonly stamp: Stamp;
}

/** Tasks that were said to be hung or to wait for a lock, and had no stack so far: it may follow. */
export class Waiters {
  #waiters: Waiter[] = [];

  /** Returns those that there is no room for any more. */
  expect(waiter: Header, stamp: Stamp): readonly Waiter[] {
    const at = this.#at(waiter, stamp);
    const said = this.#waiters[at];
    if (said !== undefined) {
      this.#waiters[at] = { waiter: { ...said.waiter, ...waiter }, stamp };
      return [];
    }
    const over = this.#waiters.length >= MOST ? this.takeAll() : [];
    this.#waiters.push({ waiter, stamp });
    return over;
  }

  #at({ tid, name }: Header, now: Stamp): number {
    if (tid === undefined && name === undefined) return -1;
    const isIt = ({ waiter, stamp }: Waiter) =>
      (tid === undefined ? waiter.name === name : waiter.tid === tid) && isSameMoment(stamp, now);
    const at = this.#waiters.findIndex(isIt);
    // Somebody has left out the number of a task: it is clear which one is meant if only one has this name.
    return tid !== undefined || at === this.#waiters.findLastIndex(isIt) ? at : -1;
  }

  /** The tasks of a stack, with what was said of them before. They wait no longer for their stack. */
  meet(tasks: readonly Header[], stamp: Stamp): readonly Header[] {
    if (this.#waiters.length === 0) return tasks;
    return tasks.map((task) => {
      const at = this.#at(task, stamp);
      const said = this.#waiters[at];
      if (said === undefined) return task;
      this.#waiters.splice(at, 1);
      return { ...said.waiter, ...task };
    });
  }

  /** Forgets those whose stack cannot follow any more, and returns them. */
  takeOver(now: Stamp, isPending: (waiter: Waiter) => boolean): readonly Waiter[] {
    if (this.#waiters.length === 0) return [];
    const over = this.#waiters.filter((said) => !isSameMoment(said.stamp, now) && !isPending(said));
    if (over.length > 0) this.#waiters = this.#waiters.filter((waiter) => !over.includes(waiter));
    return over;
  }

  takeAll(): readonly Waiter[] {
    return this.#waiters.splice(0);
  }
}
