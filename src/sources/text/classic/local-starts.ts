import type { Sample } from '../../../model/sample.ts';

/** Bounds memory: so many tasks and hosts are known at a time. */
const MOST_TASKS = 300_000;
const MOST_HOSTS = 1000;
/** The clock of a host may be set by less than a second, and the starts of its tasks move to the next one. */
const SLACK_MS = 2000;
const LOCAL = /^(\d{4})\/(\d{1,2})\/(\d{1,2}) (\d{1,2}):(\d\d):(\d\d)$/;

/** A start as it was printed first. Both times are as if nobody had set the clock. */
interface Start {
  readonly printed: string;
  readonly startMs: number;
  seenMs: number;
}

/**
 * Tells the tasks of one number apart by when they started, which the classic text has by the clock of the host. When
 * somebody sets that clock, all starts move: a task is another one only if it started after the one before was seen.
 */
export class LocalStarts {
  #hosts = new Map<string, HostStarts>();

  of(host = ''): HostStarts {
    let starts = this.#hosts.get(host);
    if (starts !== undefined) return starts;
    if (this.#hosts.size >= MOST_HOSTS) this.#hosts = new Map();
    starts = new HostStarts();
    this.#hosts.set(host, starts);
    return starts;
  }

  /** The sample, with the start of each task as it was printed first. */
  settled(sample: Sample): Sample {
    const starts = this.of(sample.host);
    const observations = sample.observations.map((observation) => {
      const { task } = observation;
      const { tid, startLocal } = task.id;
      if (tid === undefined || startLocal === undefined) return observation;
      const first = starts.first(tid, startLocal, undefined);
      return first === startLocal ? observation : { ...observation, task: { ...task, id: { tid, startLocal: first } } };
    });
    return { ...sample, observations };
  }
}

/** The starts of the tasks of one host. */
export class HostStarts {
  readonly #byTid = new Map<number, Start>();
  /** How far the clock has been set since the first sample: back, if that is negative. */
  #setMs = 0;

  /**
   * How the start of a task was printed first.
   * @param seenMs when it was seen, by the clock that the start is told by; undefined if that is not known
   */
  first(tid: number, printed: string, seenMs: number | undefined): string {
    const printedMs = localMs(printed);
    if (printedMs === undefined) return printed;
    const known = this.#byTid.get(tid);
    if (known !== undefined) {
      const shiftMs = printedMs - this.#setMs - known.startMs;
      const isLater = shiftMs > SLACK_MS && printedMs - this.#setMs + SLACK_MS >= known.seenMs;
      if (!isLater) {
        if (Math.abs(shiftMs) > SLACK_MS) this.#setMs += shiftMs;
        if (seenMs !== undefined) known.seenMs = Math.max(known.seenMs, seenMs - this.#setMs);
        return known.printed;
      }
    }
    if (this.#byTid.size >= MOST_TASKS) this.#byTid.clear();
    const startMs = printedMs - this.#setMs;
    this.#byTid.set(tid, { printed, startMs, seenMs: seenMs === undefined ? startMs : seenMs - this.#setMs });
    return printed;
  }
}

function localMs(printed: string): number | undefined {
  const parts = LOCAL.exec(printed)?.slice(1).map(Number);
  if (parts === undefined) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}
