/** Bounds memory: a report is about a recording of any size. */
const MAX_MOMENTS = 20_000;

/** How many tasks were blocked at a time, on all hosts together. */
export interface Moment {
  readonly timeMs: number;
  readonly blocked: number;
}

/** Collects moments. Neighbours are merged when there are many; the highest counts. */
export class Timeline {
  #moments: Moment[] = [];

  add(moment: Moment): void {
    this.#moments.push(moment);
    if (this.#moments.length > MAX_MOMENTS) this.#moments = merged(this.inOrder(), MAX_MOMENTS / 2);
  }

  /** In the order of their times. */
  inOrder(): Moment[] {
    return this.#moments.sort((a, b) => a.timeMs - b.timeMs);
  }
}

/** So many moments that stand for all, each with the most blocked tasks of those it stands for. */
export function merged(moments: readonly Moment[], count: number): Moment[] {
  const [first, last] = [moments[0], moments.at(-1)];
  if (first === undefined || last === undefined || moments.length <= count) return [...moments];
  const span = Math.max(1, last.timeMs - first.timeMs);
  const result: Moment[] = [];
  let bucket = -1;
  for (const { timeMs, blocked } of moments) {
    const at = Math.min(count - 1, Math.floor(((timeMs - first.timeMs) * count) / span));
    const before = result.at(-1);
    if (at !== bucket || before === undefined) result.push({ timeMs, blocked });
    else result[result.length - 1] = { ...before, blocked: Math.max(before.blocked, blocked) };
    bucket = at;
  }
  return result;
}
