import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseTarget, type Target, TargetError } from '../clickhouse/target.ts';
import { notEmpty } from './background-options.ts';

/** How a database is reached, beside its URL. */
export interface ConnectionFlags {
  readonly credentialsFile?: string;
  readonly caFile?: string;
}

/** Adds what a command needs that asks a database. */
export function addConnectionOptions(command: Command): void {
  command
    .optionsGroup('Connection to the database:')
    .addOption(
      new Option(
        '--credentials-file <FILE>',
        'its lines are CLICKHOUSE_USER=NAME and CLICKHOUSE_PASSWORD=TEXT; else these variables are used',
      ).argParser(notEmpty),
    )
    .addOption(
      new Option('--ca-file <FILE>', 'certificates, as PEM, of who may vouch for the server').argParser(notEmpty),
    );
}

/** @throws InvalidArgumentError, which does not repeat a password */
export function targetIn(text: string): Target {
  try {
    return parseTarget(text);
  } catch (error) {
    if (error instanceof TargetError) throw new InvalidArgumentError(`It ${error.message}.`);
    throw error;
  }
}
