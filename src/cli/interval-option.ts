import { InvalidArgumentError, Option } from 'commander';
import { secondsIn } from '../model/duration.ts';

const LEAST_SECONDS = 0.1;
const MOST_SECONDS = 24 * 60 * 60;

/**
 * -i of commands that keep in step for as long as they are watched or space is there.
 * @param more what else is to be said of it
 */
export function intervalOption(more = ''): Option {
  return new Option('-i <SECONDS>', `time between samples, 0.1 or more${more}`).argParser(parseSeconds).default(1);
}

function parseSeconds(text: string): number {
  const seconds = secondsIn(text);
  if (seconds >= LEAST_SECONDS && seconds <= MOST_SECONDS) return seconds;
  throw new InvalidArgumentError(`Give seconds from ${LEAST_SECONDS} to ${MOST_SECONDS}.`);
}
