import { type Command, Option } from 'commander';
import type { RecordingTarget } from '../background/recorder.ts';
import { recordingBounds, USUAL_BYTES } from '../background/recording-bounds.ts';
import { maxUsedPercentOf, maxUsedPercentOption, notEmpty } from '../cli/background-options.ts';
import { addShippingOptions, shippingOf } from '../cli/clickhouse-options.ts';
import { parseDuration } from '../cli/duration-option.ts';
import { WRONG_USAGE } from '../cli/exit-codes.ts';
import { intervalOption } from '../cli/interval-option.ts';
import { addOtlpOptions } from '../cli/otlp-options.ts';
import { addSelectionOptions, procOf, selectionOf, sourceOf } from '../cli/selection-options.ts';
import { sizeParser } from '../cli/size-option.ts';
import { addTriggerOptions, triggeringOf } from '../cli/trigger-options.ts';
import { typedCommand } from '../cli/typed-command.ts';
import { EVERYTHING } from '../model/selection.ts';

const LEAST_BYTES = 2 ** 20;

const NOT_A_FILE: ReadonlySet<string> = new Set(['-', '/dev/stdout', '/dev/stderr', '/dev/fd/1', '/proc/self/fd/1']);

interface RecordFlags {
  readonly output?: string;
  readonly d?: string;
  readonly i: number;
  readonly for?: number;
  readonly maxSize: number;
  readonly maxAge?: number;
  readonly otlpProfiles?: true;
}

/** Registers `kstack record`. */
export function addRecord(program: Command): void {
  const command = program.command('record').description('Record samples, for report, diff, convert and explain.');
  command
    .addOption(new Option('-o, --output <FILE>', 'record into a file; it must not exist yet').argParser(notEmpty))
    .addOption(
      new Option('-d <DIRECTORY>', 'record into files in a directory; the oldest make room for new ones')
        .argParser(notEmpty)
        .conflicts('output'),
    )
    .addOption(intervalOption('; below 1, who holds up whom is not searched for'))
    .addOption(
      new Option('--for <DURATION>', 'how long: 30s, 10m, 2h or 1d; else until Ctrl-C').argParser(parseDuration),
    );
  command
    .optionsGroup('Bounds of a directory:')
    .addOption(
      new Option('--max-size <SIZE>', 'limit for all files together: 20M, 2G')
        .argParser(sizeParser(LEAST_BYTES, '1M', '500M or 2G'))
        .default(USUAL_BYTES, '200M'),
    )
    .addOption(new Option('--max-age <DURATION>', 'remove samples that are older: 36h, 7d').argParser(parseDuration))
    .addOption(maxUsedPercentOption());
  addShippingOptions(command);
  addTriggerOptions(command);
  command.optionsGroup('Log records of stuck tasks and triggers:');
  addOtlpOptions(command, 'send them to');
  command.option('--otlp-profiles', 'experimental: also send profiles of tasks that do not idle');
  addSelectionOptions(command, 'every thread if there is none');
  command.action(async () => {
    const flags: RecordFlags = command.opts();
    const target = targetOf(command, flags);
    const shipping = shippingOf(command, flags.d);
    const { record } = await import('../cli/record.ts');
    const { otlpOf } = await import('../cli/otlp-target.ts');
    process.exitCode = await record({
      selection: (await selectionOf(command)) ?? EVERYTHING,
      root: procOf(command),
      source: sourceOf(command),
      target,
      intervalMs: 1000 * flags.i,
      durationMs: flags.for,
      triggering: await triggeringOf(command, procOf(command), flags.i),
      typed: typedCommand(),
      shipping,
      otlp: await otlpOf(command),
      profiles: flags.otlpProfiles === true,
    });
  });
}

function targetOf(command: Command, { output, d, maxSize, maxAge }: RecordFlags): RecordingTarget {
  if (d !== undefined) {
    const options = { ageMs: maxAge, maxUsedPercent: maxUsedPercentOf(command), options: '--max-size' };
    return { directory: d, bounds: recordingBounds(maxSize, options) };
  }
  if (output === undefined)
    command.error("error: give a file with '-o' or a directory with '-d'", { exitCode: WRONG_USAGE });
  for (const [name, flag] of [
    ['maxSize', '--max-size'],
    ['maxAge', '--max-age'],
    ['x', '-x'],
  ] as const)
    if (command.getOptionValueSource(name) === 'cli')
      command.error(`error: '${flag}' applies only with '-d'`, { exitCode: WRONG_USAGE });
  if (NOT_A_FILE.has(output))
    command.error(`error: '-o ${output}': a recording is written to a file, not to standard output`, {
      exitCode: WRONG_USAGE,
    });
  return { file: output };
}
