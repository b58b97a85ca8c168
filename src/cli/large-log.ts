import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { InputError, openSeekable } from '../files/input-file.ts';
import { endsAsRecording } from './recording-end.ts';
import type { NamedFiles } from './recordings-in.ts';

/** From this size on, starting a thread is worth the time that it takes. */
const LARGE_BYTES = 64 << 20;
const CLASSIC_HEAD = 'zzz <';

/**
 * A classic log that two threads read faster, if that is all there is to read. More threads would take too much memory.
 */
export function largeLogIn({ names, listed }: NamedFiles): string | undefined {
  const [file = ''] = names;
  return names.length === 1 && listed?.has(file) !== true && isLargeLog(file) ? file : undefined;
}

function isLargeLog(file: string): boolean {
  const status = statSync(file, { throwIfNoEntry: false });
  if (status?.isFile() !== true || status.size < LARGE_BYTES || availableParallelism() === 1) return false;
  try {
    const opened = openSeekable(file);
    const head = opened?.readAt(0, CLASSIC_HEAD.length).toString('latin1');
    opened?.close();
    return head === CLASSIC_HEAD && !endsAsRecording(file);
  } catch (error) {
    // It is told when the file is read.
    if (!(error instanceof InputError)) throw error;
    return false;
  }
}
