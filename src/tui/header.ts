import { KINDS } from '../analysis/explain/explain-sample.ts';
import type { KindCounts } from '../model/finding.ts';
import type { HostState } from '../model/host-state.ts';
import { PRESSURES } from '../model/pressure.ts';
import type { Sample } from '../model/sample.ts';
import type { Clock } from '../model/time.ts';
import { moment, timeOfDay } from '../sinks/moment.ts';
import { barOf } from '../terminal/bars.ts';
import { formatDuration } from '../terminal/duration.ts';
import { escapeUnsafe } from '../terminal/escape.ts';
import { type Cell, type Line, line, NARROW } from './cells.ts';

/** How many tasks were blocked in a sample that was seen. */
export interface Beat {
  readonly timeMs: number | undefined;
  readonly blocked: number;
}

export interface HeaderContext {
  readonly zoneAt: Clock['zoneAt'];
  readonly columns: number;
  /** As it is now; a recording does not tell. */
  readonly host: HostState;
  /** Of the samples up to the one that is shown. */
  readonly beats: readonly Beat[];
  /** What the view does: `every 1 s`, `paused`. */
  readonly mode: string;
}

const WIDEST_CHART = 60;

/** The lines above the table: which host, how busy it is, what its tasks do, and how many were blocked lately. */
export function headerLines(sample: Sample, counts: KindCounts, context: HeaderContext): Line[] {
  return [
    titleLine(sample, context),
    line(busyText(sample, context.host)),
    countLine(sample, counts),
    chartLine(context),
  ];
}

function titleLine({ host, kernel, timeMs }: Sample, { zoneAt, mode, columns }: HeaderContext): Line {
  const isNarrow = columns < NARROW;
  const time = timeMs === undefined ? 'at an unknown time' : moment(timeMs, { zoneAt });
  const parts = [
    ...(kernel === undefined || isNarrow ? [] : [`Linux ${escapeUnsafe(kernel)}`]),
    isNarrow ? timeOfDay(time) : time,
    mode,
  ];
  return [{ text: escapeUnsafe(host ?? 'unknown host'), style: 'bold' }, { text: `  ${parts.join('  ')}` }];
}

function busyText({ pressure = {} }: Sample, { load, cpus }: HostState): string {
  const stalls = PRESSURES.flatMap((name) => {
    const stall = pressure[name];
    if (stall === undefined) return [];
    return [`${name} ${stall.some} %${(stall.full ?? 0) === 0 ? '' : ` (all ${stall.full} %)`}`];
  });
  return [
    ...(load === undefined ? [] : [`load ${load.join(' ')}${cpus === undefined ? '' : ` on ${cpus} CPUs`}`]),
    stalls.length === 0 ? 'no pressure is known' : `pressure ${stalls.join(', ')}`,
  ].join('  ');
}

function countLine(sample: Sample, counts: KindCounts): Line {
  const { observations, leftOut } = sample;
  const states = new Map<string, number>();
  for (const { state = '?' } of observations) states.set(state, (states.get(state) ?? 0) + 1);
  const tasks = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const letters = [...states].sort(([a], [b]) => (a < b ? -1 : 1)).map(([state, count]) => `${count} ${state}`);
  const cells: Cell[] = [{ text: `${tasksText(tasks, sample.threads)}: ${letters.join(', ')}` }];
  for (const kind of KINDS)
    cells.push({ text: `  ${counts[kind]} ${kind}`, style: counts[kind] === 0 ? 'plain' : kind });
  if (leftOut.threads !== undefined) cells.push({ text: `  ${leftOut.threads} more threads: t` });
  return cells;
}

function tasksText(tasks: number, threads: boolean): string {
  if (threads) return tasks === 1 ? '1 task' : `${tasks} tasks`;
  return tasks === 1 ? '1 process' : `${tasks} processes`;
}

function chartLine({ beats, columns }: HeaderContext): Line {
  const now = beats.at(-1)?.blocked ?? 0;
  const shown = beats.slice(-WIDEST_CHART);
  const most = shown.reduce((top, { blocked }) => Math.max(top, blocked), 0);
  const [first, last] = [shown[0]?.timeMs, shown.at(-1)?.timeMs];
  const span = first === undefined || last === undefined || last <= first ? '' : ` in ${formatDuration(last - first)}`;
  const text = `blocked now ${now}, at most ${most}${span}  `;
  const bars = shown.map(({ blocked }) => barOf(blocked, most)).slice(-Math.max(1, columns - text.length));
  return [{ text }, { text: bars.join(''), style: most === 0 ? 'plain' : 'blocked' }];
}
