/** What a block device has done since boot, and what it is doing. */
export interface Requests {
  /** Reads, writes, discards and flushes since boot. */
  readonly completed: number;
  readonly inFlight: number;
}

/** Fields of /sys/block/NAME/stat; discards since Linux 4.18, flushes since 5.5. */
const [READS, WRITES, IN_FLIGHT, DISCARDS, FLUSHES] = [0, 4, 8, 11, 15];
const LEAST_FIELDS = 11;
/** The counters are per CPU and are not read at one moment: their sum may be below zero, and is printed as unsigned. */
const NEGATIVE = 2 ** 31;

/**
 * Parses /sys/block/NAME/stat (block/genhd.c, part_stat_show), which has the fields of /proc/diskstats from the fourth
 * one on; undefined if it has another form.
 */
export function parseRequests(text: string): Requests | undefined {
  const fields = text.trim().split(/\s+/);
  if (fields.length < LEAST_FIELDS || !fields.every((field) => /^\d{1,20}$/.test(field))) return undefined;
  const number = (at: number) => Number(fields[at] ?? 0);
  const inFlight = number(IN_FLIGHT);
  return {
    completed: number(READS) + number(WRITES) + number(DISCARDS) + number(FLUSHES),
    inFlight: inFlight >= NEGATIVE ? 0 : inFlight,
  };
}

/** The names of /proc/diskstats (block/genhd.c, diskstats_show): `sda1`, `dm-3`. */
export function parseDiskNames(text: string): string[] {
  return text.split('\n').flatMap((line) => /^\s*\d+\s+\d+\s+(\S+)\s/.exec(line)?.[1] ?? []);
}
