import { type Command, Option } from 'commander';
import { parseTarget, type Target, TargetError, targetUrl } from '../clickhouse/target.ts';
import { notEmpty } from './background-options.ts';
import { WRONG_USAGE } from './exit-codes.ts';
import { sizeParser } from './size-option.ts';

const LEAST_RATE = 2 ** 10;
const SHIPPING_GROUP = 'Into a database, from a directory:';

/** How a database is reached, beside its URL. */
export interface ConnectionFlags {
  readonly credentialsFile?: string;
  readonly caFile?: string;
}

/** Adds what a command needs that asks a database. */
export function addConnectionOptions(command: Command, group = 'Connection to the database:'): void {
  command
    .optionsGroup(group)
    .addOption(
      new Option(
        '--credentials-file <FILE>',
        'a file with lines CLICKHOUSE_USER=NAME and CLICKHOUSE_PASSWORD=TEXT; without it, these variables are used',
      ).argParser(notEmpty),
    )
    .addOption(new Option('--ca-file <FILE>', 'CA certificates to trust for the server, as PEM').argParser(notEmpty));
}

/** Where `record` has sent what it records. */
export interface Shipping {
  readonly target: Target;
  readonly connection: ConnectionFlags;
  readonly maxRate: number | undefined;
}

/** --to of commands that send to a database. */
export function toOption(about: string): Option {
  // Without a parser: its errors repeat what was given, and so a password.
  return new Option('--to <URL>', `${about}clickhouse://[USER@]HOST[:PORT][/DATABASE][?secure=1], or http[s]://`);
}

/** Adds what `record` needs to send what it records. */
export function addShippingOptions(command: Command): void {
  command.optionsGroup(SHIPPING_GROUP).addOption(toOption('also send the recording to ')).addOption(maxRateOption());
  addConnectionOptions(command, SHIPPING_GROUP);
}

/** Undefined if nothing is sent. Ends with an error if an option is misplaced. */
export function shippingOf(command: Command, directory: string | undefined): Shipping | undefined {
  const { to, maxRate, ...others }: ConnectionFlags & { to?: string; maxRate?: number } = command.opts();
  const misplaced = (flag: string, where: string) =>
    command.error(`error: '${flag}' applies only with '${where}'`, { exitCode: WRONG_USAGE });
  if (to !== undefined) {
    if (directory === undefined) misplaced('--to', '-d');
    const { credentialsFile, caFile } = others;
    const connection = { ...(credentialsFile && { credentialsFile }), ...(caFile && { caFile }) };
    return { target: targetOf(command, to, "the URL of '--to'"), connection, maxRate };
  }
  for (const [name, flag] of [
    ['maxRate', '--max-rate'],
    ['credentialsFile', '--credentials-file'],
    ['caFile', '--ca-file'],
  ] as const)
    if (command.getOptionValueSource(name) === 'cli') misplaced(flag, '--to');
  return undefined;
}

/** The arguments with which another kstack sends a directory. */
export function shipWords(directory: string, { target, connection, maxRate }: Shipping): string[] {
  const { credentialsFile, caFile } = connection;
  return [
    ...['ship', directory, '--follow', '--to', targetUrl(target)],
    ...(maxRate === undefined ? [] : ['--max-rate', `${maxRate / LEAST_RATE}K`]),
    ...(credentialsFile === undefined ? [] : ['--credentials-file', credentialsFile]),
    ...(caFile === undefined ? [] : ['--ca-file', caFile]),
  ];
}

export function maxRateOption(): Option {
  return new Option('--max-rate <SIZE>', 'most bytes to send per second: 100K, 1M').argParser(
    sizeParser(LEAST_RATE, '1K', '100K or 1M'),
  );
}

/** Ends with an error if the URL is none of a database, which does not repeat a password. @param what the URL is */
export function targetOf(command: Command, text: string, what: string): Target {
  try {
    return parseTarget(text);
  } catch (error) {
    if (!(error instanceof TargetError)) throw error;
    command.error(`error: ${what} ${error.message}`, { exitCode: WRONG_USAGE });
  }
}
