import type { Sample } from '../../model/sample.ts';

/** When and where a line was written. */
export interface Stamp {
  /** What the line contains of these. */
  readonly told: Pick<Sample, 'timeMs' | 'uptimeSeconds' | 'host'>;
  /** Milliseconds by a clock without a zone: tells how far apart two moments are, but not when they are. */
  readonly clockMs?: number;
  /** In the classic text, the time by the clock of its host, as milliseconds of UTC: starts of tasks are told by it. */
  readonly localMs?: number;
  /** The number of classic samples that have begun so far. */
  readonly begun: number;
}

/** Unambiguous zone abbreviations, as date(1) prints them for %Z, with minutes east of Greenwich. */
const ZONES: ReadonlyMap<string, number> = new Map([
  ['UTC', 0],
  ['GMT', 0],
  ['WET', 0],
  ['WEST', 60],
  ['CET', 60],
  ['CEST', 120],
  ['EET', 120],
  ['EEST', 180],
  ['MSK', 180],
  ['JST', 540],
  ['KST', 540],
  ['EST', -300],
  ['EDT', -240],
  ['PST', -480],
  ['PDT', -420],
]);

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** The line that begins a sample of the classic text (docs/oled.md). A host name may contain anything. */
const BEGIN = /^zzz <(.{1,64}?) - (.{1,255})$/s;
/** The time in that line. For a zone without a name, date(1) prints the offset for %Z: `-03`, `+0545`. */
const LOCAL = new RegExp(
  String.raw`^\w{3} (?<month>\w{3}) {1,2}(?<day>\d{1,2}) (?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d) ` +
    String.raw`(?<zone>[A-Z]{2,5}|[+-]\d\d(?:\d\d)?) (?<year>\d{4})$`,
);
/** The word for unknown values in the classic text. */
const UNKNOWN = 'unknown';
const DAY = String.raw`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?`;
/** Before the host, or in its place. */
const LEVELS = ['emerg', 'alert', 'crit', 'err', 'error', 'warn', 'warning', 'notice', 'info', 'debug']
  .flatMap((level) => [level, level.toUpperCase()])
  .join('|');
const HOST = String.raw`(?: (?:(?:${LEVELS}) )?(?!(?:${LEVELS}) )(\S{1,255}) (?:kernel\b|output:))?`;
/** ISO 8601, as journalctl and rsyslog write it, with a zone by offset or name, or without. The host may follow. */
const ISO = new RegExp(
  `^\\s{0,10}\\[?(?:\\w{3} )?(${DAY})(?: ?(Z|[+-]\\d\\d:?\\d\\d|[A-Z]{2,5}))?\\]?(?: |$)${HOST.replace('(?: ', '(?:')}`,
);
/**
 * The traditional form of syslog, of dmesg -T and of journalctl in any language: weekday, month and day in some order,
 * or none of them. It has neither zone nor, mostly, year: a host is all it tells for certain.
 */
const LOCAL_CLOCK = new RegExp(
  String.raw`^\[?((?:[^\s[\]<>|:]{1,16},? {1,2}){0,4}?)(\d{1,2}):(\d\d):(\d\d)(?:[.,]\d{1,9})?(?: (\d{4}))?` +
    String.raw`(?: [A-Z]{2,5})?\]?${HOST}(?=\s|:|\[|$)`,
);
/** dmesg -H. */
const HUMAN = /^\[(\w{3} ?\d{1,2} )(\d\d):(\d\d)\]/;
const UPTIME = /(?:^|[ :>\]])\[ {0,12}(\d{1,12}\.\d{1,9})(?:\]| {1,4}<)/;
/** /dev/kmsg and netconsole: the third value is in microseconds (Documentation/ABI/testing/dev-kmsg). */
const KMSG = /^\s{0,20}\d{1,3},\d{1,20},(\d{1,20}),[^;\s]{1,80};/;
/** A stamp is within this many characters. */
const STAMP_BYTES = 160;

/** What the part of a stamp before the kernel's own tells. Lines of one report have the same. */
interface LogStamp {
  readonly text: string;
  readonly timeMs?: number | undefined;
  readonly clockMs?: number | undefined;
  readonly host?: string | undefined;
}

/** Keeps the latest stamp. It applies to the following lines that have none. */
export class Stamps {
  now: Stamp = { told: {}, begun: 0 };

  #latest: LogStamp = { text: '' };

  /** A prompt names the host on which a command was typed: it applies until another one does. */
  turnTo(host: string): void {
    if (this.now.told.host !== host) this.now = { ...this.now, told: { ...this.now.told, host } };
  }

  take(line: string): void {
    const [, time, named = UNKNOWN] = line.startsWith('zzz <') ? (BEGIN.exec(line) ?? []) : [];
    if (time !== undefined) {
      const host = named.trim();
      const parts = LOCAL.exec(time)?.groups;
      const localMs = parts && utcMs(parts);
      const timeMs = localMs === undefined ? undefined : timeIn(parts?.['zone'], localMs);
      const told = { ...(host !== UNKNOWN && { host }), ...(timeMs !== undefined && { timeMs }) };
      this.now = { told, begun: this.now.begun + 1, ...(localMs !== undefined && { localMs }) };
      return;
    }
    const unquoted = ' \t>|'.includes(line.charAt(0)) ? line.replace(QUOTES, '') : line;
    const head = unquoted.length > STAMP_BYTES ? unquoted.slice(0, STAMP_BYTES) : unquoted;
    const uptime = uptimeIn(head);
    const { timeMs, clockMs, host } = this.#logStamp(head);
    if (timeMs === undefined && uptime === undefined && host === undefined && clockMs === undefined) return;
    // Every line of a log comes by here: assignments are faster than spreads.
    const told: { timeMs?: number; uptimeSeconds?: number; host?: string } = {};
    if (timeMs !== undefined) told.timeMs = timeMs;
    if (uptime !== undefined) told.uptimeSeconds = uptime;
    if (host !== undefined) told.host = host;
    const { begun } = this.now;
    this.now = clockMs === undefined ? { told, begun } : { told, clockMs, begun };
  }

  #logStamp(head: string): Omit<LogStamp, 'text'> {
    if (this.#latest.text !== '' && head.startsWith(this.#latest.text)) return this.#latest;
    const stamp = head.includes(':') ? logStampIn(head) : undefined;
    if (stamp === undefined) return {};
    this.#latest = stamp;
    return stamp;
  }
}

/** Mails and pages quote and indent what they show. */
const QUOTES = /^(?:[ \t]{0,8}[>|]){0,8}[ \t]{0,8}/;

/** Seconds since boot. */
function uptimeIn(head: string): number | undefined {
  const microseconds = head.includes(',') && head.includes(';') ? KMSG.exec(head)?.[1] : undefined;
  if (microseconds !== undefined) return Number(microseconds) / 1e6;
  const seconds = head.includes('[') ? UPTIME.exec(head)?.[1] : undefined;
  return seconds === undefined ? undefined : Number(seconds);
}

function logStampIn(head: string): LogStamp | undefined {
  const [text, day, zone, isoHost] = ISO.exec(head) ?? [];
  if (text !== undefined && day !== undefined) {
    const offset = zone === undefined || /^[A-Z]{2,}$/.test(zone) ? ZONES.get(zone ?? '') : undefined;
    const hasOffset = zone !== undefined && !/^[A-Z]{2,}$/.test(zone);
    const timeMs = hasOffset ? isoTimeMs(`${day}${zone}`) : offset === undefined ? undefined : isoTimeMs(`${day}Z`);
    if (timeMs === undefined) return { text, host: isoHost, clockMs: isoTimeMs(`${day}Z`) };
    return { text, host: isoHost, timeMs: timeMs - (offset ?? 0) * 60_000 };
  }
  const [clock, words = '', hour, minute, second, year, host] = LOCAL_CLOCK.exec(head) ?? [];
  if (clock !== undefined) return { text: clock, host, clockMs: clockIn({ words, hour, minute, second, year }) };
  const [human, date = '', humanHour, humanMinute] = HUMAN.exec(head) ?? [];
  if (human === undefined) return undefined;
  return { text: human, clockMs: clockIn({ words: date, hour: humanHour, minute: humanMinute }) };
}

/** Milliseconds by a clock without a zone. A month in a language that is not known counts as the first. */
function clockIn(parts: Readonly<Record<string, string | undefined>>): number {
  const { words = '', year = SOME_YEAR, hour, minute, second = '0' } = parts;
  const month = MONTHS.findIndex((name) => words.includes(name));
  const numbered = /(\d{1,2})月/.exec(words)?.[1];
  const day = /(?:^|[^\d])(\d{1,2})(?:[.,]|日)? {0,2}$|^(\d{1,2})\.? /.exec(words);
  const at = numbered === undefined ? Math.max(month, 0) : Number(numbered) - 1;
  return Date.UTC(Number(year), at, Number(day?.[1] ?? day?.[2] ?? 1), Number(hour), Number(minute), Number(second));
}

/** Unix milliseconds of a time by the clock of a zone; undefined if that is ambiguous. */
function timeIn(zone = '', localMs: number): number | undefined {
  const [, sign, hours = 0, minutes = 0] = /^([+-])(\d\d)(\d\d)?$/.exec(zone) ?? [];
  const numeric = Number(`${sign}1`) * (60 * Number(hours) + Number(minutes));
  const offset = sign === undefined ? ZONES.get(zone) : numeric;
  return offset === undefined ? undefined : localMs - offset * 60_000;
}

function isoTimeMs(text: string): number | undefined {
  const strict = text
    .replace(' ', 'T')
    .replace(',', '.')
    .replace(/([+-]\d\d)(\d\d)$/, '$1:$2');
  const timeMs = Date.parse(strict);
  return Number.isNaN(timeMs) ? undefined : timeMs;
}

/** A leap year, for the times of syslog, which have no year. */
const SOME_YEAR = '2000';

/** The time with these parts in UTC; undefined if the month is invalid. */
function utcMs(parts: Readonly<Record<string, string | undefined>>): number | undefined {
  const { year = SOME_YEAR, month = '', day, hour, minute, second = '0' } = parts;
  const at = MONTHS.indexOf(month);
  if (at === -1) return undefined;
  return Date.UTC(Number(year), at, Number(day), Number(hour), Number(minute), Number(second));
}

/** Lines of one report are at most this far apart. */
const TOGETHER_MS = 1000;

/** Whether both stamps are of the same moment. Ignores what one of them does not contain. */
export function isSameMoment(a: Stamp, b: Stamp): boolean {
  if (a.begun !== b.begun) return false;
  if (a.told.host !== undefined && b.told.host !== undefined && a.told.host !== b.told.host) return false;
  const isNear = (x: number | undefined, y: number | undefined, unitMs: number) =>
    x === undefined || y === undefined || Math.abs(x - y) * unitMs <= TOGETHER_MS;
  return (
    isNear(a.told.timeMs, b.told.timeMs, 1) &&
    isNear(a.told.uptimeSeconds, b.told.uptimeSeconds, 1000) &&
    isNear(a.clockMs, b.clockMs, 1)
  );
}
