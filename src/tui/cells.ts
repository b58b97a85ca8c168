import { cut, fitted, widthOf } from '../terminal/width.ts';

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

/** The same for a file: without trailing blanks. */
export function plainText(cells: Line): string {
  return cells
    .map(({ text }) => text)
    .join('')
    .trimEnd();
}
