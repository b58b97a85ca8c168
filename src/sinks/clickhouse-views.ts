import { type Table, tableNamed } from '../analysis/tables/tables.ts';

/** What is kept of a task that was blocked: enough for how long, on what, where, and whether it ran in between. */
const BLOCKED_COLUMNS: readonly string[] = [
  'observation',
  'sample',
  'time',
  'host',
  'kernel',
  'span_ms',
  'task',
  'pid',
  'tid',
  'start_ticks',
  'comm',
  'state',
  'rule',
  'waits_for',
  'wait',
  'finding',
  'stack',
  'off_cpu_ms',
  'switches',
];

/** As in blocked-runs.ts. */
const IS_BLOCKED = "selected AND NOT own AND (kind = 'blocked' OR (kind = 'unexplained' AND state = 'D'))";

/** The observations of blocked tasks, of which there are few. A view copies them here as they are inserted. */
export const BLOCKED: Table = {
  about: 'observations of blocked tasks, which the view copy_blocked copies as they are inserted',
  key: ['observation'],
  timed: true,
  columns: Object.fromEntries(
    Object.entries(tableNamed('observations').columns).filter(([name]) => BLOCKED_COLUMNS.includes(name)),
  ),
};

const COPIED = BLOCKED_COLUMNS.flatMap((name) =>
  name === 'time' ? ['time_ms', "toDateTime(intDiv(time_ms, 1000), 'UTC') AS time"] : name,
);

/** A row that is inserted again says the same again, and changes nothing. */
export const COPY_BLOCKED = `-- copy_blocked: fills blocked
CREATE MATERIALIZED VIEW IF NOT EXISTS copy_blocked TO blocked AS
SELECT ${COPIED.join(', ')}
FROM observations
WHERE ${IS_BLOCKED};
`;

/** When a wait was first and last seen. A minimum of what comes twice is the same: nothing is counted here. */
export const WAIT_HOSTS = `-- wait_hosts: when which host was first and last seen in a wait, with which kernel; no row is ever deleted
CREATE TABLE IF NOT EXISTS wait_hosts
(
    \`wait\` String,
    \`host\` String,
    \`kernel\` String,
    \`rule\` AggregateFunction(min, String),
    \`waits_for\` AggregateFunction(min, String),
    \`first_ms\` AggregateFunction(min, Int64),
    \`last_ms\` AggregateFunction(max, Int64)
)
ENGINE = AggregatingMergeTree
ORDER BY (wait, host, kernel);

-- sum_wait_hosts: fills wait_hosts
CREATE MATERIALIZED VIEW IF NOT EXISTS sum_wait_hosts TO wait_hosts AS
SELECT
    wait,
    host,
    ifNull(kernel, '') AS kernel,
    minState(ifNull(rule, '')) AS rule,
    minState(waits_for) AS waits_for,
    minState(time_ms) AS first_ms,
    maxState(time_ms) AS last_ms
FROM observations
WHERE time_ms > 0 AND ${IS_BLOCKED}
GROUP BY wait, host, kernel;
`;
