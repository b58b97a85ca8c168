import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Moment, parseMoment, type Window } from './time-window.ts';

const LARGEST_TOP = 1_000_000;

/** Adds --from and --to to a command that reads files. */
export function addWindowOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--from <TIME>',
        "from this time on: 03:12, '2026-11-25 03:12', ISO 8601, or -10m, before the last sample",
      ).argParser(parseTime),
    )
    .addOption(new Option('--to <TIME>', 'up to this time').argParser(parseTime));
}

/**
 * What is wrong with options that apply to files or to this host, given the files that are named; undefined if nothing
 * is.
 * @param ofHost flags by the names of their options
 */
export function misplacedOnFiles(
  command: Command,
  names: readonly string[],
  ofHost: Readonly<Record<string, string>>,
): string | undefined {
  const isGiven = (name: string) => command.getOptionValueSource(name) === 'cli';
  if (names.length === 0) {
    const name = ['from', 'to', 'host'].find(isGiven);
    return name === undefined ? undefined : `'--${name}' applies to files`;
  }
  const name = Object.keys(ofHost).find(isGiven);
  return name === undefined ? undefined : `'${ofHost[name]}' applies to this host, not to files`;
}

export function windowOf(command: Command): Window {
  const { from, to }: { from?: Moment; to?: Moment } = command.opts();
  return { from, to };
}

export function parseTime(text: string): Moment {
  const moment = parseMoment(text);
  if (moment === undefined)
    throw new InvalidArgumentError("Give a time such as 03:12, '2026-11-25 03:12', 2026-11-25, ISO 8601 or -10m.");
  return moment;
}

export function topOption(standard: number): Option {
  return new Option('--top <N>', 'how many of each kind to show').argParser(parseTop).default(standard);
}

/** How report, diff and why write: as text, as a document for programs, or as a page for a browser. */
export function pageOption(): Option {
  return new Option(
    '-f, --format <FORMAT>',
    'text; json, with all that was found; or html, a page with the samples in it',
  )
    .choices(['text', 'json', 'html'])
    .default('text');
}

function parseTop(text: string): number {
  const top = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (top < 1 || top > LARGEST_TOP) throw new InvalidArgumentError(`Give a number from 1 to ${LARGEST_TOP}.`);
  return top;
}
