import { Connection, type ConnectionOptions } from '../clickhouse/connection.ts';
import { authoritiesIn, credentialsOf } from '../clickhouse/credentials.ts';
import type { Target } from '../clickhouse/target.ts';
import { withFiles } from '../files/remote.ts';
import { addColumn } from '../sinks/clickhouse.ts';
import type { ConnectionFlags } from './clickhouse-options.ts';

/** How long a server may say nothing. */
const DEADLINE_MS = 30_000;

/**
 * What the options say of a connection.
 * @throws CredentialsError
 */
export function connectionOptions(target: Target, flags: ConnectionFlags): Promise<ConnectionOptions> {
  return withFiles(async (files) => ({
    target,
    credentials: await credentialsOf(target, flags.credentialsFile, { files, environment: process.env }),
    authorities: flags.caFile === undefined ? undefined : await authoritiesIn(files, flags.caFile),
    deadlineMs: DEADLINE_MS,
    addition: addColumn,
  }));
}

/**
 * Connects to a database as the options say.
 * @throws ClickHouseFailure, CredentialsError
 */
export async function openConnection(
  target: Target,
  flags: ConnectionFlags,
  { deadlineMs = DEADLINE_MS, signal }: { readonly deadlineMs?: number; readonly signal?: AbortSignal } = {},
): Promise<Connection> {
  return Connection.open({ ...(await connectionOptions(target, flags)), deadlineMs, signal });
}
