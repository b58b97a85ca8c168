import type { Sample } from '../model/sample.ts';
import type { Clock } from '../model/time.ts';

/** A moment on the command line: a day and a time, or only the time of day. */
export interface Moment {
  readonly day?: { readonly year: number; readonly month: number; readonly day: number };
  readonly secondOfDay: number;
  /** East of Greenwich; absent for local time. */
  readonly offsetSeconds?: number;
}

const FORM =
  /^(?:(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)[T ])?(?<hour>\d\d):(?<minute>\d\d)(?::(?<second>\d\d))?(?<zone>Z|[+-]\d\d:?\d\d)?$/;

/** `03:12`, `03:12:30`, `2026-11-25 03:12`, and ISO 8601 with a zone; undefined for anything else. */
export function parseMoment(text: string): Moment | undefined {
  const { year, month, day, hour, minute, second = '0', zone } = FORM.exec(text)?.groups ?? {};
  if (hour === undefined || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const secondOfDay = 3600 * Number(hour) + 60 * Number(minute) + Number(second);
  return {
    secondOfDay,
    ...(year !== undefined && { day: { year: Number(year), month: Number(month), day: Number(day) } }),
    ...(zone !== undefined && { offsetSeconds: offsetIn(zone) }),
  };
}

function offsetIn(zone: string): number {
  if (zone === 'Z') return 0;
  const seconds = 3600 * Number(zone.slice(1, 3)) + 60 * Number(zone.slice(-2));
  return zone.startsWith('-') ? -seconds : seconds;
}

const DAY_SECONDS = 86_400;

/** Unix milliseconds of a moment. Without a day, its first time at or after `nearMs`. */
export function momentMs({ day, secondOfDay, offsetSeconds }: Moment, nearMs: number, zoneAt: Clock['zoneAt']): number {
  const nearSeconds = Math.floor(nearMs / 1000);
  const offset = offsetSeconds ?? zoneAt(nearSeconds).offsetSeconds;
  if (day !== undefined) {
    const utc = Date.UTC(day.year, day.month - 1, day.day) / 1000 + secondOfDay;
    return 1000 * (utc - (offsetSeconds ?? zoneAt(utc - offset).offsetSeconds));
  }
  const local = nearSeconds + offset;
  const sameDay = local - (local % DAY_SECONDS) + secondOfDay - offset;
  return 1000 * (sameDay < nearSeconds ? sameDay + DAY_SECONDS : sameDay);
}

export interface Window {
  readonly from: Moment | undefined;
  readonly to: Moment | undefined;
}

/** The samples in a window. A time of day is the first after the first sample; samples without a time are left out. */
export async function* inWindow(
  samples: AsyncIterable<Sample>,
  { from, to }: Window,
  zoneAt: Clock['zoneAt'],
): AsyncGenerator<Sample> {
  if (from === undefined && to === undefined) return yield* samples;
  let bounds: { fromMs: number; toMs: number } | undefined;
  for await (const sample of samples) {
    const { timeMs } = sample;
    if (timeMs === undefined) continue;
    if (bounds === undefined) {
      const fromMs = from === undefined ? Number.NEGATIVE_INFINITY : momentMs(from, timeMs, zoneAt);
      const near = Math.max(timeMs, fromMs);
      bounds = { fromMs, toMs: to === undefined ? Number.POSITIVE_INFINITY : momentMs(to, near, zoneAt) };
    }
    if (timeMs > bounds.toMs) return;
    if (timeMs >= bounds.fromMs) yield sample;
  }
}
