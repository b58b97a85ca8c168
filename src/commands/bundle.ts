import { type Command, Option } from 'commander';
import { parseDuration } from '../cli/duration-option.ts';
import { intervalOption } from '../cli/interval-option.ts';
import { fileOf, fileOption, redactOption } from '../cli/output-options.ts';
import { addSelectionOptions, procOf, selectionOf, sourceOf } from '../cli/selection-options.ts';
import { sizeParser } from '../cli/size-option.ts';
import { typedCommand } from '../cli/typed-command.ts';

const USUAL_MS = 30_000;
const LEAST_BYTES = 2 ** 20;
const USUAL_BYTES = 20 * 2 ** 20;

interface BundleFlags {
  readonly output?: string;
  readonly for: number;
  readonly i: number;
  readonly maxSize: number;
  readonly redact?: true;
}

/** Registers `kstack bundle`. */
export function addBundle(program: Command): void {
  const command = program
    .command('bundle')
    .description('Write one file to hand on: a short recording, verdict, report, kernel log, versions.')
    .optionsGroup('Output:')
    .addOption(fileOption())
    .addOption(
      new Option('--max-size <SIZE>', 'limit for the bundle: 5M, 1G')
        .argParser(sizeParser(LEAST_BYTES, '1M', '5M or 1G'))
        .default(USUAL_BYTES, '20M'),
    )
    .addOption(redactOption())
    .optionsGroup('Recording:')
    .addOption(intervalOption('; below 1, who holds up whom is not searched for'))
    .addOption(new Option('--for <DURATION>', 'how long: 30s, 10m').argParser(parseDuration).default(USUAL_MS, '30s'));
  addSelectionOptions(command, 'every thread if there is none');
  command.action(async () => {
    const flags: BundleFlags = command.opts();
    const { output } = flags;
    const file = fileOf(output);
    const selection = await selectionOf(command);
    const { bundle } = await import('../cli/bundle.ts');
    process.exitCode = await bundle({
      selection,
      root: procOf(command),
      source: sourceOf(command),
      target: output === undefined ? undefined : file === undefined ? 'standardOutput' : { file },
      maxBytes: flags.maxSize,
      durationMs: flags.for,
      intervalMs: 1000 * flags.i,
      redact: flags.redact === true,
      typed: typedCommand(),
    });
  });
}
