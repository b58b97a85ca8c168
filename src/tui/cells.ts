import { cut, cutHard, fitted, widthOf } from '../terminal/width.ts';

/** SGR parameters (ECMA-48, 8.3.117): the terminal's own colours, so that they suit its background. */
const STYLES = {
  plain: '',
  bold: '1',
  dim: '2',
  blocked: '31',
  running: '32',
  unexplained: '33',
  idle: '36',
  selected: '7',
} as const;

export type StyleName = keyof typeof STYLES;

/** A piece of a line. Its text is safe to print. */
export interface Cell {
  readonly text: string;
  readonly style?: StyleName;
}

export type Line = readonly Cell[];

export interface LineStyle {
  readonly columns: number;
  /** Whether there may be colours; what is selected is shown by inversion all the same. */
  readonly colour: boolean;
  readonly isSelected?: boolean;
}

/** A line of one cell. */
export function line(text: string, style: StyleName = 'plain'): Line {
  return [{ text, style }];
}

/** What a terminal is sent for a line: cut to its width, and filled up to it if it is selected. */
export function printed(cells: Line, { columns, colour, isSelected = false }: LineStyle): string {
  let left = columns;
  let shown = '';
  for (const { text, style = 'plain' } of cells) {
    if (left <= 0) break;
    const some = cut(text, left);
    left -= widthOf(some);
    const parameters = colour && !isSelected ? STYLES[style] : '';
    shown += parameters === '' ? some : `\x1b[${parameters}m${some}\x1b[0m`;
  }
  return isSelected ? `\x1b[${STYLES.selected}m${shown}${fitted('', left)}\x1b[0m` : shown;
}

/** Below this width, tables have fewer columns. */
export const NARROW = 60;
const HANGING = '  ';

/** The line on as many lines as it takes: broken at blanks, or inside of what is longer than a line. */
export function wrapped(cells: Line, columns: number): Line[] {
  const room = Math.max(1, columns - HANGING.length);
  const lines: Cell[][] = [[]];
  let left = columns;
  const add = (text: string, style: StyleName | undefined) => {
    lines.at(-1)?.push({ text, ...(style !== undefined && { style }) });
    left -= widthOf(text);
  };
  for (const { text, style } of cells)
    for (const word of text.split(/(?<=\S +)(?=\S)/)) {
      let rest = word;
      if (widthOf(rest.trimEnd()) > left && left < columns) {
        // What has only a label before it may begin below that, too.
        if (lines.at(-1)?.every((cell) => cell.text.trim() === '') === true) lines.pop();
        lines.push([{ text: HANGING }]);
        left = room;
      }
      while (widthOf(rest.trimEnd()) > left) {
        const head = cutHard(rest, left);
        if (head === '') break;
        add(head, style);
        rest = rest.slice(head.length);
        lines.push([{ text: HANGING }]);
        left = room;
      }
      add(widthOf(rest) > left ? rest.trimEnd() : rest, style);
    }
  return lines;
}

/** The same for a file: without trailing blanks. */
export function plainText(cells: Line): string {
  return cells
    .map(({ text }) => text)
    .join('')
    .trimEnd();
}
