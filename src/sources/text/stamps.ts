import type { Sample } from '../../model/sample.ts';

/** When and where a line was written. */
export interface Stamp {
  /** What the line contains of these. */
  readonly told: Pick<Sample, 'timeMs' | 'uptimeSeconds' | 'host'>;
  /** Milliseconds by a clock without a zone: tells how far apart two moments are, but not when they are. */
  readonly clockMs?: number;
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
const LOCAL =
  /^\w{3} (?<month>\w{3}) {1,2}(?<day>\d{1,2}) (?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d) (?<zone>[A-Z]{2,5}|[+-]\d\d(?:\d\d)?) (?<year>\d{4})$/;
/** The word for unknown values in the classic text. */
const UNKNOWN = 'unknown';
/** ISO 8601 with a zone, as journalctl and rsyslog write it, optionally followed by the host. */
const ISO =
  /^\s{0,10}(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)) (?:(\S{1,255}) kernel\b)?/;
/** The traditional form has neither year nor zone: a host is all it tells for certain. */
const SYSLOG =
  /^(?<month>\w{3}) {1,2}(?<day>\d{1,2}) (?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)(?:\.\d{1,9})? (?<host>\S{1,255}) kernel\b/;
/** dmesg -T and dmesg -H. */
const DMESG =
  /^\[(?:\w{3} )?(?<month>\w{3}) {0,2}(?<day>\d{1,2}) (?<hour>\d\d):(?<minute>\d\d)(?::(?<second>\d\d) (?<year>\d{4}))?\]/;
const UPTIME = /(?:^|[ :>])\[ {0,12}(\d{1,12}\.\d{1,9})\]/;
/** A stamp is within this many characters. */
const STAMP_BYTES = 120;

/** Keeps the latest stamp. It applies to the following lines that have none. */
export class Stamps {
  now: Stamp = { told: {}, begun: 0 };

  take(line: string): void {
    const [, time, named = UNKNOWN] = BEGIN.exec(line) ?? [];
    if (time !== undefined) {
      const host = named.trim();
      const timeMs = localTimeMs(time);
      const told = { ...(host !== UNKNOWN && { host }), ...(timeMs !== undefined && { timeMs }) };
      this.now = { told, begun: this.now.begun + 1 };
      return;
    }
    const head = line.slice(0, STAMP_BYTES);
    const [, iso, isoHost] = ISO.exec(head) ?? [];
    const uptime = UPTIME.exec(head)?.[1];
    const local = (SYSLOG.exec(head) ?? DMESG.exec(head))?.groups;
    const clockMs = local && utcMs(local);
    const name = isoHost ?? local?.['host'];
    const timeMs = iso === undefined ? undefined : isoTimeMs(iso);
    if (timeMs === undefined && uptime === undefined && name === undefined && clockMs === undefined) return;
    const told = {
      ...(timeMs !== undefined && { timeMs }),
      ...(uptime !== undefined && { uptimeSeconds: Number(uptime) }),
      ...(name !== undefined && { host: name }),
    };
    this.now = { told, ...(clockMs !== undefined && { clockMs }), begun: this.now.begun };
  }
}

/** Undefined if the zone is ambiguous. */
function localTimeMs(text: string): number | undefined {
  const parts = LOCAL.exec(text)?.groups;
  if (parts === undefined) return undefined;
  const { zone = '' } = parts;
  const local = utcMs(parts);
  const [, sign, hours = 0, minutes = 0] = /^([+-])(\d\d)(\d\d)?$/.exec(zone) ?? [];
  const numeric = Number(`${sign}1`) * (60 * Number(hours) + Number(minutes));
  const offset = sign === undefined ? ZONES.get(zone) : numeric;
  return local === undefined || offset === undefined ? undefined : local - offset * 60_000;
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
