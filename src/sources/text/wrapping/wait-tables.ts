import { columnKind } from '../forms/ps.ts';
import { cellsOf as csvCellsOf } from './csv-cells.ts';
import type { LinePart } from './lines.ts';
import type { LineReader } from './prefixed-lines.ts';

const LONGEST = 1000;
const DELIMITERS = ['\t', '|', '│', '┃', '║', ';', ','];
/** Those of tables that are drawn: they stand around a row, too. */
const BORDERS = '|│┃║';
/** What divides the rows of a table that is drawn. */
const RULE = /^[\s|│┃║+:=_─━═┄┈┌┐└┘├┤┬┴┼╔╗╚╝╠╣╦╩╬-]+$/;
const CELL = /(?:<\/t[dh]>\s{0,20})?<t[dh](?:\s[^<>]{0,200})?>/gi;
const OTHER_TAG = /<\/?t[dhr](?:\s[^<>]{0,200})?>/gi;
const QUOTED = /^(["'`])(.*)\1$/s;
/** A command for such a table has other characters in it. */
const TITLE = /^(?!.*\bps )[\w %:./-]{0,32}$/;
const LEAST_COLUMNS = 3;

interface Table {
  readonly delimiter: string;
  /** Where the cells are that are read, the last one the name. */
  readonly cells: readonly number[];
  readonly count: number;
}

/**
 * Lays the tables of ps(1) that have the wait channel out as ps(1) does, where somebody made CSV, tabs, Markdown, HTML
 * or a drawing of them, with the columns in any order.
 */
export class WaitTables implements LineReader {
  readonly #next: LineReader;
  #table: Table | undefined;

  constructor(next: LineReader) {
    this.#next = next;
  }

  get isWithin(): boolean {
    return this.#next.isWithin;
  }

  take(part: LinePart): void {
    const { text } = part;
    const table = this.#table;
    if (table !== undefined) {
      if (RULE.test(text) && text.trim() !== '') return;
      const row = rowOf(text, table);
      if (row !== undefined) {
        this.#next.take({ ...part, text: row });
        return;
      }
      this.#table = undefined;
      if (text.trim() !== '') this.#next.take({ ...part, text: '' });
    }
    if (text.length < LONGEST && (text.includes('WCHAN') || text.includes('wchan')) && !this.#next.isWithin)
      this.#begin(part);
    else this.#next.take(part);
  }

  end(): void {
    this.#next.end();
  }

  #begin(part: LinePart): void {
    const found = tableFrom(part.text);
    this.#table = found?.table;
    this.#next.take(found === undefined ? part : { ...part, text: found.titles });
  }
}

function tableFrom(line: string): { readonly table: Table; readonly titles: string } | undefined {
  // Jira puts two marks between titles.
  const text = plain(line).replaceAll('||', '|');
  for (const delimiter of DELIMITERS) {
    const cells = text.includes(delimiter) ? cellsOf(text, delimiter, Number.POSITIVE_INFINITY) : [];
    if (cells.length < LEAST_COLUMNS) continue;
    if (!cells.every((cell) => TITLE.test(cell))) continue;
    const titles = cells.map((cell) => cell.toUpperCase());
    const kinds = titles.map(columnKind);
    const at = (kind: ReturnType<typeof columnKind>) => kinds.indexOf(kind);
    if (at('wchan') === -1 || (at('pid') === -1 && at('tid') === -1)) continue;
    const read = [at('pid'), at('tid'), at('state'), at('wchan'), at('name')].filter((each) => each !== -1);
    return {
      table: { delimiter, cells: read, count: cells.length },
      titles: read.map((each) => titles[each]).join(' '),
    };
  }
  return undefined;
}

function rowOf(line: string, { delimiter, cells, count }: Table): string | undefined {
  if (line.length > LONGEST) return undefined;
  const values = cellsOf(plain(line), delimiter, count);
  // A command line may have the character in it, too.
  if (values.length < count) return undefined;
  return cells.map((at) => (values[at] === '' ? '-' : values[at])).join(' ');
}

/** The line without its markup: cells of HTML have a tab between them. */
function plain(line: string): string {
  if (!line.includes('<t') && !line.includes('<T')) return line;
  return line
    .replaceAll(CELL, '\t')
    .replaceAll(OTHER_TAG, '')
    .replace(/^\s*\t/, '');
}

/** The cells, without the outer borders, quotes and the marks of code. An empty cell may be the first or the last. */
function cellsOf(line: string, delimiter: string, columns: number): string[] {
  const isDrawn = BORDERS.includes(delimiter);
  const row = isDrawn ? undefined : csvCellsOf(line, delimiter, columns);
  const cells = row === undefined || row.isOpen ? within(line, isDrawn, delimiter).split(delimiter) : row.cells;
  return cells.map((cell) => {
    const value = cell.trim().replaceAll(/^\*\*|\*\*$/g, '');
    return QUOTED.exec(value)?.[2] ?? value;
  });
}

/** A row without the borders around it. */
function within(line: string, isDrawn: boolean, border: string): string {
  if (!isDrawn) return line;
  const text = line.trim();
  return text.slice(text.startsWith(border) ? 1 : 0, text.length > 1 && text.endsWith(border) ? -1 : undefined);
}
