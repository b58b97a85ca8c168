import { opendirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../files/files.ts';
import { InputError } from '../files/input-file.ts';

const RECORDING = /\.kstack$/;
/** Each is opened, and read at the same time as the others. */
const MOST_FILES = 1000;

/** Files to read. */
export interface NamedFiles {
  readonly names: readonly string[];
  /** Those of them that nobody named: they were found in a directory. See NamedBy. */
  readonly listed?: ReadonlySet<string> | undefined;
}

/**
 * The names of files to read, with the recordings of each directory in its place. A directory without any
 * stays: the error tells so. Links in it are not followed: it may be somebody else's.
 * @throws InputError for a directory with too many
 */
export function recordingsIn(given: readonly string[]): NamedFiles {
  const listed = new Set<string>();
  const names = given.flatMap((name) => {
    const found = recordingsOf(name);
    for (const each of found) listed.add(each);
    return found.length === 0 ? name : found;
  });
  for (const name of given) listed.delete(name);
  return { names, listed };
}

function recordingsOf(name: string): string[] {
  try {
    if (statSync(name, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
    const directory = opendirSync(name);
    const found: string[] = [];
    try {
      for (let entry = directory.readSync(); entry !== null; entry = directory.readSync())
        if (entry.isFile() && RECORDING.test(entry.name) && found.push(join(name, entry.name)) > MOST_FILES)
          throw new InputError(`${name} has more than ${MOST_FILES} recordings: name those to read`);
    } finally {
      directory.closeSync();
    }
    return found.sort();
  } catch (error) {
    // It is told when the file is read.
    if (codeOf(error) === undefined) throw error;
    return [];
  }
}
