/** When and where a line was written, as far as it says so. */
export interface Stamp {
  /** Unix milliseconds. */
  readonly timeMs?: number;
  /** Seconds since boot, as the kernel log counts them. */
  readonly uptimeSeconds?: number;
  readonly host?: string;
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

/** The line that begins a sample of the classic text (COMPAT.md). */
const CLASSIC = /^zzz <\w{3} (\w{3}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d) ([A-Z]{2,5}) (\d{4}) - (\S{1,255})\s{0,4}$/;
/** ISO 8601 with a zone, as journalctl and rsyslog write it; a host may follow. */
const ISO =
  /^\s{0,10}(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)) (?:(\S{1,255}) kernel\b)?/;
/** The traditional form has neither year nor zone: a host is all it tells for certain. */
const SYSLOG = /^\w{3} {1,2}\d{1,2} \d\d:\d\d:\d\d(?:\.\d{1,9})? (\S{1,255}) kernel\b/;
const UPTIME = /(?:^|[ :>])\[ {0,12}(\d{1,12}\.\d{1,9})\]/;
/** Nothing of a stamp stands further behind. */
const STAMP_BYTES = 120;

/** Keeps the stamp of the line that was taken last; lines without one have that of those before. */
export class Stamps {
  now: Stamp = {};

  take(line: string): void {
    const [, month = '', day, hour, minute, second, zone = '', year, host] = CLASSIC.exec(line) ?? [];
    if (host !== undefined) {
      const offset = ZONES.get(zone);
      const local = Date.UTC(
        Number(year),
        MONTHS.indexOf(month),
        Number(day),
        Number(hour),
        Number(minute),
        Number(second),
      );
      this.now = { host, ...(offset !== undefined && { timeMs: local - offset * 60_000 }) };
      return;
    }
    const head = line.slice(0, STAMP_BYTES);
    const [, iso, isoHost] = ISO.exec(head) ?? [];
    const timeMs =
      iso === undefined
        ? Number.NaN
        : Date.parse(
            iso
              .replace(' ', 'T')
              .replace(',', '.')
              .replace(/([+-]\d\d)(\d\d)$/, '$1:$2'),
          );
    const uptime = UPTIME.exec(head)?.[1];
    const name = isoHost ?? SYSLOG.exec(head)?.[1];
    if (Number.isNaN(timeMs) && uptime === undefined && name === undefined) return;
    this.now = {
      ...(!Number.isNaN(timeMs) && { timeMs }),
      ...(uptime !== undefined && { uptimeSeconds: Number(uptime) }),
      ...(name !== undefined && { host: name }),
    };
  }
}

/** Lines of one report come within so much time. */
const TOGETHER_MS = 1000;

/** Whether what was written then is of the same moment. What one of them does not say makes no difference. */
export function isSameMoment(a: Stamp, b: Stamp): boolean {
  if (a.host !== undefined && b.host !== undefined && a.host !== b.host) return false;
  const isNear = (x: number | undefined, y: number | undefined, unitMs: number) =>
    x === undefined || y === undefined || Math.abs(x - y) * unitMs <= TOGETHER_MS;
  return isNear(a.timeMs, b.timeMs, 1) && isNear(a.uptimeSeconds, b.uptimeSeconds, 1000);
}
