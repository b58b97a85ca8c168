import { type Command, InvalidArgumentError, Option } from 'commander';
import type { BackgroundOptions } from '../background/options.ts';

const DEFAULT_DIRECTORY = '/var/oled/kstack';

/** A year: long enough for a service, short enough for every clock. */
const LONGEST_MINUTES = 366 * 24 * 60;
const LONGEST_SECONDS = 24 * 60 * 60;
const LARGEST_MEGABYTES = 1_000_000;
const MOST_FILES = 10_000;
const MOST_PERCENT = 1_000_000;

export function directoryOption(): Option {
  return new Option('-d <DIRECTORY>', 'directory of the log files').default(DEFAULT_DIRECTORY).argParser(notEmpty);
}

/** @throws InvalidArgumentError if the text is empty */
export function notEmpty(text: string): string {
  if (text === '') throw new InvalidArgumentError('It must not be empty.');
  return text;
}

interface NumberOption {
  readonly name: string;
  readonly flags: string;
  readonly help: string;
  readonly standard: number;
  readonly least: number;
  readonly most: number;
  /** Precedes the message about a value below `least`. */
  readonly tooSmall?: string;
}

const TIMES: readonly NumberOption[] = [
  {
    name: 't',
    flags: '-t <MINUTES>',
    help: 'how long to run; 0 takes one sample',
    standard: 30,
    least: 0,
    most: LONGEST_MINUTES,
  },
  {
    name: 'i',
    flags: '-i <SECONDS>',
    help: 'time between samples',
    standard: 60,
    least: 10,
    most: LONGEST_SECONDS,
    tooSmall: 'Option -i must be >= 10 seconds.',
  },
];

const FULL: NumberOption = {
  name: 'x',
  flags: '-x <PERCENT>',
  help: 'write nothing while the file system is this full or fuller; above 100: do not check',
  standard: 85,
  least: 1,
  most: MOST_PERCENT,
};

const FILES: readonly NumberOption[] = [
  {
    name: 'm',
    flags: '-m <MB>',
    help: 'rotate the log at this size',
    standard: 1,
    least: 1,
    most: LARGEST_MEGABYTES,
  },
  {
    name: 'n',
    flags: '-n <FILES>',
    help: 'rotated files to keep; all files together stay below FILES times MB (MB if FILES is 0)',
    standard: 5,
    least: 0,
    most: MOST_FILES,
  },
  FULL,
];

/** Adds the options of background mode to a command. */
export function addBackgroundOptions(command: Command): void {
  command.optionsGroup('Background mode:').option('-b', 'sample at intervals into a log file, in the background');
  for (const option of TIMES) command.addOption(numberOption(option));
  command.optionsGroup('Log files of background mode:').addOption(directoryOption());
  for (const option of FILES) command.addOption(numberOption(option));
}

/** The parsed options; undefined without -b. Exits with the command's error if a number is out of range. */
export function backgroundOptionsOf(command: Command): BackgroundOptions | undefined {
  const options: Record<string, unknown> = command.opts();
  if (options['b'] !== true) return undefined;
  for (const option of [...TIMES, ...FILES]) checkRange(command, option);
  return {
    minutes: Number(options['t']),
    intervalSeconds: Number(options['i']),
    directory: String(options['d']),
    maxMegabytes: Number(options['m']),
    keep: Number(options['n']),
    maxUsedPercent: maxUsedPercentOf(command),
  };
}

/** A line about the options that matter in background mode only, if any is given without it. */
export function describeIgnored(command: Command): string | undefined {
  const names = [...TIMES.map(({ name }) => name), 'd', ...FILES.map(({ name }) => name)];
  const ignored = names.filter((name) => command.getOptionValueSource(name) === 'cli').map((name) => `-${name}`);
  if (ignored.length === 0) return undefined;
  return `${ignored.join(', ')} ${ignored.length === 1 ? 'has' : 'have'} no effect without -b`;
}

export function maxUsedPercentOption(): Option {
  return numberOption(FULL);
}

/** Exits with the command's error if it is out of range. */
export function maxUsedPercentOf(command: Command): number {
  checkRange(command, FULL);
  const percent = Number(command.opts()['x']);
  return percent > 100 ? Number.POSITIVE_INFINITY : percent;
}

function checkRange(command: Command, option: NumberOption): void {
  const value = Number(command.opts()[option.name]);
  if (value < option.least || value > option.most)
    command.error(`error: option '${option.flags}' argument '${value}' is invalid. ${rangeOf(option, value)}`);
}

function rangeOf({ name, least, most, tooSmall }: NumberOption, value: number): string {
  const sentence = value < least && tooSmall !== undefined ? `${tooSmall} ` : '';
  return `${sentence}-${name} takes a whole number from ${least} to ${most}.`;
}

/** The range is checked only with -b: without it the number has no effect, as in the original. */
function numberOption(option: NumberOption): Option {
  return new Option(option.flags, option.help).default(option.standard).argParser((text) => {
    if (/^\s*[+-]?\d+\s*$/.test(text)) return Number(text);
    throw new InvalidArgumentError(rangeOf(option, Number.NaN));
  });
}
