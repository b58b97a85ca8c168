import { type Command, InvalidArgumentError, Option } from 'commander';
import { isTarget } from '../clickhouse/target.ts';
import { addConnectionOptions, type ConnectionFlags, targetOf } from './clickhouse-options.ts';

/** Which hosts of what is read are wanted, and how a database among it is reached. */
export interface Origin {
  /** Patterns with `*` and `?`; none for all hosts. */
  readonly hosts: readonly string[];
  readonly connection: ConnectionFlags;
}

export const ALL_HOSTS: Origin = { hosts: [], connection: {} };

/** Adds what a command takes that reads files and databases of several hosts. */
export function addOriginOptions(command: Command): Command {
  command.addOption(
    new Option('--host <GLOB[,GLOB...]>', "only these hosts: db1, 'db*', 'web?'").argParser(parseHosts),
  );
  addConnectionOptions(command);
  return command;
}

/** Ends the command if a URL among the names is none of a database. */
export function originOf(command: Command, names: readonly string[]): Origin {
  const { host = [], ...connection }: ConnectionFlags & { host?: readonly string[] } = command.opts();
  for (const name of names) if (isTarget(name)) targetOf(command, name, 'the URL of the database');
  const { credentialsFile, caFile } = connection;
  return {
    hosts: host,
    connection: {
      ...(credentialsFile !== undefined && { credentialsFile }),
      ...(caFile !== undefined && { caFile }),
    },
  };
}

function parseHosts(text: string): readonly string[] {
  const patterns = text.split(',');
  if (patterns.includes(''))
    throw new InvalidArgumentError("Give a name or a pattern such as 'db*', or some with commas.");
  return patterns;
}

/** Whether the name of a host is one of those; `*` stands for any characters, `?` for one. */
export function isHostIn(patterns: readonly string[], host = ''): boolean {
  return patterns.length === 0 || patterns.some((pattern) => wholePattern(pattern).test(host));
}

function wholePattern(pattern: string): RegExp {
  const parts = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll(/\*+/g, '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${parts}$`, 's');
}
