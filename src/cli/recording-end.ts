import { statSync } from 'node:fs';
import { type NamedBy, openSeekable } from '../files/input-file.ts';
import { entryIn, TRAILER_BYTES } from '../recording/trailer.ts';

/** Whether the beginning of a file may be damaged, and its end is that of a recording. */
export function endsAsRecording(name: string, by: NamedBy = {}): boolean {
  if (statSync(name, { throwIfNoEntry: false })?.isFile() !== true) return false;
  const file = openSeekable(name, by);
  if (file === undefined) return false;
  try {
    return (
      file.sizeBytes >= TRAILER_BYTES &&
      entryIn(file.readAt(file.sizeBytes - TRAILER_BYTES, TRAILER_BYTES)) !== undefined
    );
  } finally {
    file.close();
  }
}
