import { widthOf } from '../terminal/width.ts';

const CLEAR = '\x1b[H\x1b[2J';
/** Terminals that know it show a frame at once (mode 2026); others ignore it. */
const [BEGIN, END] = ['\x1b[?2026h', '\x1b[?2026l'];

export interface Size {
  readonly rows: number;
  readonly columns: number;
}

/** Knows what a terminal shows, to send only the lines that change: a sick host may be at the end of a slow line. */
export class Screen {
  #size: Size | undefined;
  #shown: readonly string[] = [];

  /**
   * What to send so that the terminal shows these lines, one a row, and nothing else. Empty if it does already.
   * @param lines as `printed` makes them, none wider than the terminal
   */
  paint(lines: readonly string[], size: Size): string {
    const isNew = this.#size?.rows !== size.rows || this.#size.columns !== size.columns;
    const before = isNew ? [] : this.#shown;
    const shown = lines.slice(0, size.rows);
    const parts: string[] = [];
    for (let row = 0; row < Math.max(shown.length, before.length); row++) {
      const text = shown[row] ?? '';
      if (text === (before[row] ?? '')) continue;
      parts.push(`\x1b[${row + 1};1H${text}${isFull(text, size.columns) ? '' : '\x1b[K'}`);
    }
    this.#size = size;
    this.#shown = shown;
    if (parts.length === 0 && !isNew) return '';
    return `${BEGIN}${isNew ? CLEAR : ''}${parts.join('')}${END}`;
  }

  /** Something else has written to the terminal, or what was sent did not arrive. */
  forget(): void {
    this.#size = undefined;
  }
}

/** Behind the last column the cursor stays on it: to erase from there would erase what stands there. */
function isFull(text: string, columns: number): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: styles are control sequences
  return widthOf(text.replaceAll(/\x1b\[[\d;]*m/g, '')) >= columns;
}
