import { type Command, Help, type HelpConfiguration } from 'commander';

/** What the help is made for; on a narrower terminal it is wrapped. */
const USUAL_COLUMNS = 80;
const [TERM_INDENT, DESCRIPTION_INDENT] = [2, 6];
/** How much further a line goes on. */
const HANGING = 2;

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
      .map((line) => wrapped(line, columns))
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

/** The line on as many lines as it takes. A word that is longer than a line stays whole. */
function wrapped(line: string, columns: number): string {
  if (line.length <= columns) return line;
  const indent = ' '.repeat(line.length - line.trimStart().length);
  const isDescription = indent.length === DESCRIPTION_INDENT;
  const lines: string[] = [];
  let current = indent;
  for (const word of line.trim().split(' ')) {
    const isFirst = current.trim() === '';
    if (!isFirst && current.length + 1 + word.length > columns) {
      lines.push(current);
      current = `${indent}${isDescription ? '' : ' '.repeat(HANGING)}${word}`;
    } else current += isFirst ? word : ` ${word}`;
  }
  return [...lines, current].join('\n');
}
