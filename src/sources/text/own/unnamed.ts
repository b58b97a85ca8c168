import type { Observation } from '../../../model/sample.ts';
import { MOST_TASKS } from './recorded-sample.ts';

/** As many tasks as a kernel can have (PID_MAX_LIMIT of include/linux/threads.h). */
const MOST_UNNAMED = 4_194_304;

/**
 * The tasks of which a text tells how many there are, but not each. They are one object many times. A short text may
 * claim any number, so there is a limit for all of them together.
 */
export class UnnamedTasks {
  #left = MOST_UNNAMED;

  /** Adds so many to the list. Returns how many were too many. */
  add(list: Observation[], observation: Observation, count: number): number {
    const added = Math.min(count, this.#left, Math.max(0, MOST_TASKS - list.length));
    this.#left -= added;
    for (let at = 0; at < added; at++) list.push(observation);
    return count - added;
  }
}
