import type { ZoneOffset } from '../model/time.ts';
import { libcFunction } from './libc.ts';
import { stringAt } from './memory.ts';

const MOST_KNOWN = 10_000;

/**
 * struct tm on 64-bit systems (time.h of glibc and musl): byte offsets of 32-bit numbers, and of the pointer to the
 * abbreviation.
 */
const TM = { sec: 0, min: 4, hour: 8, mday: 12, mon: 16, year: 20, zone: 48, size: 56 } as const;

/**
 * The local zone's offset and abbreviation at a moment, by localtime_r(3), so that kstack reads TZ as date(1) does.
 * JavaScript's Intl knows few abbreviations outside North America and accepts no POSIX rule
 * (`CET-1CEST,M3.5.0,M10.5.0/3`).
 */
export function createLocalZone(): (seconds: number) => ZoneOffset {
  const localtime = libcFunction('void *localtime_r(const int64_t *seconds, void *brokenDown)');
  libcFunction('void tzset()')();
  const known = new Map<number, ZoneOffset>();
  const moment = Buffer.alloc(8);
  const tm = Buffer.alloc(TM.size);
  return (seconds) => {
    let offset = known.get(seconds);
    if (offset === undefined) {
      moment.writeBigInt64LE(BigInt(seconds));
      if (localtime(moment, tm) === null) return { offsetSeconds: 0, abbreviation: 'UTC' };
      const [sec, min, hour, mday, mon, year] = [TM.sec, TM.min, TM.hour, TM.mday, TM.mon, TM.year].map((at) =>
        tm.readInt32LE(at),
      );
      // Not tm_gmtoff, which ignores the leap seconds of the right/ zones.
      const offsetSeconds = Date.UTC(1900 + (year ?? 70), mon ?? 0, mday, hour, min, sec) / 1000 - seconds;
      offset = { offsetSeconds, abbreviation: stringAt(tm.readBigUInt64LE(TM.zone)) };
      if (known.size > MOST_KNOWN) known.clear();
      known.set(seconds, offset);
    }
    return offset;
  };
}
