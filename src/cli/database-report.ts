import type { ReportedHolder } from '../analysis/holders/holder-sums.ts';
import type { ReportedFinding, ReportedTask } from '../analysis/times/blocked-sums.ts';
import type { Report } from '../analysis/times/report.ts';
import type { StuckRun } from '../analysis/times/stuck.ts';
import { EVENT_KINDS } from '../model/event.ts';
import type { Finding } from '../model/finding.ts';
import type { Fleet } from '../model/fleet.ts';
import type { Unread } from '../model/sample.ts';
import type { Stack } from '../model/stack.ts';
import { STATES, type Task } from '../model/task.ts';
import { allRows, type Cells, type Database, onlyRow, shownRows } from '../sources/clickhouse/cells.ts';
import type { Scope } from '../sources/clickhouse/scope.ts';
import * as statements from '../sources/clickhouse/statements.ts';
import { findingsOf, type Intern, knownFinding, stacksOf } from '../sources/clickhouse/stored.ts';
import { fleetOf } from './database-fleet.ts';

/** How much of what is found leaves the database. */
export interface Most {
  /** Of findings, holders, stuck tasks, waits and hosts. */
  readonly each: number;
  /** Of the tasks of a finding. */
  readonly tasks: number;
}

const MOST_HOSTS = 10_000;
const MOST_EVENTS = 1000;
const MOST_GAPS = 1000;
const MOST_MOMENTS = 20_000;
/** Of several hosts. */
const SLOTS = 500;

/** Reports what happened on the hosts of a scope. The database adds it up. */
export async function databaseReport(database: Database, scope: Scope, most: Most, intern: Intern): Promise<Report> {
  const extent = await onlyRow(database, statements.extent(scope));
  const [samples, untimed] = [extent.toldNumber('samples'), extent.toldNumber('untimed')];
  const isTimed = samples > untimed;
  const [fromMs, toMs] = [extent.toldNumber('first_ms'), extent.toldNumber('last_ms')];
  const hostCount = extent.toldNumber('hosts');
  const names = await allRows(database, statements.hostNames(scope, MOST_HOSTS));
  const gaps = await shownRows(database, statements.gaps(scope), statements.GAP_COLUMNS, MOST_GAPS);
  const everyMs = slotMs({ hosts: hostCount, samples, spanMs: toMs - fromMs });
  const events = await shownRows(database, statements.events(scope), statements.EVENT_COLUMNS, MOST_EVENTS);
  const found = await shownRows(database, statements.findings(scope), statements.FINDING_COLUMNS, most.each);
  const tasks = await allRows(database, statements.longestTasks(scope, most.tasks));
  const held = await shownRows(database, statements.holders(scope), statements.HOLDER_COLUMNS, most.each);
  const waiters = new Map<string, number>();
  if (held.rows.length > 0) {
    const hosts = new Set(held.rows.map((row) => row.toldText('host')));
    const statement = statements.waitersOf(scope, hosts, held.rows.map(holderName));
    for (const row of await allRows(database, statement))
      waiters.set(row.toldText('holder'), row.toldNumber('waiters'));
  }
  const stuck = await shownRows(database, statements.stuckTasks(scope), statements.STUCK_COLUMNS, most.each);
  const known = await knownTo(database, [...found.rows, ...stuck.rows], intern);
  const moments = isTimed ? await allRows(database, statements.timeline(scope, everyMs)) : [];
  const unread = await allRows(database, statements.unread(scope));
  return {
    fromMs: isTimed ? fromMs : undefined,
    toMs: isTimed ? toMs : undefined,
    hosts: names.map((row) => row.toldText('host')),
    samples,
    untimed,
    empty: extent.toldNumber('empty'),
    gaps: gaps.rows.map((row) => ({
      host: hostIn(row),
      fromMs: row.toldNumber('time_ms'),
      toMs: row.toldNumber('next_time_ms'),
    })),
    timeline: moments.map((row) => ({ timeMs: row.toldNumber('moment_ms'), blocked: row.toldNumber('blocked') })),
    events: events.rows.flatMap(eventIn),
    eventCount: events.total,
    findings: found.rows.map((row) => findingOf(row, tasks, known)),
    findingCount: found.total,
    holders: held.rows.map((row) => holderIn(row, waiters)),
    holderCount: held.total,
    stuck: stuck.rows.map((row) => stuckRun(row, known)),
    stuckCount: stuck.total,
    unread: unread.map(unreadIn),
    ...(hostCount > 1 && { fleet: await fleetOf(database, scope, { fromMs, hostCount, most: most.each }, intern) }),
  };
}

/** Of one host, each sample is a moment. Of several, all of them should have a sample in each time. */
function slotMs({ hosts, samples, spanMs }: Readonly<Record<'hosts' | 'samples' | 'spanMs', number>>): number {
  if (hosts <= 1) return samples <= MOST_MOMENTS ? 1 : Math.ceil(spanMs / (MOST_MOMENTS / 2));
  return Math.max(1, Math.ceil(spanMs / SLOTS), Math.ceil((2 * spanMs * hosts) / samples));
}

/** What is told of findings and stacks elsewhere. */
interface Known {
  readonly findings: ReadonlyMap<string, Finding>;
  readonly stacks: ReadonlyMap<string, Stack>;
}

async function knownTo(database: Database, rows: readonly Cells[], intern: Intern): Promise<Known> {
  return {
    findings: await findingsOf(
      database,
      rows.map((row) => row.toldText('finding')),
    ),
    stacks: await stacksOf(
      database,
      rows.flatMap((row) => row.text('stack') ?? []),
      intern,
    ),
  };
}

function findingOf(row: Cells, tasks: readonly Cells[], known: Known): ReportedFinding {
  const isOf = (task: Cells) =>
    task.text('rule') === row.text('rule') && task.text('waits_for') === row.text('waits_for');
  return {
    finding: knownFinding(known.findings, row),
    stack: known.stacks.get(row.toldText('stack')),
    taskSeconds: row.toldNumber('ms') / 1000,
    isAtLeast: false,
    count: row.toldNumber('tasks'),
    tasks: tasks.filter(isOf).map(
      (task): ReportedTask => ({
        host: hostIn(task),
        task: taskIn(task),
        seconds: task.toldNumber('ms') / 1000,
        isAtLeast: false,
      }),
    ),
  };
}

function taskIn(row: Cells): Task {
  const [tid, pid, comm] = [row.number('tid'), row.number('pid'), row.text('comm')];
  return {
    id: tid === undefined ? {} : { tid },
    ...(pid !== undefined && pid > 0 && { pid }),
    ...(comm !== undefined && { comm }),
    commandLine: { unread: 'notTold' },
  };
}

function hostIn(row: Cells): string | undefined {
  return row.text('host') || undefined;
}

/** As the database names it, too. */
function holderName(row: Cells): string {
  return `${row.toldText('host')}/${row.text('tid') ?? ''}/${row.text('resource') ?? ''}/${row.text('name') ?? ''}`;
}

function holderIn(row: Cells, waiters: ReadonlyMap<string, number>): ReportedHolder {
  return {
    host: hostIn(row),
    key: row.number('tid') ?? row.toldText('resource'),
    name: row.text('name'),
    taskSeconds: row.toldNumber('ms') / 1000,
    waiters: waiters.get(holderName(row)) ?? 0,
  };
}

function stuckRun(row: Cells, known: Known): StuckRun {
  const stack = known.stacks.get(row.text('stack') ?? '');
  const state = STATES.find((letter) => letter === row.text('state'));
  const [sinceMs, untilMs] = [row.toldNumber('since_ms'), row.toldNumber('until_ms')];
  return {
    host: hostIn(row),
    observation: {
      task: taskIn(row),
      stack: stack === undefined ? { unread: 'notTold' } : { value: stack },
      ...(state !== undefined && { state }),
    },
    finding: knownFinding(known.findings, row),
    sinceMs,
    untilMs,
    seconds: (untilMs - sinceMs) / 1000,
    seen: row.toldNumber('seen'),
    isStill: row.flag('is_still'),
    isProven: row.flag('is_proven'),
  };
}

function eventIn(row: Cells): Report['events'] {
  const kind = EVENT_KINDS.find((name) => name === row.text('kind'));
  if (kind === undefined) return [];
  const [timeMs, uptimeSeconds] = [row.toldNumber('time_ms'), row.number('uptime_s')];
  return [
    {
      host: hostIn(row),
      kind,
      text: row.toldText('text'),
      ...(timeMs > 0 && { timeMs }),
      ...(uptimeSeconds !== undefined && { uptimeSeconds }),
    },
  ];
}

/** What a kstack of another version has written is shown as it is. */
function unreadIn(row: Cells): Report['unread'][number] {
  const [what, why] = [row.toldText('what') as Unread['what'], row.toldText('why') as Unread['why']];
  return { what, why, count: row.toldNumber('times') };
}

/** What several hosts of a scope say together, and how many samples they have; undefined of one host. */
export async function databaseFleet(
  database: Database,
  scope: Scope,
  most: number,
  intern: Intern,
): Promise<{ readonly fleet: Fleet; readonly samples: number } | undefined> {
  const extent = await onlyRow(database, statements.extent(scope));
  const hostCount = extent.toldNumber('hosts');
  if (hostCount <= 1) return undefined;
  const fleet = await fleetOf(database, scope, { fromMs: extent.toldNumber('first_ms'), hostCount, most }, intern);
  return { fleet, samples: extent.toldNumber('samples') };
}
