import { signatureOf } from '../analysis/signature.ts';
import type { Waits } from '../analysis/times/diff.ts';
import { type Report, report } from '../analysis/times/report.ts';
import { isTarget } from '../clickhouse/target.ts';
import type { Clock } from '../model/time.ts';
import { allRows, type Database, onlyRow } from '../sources/clickhouse/cells.ts';
import { spoken, waits } from '../sources/clickhouse/fleet-statements.ts';
import type { Scope } from '../sources/clickhouse/scope.ts';
import { findingsOf, type Intern, knownFinding, stacksOf } from '../sources/clickhouse/stored.ts';
import { InternedStacks } from '../sources/text/interned.ts';
import { databaseFleet, databaseReport, type Most } from './database-report.ts';
import { scopeOf, usingDatabase } from './database-samples.ts';
import { boundsFor, type Wanted } from './file-samples.ts';
import { ALL_HOSTS } from './host-options.ts';
import type { Problems } from './merged-samples.ts';
import { whyUnread } from './samples.ts';
import { isAllTimes } from './time-window.ts';

/**
 * Whether a database can add up what is wanted. Several sources are read and merged, since samples may be in more than
 * one; a selection is of tasks, and who holds up those is not in the tables.
 */
export function isAddedUp({ names, selection }: Wanted): boolean {
  const [name = ''] = names;
  return names.length === 1 && selection === undefined && isTarget(name);
}

/** What a database has to report; nothing if it cannot be read, which is added to the problems. */
export async function reportOfDatabase(wanted: Wanted, most: Most, problems: Problems, clock: Clock): Promise<Report> {
  const found = await addedUp(wanted, problems, clock, (database, scope, intern) =>
    databaseReport(database, scope, most, intern),
  );
  return found ?? report([]);
}

/** What several hosts of a database say together; undefined of one host, or if it cannot be read. */
export function fleetOfDatabase(wanted: Wanted, most: number, problems: Problems, clock: Clock) {
  return addedUp(wanted, problems, clock, (database, scope, intern) => databaseFleet(database, scope, most, intern));
}

/** The waits in a database, for a comparison. */
export async function waitsOfDatabase(wanted: Wanted, problems: Problems, clock: Clock): Promise<Waits> {
  const found = await addedUp(wanted, problems, clock, storedWaits);
  return found ?? { waits: new Map(), samples: 0, seconds: 0 };
}

async function addedUp<T>(
  wanted: Wanted,
  problems: Problems,
  clock: Clock,
  add: (database: Database, scope: Scope, intern: Intern) => Promise<T>,
): Promise<T | undefined> {
  const { names, window, verb, origin = ALL_HOSTS } = wanted;
  const [name = ''] = names;
  const bounds = isAllTimes(window) ? undefined : await boundsFor(wanted, problems, clock);
  if (bounds === undefined && !isAllTimes(window)) return undefined;
  const stacks = new InternedStacks();
  try {
    const answers = usingDatabase(name, origin, async function* (database) {
      yield await add(database, scopeOf(origin, bounds), (frames) => stacks.intern(frames));
    });
    for await (const answer of answers) return answer;
  } catch (error) {
    const unread = whyUnread(error, name, verb);
    if (unread === undefined) throw error;
    problems.lines.push(`nothing in the database was read: ${unread}`);
    problems.unread++;
  }
  return undefined;
}

async function storedWaits(database: Database, scope: Scope, intern: Intern): Promise<Waits> {
  const all = await onlyRow(database, spoken(scope));
  const rows = await allRows(database, waits(scope));
  const findings = await findingsOf(
    database,
    rows.map((row) => row.toldText('finding')),
  );
  const stacks = await stacksOf(
    database,
    rows.map((row) => row.toldText('first_stack')),
    intern,
  );
  return {
    samples: all.toldNumber('samples'),
    seconds: all.toldNumber('ms') / 1000,
    waits: new Map(
      rows.map((row) => {
        const stack = stacks.get(row.toldText('first_stack'));
        const signature = stack === undefined ? '' : signatureOf(stack);
        const [seconds, seen] = [row.toldNumber('ms') / 1000, row.toldNumber('seen')];
        return [row.toldText('wait'), { signature, finding: knownFinding(findings, row), stack, seconds, seen }];
      }),
    ),
  };
}
