import { type Clock, isDate } from '../model/time.ts';
import { formatDateTime } from '../terminal/local-time.ts';

/** A time for people: local, or in seconds after boot. */
export function moment(timeMs: number, { zoneAt }: Pick<Clock, 'zoneAt'>): string {
  if (!isDate(timeMs)) return `${(timeMs / 1000).toFixed(1)} s after boot`;
  const seconds = Math.floor(timeMs / 1000);
  return formatDateTime(seconds, zoneAt(seconds), '-');
}

/** The beginning and the end of a time, with the zone where a change of it is in between: else an hour seems to be missing. */
export function momentsOf(fromMs: number, toMs: number, context: Pick<Clock, 'zoneAt'>): [from: string, to: string] {
  const [from, to] = [moment(fromMs, context), moment(toMs, context)];
  if (!isDate(fromMs)) return [from, to];
  const [before, after] = [context.zoneAt(Math.floor(fromMs / 1000)), context.zoneAt(Math.floor(toMs / 1000))];
  if (before.offsetSeconds === after.offsetSeconds) return [from, to];
  return [`${from} ${before.abbreviation}`, `${to} ${after.abbreviation}`];
}

/** The same without the date. */
export function timeOfDay(text: string): string {
  return text.replace(/^\d+-\d\d-\d\d | after boot$/g, '');
}
