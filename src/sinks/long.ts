import { changing, filledAdvice } from '../analysis/advice.ts';
import { countKinds, explainGroups } from '../analysis/explain/explain-sample.ts';
import { waitGraph } from '../analysis/holders/wait-graph.ts';
import { type Edge, edgesByStart, type NodeKey, type WaitGraph } from '../model/edge.ts';
import type { Event } from '../model/event.ts';
import type { ExplainedGroup, Finding, KindCounts } from '../model/finding.ts';
import { PRESSURES, type Pressure } from '../model/pressure.ts';
import type { Sample } from '../model/sample.ts';
import type { Frame } from '../model/stack.ts';
import { forDuration, formatDuration } from '../terminal/duration.ts';
import { escapeUnsafe } from '../terminal/escape.ts';
import { formatDateLine, formatDateTime } from '../terminal/local-time.ts';
import { counted } from './counted.ts';
import { eachSample, type Format, type WriteContext } from './format.ts';
import { callLines, taskLines } from './long-tasks.ts';
import { behindLines, namesOf, waitLines, whatForWithin } from './long-waits.ts';

/** Paragraphs for people: one for each group of tasks with the same stack, and a summary line. */
export const format: Format = {
  fields: ['uid', 'cgroup', 'systemCall'],
  facts: true,
  edges: true,
  binary: false,
  prose: true,
  write: eachSample(formatLong),
};

const MOST_WCHANS = 4;
/** Longer symbols do not move the columns farther to the right. */
const WIDEST_SYMBOL = 48;

const STYLE = { bold: 1, dim: 2, blocked: 31, running: 32, unexplained: 33, idle: 36 } as const;

type Style = (name: keyof typeof STYLE, text: string) => string;

function* formatLong(sample: Sample, { zoneAt, colour, full }: WriteContext): Generator<string> {
  const style: Style = (name, text) => (colour ? `\x1b[${STYLE[name]}m${text}\x1b[0m` : text);
  yield `${titleOf(sample, zoneAt)}\n\n`;
  const events = eventLines(sample, zoneAt);
  for (const line of events) yield `${style('bold', line)}\n`;
  if (events.length > 0) yield '\n';
  const counts = countKinds(sample);
  const graph = waitGraph(sample);
  const groups = explainGroups(sample);
  const holders = explainGroups({ ...sample, observations: sample.holders });
  const names = namesOf([...holders, ...groups], sample.resources);
  for (const line of waitLines(graph, [...holders, ...groups], names)) yield `${style('blocked', line)}\n`;
  if (graph.roots.length + graph.cycles.length > 0) yield '\n';
  const total = sum(Object.values(counts));
  const options = { full, threads: sample.threads, names, out: edgesByStart(graph.edges) };
  for (const group of holders) yield* paragraph(group, 'not selected', options, style);
  for (const group of inOrder(groups, graph)) {
    const share = `${((100 * group.observations.length) / total).toFixed(1)} %`;
    yield* paragraph(group, share, options, style);
  }
  const missing = missingFacts(sample);
  if (missing !== undefined) yield `${style('dim', missing)}\n`;
  yield `${summary(total, counts)}\n`;
}

function titleOf({ timeMs, host, kernel }: Sample, zoneAt: WriteContext['zoneAt']): string {
  const seconds = Math.floor((timeMs ?? 0) / 1000);
  const parts = [
    timeMs === undefined ? 'at an unknown time' : formatDateLine(seconds, zoneAt(seconds)),
    ...(host === undefined ? [] : [escapeUnsafe(host)]),
    ...(kernel === undefined ? [] : [`Linux ${escapeUnsafe(kernel)}`]),
  ];
  return parts.join(' - ');
}

const MOST_EVENTS = 10;

/** What happened since the sample before, and the pressures that are not 0. */
function eventLines({ events = [], pressure }: Sample, zoneAt: WriteContext['zoneAt']): string[] {
  const more = events.length - MOST_EVENTS;
  return [
    ...events.slice(0, MOST_EVENTS).map((event) => `event     ${escapeUnsafe(eventText(event, zoneAt))}`),
    ...(more > 0 ? [`          ... ${counted(more, 'more event')}`] : []),
    ...pressureLine(pressure),
  ];
}

function eventText({ timeMs, uptimeSeconds, kind, text }: Event, zoneAt: WriteContext['zoneAt']): string {
  const seconds = Math.floor((timeMs ?? 0) / 1000);
  const when = timeMs === undefined ? '' : `${formatDateTime(seconds, zoneAt(seconds), '-')}  `;
  const since = timeMs === undefined && uptimeSeconds !== undefined ? `${uptimeSeconds} s after boot  ` : '';
  return `${when}${since}${kind}: ${text}`;
}

function pressureLine(pressure: Pressure = {}): string[] {
  const stalls = PRESSURES.flatMap((name) => {
    const { some = 0, full = 0 } = pressure[name] ?? {};
    return some === 0 ? [] : [`${name} ${some} %${full === 0 ? '' : ` (all tasks: ${full} %)`}`];
  });
  return stalls.length === 0 ? [] : [`pressure  ${stalls.join(', ')}`];
}

function* paragraph(
  group: ExplainedGroup,
  share: string,
  options: {
    readonly full: boolean;
    readonly threads: boolean;
    readonly names: (key: NodeKey) => string;
    readonly out: ReadonlyMap<NodeKey, readonly Edge[]>;
  },
  style: Style,
): Generator<string> {
  const { finding, observations, stack } = group;
  const { kind } = finding;
  const since = forHowLong(
    observations.map(({ facts }) => (kind === 'running' ? facts?.onCpuMs : facts?.offCpuMs)),
    observations.some(({ facts }) => facts?.atLeast === true),
  );
  const count = style('bold', counted(observations.length, 'task'));
  yield `${count} (${share})  ${style(kind, kind)}${since}  ${style('bold', whatForWithin(finding))}\n`;
  const isAdvised = options.full || kind !== 'idle';
  const rows = [
    ...row('tasks', taskLines(group, options)),
    ...row(
      'stack',
      frameLines(stack?.frames ?? [], (text) => style('idle', text)),
    ),
    ...row('wchan', wchanLines(group)),
    ...row('call', callLines(group, options)),
    ...row('behind', behindLines(group, options.out, options.names)),
    ...(isAdvised ? advice(group) : []),
  ];
  yield `${rows.map(([label, line]) => `  ${style('dim', label.padEnd(7))} ${line}\n`).join('')}\n`;
}

/** Names the facts that only bpf provides, if they are missing. */
function missingFacts({ source, observations }: Sample): string | undefined {
  if (source?.name !== 'procfs' || observations.length === 0) return undefined;
  const why = source.why === undefined ? '' : ` (${escapeUnsafe(source.why)})`;
  // Of those that wait, /proc tells it.
  const tasks = observations.some(({ facts }) => facts?.offCpuMs !== undefined) ? 'other tasks' : 'tasks';
  return `Not shown, since the source is procfs${why}: for how long ${tasks} have been off the CPU, and who holds the locks of the kernel that they wait for.`;
}

const KIND_RANK: Readonly<Record<Finding['kind'], number>> = { blocked: 0, unexplained: 1, running: 2, idle: 3 };

/**
 * Sorts by kind: blocked, unexplained, running, idle. Within a kind, tasks that hold up others come first, then the
 * largest groups. kstack itself comes last.
 */
function inOrder(groups: readonly ExplainedGroup[], { roots, cycles }: WaitGraph): ExplainedGroup[] {
  const keys = [...cycles.flatMap(({ edges }) => edges.map(({ from }) => from)), ...roots.map(({ key }) => key)];
  const ranks = new Map(keys.map((key, rank) => [key, rank]));
  const rankOf = ({ observations }: ExplainedGroup) => {
    let least = ranks.size;
    for (const { task } of observations) least = Math.min(least, ranks.get(task.id.tid ?? 0) ?? least);
    return least;
  };
  const isOwn = ({ observations }: ExplainedGroup) => Number(observations.every(({ task }) => task.own === true));
  return groups
    .map((group) => ({ group, own: isOwn(group), kind: KIND_RANK[group.finding.kind], rank: rankOf(group) }))
    .sort((a, b) => a.own - b.own || a.kind - b.kind || a.rank - b.rank)
    .map(({ group }) => group);
}

/** How long tasks have been off their CPUs, or on them: ` for 4 min 12 s`, or ` for 3 s to 4 min 12 s`. */
function forHowLong(told: readonly (number | undefined)[], isAtLeast: boolean): string {
  const times = told.filter((each) => each !== undefined);
  if (times.length === 0) return '';
  const least = times.reduce((a, b) => Math.min(a, b));
  const most = formatDuration(times.reduce((a, b) => Math.max(a, b)));
  return `${forDuration(least, isAtLeast)}${formatDuration(least) === most ? '' : ` to ${most}`}`;
}

function row(label: string, lines: readonly string[]): [string, string][] {
  return lines.map((line, at) => [at === 0 ? label : '', line]);
}

function frameLines(frames: readonly Frame[], colourModule: (text: string) => string): string[] {
  const widest = (texts: readonly string[]) => texts.reduce((most, text) => Math.max(most, text.length), 0);
  const places = frames.map(({ offset, size }) => {
    if (offset === undefined) return '';
    return `+0x${offset.toString(16)}${size === undefined ? '' : `/0x${size.toString(16)}`}`;
  });
  const names = frames.map(({ symbol }) => escapeUnsafe(symbol));
  const nameWidth = Math.min(WIDEST_SYMBOL, widest(names));
  const placeWidth = widest(places);
  return frames.map(({ module }, at) => {
    const line = `${(names[at] ?? '').padEnd(nameWidth)}  ${(places[at] ?? '').padEnd(placeWidth)}`;
    return module === undefined ? line.trimEnd() : `${line}  ${colourModule(`[${escapeUnsafe(module)}]`)}`;
  });
}

/** Where the tasks wait whose stack could not be read, if the kernel tells that without taking a lock. */
function wchanLines({ observations }: ExplainedGroup): string[] {
  return [...new Set(observations.flatMap(({ wchan }) => wchan ?? []))].slice(0, MOST_WCHANS).map(escapeUnsafe);
}

function advice({ finding, observations }: ExplainedGroup): [string, string][] {
  const { causes, rule } = finding;
  const { next, undo } = filledAdvice(finding, observations);
  return [
    ...row('causes', causes === '' ? [] : [causes]),
    ...row('next', next.map(escapeUnsafe)),
    ...row(
      'undo',
      undo.map((command) => changing(escapeUnsafe(command))),
    ),
    ...row('rule', rule === undefined ? [] : [rule]),
  ];
}

function summary(total: number, { blocked, idle, running, unexplained }: KindCounts): string {
  return `${counted(total, 'task')} seen: ${blocked} blocked, ${idle} idle, ${running} running, ${unexplained} unexplained.`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
