import { durationIn } from '../model/duration.ts';
import type { Sample } from '../model/sample.ts';
import type { Clock } from '../model/time.ts';
import { formatDateTime } from '../terminal/local-time.ts';

/** A moment on the command line. */
export type Moment = ClockMoment | BeforeEnd;

/** So long before the last sample. */
export interface BeforeEnd {
  readonly beforeEndMs: number;
}

/** A day and a time, or only the time of day. */
export interface ClockMoment {
  readonly day?: { readonly year: number; readonly month: number; readonly day: number };
  /** Up to 86,400, which is 24:00. */
  readonly secondOfDay: number;
  /** A day without a time: from its beginning, or up to its end. */
  readonly isWholeDay?: true;
  /** East of Greenwich; absent for local time. */
  readonly offsetSeconds?: number;
}

const FORM =
  /^(?:(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)[T ])?(?<hour>\d\d):(?<minute>\d\d)(?::(?<second>\d\d)(?:\.\d{1,9})?)?(?<zone>Z|[+-]\d\d:?\d\d)?$/;
const DAY_SECONDS = 86_400;
const BEFORE_END = /^-(.*[smhd])$/;

/** `03:12`, `03:12:30`, `24:00`, `2026-11-25 03:12`, `2026-11-25`, ISO 8601 with a zone, and `-10m`; else undefined. */
export function parseMoment(text: string): Moment | undefined {
  const beforeEndMs = durationIn(BEFORE_END.exec(text)?.[1] ?? '');
  if (beforeEndMs !== undefined) return { beforeEndMs };
  const isWholeDay = /^\d{4}-\d\d-\d\d$/.test(text);
  const {
    year,
    month,
    day,
    hour,
    minute,
    second = '0',
    zone,
  } = FORM.exec(isWholeDay ? `${text} 00:00` : text)?.groups ?? {};
  if (hour === undefined || Number(minute) > 59 || Number(second) > 59) return undefined;
  if (month !== undefined && !isDay(Number(year), Number(month), Number(day))) return undefined;
  const secondOfDay = 3600 * Number(hour) + 60 * Number(minute) + Number(second);
  if (secondOfDay > DAY_SECONDS) return undefined;
  return {
    secondOfDay,
    ...(year !== undefined && { day: { year: Number(year), month: Number(month), day: Number(day) } }),
    ...(zone !== undefined && { offsetSeconds: offsetIn(zone) }),
    ...(isWholeDay && { isWholeDay }),
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

type ZoneAt = Clock['zoneAt'];

/** When a clock of the zone shows a time: twice, where it is set back. */
interface Shown {
  readonly firstMs: number;
  readonly lastMs: number;
}

/**
 * When it is a local time, in seconds since 1970. A time that is skipped, because the clock is set forward, is the
 * moment at which that happens.
 */
function shownAt(localSeconds: number, { offsetSeconds }: ClockMoment, zoneAt: ZoneAt): Shown {
  const offsetAt = (seconds: number) => offsetSeconds ?? zoneAt(seconds).offsetSeconds;
  const [one, other] = [offsetAt(localSeconds - DAY_SECONDS), offsetAt(localSeconds + DAY_SECONDS)];
  let [before, after] = [localSeconds - Math.max(one, other), localSeconds - Math.min(one, other)];
  const shows = (seconds: number) => seconds + offsetAt(seconds) === localSeconds;
  if (shows(before) || shows(after)) {
    return { firstMs: 1000 * (shows(before) ? before : after), lastMs: 1000 * (shows(after) ? after : before) };
  }
  // The change is between these two.
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (offsetAt(middle) === one) before = middle;
    else after = middle;
  }
  return { firstMs: 1000 * after, lastMs: 1000 * after };
}

/** The time of day on the day of another time, so many days on. */
function onDayOf(moment: ClockMoment, timeMs: number, zoneAt: ZoneAt, days = 0): Shown {
  const seconds = Math.floor(timeMs / 1000);
  const local = seconds + (moment.offsetSeconds ?? zoneAt(seconds).offsetSeconds);
  const day = Math.floor(local / DAY_SECONDS) + days;
  return shownAt(DAY_SECONDS * day + moment.secondOfDay, moment, zoneAt);
}

/** If the clock shows it twice, the one that makes the window longer. */
type Side = keyof Shown;

function firstSince(moment: ClockMoment, timeMs: number, zoneAt: ZoneAt, side: Side): number {
  const sinceMs = 1000 * Math.floor(timeMs / 1000);
  const sameDay = onDayOf(moment, timeMs, zoneAt);
  if (sameDay[side] >= sinceMs) return sameDay[side];
  return sameDay.lastMs >= sinceMs ? sameDay.lastMs : onDayOf(moment, timeMs, zoneAt, 1)[side];
}

function lastUntil(moment: ClockMoment, timeMs: number, zoneAt: ZoneAt, side: Side): number {
  const sameDay = onDayOf(moment, timeMs, zoneAt);
  if (sameDay[side] <= timeMs) return sameDay[side];
  return sameDay.firstMs <= timeMs ? sameDay.firstMs : onDayOf(moment, timeMs, zoneAt, -1)[side];
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

/** What times of day are near: the last sample is known of files only. */
export interface Span {
  readonly firstMs: number;
  readonly lastMs?: number;
}

/**
 * A window of samples between these times. Of a time of day without a day, `from` is the last one of the span, and `to`
 * the first one from there on. While the end of the span is not known, `from` is the first one of it.
 */
export function boundsOf({ from, to }: Window, span: Span, zoneAt: ZoneAt): Bounds {
  const { firstMs, lastMs = firstMs } = span;
  const fixed = (moment: Moment | undefined, orMs: number, side: Side) => {
    if (moment === undefined) return orMs;
    return 'beforeEndMs' in moment ? lastMs - moment.beforeEndMs : dayMs(moment, zoneAt, side);
  };
  const fixedTo = fixed(to, ALWAYS.toMs, 'lastMs');
  const fromMs = isTimeOfDay(from)
    ? beginning(
        from,
        { ...span, ...(span.lastMs !== undefined && { lastMs: Math.min(lastMs, fixedTo ?? lastMs) }) },
        zoneAt,
      )
    : (fixed(from, ALWAYS.fromMs, 'firstMs') ?? ALWAYS.fromMs);
  if (!isTimeOfDay(to)) return { fromMs, toMs: fixedTo ?? ALWAYS.toMs };
  if (from === undefined) {
    const last = lastUntil(to, lastMs, zoneAt, 'lastMs');
    return { fromMs, toMs: last > firstMs ? last : firstSince(to, firstMs, zoneAt, 'lastMs') };
  }
  const sinceMs = 'beforeEndMs' in from ? Math.max(firstMs, fromMs) : fromMs;
  return { fromMs, toMs: firstSince(to, sinceMs, zoneAt, 'lastMs') };
}

/** When a day and a time are; undefined without a day. Of a day alone, its beginning, or the last moment before its end. */
function dayMs(moment: ClockMoment, zoneAt: ZoneAt, side: Side): number | undefined {
  const { day, secondOfDay, isWholeDay } = moment;
  if (day === undefined) return undefined;
  const dayBegins = Date.UTC(day.year, day.month - 1, day.day) / 1000;
  if (isWholeDay && side === 'lastMs') return shownAt(dayBegins + DAY_SECONDS, moment, zoneAt).firstMs - 1;
  return shownAt(dayBegins + secondOfDay, moment, zoneAt)[side];
}

/** On standard input, a time so long before the first sample is of the same day, and not of the next. */
const LONGEST_BEFORE_MS = (1000 * DAY_SECONDS) / 2;

/** Whoever asks for what was so soon after the end means that, and not the day before. */
const SOON_MS = 3_600_000;

function beginning(from: ClockMoment, { firstMs, lastMs }: Span, zoneAt: ZoneAt): number {
  if (lastMs === undefined) {
    const sameDay = onDayOf(from, firstMs, zoneAt).firstMs;
    return firstMs - sameDay < LONGEST_BEFORE_MS ? sameDay : firstSince(from, firstMs, zoneAt, 'firstMs');
  }
  const last = lastUntil(from, lastMs, zoneAt, 'firstMs');
  if (last >= firstMs) return last;
  // None is in the span. A time soon after the end does not stand for all.
  const next = firstSince(from, lastMs, zoneAt, 'firstMs');
  return next - lastMs <= SOON_MS ? next : last;
}

/** Whether a moment is a time of day without a day. */
export function isTimeOfDay(moment: Moment | undefined): moment is ClockMoment {
  return moment !== undefined && 'secondOfDay' in moment && moment.day === undefined;
}

/** A moment in local time. */
export function timeText(ms: number, zoneAt: ZoneAt): string {
  const seconds = Math.floor(ms / 1000);
  return formatDateTime(seconds, zoneAt(seconds), '-');
}

/** Which of several days was taken for a time without a day; undefined if there is nothing to tell. */
export function dayTaken(
  { from, to }: Window,
  { fromMs, toMs }: Bounds,
  { firstMs, lastMs = firstMs }: Span,
  zoneAt: ZoneAt,
): string | undefined {
  const textOf = (ms: number) => timeText(ms, zoneAt);
  const dayOf = (ms: number) => textOf(ms).slice(0, 'YYYY-MM-DD'.length);
  if (dayOf(firstMs) === dayOf(lastMs)) return undefined;
  if (isTimeOfDay(from)) return `the files hold several days: what is taken begins at ${textOf(fromMs)}`;
  if (from === undefined && isTimeOfDay(to))
    return `the files hold several days: what is taken ends at ${textOf(toMs)}`;
  return undefined;
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
