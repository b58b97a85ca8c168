import type { Connection } from '../clickhouse/connection.ts';
import { parseTarget } from '../clickhouse/target.ts';
import type { Sample } from '../model/sample.ts';
import type { Selection } from '../model/selection.ts';
import type { Scope } from '../sources/clickhouse/scope.ts';
import type { Intern } from '../sources/clickhouse/stored.ts';
import type { Origin } from './host-options.ts';
import type { Span } from './samples.ts';
import type { Bounds } from './time-window.ts';

/** A statement over many hosts and days takes its time, and until it is answered the server says nothing. */
const DEADLINE_MS = 600_000;

/**
 * Uses a database while it is connected.
 * @throws ClickHouseFailure, CredentialsError
 */
export async function* usingDatabase<T>(
  name: string,
  { connection: flags }: Origin,
  use: (database: Connection) => AsyncIterable<T>,
): AsyncGenerator<T> {
  const { openConnection } = await import('./clickhouse.ts');
  const database = await openConnection(parseTarget(name), flags, { deadlineMs: DEADLINE_MS });
  try {
    yield* use(database);
  } finally {
    await database.close();
  }
}

export function scopeOf({ hosts }: Origin, bounds: Bounds | undefined): Scope {
  const { fromMs = Number.NEGATIVE_INFINITY, toMs = Number.POSITIVE_INFINITY } = bounds ?? {};
  return { hosts, fromMs, toMs };
}

/** What is wanted of a database. */
export interface DatabasePart {
  readonly origin: Origin;
  readonly bounds: Bounds | undefined;
  /** Applied by the caller: what it does not need may be left out. */
  readonly selection: Selection | undefined;
}

/** The samples of a database that are wanted, in the order of their times. */
export async function* databaseSamples(
  name: string,
  { origin, bounds, selection }: DatabasePart,
  intern: Intern,
): AsyncGenerator<Sample> {
  const { storedSamples } = await import('../sources/clickhouse/samples.ts');
  yield* usingDatabase(name, origin, (database) => storedSamples(database, scopeOf(origin, bounds), intern, selection));
}

/** When the samples of a database begin and end; undefined if there is none. */
export async function databaseSpan(name: string, origin: Origin): Promise<Span | undefined> {
  const { storedSpan } = await import('../sources/clickhouse/samples.ts');
  const spans = usingDatabase(name, origin, async function* (database) {
    yield await storedSpan(database, scopeOf(origin, undefined));
  });
  for await (const span of spans) return span;
  return undefined;
}
