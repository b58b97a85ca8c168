import type { ReportedDeadlock } from '../analysis/holders/deadlock-times.ts';
import type { Report } from '../analysis/times/report.ts';
import type { Clock } from '../model/time.ts';
import { formatDuration } from '../terminal/duration.ts';
import { edgePhrase } from './edge-phrases.ts';
import { safe, timeIn } from './json-values.ts';
import { byTarget, deadlockText, MOST_NAMES, namesOf, someNames } from './long-waits.ts';
import { momentsOf } from './moment.ts';
import { shownHost } from './report-timeline.ts';
import { edgeEntry } from './wait-values.ts';

const MOST_EDGES = 6;

/** Who waited for whom in circles, and since when. None of them ends by itself. */
export function deadlockLines(
  { deadlocks = [], deadlockCount = 0 }: Report,
  { zoneAt, top }: { readonly zoneAt: Clock['zoneAt']; readonly top: number },
  several: boolean,
): string[] {
  const lines = deadlocks.slice(0, top).flatMap((deadlock) => {
    const { host, edges, observations, resources, isConfirmed } = deadlock;
    const names = namesOf([{ observations }], resources);
    const waits = byTarget(edges);
    const where = several ? ` on ${shownHost(host)}` : '';
    return [
      `${deadlockText(isConfirmed)}${where}${timeText(deadlock, zoneAt)}:`,
      ...waits
        .slice(0, MOST_EDGES)
        .map(
          ([edge, keys]) =>
            `  ${someNames(keys, names, MOST_NAMES)} ${keys.length === 1 ? 'waits' : 'wait'} for ${edgePhrase(edge, names)}`,
        ),
      ...(waits.length > MOST_EDGES ? [`  ... and ${waits.length - MOST_EDGES} other waits`] : []),
    ];
  });
  return deadlockCount > top ? [...lines, `... ${deadlockCount - top} more deadlocks: --top ${deadlockCount}`] : lines;
}

function timeText({ sinceMs, untilMs, isStill }: ReportedDeadlock, zoneAt: Clock['zoneAt']): string {
  if (sinceMs === undefined || untilMs === undefined) return ', at an unknown time';
  const [since, until] = momentsOf(sinceMs, untilMs, { zoneAt });
  const end = isStill ? 'still there at the end' : `until ${until}`;
  return ` for ${formatDuration(untilMs - sinceMs)}, since ${since}, ${end}`;
}

/** The same in JSON. */
export function deadlockEntry(deadlock: ReportedDeadlock) {
  const { host, edges, observations, sinceMs, untilMs, isStill, isConfirmed, seen } = deadlock;
  return {
    host: safe(host),
    certain: isConfirmed,
    since: timeIn(sinceMs),
    until: timeIn(untilMs),
    isStill,
    seen,
    tasks: observations.map(({ task: { id, pid, comm } }) => ({
      pid: pid ?? null,
      tid: id.tid ?? null,
      comm: safe(comm),
    })),
    edges: edges.map((edge, id) => ({ id, ...edgeEntry(edge) })),
  };
}
