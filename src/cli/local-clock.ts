import type { Clock } from '../model/time.ts';

/** The year of a clock that does not tell one; see TextOptions. */
const NO_YEAR = 2000;
const DAY_MS = 86_400_000;

/**
 * Takes a clock without a zone for one of this host's zone, and a date without a year for the last one that is not in
 * the future.
 */
export function localClock({ nowMs, zoneAt }: Pick<Clock, 'nowMs' | 'zoneAt'>): (clockMs: number) => number {
  const toUtc = (clockMs: number) => clockMs - 1000 * zoneAt(Math.floor(clockMs / 1000)).offsetSeconds;
  return (clockMs) => {
    const date = new Date(clockMs);
    if (date.getUTCFullYear() !== NO_YEAR) return toUtc(clockMs);
    const now = nowMs();
    date.setUTCFullYear(new Date(now).getUTCFullYear());
    if (toUtc(date.getTime()) > now + DAY_MS) date.setUTCFullYear(date.getUTCFullYear() - 1);
    return toUtc(date.getTime());
  };
}
