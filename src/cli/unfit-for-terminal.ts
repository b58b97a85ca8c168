import type { Format } from '../sinks/format.ts';
import type { FormatName } from '../sinks/formats.ts';
import { isTerminal, writeStderr } from '../terminal/output.ts';

const STDOUT = 1;

/** Says that a terminal is no place for a format, and how to get it, if nothing else than a terminal would get it. */
export function isUnfitForTerminal(
  name: FormatName,
  file: string | undefined,
  { binary = false }: Partial<Format> = {},
): boolean {
  const what = name === 'html' ? 'html is a page for a browser' : binary ? `${name} is a binary format` : undefined;
  if (what === undefined || file !== undefined || !isTerminal(STDOUT)) return false;
  writeStderr(`kstack: ${what}: write it to a file with -o, or redirect the output\n`);
  return true;
}
