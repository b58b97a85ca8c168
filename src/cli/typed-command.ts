import { ownName } from '../native/self.ts';

/** The command as it was typed, for advice to repeat it. */
export function typedCommand(): string {
  return commandLine(process.argv.slice(2));
}

/** A command line with these words, for advice to type it. */
export function commandLine(words: readonly string[]): string {
  // What npx has started is not on the PATH.
  const npx = process.env['npm_command'] === 'exec' ? ['npx'] : [];
  return [...npx, ownName(), ...words.map(quote)].join(' ');
}

/** Quotes a word for the shell, if necessary. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
