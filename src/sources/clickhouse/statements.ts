import { inScope, listOf, type Scope } from './scope.ts';

// The statements that a report and a comparison are added up by. They are written for ClickHouse 18.16: it joins two
// tables only, the left one being the one in FROM, and knows no WITH and no window functions.

/** As in pace.ts: what is further apart is a gap, and the usual interval is the median of the latest ones. */
const GAP_INTERVALS = 3;
const USUAL_OF = 31;

/**
 * The samples of the scope with their place among those of their host: `at` from 1 to `last`, `next_ms` for how long
 * each speaks, and `gap_ms` how much longer it takes until the next one. Within a stream span_ms tells; between two
 * streams of one host the interval does. Where two recorders of a host ran at once, it is the time to the next sample of
 * either, as in a report of both recordings.
 */
export function placedSamples(scope: Scope): string {
  const row = "(time_ms, sample, ifNull(span_ms, -1), cityHash64(ifNull(boot_id, '')), source = 'text')";
  // A log of events has no spans: it does not tell for how long.
  const speaks = 'arrayExists(x -> x.3 >= 0 OR NOT x.5, placed)';
  const span = `multiIf(x.3 >= 0, least(x.3, step), x.5, 0, step > ${GAP_INTERVALS} * usual, usual, step)`;
  // Each step is a SELECT of its own: else the expression of one column is put into the functions of another, which take
  // a copy of all arrays in it for each element. Joined under their own names, arrays are not repeated either.
  return `SELECT
  host, placed.1 AS time_ms, placed.2 AS sample, placed.4 AS boot,
  at, last,
  nexts AS next_ms,
  steps - nexts AS gap_ms
FROM (
  SELECT
    host, placed,
    arrayPushBack(arrayPopFront(spans), usual) AS nexts,
    arrayPushBack(arrayPopFront(steps), usual) AS steps,
    arrayEnumerate(placed) AS at,
    length(placed) AS last
  FROM (
    SELECT host, placed, steps, usual, arrayMap((x, step) -> ${span}, placed, steps) AS spans
    FROM (
      SELECT
        host, placed, steps,
        if(${speaks} AND notEmpty(latest), latest[intDiv(length(latest), 2) + 1], 0) AS usual
      FROM (
        SELECT host, placed, steps, arraySort(arraySlice(arrayFilter(x -> x > 0, steps), -${USUAL_OF})) AS latest
        FROM (
          SELECT host, placed, arrayDifference(arrayMap(x -> x.1, placed)) AS steps
          FROM (
            SELECT host, arraySort(groupArray(${row})) AS placed
            FROM samples FINAL
            WHERE ${inScope(scope)} AND time_ms > 0
            GROUP BY host
          )
        )
      )
    )
  )
)
ARRAY JOIN placed, nexts, steps, at`;
}

/** Rows of a table of the scope with the place of their sample. */
export function placedRows(table: 'blocked' | 'roots', scope: Scope): string {
  const places = `SELECT sample, boot, at, last, next_ms FROM (${placedSamples(scope)})`;
  return `${table} FINAL ALL INNER JOIN (${places}) USING sample`;
}

/** A task in one place: as long as it does not run, the number of its context switches stays the same. */
const PLACE = 'host, boot, tid, start_ticks, comm, rule, waits_for, stack, switches';

/** Each task that was blocked in one finding, with `ms`, for how long. */
function blockedTasks(scope: Scope): string {
  // What did not run was blocked before its first sample and in gaps, too.
  const since = 'argMin(time_ms - ifNull(off_cpu_ms, 0), at)';
  return `SELECT
  host, boot, tid, start_ticks, rule, waits_for,
  greatest(sum(sampled), sum(proven)) AS ms,
  argMin(comm, first) AS comm,
  argMin(pid, first) AS pid,
  argMin(finding, first) AS finding,
  argMin(ifNull(stack, 0), first) AS stack
FROM (
  SELECT
    ${PLACE},
    toFloat64(sum(next_ms)) AS sampled,
    if(isNull(switches), toFloat64(0), max(time_ms) - ${since}) AS proven,
    min(time_ms) AS first,
    any(ifNull(pid, 0)) AS pid,
    any(finding) AS finding
  FROM ${placedRows('blocked', scope)}
  WHERE ${inScope(scope)}
  GROUP BY ${PLACE}
)
GROUP BY host, boot, tid, start_ticks, rule, waits_for`;
}

export const FINDING_COLUMNS = ['rule', 'waits_for', 'ms', 'tasks', 'finding', 'stack'] as const;

/** What was blocked on, with the time of all tasks together. */
export function findings(scope: Scope): string {
  return `SELECT
  rule, waits_for,
  sum(ms) AS ms,
  count() AS tasks,
  any(finding) AS finding,
  any(stack) AS stack
FROM (${blockedTasks(scope)})
GROUP BY rule, waits_for
ORDER BY ms DESC, tasks DESC`;
}

/** The tasks of each finding that were blocked longest, so many of each. */
export function longestTasks(scope: Scope, each: number): string {
  return `SELECT rule, waits_for, host, tid, pid, comm, ms
FROM (${blockedTasks(scope)})
ORDER BY ms DESC, host, tid
LIMIT ${each} BY rule, waits_for`;
}

export const HOLDER_COLUMNS = ['host', 'tid', 'resource', 'name', 'ms'] as const;

const HOLDER = 'host, tid, resource, name';
const IS_HOLDER = "kind != 'deadlock' AND holds_up";

export function holders(scope: Scope): string {
  return `SELECT ${HOLDER}, sum(next_ms * tasks) AS ms
FROM ${placedRows('roots', scope)}
WHERE ${inScope(scope)} AND ${IS_HOLDER}
GROUP BY ${HOLDER}
ORDER BY ms DESC, host, tid, resource`;
}

/** How many tasks waited for these tasks and resources, in all samples together. Their lists are long to read. */
export function waitersOf(scope: Scope, hosts: Iterable<string>, names: Iterable<string>): string {
  const key = "concat(host, '/', ifNull(toString(tid), ''), '/', ifNull(resource, ''), '/', ifNull(name, ''))";
  return `SELECT ${key} AS holder, uniqExactArray(arrayFilter(x -> x != '', splitByChar(',', waiters))) AS waiters
FROM roots
WHERE ${inScope(scope)} AND host IN ${listOf(hosts)} AND ${IS_HOLDER} AND ${key} IN ${listOf(names)}
GROUP BY holder`;
}

export const STUCK_COLUMNS = [
  'host',
  'tid',
  'pid',
  'comm',
  'state',
  'since_ms',
  'until_ms',
  'seen',
  'is_still',
  'is_proven',
  'finding',
  'stack',
] as const;

/** As in stuck.ts: seen once, a task counts if it had not run for so long. */
const LEAST_MS = 1000;

/**
 * Tasks that stayed in one place. One that may have run is there as often as it was seen in samples that follow each
 * other; one that did not, once.
 */
export function stuckTasks(scope: Scope): string {
  const sighting = '(at, time_ms, time_ms - ifNull(off_cpu_ms, 0), state, finding)';
  return `SELECT
  host, tid, any(a_pid) AS pid, comm, stack,
  argMin(one.4, one.1) AS state,
  argMin(one.5, one.1) AS finding,
  argMin(one.3, one.1) AS since_ms,
  max(one.2) AS until_ms,
  count() AS seen,
  max(one.1) = max(last_at) AS is_still,
  isNotNull(switches) AS is_proven
FROM (
  SELECT ${PLACE}, a_pid, last_at, one, arrayEnumerate(one) AS number
  FROM (
  SELECT
    ${PLACE},
    any(ifNull(pid, 0)) AS a_pid,
    any(last) AS last_at,
    arraySort(x -> x.1, groupArray(${sighting})) AS one
  FROM ${placedRows('blocked', scope)}
  WHERE ${inScope(scope)}
  GROUP BY ${PLACE}
  )
)
ARRAY JOIN one, number
GROUP BY ${PLACE}, if(isNull(switches), one.1 - number, 0)
HAVING until_ms - since_ms >= if(seen = 1, ${LEAST_MS}, 1)
ORDER BY until_ms - since_ms DESC, host, tid`;
}

export const GAP_COLUMNS = ['host', 'time_ms', 'next_time_ms'] as const;

export function gaps(scope: Scope): string {
  return `SELECT host, time_ms, time_ms + next_ms + gap_ms AS next_time_ms
FROM (${placedSamples(scope)})
WHERE gap_ms > 1
ORDER BY time_ms`;
}

/**
 * How many tasks were blocked when: in each time of so many milliseconds the most of each host, added up over all.
 */
export function timeline(scope: Scope, everyMs: number): string {
  const of = (table: string, blocked: number) =>
    `SELECT host, time_ms, sample, ${blocked} AS tasks FROM ${table} FINAL WHERE ${inScope(scope)} AND time_ms > 0`;
  return `SELECT min(first_ms) AS moment_ms, sum(most) AS blocked
FROM (
  SELECT host, intDiv(time_ms, ${everyMs}) AS slot, min(time_ms) AS first_ms, max(tasks) AS most
  FROM (
    SELECT host, time_ms, sample, sum(tasks) AS tasks
    FROM (${of('samples', 0)} UNION ALL ${of('blocked', 1)})
    GROUP BY host, time_ms, sample
  )
  GROUP BY host, slot
)
GROUP BY slot
ORDER BY moment_ms`;
}

export const EVENT_COLUMNS = ['host', 'time_ms', 'uptime_s', 'kind', 'text'] as const;

export function events(scope: Scope): string {
  return `SELECT ${EVENT_COLUMNS.join(', ')} FROM events FINAL WHERE ${inScope(scope)} ORDER BY time_ms`;
}

export function unread(scope: Scope): string {
  return `SELECT what, why, count() AS times
FROM unread FINAL
WHERE ${inScope(scope)}
GROUP BY what, why
ORDER BY times DESC`;
}

/** How many samples there are, of how many hosts, and when. */
export function extent(scope: Scope): string {
  return `SELECT
  uniqExact(host) AS hosts,
  count() AS samples,
  countIf(time_ms = 0) AS untimed,
  countIf(tasks = left_out) AS empty,
  minIf(time_ms, time_ms > 0) AS first_ms,
  max(time_ms) AS last_ms
FROM samples FINAL
WHERE ${inScope(scope)}`;
}

export function hostNames(scope: Scope, most: number): string {
  return `SELECT host FROM samples WHERE ${inScope(scope)} AND host != '' GROUP BY host ORDER BY host LIMIT ${most}`;
}
