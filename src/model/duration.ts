/** A hundred years. No host is up for so long: what is longer is no duration that was measured. */
export const MAX_DURATION_MS = 100 * 366 * 86_400_000;
/** Linux has at most so many in a second. */
const MAX_TICKS_PER_SECOND = 1024;
export const MAX_TICKS = (MAX_TICKS_PER_SECOND * MAX_DURATION_MS) / 1000;

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** The milliseconds of a duration as people type it: `30s`, `10m`, `2h`, `1d`, or seconds. Undefined if it is none. */
export function durationIn(text: string): number | undefined {
  const [, digits, unit = 's'] = /^(\d{1,6}(?:\.\d{1,3})?)([smhd])?$/.exec(text) ?? [];
  const milliseconds = Number(digits) * (UNIT_MS[unit] ?? Number.NaN);
  return milliseconds > 0 ? milliseconds : undefined;
}

/** Seconds as people type them: `10`, `0.5`, `.5`. NaN if they are none. */
export function secondsIn(text: string): number {
  return /^(?:\d{1,6}(?:\.\d{1,3})?|\.\d{1,3})$/.test(text) ? Number(text) : Number.NaN;
}
