import type { ZoneOffset } from '../model/time.ts';

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const two = (number: number) => String(number).padStart(2, '0');

/** A date whose UTC fields are those of local time. */
function shifted(seconds: number, zone: ZoneOffset): Date {
  return new Date((seconds + zone.offsetSeconds) * 1000);
}

function timeOfDay(date: Date): string {
  return `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
}

/** strftime(3)'s `%Y/%m/%d %H:%M:%S` of Unix seconds. */
export function formatDateTime(seconds: number, zone: ZoneOffset, separator: '/' | '-' = '/'): string {
  const date = shifted(seconds, zone);
  const day = [date.getUTCFullYear(), two(date.getUTCMonth() + 1), two(date.getUTCDate())].join(separator);
  return `${day} ${timeOfDay(date)}`;
}

/** strftime(3)'s `%a %b %d %H:%M:%S %Z %Y` in the C locale, of Unix seconds. */
export function formatDateLine(seconds: number, zone: ZoneOffset): string {
  const date = shifted(seconds, zone);
  const day = `${DAYS[date.getUTCDay()]} ${MONTHS[date.getUTCMonth()]} ${two(date.getUTCDate())}`;
  return `${day} ${timeOfDay(date)} ${zone.abbreviation} ${date.getUTCFullYear()}`;
}
