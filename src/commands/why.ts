import { type Command, InvalidArgumentError, Option } from 'commander';
import { WRONG_USAGE } from '../cli/exit-codes.ts';
import { fileOf, fileOption, redactOption } from '../cli/output-options.ts';
import { addSelectionOptions, procOf, selectionOf, sourceOf } from '../cli/selection-options.ts';
import { typedCommand } from '../cli/typed-command.ts';
import { pageOption } from '../cli/window-options.ts';
import { durationIn } from '../model/duration.ts';
import { EVERYTHING } from '../model/selection.ts';

/** Registers `kstack why`. */
export function addWhy(program: Command): void {
  const command = program
    .command('why')
    .description('Say what holds this host up: who waits, for what, since when, and who is at the root of it.')
    .optionsGroup('Output:')
    .addOption(pageOption())
    .addOption(fileOption())
    .option('--evidence', 'show what each sentence was read from')
    .addOption(redactOption())
    .optionsGroup('As a check:')
    .option('--exit-code', 'exit with 1 if something has been held up for too long, 3 if that is not known, else 0')
    .addOption(
      new Option('--for <DURATION>', 'what is too long: 30s, 5m').argParser(parseDuration).default(30_000, '30s'),
    );
  addSelectionOptions(command, 'every thread if there is none');
  command.action(async () => {
    const options: {
      format: 'text' | 'json' | 'html';
      output?: string;
      evidence?: true;
      redact?: true;
      exitCode?: true;
      for: number;
    } = command.opts();
    const { format, output, evidence, exitCode, for: forMs } = options;
    if (exitCode !== true && command.getOptionValueSource('for') === 'cli')
      command.error("error: '--for' applies only with '--exit-code'", { exitCode: WRONG_USAGE });
    const selection = await selectionOf(command);
    const { why } = await import('../cli/why.ts');
    process.exitCode = await why({
      selection: selection === undefined ? EVERYTHING : { ...selection, threads: true },
      root: procOf(command),
      source: sourceOf(command),
      format,
      file: fileOf(output),
      evidence: evidence === true,
      redact: options.redact === true,
      exitCode: exitCode === true,
      forMs,
      verbose: program.opts()['verbose'] === true,
      typed: typedCommand(),
    });
  });
}

function parseDuration(text: string): number {
  const milliseconds = durationIn(text);
  if (milliseconds === undefined) throw new InvalidArgumentError('Give a duration such as 30s, 5m or 1h.');
  return milliseconds;
}
