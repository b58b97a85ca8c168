import { stackOf } from '../analysis/times/blocked-runs.ts';
import type { Report } from '../analysis/times/report.ts';
import { jsonText } from '../model/json-text.ts';
import { escapeInvalid } from '../model/raw-text.ts';
import type { Task } from '../model/task.ts';
import { rounded, safe, stackIn, timeIn, wholeFinding } from './json-values.ts';
import { deadlockEntry } from './report-deadlocks.ts';
import { fleetIn } from './report-fleet-json.ts';
import { nodeOf } from './wait-values.ts';

/** The version of schema/kstack-report-1.schema.json. Raise it when a property changes its meaning or disappears. */
const VERSION = 1;

/**
 * A report as one JSON document, with all that is in it.
 * @param problems what was wrong with the files
 */
export function* formatReportJson(report: Report, problems: readonly string[]): Generator<string> {
  const { fromMs, toMs, hosts, samples, untimed, empty, eventCount, findingCount, holderCount, stuckCount } = report;
  const head = {
    format: 'kstack-report',
    version: VERSION,
    from: timeIn(fromMs),
    to: timeIn(toMs),
    hosts: hosts.map(escapeInvalid),
    unnamed: report.unnamed ?? null,
    samples,
    untimed,
    sinceBoot: report.sinceBoot ?? null,
    empty,
    gaps: report.gaps.map((gap) => ({ host: safe(gap.host), from: timeIn(gap.fromMs), to: timeIn(gap.toMs) })),
    eventCount,
    findingCount,
    holderCount,
    stuckCount,
    deadlockCount: report.deadlockCount ?? null,
    unread: report.unread.map(({ what, why, count }) => ({ what: `${what}: ${why}`, count })),
    problems: problems.map(escapeInvalid),
  };
  yield jsonText(head).slice(0, -1);
  if (report.deadlocks === undefined) yield ',\n"deadlocks":null';
  else yield* list('deadlocks', report.deadlocks, deadlockEntry);
  yield* list('timeline', report.timeline, ({ timeMs, blocked }) => ({ time: timeIn(timeMs), blocked }));
  yield* list('events', report.events, ({ timeMs, host, kind, text }) => ({
    time: timeIn(timeMs),
    host: safe(host),
    kind,
    text: escapeInvalid(text),
  }));
  yield* list('findings', report.findings, ({ finding, stack, taskSeconds, count, tasks }) => ({
    taskSeconds: rounded(taskSeconds),
    count,
    finding: wholeFinding({ ...finding, within: undefined }),
    ...stackIn(stack),
    tasks: tasks.map(({ host, task, seconds }) => ({ ...taskIn(host, task), seconds: rounded(seconds) })),
  }));
  yield* list('holders', report.holders, ({ host, key, name, taskSeconds, waiters }) => ({
    host: safe(host),
    ...nodeOf(key),
    name: safe(name),
    taskSeconds: rounded(taskSeconds),
    waiters,
  }));
  yield* list('stuck', report.stuck, (run) => ({
    ...taskIn(run.host, run.observation.task),
    state: run.observation.state ?? null,
    since: timeIn(run.sinceMs),
    until: timeIn(run.untilMs),
    isStill: run.isStill,
    isProven: run.isProven,
    seen: run.seen,
    finding: wholeFinding(run.finding),
    ...stackIn(stackOf(run.observation)),
  }));
  if (report.fleet !== undefined) yield `,\n"fleet":${jsonText(fleetIn(report.fleet))}`;
  yield '}\n';
}

function* list<T>(name: string, all: readonly T[], objectOf: (one: T) => object): Generator<string> {
  yield `,\n"${name}":[`;
  for (const [at, one] of all.entries()) yield `${at === 0 ? '\n' : ',\n'}${jsonText(objectOf(one))}`;
  yield ']';
}

function taskIn(host: string | undefined, { id, pid, comm }: Task) {
  return { host: safe(host), pid: pid ?? null, tid: id.tid ?? null, comm: safe(comm) };
}
