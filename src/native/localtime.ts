import koffi from 'koffi';
import type { ZoneOffset } from '../model/time.ts';
import { libcFunction } from './libc.ts';

/** Seconds within which a zone's offset is taken to stay the same: zones change their offset at quarters of an hour. */
const QUARTER = 900;

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
    const quarter = Math.floor(seconds / QUARTER);
    let offset = known.get(quarter);
    if (offset === undefined) {
      const result: { gmtoff?: number; zone?: string } = {};
      localtime([seconds], result);
      offset = { offsetSeconds: result.gmtoff ?? 0, abbreviation: result.zone ?? 'UTC' };
      if (known.size > 10_000) known.clear();
      known.set(quarter, offset);
    }
    return offset;
  };
}
