import { durationIn } from '../model/duration.ts';
import type { Sample } from '../model/sample.ts';
import type { Clock } from '../model/time.ts';

/** A moment on the command line. */
export type Moment = ClockMoment | BeforeEnd;

/** So long before the last sample. */
export interface BeforeEnd {
  readonly beforeEndMs: number;
}

/** A day and a time, or only the time of day. */
export interface ClockMoment {
  readonly day?: { readonly year: number; readonly month: number; readonly day: number };
  readonly secondOfDay: number;
  /** East of Greenwich; absent for local time. */
  readonly offsetSeconds?: number;
}

const FORM =
  /^(?:(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)[T ])?(?<hour>\d\d):(?<minute>\d\d)(?::(?<second>\d\d)(?:\.\d{1,9})?)?(?<zone>Z|[+-]\d\d:?\d\d)?$/;
const BEFORE_END = /^-(.*[smhd])$/;

/** `03:12`, `03:12:30`, `2026-11-25 03:12`, ISO 8601 with a zone, and `-10m`; undefined for anything else. */
export function parseMoment(text: string): Moment | undefined {
  const beforeEndMs = durationIn(BEFORE_END.exec(text)?.[1] ?? '');
  if (beforeEndMs !== undefined) return { beforeEndMs };
  const { year, month, day, hour, minute, second = '0', zone } = FORM.exec(text)?.groups ?? {};
  if (hour === undefined || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  if (month !== undefined && !isDay(Number(year), Number(month), Number(day))) return undefined;
  const secondOfDay = 3600 * Number(hour) + 60 * Number(minute) + Number(second);
  return {
    secondOfDay,
    ...(year !== undefined && { day: { year: Number(year), month: Number(month), day: Number(day) } }),
    ...(zone !== undefined && { offsetSeconds: offsetIn(zone) }),
  };
}

function isDay(year: number, month: number, day: number): boolean {
  return month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}

function offsetIn(zone: string): number {
  if (zone === 'Z') return 0;
  const seconds = 3600 * Number(zone.slice(1, 3)) + 60 * Number(zone.slice(-2));
  return zone.startsWith('-') ? -seconds : seconds;
}

const DAY_SECONDS = 86_400;

/** Unix milliseconds of a moment. Without a day, its first time at or after `nearMs`. */
export function momentMs(
  { day, secondOfDay, offsetSeconds }: ClockMoment,
  nearMs: number,
  zoneAt: Clock['zoneAt'],
): number {
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

/** A window in Unix milliseconds, both ends included. */
export interface Bounds {
  readonly fromMs: number;
  readonly toMs: number;
}

export const ALL_TIMES: Window = { from: undefined, to: undefined };
const ALWAYS: Bounds = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY };

export function isAllTimes({ from, to }: Window): boolean {
  return from === undefined && to === undefined;
}

/** Whether a window can only be told when the last sample is known. */
export function needsEnd({ from, to }: Window): boolean {
  return [from, to].some((moment) => moment !== undefined && 'beforeEndMs' in moment);
}

/** A window of samples between these times. A time of day is the first after the first sample. */
export function boundsOf({ from, to }: Window, firstMs: number, lastMs: number, zoneAt: Clock['zoneAt']): Bounds {
  const msOf = (moment: Moment, nearMs: number) =>
    'beforeEndMs' in moment ? lastMs - moment.beforeEndMs : momentMs(moment, nearMs, zoneAt);
  const fromMs = from === undefined ? ALWAYS.fromMs : msOf(from, firstMs);
  const toMs = to === undefined ? ALWAYS.toMs : msOf(to, Math.max(firstMs, fromMs));
  return { fromMs, toMs };
}

/** The samples in a window; those without a time are left out. */
export async function* inBounds(samples: AsyncIterable<Sample>, { fromMs, toMs }: Bounds): AsyncGenerator<Sample> {
  for await (const sample of samples) {
    const { timeMs } = sample;
    if (timeMs === undefined || timeMs < fromMs) continue;
    // All files are merged, but a clock may have been set back.
    if (timeMs > toMs + 1000 * DAY_SECONDS) return;
    if (timeMs <= toMs) yield sample;
  }
}
