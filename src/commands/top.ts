import { type Command, InvalidArgumentError, Option } from 'commander';
import { INTERVAL_MS } from '../background/options.ts';
import { WRONG_USAGE } from '../cli/exit-codes.ts';
import { addForeignOption } from '../cli/foreign-option.ts';
import { intervalOption } from '../cli/interval-option.ts';
import { recordingsIn } from '../cli/recordings-in.ts';
import { addSelectionOptions, procOf, selectionOf, sourceOf } from '../cli/selection-options.ts';
import { typedCommand } from '../cli/typed-command.ts';
import { addWindowOptions, misplacedOnFiles, windowOf } from '../cli/window-options.ts';

interface TopFlags {
  readonly i: number;
  readonly batch?: true;
  readonly n?: number;
}

/** Registers `kstack top`. */
export function addTop(program: Command): void {
  const command = program
    .command('top')
    .description('Show on the terminal which tasks are blocked or run, live, or replay recordings and logs.')
    .argument(
      '[FILE...]',
      'recordings or directories of them, logs of kstack -b, kernel logs, dumps (default: this host, live)',
    )
    .addOption(intervalOption())
    .option('--batch', 'write plain blocks one after the other, as when the output is not a terminal')
    .addOption(new Option('-n <NUMBER>', 'write this many plain blocks, then end').argParser(parseCount))
    .optionsGroup('For files:');
  addWindowOptions(command);
  addForeignOption(command, '-b', "plain blocks are '--batch'");
  addForeignOption(command, '-d <SECONDS>', "the time between samples is '-i SECONDS'");
  addForeignOption(command, '-H', "every thread is taken unless something is selected; then give '-L'");
  addSelectionOptions(command, 'everything if there is none');
  command.action(async (names: string[]) => {
    const wrong = misplacedOnFiles(command, names, { source: '--source', proc: '--proc' });
    if (wrong !== undefined) command.error(`error: ${wrong}`, { exitCode: WRONG_USAGE });
    const flags: TopFlags = command.opts();
    const selection = await selectionOf(command);
    const { top } = await import('../cli/top.ts');
    process.exitCode = await top({
      ...recordingsIn(names),
      window: windowOf(command),
      selection,
      root: procOf(command),
      source: sourceOf(command),
      intervalMs: Number(process.env[INTERVAL_MS] ?? 1000 * flags.i),
      batch: flags.batch === true || flags.n !== undefined,
      count: flags.n,
      typed: typedCommand(),
    });
  });
}

function parseCount(text: string): number {
  const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (count > 0) return count;
  throw new InvalidArgumentError('Give a number of 1 or more.');
}
