import { InvalidArgumentError } from 'commander';
import { durationIn } from '../model/duration.ts';

/** Milliseconds. @throws InvalidArgumentError */
export function parseDuration(text: string): number {
  const milliseconds = durationIn(text);
  if (milliseconds !== undefined) return milliseconds;
  throw new InvalidArgumentError('Give a duration such as 30s, 10m, 2h or 1d.');
}
