import { widthOf } from './width.ts';

/** How much further a line goes on. */
export const HANGING = 2;

/**
 * A line on as many lines as it takes: broken between words, and going on as far to the right as it begins, and
 * `hanging` columns more. A word that is longer than a line stays whole.
 */
export function wrapped(line: string, columns: number, hanging = HANGING): string[] {
  if (visible(line) <= columns) return [line];
  const indent = line.length - line.trimStart().length;
  const lines: string[] = [];
  let current = ' '.repeat(indent);
  let width = indent;
  let isBegun = false;
  for (const word of line.trim().split(' ')) {
    const wide = visible(word);
    if (isBegun && width + 1 + wide > columns) {
      lines.push(current.trimEnd());
      current = ' '.repeat(indent + hanging);
      width = indent + hanging;
      isBegun = false;
    }
    if (!isBegun && word === '') continue;
    current += isBegun ? ` ${word}` : word;
    width += wide + (isBegun ? 1 : 0);
    isBegun = true;
  }
  return [...lines, current];
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: what colours a text
const COLOURS = /\x1b\[\d*m/g;

/** The text without what colours it. */
export function withoutColours(text: string): string {
  return text.includes('\x1b') ? text.replace(COLOURS, '') : text;
}

function visible(text: string): number {
  return widthOf(withoutColours(text));
}
