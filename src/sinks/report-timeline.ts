import type { Report, ReportedEvent } from '../analysis/times/report.ts';
import { merged } from '../analysis/times/timeline.ts';
import { type Clock, isDate } from '../model/time.ts';
import { barOf } from '../terminal/bars.ts';
import { moment, momentsOf, timeOfDay } from './moment.ts';

const WIDEST = 60;
/** The indentation, and the bars at both ends. */
const MARGINS = 4;

/** How an event is marked on the timeline. All others are lines of the kernel log. */
const MARKS: Partial<Record<ReportedEvent['kind'], string>> = { trigger: 'T', calm: 't', lost: '?', clock: 'c' };
const KERNEL_LINE = '!';
/** Several kinds of events at about the same time. */
const SEVERAL = '*';

interface Context {
  readonly zoneAt: Clock['zoneAt'];
  /** Of a narrow terminal; the timeline is drawn to fit. */
  readonly columns: number;
}

/** How many tasks were blocked when, with marks where something happened. */
export function timelineLines({ timeline, gaps, events, ...span }: Report, context: Context): string[] {
  const [first, final] = [timeline[0], timeline.at(-1)];
  const most = timeline.reduce((top, { blocked }) => Math.max(top, blocked), 0);
  if (first === undefined || final === undefined || (most === 0 && events.length === 0)) return [];
  const { fromMs = first.timeMs, toMs = final.timeMs } = span;
  const width = Math.min(WIDEST, context.columns - MARGINS);
  const columnOf = (timeMs: number) =>
    Math.max(0, Math.min(width - 1, Math.floor(((timeMs - fromMs) * width) / Math.max(1, toMs - fromMs))));
  const columns: (number | undefined)[] = Array.from({ length: width }, () => undefined);
  for (const { timeMs, blocked } of merged(timeline, width)) {
    const at = columnOf(timeMs);
    columns[at] = Math.max(columns[at] ?? 0, blocked);
  }
  // Before the first sample and after the last one, there may be events.
  const isGap = (at: number) =>
    at < columnOf(first.timeMs) ||
    at > columnOf(final.timeMs) ||
    gaps.some((gap) => at > columnOf(gap.fromMs) && at < columnOf(gap.toMs));
  let last = 0;
  const bars = columns
    .map((blocked, at) => {
      // A sample speaks until the next one.
      last = blocked ?? last;
      return blocked === undefined && isGap(at) ? '·' : barOf(last, most);
    })
    .join('');
  // What only tells the time since a boot has no place among dates.
  const placed = events.filter(({ timeMs }) => timeMs !== undefined && isDate(timeMs) === isDate(fromMs));
  const marks = marksOf(placed, columnOf, width);
  const peak = timeline.find(({ blocked }) => blocked === most) ?? first;
  const [from, to] = momentsOf(fromMs, toMs, context);
  const [start, end] = [timeOfDay(from), timeOfDay(to)];
  const axis = `${start}${end.padStart(width + 2 - start.length)}`;
  const title = most === 0 ? 'no blocked task:' : `blocked tasks, at most ${most}, at ${moment(peak.timeMs, context)}:`;
  return [title, `  |${bars}|`, ...(marks.trim() === '' ? [] : [`   ${marks.trimEnd()}`]), `  ${axis}`];
}

function marksOf(events: readonly ReportedEvent[], columnOf: (timeMs: number) => number, width: number): string {
  const marks = Array.from({ length: width }, () => ' ');
  for (const { timeMs, kind } of events) {
    if (timeMs === undefined) continue;
    const at = columnOf(timeMs);
    const mark = markOf(kind);
    marks[at] = marks[at] === ' ' || marks[at] === mark ? mark : SEVERAL;
  }
  return marks.join('');
}

function markOf(kind: ReportedEvent['kind']): string {
  return MARKS[kind] ?? KERNEL_LINE;
}

/** The name of a host where there are several. */
export function shownHost(host: string | undefined): string {
  return host ?? 'unknown host';
}

/** An event in one line, with its mark on the timeline. */
export function eventLines({ timeMs, host, kind, text }: ReportedEvent, context: Context, several: boolean): string[] {
  const when = timeMs === undefined ? 'at an unknown time' : moment(timeMs, context);
  const where = several ? `${shownHost(host)}  ` : '';
  return [`  ${markOf(kind)} ${when}  ${where}${kind}: ${text.trim()}`];
}
