import { Argument, type Command, InvalidArgumentError, Option } from 'commander';
import { writeStderr } from '../terminal/output.ts';

const LARGEST_DAYS = 36_500;

/** Registers `kstack schema`. */
export function addSchema(program: Command): void {
  const command = program
    .command('schema')
    .description('Print the statements that create the tables of samples in a database (docs/tables.md).')
    .addArgument(new Argument('<clickhouse>', 'the database').choices(['clickhouse']))
    .addOption(
      new Option(
        '--server <VERSION>',
        'version of the server, from SELECT version(): later ones compress better, and delete by age',
      )
        .argParser(parseVersion)
        .default([18, 16], '18.16'),
    )
    .addOption(
      new Option('--keep <DAYS>', 'days to keep rows of samples, from server 20.3 on').argParser(parseDays).default(30),
    );
  command.action(async () => {
    const { server, keep }: { server: readonly [number, number]; keep: number } = command.opts();
    const { printSchema } = await import('../cli/print-schema.ts');
    if (command.getOptionValueSource('keep') === 'cli' && !forgets(server))
      writeStderr("kstack: '--keep' has no effect: servers before 20.3 forget no rows; give yours with '--server'\n");
    printSchema({ version: server, keepDays: keep });
  });
}

/** Whether a server deletes rows by their age. */
function forgets([year, month]: readonly [number, number]): boolean {
  return year > 20 || (year === 20 && month >= 3);
}

function parseVersion(text: string): readonly [year: number, month: number] {
  const [, year, month] = /^(\d{1,4})\.(\d{1,4})(?:\.|$)/.exec(text) ?? [];
  if (year === undefined || month === undefined)
    throw new InvalidArgumentError('Give a version such as 18.16 or 24.3.1.2672.');
  return [Number(year), Number(month)];
}

function parseDays(text: string): number {
  const days = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (days < 1 || days > LARGEST_DAYS) throw new InvalidArgumentError(`Give a number from 1 to ${LARGEST_DAYS}.`);
  return days;
}
