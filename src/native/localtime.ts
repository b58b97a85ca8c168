import koffi from 'koffi';
import type { ZoneOffset } from '../model/time.ts';
import { libcFunction } from './libc.ts';

const MOST_KNOWN = 10_000;

/**
 * The local zone's offset and abbreviation at a moment, as localtime_r(3) has them, so that TZ means to kstack what it means to date(1).
 * JavaScript's own Intl knows no abbreviations outside of North America and takes no POSIX rule (`CET-1CEST,M3.5.0,M10.5.0/3`).
 */
export function createLocalZone(): (seconds: number) => ZoneOffset {
  const brokenDown = koffi.struct({
    ...Object.fromEntries(['sec', 'min', 'hour', 'mday', 'mon', 'year', 'wday', 'yday', 'isdst'].map((field) => [field, 'int'])),
    gmtoff: 'long',
    zone: 'const char *',
  });
  const localtime = koffi.load(null).func('localtime_r', 'void *', ['int64_t *', koffi.out(koffi.pointer(brokenDown))]);
  libcFunction('void tzset()')();
  const known = new Map<number, ZoneOffset>();
  return (seconds) => {
    let offset = known.get(seconds);
    if (offset === undefined) {
      const local: Record<string, number> & { zone?: string } = {};
      localtime([seconds], local);
      const { sec = 0, min = 0, hour = 0, mday = 1, mon = 0, year = 70 } = local;
      // Not tm_gmtoff, which leaves out the leap seconds that the zones of right/ count.
      const offsetSeconds = Date.UTC(1900 + year, mon, mday, hour, min, sec) / 1000 - seconds;
      offset = { offsetSeconds, abbreviation: local.zone ?? 'UTC' };
      if (known.size > MOST_KNOWN) known.clear();
      known.set(seconds, offset);
    }
    return offset;
  };
}
