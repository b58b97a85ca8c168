import type { LogBounds } from './rotating-log.ts';

/** What recordings in a directory may take together unless told otherwise. */
export const USUAL_BYTES = 200 * 2 ** 20;
/** A directory has about so many files, so that room is made in small steps. */
const FILES = 16;

/** The bounds of a directory in which recordings rotate, given what all of them may take. */
export function recordingBounds(
  totalBytes: number,
  others: Pick<LogBounds, 'ageMs' | 'maxUsedPercent' | 'options'>,
): LogBounds {
  return { fileBytes: Math.ceil(totalBytes / FILES), keep: Number.POSITIVE_INFINITY, totalBytes, ...others };
}
