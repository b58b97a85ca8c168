import { Reader } from '../native/reader/reader.ts';
import { RemoteFiles } from '../native/reader/remote-files.ts';
import { type Files, NoAnswer } from './files.ts';

/** How long a command waits for a call on a file system, so that it answers within three seconds. */
const DEADLINE_MS = 1500;

/** Files whose calls fail with NoAnswer if the file system does not answer. Whoever opens the reader closes it. */
export function filesOf(reader: Reader): RemoteFiles & Files {
  return new RemoteFiles(reader, DEADLINE_MS, (path) => new NoAnswer(path));
}

/** Calls `use` with files of a reader that lives only as long. */
export async function withFiles<Result>(use: (files: RemoteFiles & Files) => Promise<Result>): Promise<Result> {
  const reader = new Reader('/proc');
  try {
    return await use(filesOf(reader));
  } finally {
    reader.close();
  }
}
