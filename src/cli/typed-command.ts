import { basename, dirname } from 'node:path';
import { isGivenToRuntime, startedAs } from '../native/self.ts';

/** The command as it was typed, for advice to repeat it. */
export function typedCommand(): string {
  return commandLine(process.argv.slice(2));
}

/** A command line with these words, for advice to type it. */
export function commandLine(words: readonly string[]): string {
  return [...startOf(startedAs()), ...words].map(quote).join(' ');
}

/** The words that start kstack. */
function startOf(file: string): readonly string[] {
  const name = basename(file);
  // What npx has started is not on the PATH.
  if (process.env['npm_command'] === 'exec') return ['npx', name];
  if (isGivenToRuntime()) return [process.argv0, file];
  const isOnPath = (process.env['PATH'] ?? '').split(':').includes(dirname(file));
  return [isOnPath ? name : file];
}

/** Quotes a word for the shell, if necessary. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
