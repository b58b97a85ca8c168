import type { Changes } from '../../model/changes.ts';
import { isWhole, type Observation, type Unread, unreadOf } from '../../model/sample.ts';

type Missing = Pick<Unread, 'what' | 'why'>;

/** How often what could not be read, and why. */
export class MissingCounts {
  readonly #counts = new Map<string, Missing & { count: number }>();

  add({ what, why }: Missing, count: number): void {
    const key = `${what}: ${why}`;
    const known = this.#counts.get(key) ?? { what, why, count: 0 };
    known.count += count;
    this.#counts.set(key, known);
  }

  all(): (Missing & { count: number })[] {
    return [...this.#counts.values()];
  }

  mostFirst(): (Missing & { count: number })[] {
    return this.all().sort((a, b) => b.count - a.count);
  }
}

/** Follows what could not be read of the tasks of one host. */
export class MissingParts {
  readonly #now = new MissingCounts();

  add({ gone, come }: Changes, all: MissingCounts): void {
    this.#count(gone, -1);
    this.#count(come, 1);
    for (const { count, ...missing } of this.#now.all()) if (count > 0) all.add(missing, count);
  }

  #count(observations: readonly Observation[], sign: number): void {
    for (const observation of observations)
      if (!isWhole(observation)) for (const missing of unreadOf([observation])) this.#now.add(missing, sign);
  }
}
