/** A zone at a moment: its offset from UTC in seconds east of Greenwich, and what date(1) prints for %Z. */
export interface ZoneOffset {
  readonly offsetSeconds: number;
  readonly abbreviation: string;
}

/** Earlier times are no dates: they count from the host's boot. */
const FIRST_DATE_MS = Date.UTC(1980);

/** Whether a time is one of the calendar, and not one since the boot of a host. */
export function isDate(timeMs: number): boolean {
  return timeMs >= FIRST_DATE_MS;
}

/** When the next of some beats is due, given when the last one was: those that are over by now are left out. */
export function nextDueMs(dueMs: number, nowMs: number, intervalMs: number): number {
  return dueMs + intervalMs * Math.max(1, Math.ceil((nowMs - dueMs) / intervalMs));
}

/** The source of time, passed in so that tests and recordings can set it. */
export interface Clock {
  /** Unix milliseconds. */
  nowMs(): number;
  /** Milliseconds since an arbitrary moment, unaffected by changes of the time of day. */
  monotonicMs(): number;
  /** Resolves after that time, or as soon as the signal is aborted. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
  /** The local zone at a moment given in Unix seconds. */
  zoneAt(seconds: number): ZoneOffset;
}
