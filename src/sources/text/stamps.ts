import type { Sample } from '../../model/sample.ts';

/** When and where a line was written. */
export interface Stamp {
  /** As far as the line says so. */
  readonly told: Pick<Sample, 'timeMs' | 'uptimeSeconds' | 'host'>;
  /** Milliseconds by a clock that tells no zone: how far two moments are apart, and not when they are. */
  readonly clockMs?: number;
  /** How many samples of a classic text have begun before, each of which says so. */
  readonly begun: number;
}

/** Zones that mean one thing everywhere, by what date(1) prints for %Z: minutes east of Greenwich. */
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

/** The line that begins a sample of the classic text (COMPAT.md). A host may be called anything. */
const BEGIN = /^zzz <(.{1,64}?) - (.{1,255})$/s;
/** Its time. date(1) prints the offset for %Z where a zone has no name: `-03`, `+0545`. */
const LOCAL =
  /^\w{3} (?<month>\w{3}) {1,2}(?<day>\d{1,2}) (?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d) (?<zone>[A-Z]{2,5}|[+-]\d\d(?:\d\d)?) (?<year>\d{4})$/;
/** What the classic text says of what it does not know. */
const UNKNOWN = 'unknown';
/** ISO 8601 with a zone, as journalctl and rsyslog write it; a host may follow. */
const ISO =
  /^\s{0,10}(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)) (?:(\S{1,255}) kernel\b)?/;
/** The traditional form has neither year nor zone: a host is all it tells for certain. */
const SYSLOG =
  /^(?<month>\w{3}) {1,2}(?<day>\d{1,2}) (?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)(?:\.\d{1,9})? (?<host>\S{1,255}) kernel\b/;
/** dmesg(1) with -T, and with -H. */
const DMESG =
  /^\[(?:\w{3} )?(?<month>\w{3}) {0,2}(?<day>\d{1,2}) (?<hour>\d\d):(?<minute>\d\d)(?::(?<second>\d\d) (?<year>\d{4}))?\]/;
const UPTIME = /(?:^|[ :>])\[ {0,12}(\d{1,12}\.\d{1,9})\]/;
/** Nothing of a stamp stands further behind. */
const STAMP_BYTES = 120;

/** Keeps the stamp of the line that was taken last; lines without one have that of those before. */
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

/** Undefined where the zone may be one of several. */
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

/** Any leap year: syslog has none. */
const SOME_YEAR = '2000';

/** The time with these parts in UTC; undefined where the month is none. */
function utcMs(parts: Readonly<Record<string, string | undefined>>): number | undefined {
  const { year = SOME_YEAR, month = '', day, hour, minute, second = '0' } = parts;
  const at = MONTHS.indexOf(month);
  if (at === -1) return undefined;
  return Date.UTC(Number(year), at, Number(day), Number(hour), Number(minute), Number(second));
}

/** Lines of one report come within so much time. */
const TOGETHER_MS = 1000;

/** Whether what was written then is of the same moment. What one of them does not say makes no difference. */
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
