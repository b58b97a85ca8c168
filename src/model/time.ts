/**
 * How a zone's local time differs from UTC at a moment: `offsetSeconds` east of Greenwich, and what date(1) prints for
 * %Z.
 */
export interface ZoneOffset {
  readonly offsetSeconds: number;
  readonly abbreviation: string;
}

/** Where the time comes from; handed in, so that tests and recordings can say what time it is. */
export interface Clock {
  /** Unix milliseconds. */
  nowMs(): number;
  /** Milliseconds from some moment on, whatever happens to the time of day. */
  monotonicMs(): number;
  /** Resolves after so many milliseconds, or as soon as the signal is aborted. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
  /** The local zone at a moment given in Unix seconds. */
  zoneAt(seconds: number): ZoneOffset;
}
