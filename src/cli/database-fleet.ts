import { unlikeAbove } from '../analysis/times/unlike.ts';
import type { Finding } from '../model/finding.ts';
import type { Fleet, FleetWait, UnlikeHost } from '../model/fleet.ts';
import { allRows, type Cells, type Database, onlyRow, type Shown, shownRows } from '../sources/clickhouse/cells.ts';
import * as statements from '../sources/clickhouse/fleet-statements.ts';
import { listOf, type Scope } from '../sources/clickhouse/scope.ts';
import { findingsOf, type Intern, knownFinding, stacksOf } from '../sources/clickhouse/stored.ts';

/** Of fewer, none is unlike the rest. */
const LEAST_HOSTS = 4;

/** What the samples of several hosts say together. */
export async function fleetOf(
  database: Database,
  scope: Scope,
  { fromMs, hostCount, most }: { readonly fromMs: number; readonly hostCount: number; readonly most: number },
  intern: Intern,
): Promise<Fleet> {
  const columns = statements.WAIT_COLUMNS;
  const found = await shownRows(database, statements.waits(scope), columns, most);
  const sinceMs = Number.isFinite(scope.fromMs) ? scope.fromMs : fromMs;
  const fresh = await freshWaits(database, scope, sinceMs, most);
  const { unlike, usualLoad } = await unlikeHosts(database, scope, { hostCount, most });
  const told = await toldOf(database, scope, [...found.rows, ...(fresh?.rows ?? [])], intern);
  return {
    waits: found.rows.map(told),
    waitCount: found.total,
    fresh: fresh?.rows.map(told),
    unlike,
    usualLoad,
  };
}

/** Undefined if nothing is known of before. */
async function freshWaits(database: Database, scope: Scope, sinceMs: number, most: number): Promise<Shown | undefined> {
  const first = await onlyRow(database, statements.firstOfAll(scope));
  if (first.toldNumber('known') === 0 || first.toldNumber('seen_ms') >= sinceMs) return undefined;
  const isFresh = `seen_ms >= ${Math.trunc(sinceMs)}`;
  const condition = `wait IN (SELECT wait FROM (${statements.firstSeen(scope, isFresh)}))`;
  return shownRows(database, statements.waits(scope, condition), statements.WAIT_COLUMNS, most);
}

async function unlikeHosts(
  database: Database,
  scope: Scope,
  { hostCount, most }: { readonly hostCount: number; readonly most: number },
): Promise<Pick<Fleet, 'unlike' | 'usualLoad'>> {
  if (hostCount < LEAST_HOSTS) return { unlike: [], usualLoad: 0 };
  const row = await onlyRow(database, statements.quartiles(scope));
  const [low, middle, high] = [row.toldNumber('low'), row.toldNumber('middle'), row.toldNumber('high')];
  const above = unlikeAbove({ low, middle, high });
  const hosts = await allRows(database, statements.hostsAbove(scope, above, most));
  if (hosts.length === 0) return { unlike: [], usualLoad: middle };
  const named = hosts.map((host) => host.toldText('host'));
  const waits = await allRows(database, statements.mostOnHosts(scope, `host IN ${listOf(named)}`));
  const findings = await findingsOf(
    database,
    waits.map((wait) => wait.toldText('finding')),
  );
  const byHost = new Map(waits.map((wait) => [wait.toldText('host'), wait]));
  return {
    unlike: hosts.flatMap((host) => unlikeHost(host, byHost.get(host.toldText('host')), findings)),
    usualLoad: middle,
  };
}

function unlikeHost(row: Cells, wait: Cells | undefined, findings: ReadonlyMap<string, Finding>): UnlikeHost[] {
  if (wait === undefined) return [];
  return [
    {
      host: row.toldText('host'),
      load: row.toldNumber('load'),
      signature: wait.toldText('wait'),
      finding: knownFinding(findings, wait),
      part: wait.toldNumber('part'),
    },
  ];
}

/** A function that completes rows of waits by what other tables tell of them. */
async function toldOf(
  database: Database,
  scope: Scope,
  rows: readonly Cells[],
  intern: Intern,
): Promise<(row: Cells) => FleetWait> {
  const all = <T>(ofRow: (row: Cells) => T) => rows.map(ofRow);
  const findings = await findingsOf(
    database,
    all((row) => row.toldText('finding')),
  );
  const stacks = await stacksOf(
    database,
    all((row) => row.toldText('first_stack')),
    intern,
  );
  const signatures = all((row) => row.toldText('wait'));
  const condition = `wait IN ${listOf(signatures)}`;
  const firsts = new Map(
    (await allRows(database, statements.firstSeen(scope, condition))).map((row) => [
      row.toldText('wait'),
      row.toldNumber('seen_ms'),
    ]),
  );
  const modules = new Map(
    (await allRows(database, statements.modulesOf(rows.flatMap((row) => row.texts('stacks'))))).map((row) => [
      row.toldText('key'),
      row.texts('modules'),
    ]),
  );
  return (row) => {
    const signature = row.toldText('wait');
    return {
      signature,
      finding: knownFinding(findings, row),
      stack: stacks.get(row.toldText('first_stack')),
      taskSeconds: row.toldNumber('ms') / 1000,
      tasks: row.toldNumber('tasks'),
      hosts: row.toldNumber('hosts'),
      names: row.texts('names').toSorted(),
      kernels: row
        .texts('kernels')
        .filter((kernel) => kernel !== '')
        .toSorted(),
      modules: [...new Set(row.texts('stacks').flatMap((stack) => modules.get(stack) ?? []))].toSorted(),
      firstMs: firsts.get(signature) ?? row.toldNumber('first_ms'),
    };
  };
}
