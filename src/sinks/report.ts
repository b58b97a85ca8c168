import { adviceOnWait } from '../analysis/advice.ts';
import { functionName } from '../analysis/function-name.ts';
import type { ReportedHolder } from '../analysis/holders/holder-sums.ts';
import { stackOf } from '../analysis/times/blocked-runs.ts';
import type { ReportedFinding } from '../analysis/times/blocked-sums.ts';
import type { Report } from '../analysis/times/report.ts';
import type { StuckRun } from '../analysis/times/stuck.ts';
import { escapeInvalid } from '../model/raw-text.ts';
import type { Unread } from '../model/sample.ts';
import { NO_TASK } from '../model/selection.ts';
import type { Stack } from '../model/stack.ts';
import type { Task } from '../model/task.ts';
import type { Clock } from '../model/time.ts';
import { formatDuration } from '../terminal/duration.ts';
import { escapeUnsafe } from '../terminal/escape.ts';
import { wrapped } from '../terminal/wrapped.ts';
import { counted } from './counted.ts';
import { shownComm, whatFor } from './long-waits.ts';
import { momentsOf, timeOfDay } from './moment.ts';
import { deadlockLines } from './report-deadlocks.ts';
import { fleetSections } from './report-fleet.ts';
import { eventLines, shownHost, timelineLines } from './report-timeline.ts';
import { nameOf as nameOfUnread } from './unread.ts';

export interface ReportContext {
  readonly zoneAt: Clock['zoneAt'];
  /** How many events, findings, holders and stuck tasks are shown. */
  readonly top: number;
  /** The timeline is as wide; longer lines are cut, or go on in the next one. */
  readonly columns: number;
  /** Whether tasks were selected. */
  readonly isSelection?: boolean;
}

/** On a narrower terminal lines go on below: what is cut off is gone. */
const LEAST_CUT = 80;
/** Of the tasks of a finding. */
export const SHOWN_TASKS = 3;
const SHOWN_FUNCTIONS = 6;
const SHOWN_UNREAD = 5;
/** Of the first findings, the usual causes and what to check next are shown, too. */
const ADVISED = 2;
/** In the classic text, a task is called by its command line. */
const LONGEST_NAME = 24;

/** A report for people, on about one screen. */
export function* formatReport(report: Report, context: ReportContext): Generator<string> {
  const { top } = context;
  const several = isOfSeveral(report);
  const shown = function* (lines: readonly string[]) {
    if (lines.length > 0) yield `${lines.map((line) => fitted(line, context)).join('\n')}\n\n`;
  };
  yield* shown(headLines(report, context));
  yield* shown(deadlockLines(report, context, several));
  yield* shown(timelineLines(report, context));
  yield* shown(list('events', report.events, report.eventCount, top, (event) => eventLines(event, context, several)));
  if (report.findings.length === 0) yield `${noneText(report, context)}\n\n`;
  const { findings, holders, fleet } = report;
  if (fleet !== undefined) for (const lines of fleetSections(fleet, context)) yield* shown(lines);
  else
    yield* shown(
      list('blocked, by the time of all tasks together', findings, report.findingCount, top, (finding, at) =>
        findingLines(finding, several, at < ADVISED),
      ),
    );
  yield* shown(list('held up others', holders, report.holderCount, top, (holder) => [holderLine(holder, several)]));
  yield* shown(stuckSection(report, context, several));
  yield* shown(unreadLines(report));
}

function isOfSeveral({ hosts, unnamed = 0 }: Report): boolean {
  return hosts.length + Math.sign(unnamed) > 1;
}

function noneText({ samples, empty }: Report, { isSelection = false }: ReportContext): string {
  return isSelection && empty === samples ? `${NO_TASK}.` : 'No task was blocked in any sample.';
}

/** A command that is cut off is another one. */
const WHOLE = /^ {4}next: /;
/** Lists are cut, and sentences go on in the next line. */
const SENTENCE = /^(?:\S| {2}(?:at least )?\d| {4}causes: )/;

function fitted(line: string, { columns }: ReportContext): string {
  const text = escapeUnsafe(line);
  const most = Math.max(columns, LEAST_CUT);
  if (WHOLE.test(text)) return text;
  if (SENTENCE.test(text)) return columns < LEAST_CUT ? text : wrapped(text, columns).join('\n');
  return text.length <= most ? text : `${text.slice(0, most - 3)}...`;
}

function list<T>(
  title: string,
  all: readonly T[],
  count: number,
  top: number,
  linesOf: (one: T, at: number) => string[],
): string[] {
  if (all.length === 0) return [];
  const more = count > top ? [`  ... ${count - top} more: --top ${count}`] : [];
  return [`${title}:`, ...all.slice(0, top).flatMap(linesOf), ...more];
}

const SHOWN_HOSTS = 4;
const NO_DATE = 'not in the timeline (dmesg --time-format iso tells the time)';

function headLines(report: Report, context: ReportContext): string[] {
  const { fromMs, toMs, samples, unnamed = 0, untimed, sinceBoot = 0, empty, gaps } = report;
  const hosts = unnamed > 0 ? [...report.hosts, shownHost(undefined)] : report.hosts;
  const span = fromMs === undefined || toMs === undefined ? 'at unknown times' : spanText(fromMs, toMs, context);
  const longest = gaps.reduce((most, gap) => Math.max(most, gap.toMs - gap.fromMs), 0);
  const names =
    hosts.length > SHOWN_HOSTS
      ? `${hosts.slice(0, SHOWN_HOSTS).join(', ')} and ${hosts.length - SHOWN_HOSTS} more hosts`
      : hosts.join(', ');
  return [
    `${names === '' ? shownHost(undefined) : names}: ${span}`,
    [
      counted(samples, 'sample'),
      ...(isOfSeveral(report) && unnamed > 0 ? [`${unnamed} of them without a host name`] : []),
      ...(sinceBoot > 0 ? [`${sinceBoot} of them with only a time since boot: ${NO_DATE}`] : []),
      ...(untimed > 0 ? [`${untimed} of them without a time`] : []),
      ...(empty > 0 ? [`${empty} of them without a task`] : []),
      ...(gaps.length > 0 ? [`${counted(gaps.length, 'gap')}, the longest ${formatDuration(longest)}`] : []),
    ].join(', '),
  ];
}

/** A single sample lasts no time. */
function spanText(fromMs: number, toMs: number, context: ReportContext): string {
  const [from, to] = momentsOf(fromMs, toMs, context);
  return fromMs === toMs ? from : `${from} to ${to} (${formatDuration(toMs - fromMs)})`;
}

function lasting(ms: number, isAtLeast: boolean): string {
  return `${isAtLeast ? 'at least ' : ''}${formatDuration(ms)}`;
}

function findingLines(reported: ReportedFinding, several: boolean, isAdvised: boolean): string[] {
  const { finding, taskSeconds, isAtLeast, tasks, count, stack } = reported;
  const shown = tasks.slice(0, SHOWN_TASKS).map((each) => {
    const { host, task, seconds } = each;
    return `${nameOf(task, several ? shownHost(host) : undefined)} ${lasting(1000 * seconds, each.isAtLeast)}`;
  });
  const more = count - shown.length;
  const [check] = adviceOnWait(reported, several).next;
  return [
    `  ${lasting(1000 * taskSeconds, isAtLeast)}  ${counted(count, 'task')}  ${whatFor(finding)}`,
    `    ${shown.join(', ')}${more > 0 ? ` (+${more})` : ''}`,
    ...(isAdvised && finding.causes !== '' ? [`    causes: ${finding.causes}`] : []),
    ...(isAdvised && check !== undefined ? [`    next: ${check}`] : []),
    ...(finding.kind === 'unexplained' && stack !== undefined ? [`    ${functionsOf(stack)}`] : []),
  ];
}

function holderLine({ host, key, name, taskSeconds, waiters }: ReportedHolder, several: boolean): string {
  const number = typeof key === 'number' ? key : undefined;
  const unnamed = typeof key === 'number' ? '(not seen)' : shortened(key);
  const known = name === undefined ? unnamed : shortened(name);
  const named = [several ? shownHost(host) : undefined, known, number].filter((part) => part !== undefined).join(' ');
  // A single sample lasts no time.
  const time = taskSeconds === 0 ? '' : `${formatDuration(1000 * taskSeconds)}  `;
  return `  ${time}${named} held up ${counted(waiters, 'task')}`;
}

/** Tasks of one name of which the same is to be told stand in one line. */
function stuckSection({ stuck, stuckCount }: Report, context: ReportContext, several: boolean): string[] {
  const alike = new Map<string, { readonly run: StuckRun; count: number }>();
  for (const run of stuck) {
    const key = stuckKey(run);
    const known = alike.get(key);
    if (known === undefined) alike.set(key, { run, count: 1 });
    else known.count++;
  }
  const groups = [...alike.values()];
  const told = groups.slice(0, context.top).reduce((sum, { count }) => sum + count, 0);
  const more = stuckCount - told;
  return list('stuck in one place', groups, context.top + more, context.top, ({ run, count }) => {
    const { task } = run.observation;
    const name = count === 1 ? nameOf(task, undefined) : `${count} x ${commOf(task)}`;
    return stuckLines(run, name, context, several);
  });
}

/** The same for runs of which the same is told: what is shown of a thousand takes longer. */
function stuckKey(run: StuckRun): string {
  const { host, observation, sinceMs, untilMs, isStill, isReported = false } = run;
  const stack = stackOf(observation);
  const times = [Math.floor(sinceMs / 1000), Math.floor(untilMs / 1000), lasting(untilMs - sinceMs, isReported)];
  const told = [host, commOf(observation.task), observation.state, isStill, howStuck(run)];
  return [...times, ...told, stack === undefined ? undefined : functionsOf(stack)].join('\n');
}

function stuckLines(run: StuckRun, name: string, context: ReportContext, several: boolean): string[] {
  const { host, observation, sinceMs, untilMs, isStill, isReported = false } = run;
  const stack = stackOf(observation);
  const [since, end] = momentsOf(sinceMs, untilMs, context);
  const isSameDay = since.split(' ')[0] === end.split(' ')[0];
  const until = isStill ? 'still there at the end' : `until ${isSameDay ? timeOfDay(end) : end}`;
  const named = several ? `${shownHost(host)} ${name}` : name;
  return [
    `  ${lasting(untilMs - sinceMs, isReported)}  ${named} (${observation.state ?? '?'}) since ${since}, ${until}`,
    `    ${howStuck(run)}${stack === undefined || stack.frames.length === 0 ? '' : `: ${functionsOf(stack)}`}`,
  ];
}

/** How it is known that a task was stuck. A log has no counts: only where the kernel itself says so, it is proven. */
export function howStuck({ isProven, isReported, seen }: StuckRun): string {
  if (isProven) return isReported === true ? 'the kernel says that it did not run' : 'it did not run in between';
  return seen === 1 ? 'seen once' : `seen ${seen} times in the same place`;
}

function unreadLines({ unread }: Report): string[] {
  if (unread.length === 0) return [];
  const shown = unread
    .slice(0, SHOWN_UNREAD)
    .map((each) => `${missingText(each)} ${each.count === 1 ? 'once' : `${each.count} times`}`);
  const more = unread.length - shown.length;
  return [`not read: ${shown.join(', ')}${more > 0 ? `, and ${counted(more, 'more kind')}` : ''}`];
}

/** `kernel stack (no answer in time)` */
export function missingText({ what, why }: Pick<Unread, 'what' | 'why'>): string {
  return `${nameOfUnread(what)} (${SHORT_REASONS[why] ?? why})`;
}

/** Other reasons are names of errnos, or say enough. */
const SHORT_REASONS: Readonly<Partial<Record<Unread['why'], string>>> = {
  gone: 'the process was gone',
  timeout: 'no answer in time',
  skipped: 'too many other reads hung',
  locked: "the process's mmap lock was held",
  denied: 'permission denied',
  malformed: 'not in the expected form',
  EAGAIN: 'no thread left to read with',
  cut: 'only its beginning: too long',
};

function commOf({ comm }: Task): string {
  return shortened(shownComm(comm));
}

function nameOf(task: Task, host: string | undefined): string {
  return [host, commOf(task), task.id.tid].filter((part) => part !== undefined).join(' ');
}

function shortened(comm: string): string {
  const name = escapeInvalid(comm);
  return name.length <= LONGEST_NAME ? name : `${name.slice(0, LONGEST_NAME - 3)}...`;
}

/** The innermost functions of a stack, in one line. */
export function functionsOf({ frames }: Stack): string {
  const names = frames.map(({ symbol }) => functionName(symbol));
  const more = names.length > SHOWN_FUNCTIONS ? ' < ...' : '';
  return `${names.slice(0, SHOWN_FUNCTIONS).join(' < ')}${more}`;
}
