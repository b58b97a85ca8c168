import { ownName } from '../native/self.ts';

/** The command as it was typed, for advice to repeat it. */
export function typedCommand(): string {
  return [ownName(), ...process.argv.slice(2).map(quote)].join(' ');
}

/** Quotes a word for the shell, if necessary. */
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
