import { Connection } from '../clickhouse/connection.ts';
import { authoritiesIn, credentialsOf } from '../clickhouse/credentials.ts';
import type { Target } from '../clickhouse/target.ts';
import { withFiles } from '../files/remote.ts';
import type { ConnectionFlags } from './clickhouse-options.ts';

/** How long a server may say nothing. */
const DEADLINE_MS = 30_000;

/**
 * Connects to a database as the options say.
 * @throws ClickHouseFailure, CredentialsError
 */
export async function openConnection(
  target: Target,
  flags: ConnectionFlags,
  deadlineMs = DEADLINE_MS,
): Promise<Connection> {
  const { credentials, authorities } = await withFiles(async (files) => ({
    credentials: await credentialsOf(target, flags.credentialsFile, { files, environment: process.env }),
    authorities: flags.caFile === undefined ? undefined : await authoritiesIn(files, flags.caFile),
  }));
  return Connection.open({ target, credentials, authorities, deadlineMs });
}
