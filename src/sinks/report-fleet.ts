import type { Fleet, FleetWait, UnlikeHost } from '../model/fleet.ts';
import type { Clock } from '../model/time.ts';
import { formatDuration } from '../terminal/duration.ts';
import { counted, meanTasks } from './counted.ts';
import { whatFor } from './long-waits.ts';
import { moment } from './moment.ts';

interface FleetContext {
  readonly zoneAt: Clock['zoneAt'];
  readonly top: number;
}

const SHOWN_NAMES = 3;
/** Of the first waits, the usual causes and what to check next are shown, too. */
const ADVISED = 2;

/** What several hosts say together, section by section. */
export function fleetSections(fleet: Fleet, context: FleetContext): string[][] {
  const { waits, waitCount, fresh, unlike, usualLoad } = fleet;
  const { top } = context;
  const more = waitCount > top ? [`  ... ${waitCount - top} more: --top ${waitCount}`] : [];
  const lines = waits.slice(0, top).flatMap((wait, at) => waitLines(wait, context, at < ADVISED));
  const news = (fresh ?? []).slice(0, top).flatMap((wait) => waitLines(wait, context, false));
  const strange = unlike.slice(0, top).map(unlikeLine);
  return [
    lines.length === 0 ? [] : ['blocked, by the time of all tasks together:', ...lines, ...more],
    news.length === 0 ? [] : ['new, never seen before on these hosts:', ...news],
    strange.length === 0
      ? []
      : [`hosts unlike the rest, where ${meanTasks(usualLoad)} tasks are blocked on average:`, ...strange],
  ];
}

function waitLines(wait: FleetWait, context: FleetContext, isAdvised: boolean): string[] {
  const { finding, taskSeconds, tasks, hosts, names, kernels, modules, firstMs } = wait;
  const [check] = finding.next;
  const parts = [
    listed(names, hosts),
    `since ${moment(firstMs, context)}`,
    ...(kernels.length > 0 ? [`kernel ${listed(kernels, kernels.length)}`] : []),
    ...(modules.length > 0 ? [`in ${listed(modules, modules.length)}`] : []),
  ];
  return [
    `  ${formatDuration(1000 * taskSeconds)}  ${counted(tasks, 'task')} on ${counted(hosts, 'host')}  ${whatFor(finding)}`,
    `    ${parts.join('; ')}`,
    ...(isAdvised && finding.causes !== '' ? [`    causes: ${finding.causes}`] : []),
    ...(isAdvised && check !== undefined ? [`    next: ${check}`] : []),
  ];
}

function listed(names: readonly string[], count: number): string {
  const shown = names.slice(0, SHOWN_NAMES);
  return `${shown.join(', ')}${count > shown.length ? ` (+${count - shown.length})` : ''}`;
}

function unlikeLine({ host, load, finding, part }: UnlikeHost): string {
  return `  ${host}: ${meanTasks(load)} tasks blocked on average; ${Math.round(100 * part)} % of that: ${whatFor(finding)}`;
}
