import { stackOf } from '../analysis/blocked-runs.ts';
import { functionName } from '../analysis/function-name.ts';
import type { Report, ReportedFinding, ReportedHolder } from '../analysis/report.ts';
import type { StuckRun } from '../analysis/stuck.ts';
import { merged } from '../analysis/timeline.ts';
import { escapeInvalid } from '../model/raw-text.ts';
import type { Stack } from '../model/stack.ts';
import type { Task } from '../model/task.ts';
import type { Clock } from '../model/time.ts';
import { formatDuration } from '../terminal/duration.ts';
import { escapeUnsafe } from '../terminal/escape.ts';
import { formatDateTime } from '../terminal/local-time.ts';
import { whatFor } from './long-waits.ts';

export interface ReportContext {
  readonly zoneAt: Clock['zoneAt'];
  /** How many findings, holders and stuck tasks are shown. */
  readonly top: number;
}

/** Heights of the timeline; nothing for no task. */
const BARS = ' ▁▂▃▄▅▆▇█';
const TIMELINE_WIDTH = 60;
const SHOWN_TASKS = 3;
const SHOWN_FUNCTIONS = 6;
const SHOWN_UNREAD = 5;

/** A report for people, on about one screen. */
export function* formatReport(report: Report, context: ReportContext): Generator<string> {
  yield* section(headLines(report, context));
  yield* section(timelineLines(report, context));
  if (report.findings.length === 0) yield 'No task was blocked in any sample.\n\n';
  const several = report.hosts.length > 1;
  yield* list('blocked, by the time of all tasks together', report.findings, context.top, (finding) =>
    findingLines(finding, several),
  );
  yield* list('held up others', report.holders, context.top, (holder) => [holderLine(holder, several)]);
  yield* list('stuck in one place', report.stuck, context.top, (stuck) => stuckLines(stuck, context, several));
  const unread = report.unread.slice(0, SHOWN_UNREAD).map(({ what, count }) => `${what} (${count} times)`);
  const more = report.unread.length - unread.length;
  if (unread.length > 0)
    yield `${escapeUnsafe(`not read: ${unread.join(', ')}${more > 0 ? `, ${more} more kinds` : ''}`)}\n`;
}

function* section(lines: readonly string[]): Generator<string> {
  if (lines.length > 0) yield `${lines.map(escapeUnsafe).join('\n')}\n\n`;
}

function* list<T>(title: string, all: readonly T[], top: number, linesOf: (one: T) => string[]): Generator<string> {
  if (all.length === 0) return;
  const lines = all.slice(0, top).flatMap(linesOf);
  const more = all.length > top ? [`  ... ${all.length - top} more: --top ${all.length}`] : [];
  yield* section([`${title}:`, ...lines, ...more]);
}

function headLines({ fromMs, toMs, hosts, samples, untimed, gaps }: Report, context: ReportContext): string[] {
  const span =
    fromMs === undefined || toMs === undefined
      ? 'at unknown times'
      : `${moment(fromMs, context)} to ${moment(toMs, context)} (${formatDuration(toMs - fromMs)})`;
  const longest = gaps.reduce((most, gap) => Math.max(most, gap.toMs - gap.fromMs), 0);
  const names =
    hosts.length > 4 ? `${hosts.slice(0, 4).join(', ')} and ${hosts.length - 4} more hosts` : hosts.join(', ');
  return [
    `${names === '' ? 'unknown host' : names}: ${span}`,
    [
      `${samples} sample${samples === 1 ? '' : 's'}`,
      ...(untimed > 0 ? [`${untimed} of them without a time`] : []),
      ...(gaps.length > 0
        ? [`${gaps.length} gap${gaps.length === 1 ? '' : 's'}, the longest ${formatDuration(longest)}`]
        : []),
    ].join(', '),
  ];
}

function timelineLines({ timeline, gaps }: Report, context: ReportContext): string[] {
  const [first, final] = [timeline[0], timeline.at(-1)];
  const most = timeline.reduce((top, { blocked }) => Math.max(top, blocked), 0);
  if (first === undefined || final === undefined || most === 0) return [];
  const span = Math.max(1, final.timeMs - first.timeMs);
  const columns: (number | undefined)[] = Array.from({ length: TIMELINE_WIDTH }, () => undefined);
  const columnOf = (timeMs: number) =>
    Math.min(TIMELINE_WIDTH - 1, Math.floor(((timeMs - first.timeMs) * TIMELINE_WIDTH) / span));
  for (const { timeMs, blocked } of merged(timeline, TIMELINE_WIDTH)) {
    const at = columnOf(timeMs);
    columns[at] = Math.max(columns[at] ?? 0, blocked);
  }
  const isGap = (at: number) => gaps.some(({ fromMs, toMs }) => at > columnOf(fromMs) && at < columnOf(toMs));
  let last = 0;
  const bars = columns
    .map((blocked, at) => {
      // A sample speaks until the next one.
      last = blocked ?? last;
      return blocked === undefined && isGap(at) ? '·' : BARS[Math.ceil((last * (BARS.length - 1)) / most)];
    })
    .join('');
  const peak = timeline.find(({ blocked }) => blocked === most) ?? first;
  const [start = '', end = ''] = [first, final].map(({ timeMs }) => timeOfDay(moment(timeMs, context)));
  const axis = `${start}${end.padStart(TIMELINE_WIDTH + 2 - start.length)}`;
  return [`blocked tasks, at most ${most}, at ${moment(peak.timeMs, context)}:`, `  |${bars}|`, `  ${axis}`];
}

/** A date is in the first line of the report. */
function timeOfDay(text: string): string {
  return text.replace(/^\d+-\d\d-\d\d | after boot$/g, '');
}

function findingLines({ finding, taskSeconds, tasks, count, stack }: ReportedFinding, several: boolean): string[] {
  const shown = tasks.slice(0, SHOWN_TASKS).map(({ host, task, seconds }) => {
    return `${nameOf(task, several ? host : undefined)} ${formatDuration(1000 * seconds)}`;
  });
  const more = count - shown.length;
  return [
    `  ${formatDuration(1000 * taskSeconds)}  ${count} task${count === 1 ? '' : 's'}  ${whatFor(finding)}`,
    `    ${shown.join(', ')}${more > 0 ? ` (+${more})` : ''}`,
    ...(finding.kind === 'unexplained' && stack !== undefined ? [`    ${functionsOf(stack)}`] : []),
  ];
}

function holderLine({ host, tid, comm, taskSeconds, waiters }: ReportedHolder, several: boolean): string {
  const name = [several ? host : undefined, comm ?? '(not seen)', tid].filter((part) => part !== undefined).join(' ');
  return `  ${formatDuration(1000 * taskSeconds)}  ${name} held up ${waiters} task${waiters === 1 ? '' : 's'}`;
}

function stuckLines(stuck: StuckRun, context: ReportContext, several: boolean): string[] {
  const { host, observation, sinceMs, untilMs, isStill, seen, isProven } = stuck;
  const { task, state } = observation;
  const stack = stackOf(observation);
  const how = isProven ? 'it did not run in between' : `seen ${seen} times in the same place`;
  const until = isStill ? 'still there at the end' : `until ${moment(untilMs, context)}`;
  const name = nameOf(task, several ? host : undefined);
  return [
    `  ${formatDuration(untilMs - sinceMs)}  ${name} (${state ?? '?'}) since ${moment(sinceMs, context)}, ${until}; ${how}`,
    ...(stack === undefined ? [] : [`    ${functionsOf(stack)}`]),
  ];
}

function nameOf({ id, comm }: Task, host: string | undefined): string {
  return [host, comm === undefined ? '?' : escapeInvalid(comm), id.tid].filter((part) => part !== undefined).join(' ');
}

/** The innermost functions of a stack, in one line. */
export function functionsOf({ frames }: Stack): string {
  const names = frames.map(({ symbol }) => functionName(symbol));
  const more = names.length > SHOWN_FUNCTIONS ? ' < ...' : '';
  return `${names.slice(0, SHOWN_FUNCTIONS).join(' < ')}${more}`;
}

/** Earlier times are no dates: they count from the host's boot. */
const FIRST_DATE_MS = Date.UTC(1980);

function moment(timeMs: number, { zoneAt }: ReportContext): string {
  if (timeMs < FIRST_DATE_MS) return `${(timeMs / 1000).toFixed(1)} s after boot`;
  const seconds = Math.floor(timeMs / 1000);
  return formatDateTime(seconds, zoneAt(seconds), '-');
}
