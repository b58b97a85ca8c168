import { type Command, Help, type HelpConfiguration } from 'commander';
import { HANGING, wrapped } from '../terminal/wrapped.ts';

/** What the help is made for; on a narrower terminal it is wrapped. */
const USUAL_COLUMNS = 80;
const [TERM_INDENT, DESCRIPTION_INDENT] = [2, 6];

/**
 * Help for narrow terminals, which commander leaves to wrap by themselves: descriptions stand below what they describe.
 * Everywhere else, help is as commander makes it.
 */
export const helpForNarrow: HelpConfiguration = {
  formatHelp(command: Command, help: Help): string {
    const text = Help.prototype.formatHelp.call(help, command, help);
    const columns = columnsOf(help);
    if (columns >= USUAL_COLUMNS) return text;
    return text
      .split('\n')
      .flatMap((line) => wrapped(line, columns, isDescription(line) ? 0 : HANGING))
      .join('\n');
  },
  formatItem(term: string, termWidth: number, description: string, help: Help): string {
    if (columnsOf(help) >= USUAL_COLUMNS)
      return Help.prototype.formatItem.call(help, term, termWidth, description, help);
    const lines = [`${' '.repeat(TERM_INDENT)}${term}`];
    if (description !== '') lines.push(`${' '.repeat(DESCRIPTION_INDENT)}${description}`);
    return lines.join('\n');
  },
};

function columnsOf({ helpWidth = USUAL_COLUMNS }: Help): number {
  return helpWidth;
}

function isDescription(line: string): boolean {
  return line.length - line.trimStart().length === DESCRIPTION_INDENT;
}
