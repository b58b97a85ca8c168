import { type Command, Option } from 'commander';

export const FORMATS = ['text', 'long', 'json', 'jsonl', 'folded', 'pprof', 'speedscope'] as const;
export type Format = (typeof FORMATS)[number];

/** How and where a sample is written. */
export interface OutputOptions {
  readonly format: Format;
  /** Undefined for standard output. */
  readonly file: string | undefined;
  readonly full: boolean;
}

/** Gives a command the options of its output. */
export function addOutputOptions(command: Command): void {
  command
    .optionsGroup('Output:')
    .addOption(new Option('-f, --format <FORMAT>', 'how to write it').choices(FORMATS).default('text'))
    .option('-o, --output <FILE>', 'write to a file, which is replaced when all is written')
    .option('--full', 'long: leave nothing out');
}

/** The parsed options. */
export function outputOptionsOf(command: Command): OutputOptions {
  const options: { format: Format; output?: string; full?: true } = command.opts();
  return { format: options.format, file: options.output === '-' ? undefined : options.output, full: options.full === true };
}
