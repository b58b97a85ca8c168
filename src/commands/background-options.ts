import { type Command, InvalidArgumentError, Option } from 'commander';

const DEFAULT_DIRECTORY = '/var/oled/kstack';

/** Set in the environment of the process in the background: the descriptor on which it reports that it has begun. */
export const REPORT_FD = 'KSTACK_REPORT_FD';

/** How a background run goes, in the units of its options. */
export interface BackgroundOptions {
  readonly minutes: number;
  readonly intervalSeconds: number;
  readonly directory: string;
  readonly maxMegabytes: number;
  readonly keep: number;
  readonly maxUsedPercent: number;
}

/** A year: long enough for a service, short enough for every clock. */
const LONGEST_MINUTES = 366 * 24 * 60;
const LONGEST_SECONDS = 24 * 60 * 60;
const LARGEST_MEGABYTES = 1_000_000;
const MOST_FILES = 10_000;

export function directoryOption(): Option {
  return new Option('-d <DIRECTORY>', 'where the log files are').default(DEFAULT_DIRECTORY);
}

/** Gives a command the options of the background mode. */
export function addBackgroundOptions(command: Command): void {
  command
    .optionsGroup('Background mode:')
    .option('-b', 'sample at an interval into a log file, in the background')
    .addOption(number('-t <MINUTES>', 'how long to run', 30, 1, LONGEST_MINUTES))
    .addOption(number('-i <SECONDS>', 'time between samples', 60, 10, LONGEST_SECONDS, 'Option -i must be >= 10 seconds.'));
  command
    .optionsGroup('Log files of the background mode:')
    .addOption(directoryOption())
    .addOption(number('-m <MB>', 'size at which the log is rotated', 1, 1, LARGEST_MEGABYTES))
    .addOption(number('-n <FILES>', 'rotated files to keep; all files together stay below FILES times MB', 5, 0, MOST_FILES))
    .addOption(number('-x <PERCENT>', 'write nothing to a file system used this much or more', 85, 1, 100));
}

/** The parsed options, undefined without -b. */
export function backgroundOptionsOf(command: Command): BackgroundOptions | undefined {
  const options: Record<string, unknown> = command.opts();
  if (options['b'] !== true) return undefined;
  return {
    minutes: Number(options['t']),
    intervalSeconds: Number(options['i']),
    directory: String(options['d']),
    maxMegabytes: Number(options['m']),
    keep: Number(options['n']),
    maxUsedPercent: Number(options['x']),
  };
}

function number(flags: string, help: string, standard: number, least: number, most: number, tooSmall = ''): Option {
  const name = flags.slice(0, 2);
  return new Option(flags, help).default(standard).argParser((text) => {
    const value = /^\s*[+-]?\d+\s*$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    const sentence = value < least && tooSmall !== '' ? `${tooSmall} ` : '';
    throw new InvalidArgumentError(`${sentence}${name} takes a whole number from ${least} to ${most}.`);
  });
}
