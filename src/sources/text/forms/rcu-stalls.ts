import type { Line } from '../line.ts';
import { isSameMoment, type Stamp } from '../stamps.ts';

/** `(t=21003 jiffies g=...)`, `(detected by 2, t=21003 jiffies, g=...)` (kernel/rcu/tree_stall.h) */
const STALL = /[( ]t=(\d{1,12}) jiffies[, ]/;
/** The stacks that follow are not those of CPUs that kept RCU waiting. */
const OTHERS = /starved for|Stack dump where|All QSes seen/;
/**
 * No kernel for servers counts more of them in a second, and the log does not say how many: what is told is the least
 * that it can be.
 */
const MOST_JIFFIES_PER_SECOND = 1000;

/** For how long the tasks ran at least that RCU complains about. */
export class RcuStalls {
  #ranMs: number | undefined;
  #stamp: Stamp | undefined;

  /** Takes a line of a log. */
  learn(text: string, now: Stamp): void {
    if (text.includes('jiffies')) {
      const jiffies = STALL.exec(text)?.[1];
      if (jiffies !== undefined) {
        this.#ranMs = (1000 * Number(jiffies)) / MOST_JIFFIES_PER_SECOND;
        this.#stamp = now;
        return;
      }
    }
    if (this.#ranMs !== undefined && OTHERS.test(text)) this.#ranMs = undefined;
  }

  /** The line, with the time if it names a task on a CPU that has kept RCU waiting. */
  withTime(line: Line | undefined, now: Stamp): Line | undefined {
    if (line?.kind !== 'task' || line.header.onCpu !== true || this.#ranMs === undefined) return line;
    if (this.#stamp === undefined || !isSameMoment(this.#stamp, now) || line.header.ranMs !== undefined) return line;
    return { ...line, header: { ...line.header, ranMs: this.#ranMs, atLeast: true } };
  }
}
