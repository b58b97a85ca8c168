import { type Command, InvalidArgumentError, Option } from 'commander';
import { notEmpty } from '../cli/background-options.ts';
import { addSelectionOptions, procOf, selectionOf, sourceOf } from '../cli/selection-options.ts';
import { typedCommand } from '../cli/typed-command.ts';
import type { Selection } from '../model/selection.ts';

const EVERYTHING: Selection = { all: true, threads: true };
const LEAST_SECONDS = 0.1;
const MOST_SECONDS = 24 * 60 * 60;

/** Registers `kstack record`. */
export function addRecord(program: Command): void {
  const command = program.command('record').description('Record samples into a file, for report, convert and explain.');
  command
    .addOption(
      new Option('-o, --output <FILE>', 'the recording; it must not exist yet')
        .argParser(notEmpty)
        .makeOptionMandatory(),
    )
    .addOption(new Option('-i <SECONDS>', 'time between samples, 0.1 or more').argParser(parseSeconds).default(1))
    .addOption(
      new Option('--for <DURATION>', 'how long: 30s, 10m, 2h or 1d; else until Ctrl-C').argParser(parseDuration),
    );
  addSelectionOptions(command, 'every thread if there is none');
  command.action(async () => {
    const { output, i, for: durationMs }: { output: string; i: number; for?: number } = command.opts();
    const { record } = await import('../cli/record.ts');
    process.exitCode = await record({
      selection: (await selectionOf(command)) ?? EVERYTHING,
      root: procOf(command),
      source: sourceOf(command),
      file: output,
      intervalMs: 1000 * i,
      durationMs,
      typed: typedCommand(),
    });
  });
}

function parseSeconds(text: string): number {
  const seconds = /^\d{1,6}(?:\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (seconds >= LEAST_SECONDS && seconds <= MOST_SECONDS) return seconds;
  throw new InvalidArgumentError(`Give seconds from ${LEAST_SECONDS} to ${MOST_SECONDS}.`);
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function parseDuration(text: string): number {
  const [, digits, unit = 's'] = /^(\d{1,6}(?:\.\d{1,3})?)([smhd])?$/.exec(text) ?? [];
  const milliseconds = Number(digits) * (UNIT_MS[unit] ?? Number.NaN);
  if (milliseconds > 0) return milliseconds;
  throw new InvalidArgumentError('Give a duration such as 30s, 10m, 2h or 1d.');
}
