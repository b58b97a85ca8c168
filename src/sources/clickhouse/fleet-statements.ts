import { inScope, listOf, onHosts, type Scope } from './scope.ts';
import { placedRows, placedSamples } from './statements.ts';

// What is asked of several hosts together, and of the sides of a comparison.

/**
 * What was blocked on, by wait, for how long together: `ms`.
 * @param condition which waits
 */
export function waits(scope: Scope, condition = '1'): string {
  return `SELECT
  wait,
  sum(next_ms) AS ms,
  count() AS seen,
  uniqExact(host) AS hosts,
  uniqExact(host, boot, ifNull(tid, 0), ifNull(start_ticks, 0)) AS tasks,
  arraySlice(groupUniqArray(host), 1, ${MOST_NAMES}) AS names,
  arraySlice(groupUniqArray(ifNull(kernel, '')), 1, ${MOST_NAMES}) AS kernels,
  arraySlice(groupUniqArray(ifNull(stack, 0)), 1, ${MOST_NAMES}) AS stacks,
  min(time_ms) AS first_ms,
  max(time_ms) AS last_ms,
  argMin(finding, time_ms) AS finding,
  argMin(ifNull(stack, 0), time_ms) AS first_stack
FROM ${placedRows('blocked', scope)}
WHERE ${inScope(scope)} AND ${condition}
GROUP BY wait
ORDER BY ms DESC, seen DESC`;
}

const MOST_NAMES = 20;

export const WAIT_COLUMNS = [
  'wait',
  'ms',
  'seen',
  'hosts',
  'tasks',
  'names',
  'kernels',
  'stacks',
  'first_ms',
  'last_ms',
  'finding',
  'first_stack',
] as const;

/** How long all samples speak together, and how many there are. */
export function spoken(scope: Scope): string {
  return `SELECT count() AS samples, sum(next_ms) AS ms FROM (${placedSamples(scope)})`;
}

/** How many tasks of each host were blocked on average: `load`. */
export function hostLoads(scope: Scope): string {
  return `SELECT host, sum(blocked_ms) / sum(spoken_ms) AS load
FROM (
  SELECT host, sum(next_ms) AS spoken_ms, 0 AS blocked_ms FROM (${placedSamples(scope)}) GROUP BY host
  UNION ALL
  SELECT host, 0 AS spoken_ms, sum(next_ms) AS blocked_ms
  FROM ${placedRows('blocked', scope)}
  WHERE ${inScope(scope)}
  GROUP BY host
)
GROUP BY host
HAVING sum(spoken_ms) > 0`;
}

/** The quarters of the loads of all hosts. */
export function quartiles(scope: Scope): string {
  const at = (part: number) => `quantileExact(${part})(load)`;
  return `SELECT ${at(0.25)} AS low, ${at(0.5)} AS middle, ${at(0.75)} AS high FROM (${hostLoads(scope)})`;
}

export function hostsAbove(scope: Scope, load: number, most: number): string {
  return `SELECT host, load FROM (${hostLoads(scope)}) WHERE load > ${load} ORDER BY load DESC, host LIMIT ${most}`;
}

/** The wait with the most task time on each host, and what part of its task time that is. */
export function mostOnHosts(scope: Scope, condition: string): string {
  return `SELECT host, argMax(wait, ms) AS wait, argMax(finding, ms) AS finding, max(ms) / sum(ms) AS part
FROM (
  SELECT host, wait, sum(next_ms) AS ms, argMin(finding, time_ms) AS finding
  FROM ${placedRows('blocked', scope)}
  WHERE ${inScope(scope)} AND ${condition}
  GROUP BY host, wait
)
GROUP BY host`;
}

/** When waits of hosts were first seen, of those that were then first seen on any of them. */
export function firstSeen({ hosts }: Pick<Scope, 'hosts'>, condition: string): string {
  return `SELECT wait, minMerge(first_ms) AS seen_ms
FROM wait_hosts
WHERE ${onHosts({ hosts })}
GROUP BY wait
HAVING ${condition}`;
}

/** When anything was first seen on hosts. */
export function firstOfAll({ hosts }: Pick<Scope, 'hosts'>): string {
  return `SELECT count() AS known, minMerge(first_ms) AS seen_ms FROM wait_hosts WHERE ${onHosts({ hosts })}`;
}

export function modulesOf(stacks: Iterable<string>): string {
  return `SELECT toString(stack) AS key, arraySlice(groupUniqArray(module), 1, ${MOST_NAMES}) AS modules
FROM frames
WHERE stack IN ${listOf(stacks)} AND module IS NOT NULL
GROUP BY stack`;
}
