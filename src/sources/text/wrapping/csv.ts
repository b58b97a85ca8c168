import { type LogRecord, momentOf } from './containers.ts';
import { cellsOf, type Row } from './csv-cells.ts';

/** What log stores and databases call the column with the text, the time and the host. */
const TEXT =
  /^(?:_raw|@?message|_?msg|syslogmessage|line|log|event|body|text|textpayload|content|dmesg|stack|kernel_?stack|stack_?trace|trace|query_plan|output)$/i;
const TIME = /^(?:_?time|@?timestamp|date|ts|time_?stamp)$/i;
const HOST = /^(?:_?host(?:\.?name)?|hostname|source|node|instance)$/i;
const MOST_COLUMNS = 64;
const LONGEST = 16_000;
const QUOTE = 34;
const DELIMITERS = [',', ';', '\t'];

interface Table {
  readonly delimiter: string;
  readonly columns: number;
  readonly text: number;
  readonly time: number;
  readonly host: number;
}

/**
 * The first line of a text of several lines in a table whose columns have unknown names: some cells, and a quote that
 * is not closed.
 */
const OPENED = /^(?:[^",;\t\s][^",;\t]{0,63}[,;\t]){1,16}"((?:[^"]|""){1,4000})$/;
const LONGEST_HEAD = 1000;
/** A quote in prose is not closed in so many lines. */
const MOST_OPEN = 2000;

/** Reads tables in CSV whose first line names the columns: the text of one of them, which may have several lines. */
export class CsvTable {
  #table: Table | undefined;
  /** The text goes on in the next line. */
  #isInText = false;
  /** So many lines may belong to that text. */
  #left = 0;

  /** Whether the next line is a row, or goes on with one. */
  get isOpen(): boolean {
    return this.#table !== undefined;
  }

  /** Takes the next line. Returns its text; undefined if the line is of no table. */
  take(line: string): LogRecord | undefined {
    const table = this.#table;
    if (this.#isInText && --this.#left >= 0) return { text: this.#restOf(line) };
    if (table === undefined) {
      this.#table = tableFrom(line);
      return this.#table === undefined ? this.#opened(line) : undefined;
    }
    const row = rowOf(line, table);
    if (row === undefined) {
      this.#table = tableFrom(line);
      return undefined;
    }
    this.#isInText = row.isOpen;
    this.#left = Number.POSITIVE_INFINITY;
    const { cells } = row;
    const host = cells[table.host];
    return {
      text: cells[table.text] ?? '',
      timeMs: momentOf(cells[table.time]),
      ...(host !== undefined && /^\S{1,255}$/.test(host) && { host }),
    };
  }

  #opened(line: string): LogRecord | undefined {
    const quote = line.indexOf('"');
    const isCell = quote > 0 && quote < LONGEST_HEAD && DELIMITERS.includes(line.charAt(quote - 1));
    const text = isCell && !line.endsWith('"') ? OPENED.exec(line)?.[1] : undefined;
    if (text === undefined) return undefined;
    this.#isInText = true;
    this.#left = MOST_OPEN;
    return { text: text.replaceAll('""', '"') };
  }

  #restOf(line: string): string {
    const end = /(?:^|[^"])(?:"")*"(?=$|[,;\t])/.exec(line);
    if (end === null) return line.replaceAll('""', '"');
    this.#isInText = false;
    return line.slice(0, end.index + end[0].length - 1).replaceAll('""', '"');
  }
}

/** Whether this line names the columns of such a table. */
export function isTableHead(line: string): boolean {
  return tableFrom(line) !== undefined;
}

function tableFrom(line: string): Table | undefined {
  // Lines of a log have blanks, and most tables have none in their first line.
  if ((line.charCodeAt(0) !== QUOTE && line.includes(' ')) || line.length > LONGEST_HEAD) return undefined;
  const delimiter = DELIMITERS.find((each) => line.includes(each));
  const names = (delimiter === undefined ? [line] : line.split(delimiter)).map((name) =>
    name.trim().replace(/^"(.*)"$/, '$1'),
  );
  // One name alone is a word, unless it is in quotes or has the look of a store's.
  if (delimiter === undefined && !/^(?:".*"|[_@]\w+)$/.test(line)) return undefined;
  if (names.length > MOST_COLUMNS || !names.every((name) => /^[\w@.: [\]()-]{1,64}$/.test(name))) return undefined;
  const text = names.findIndex((name) => TEXT.test(name));
  if (text === -1) return undefined;
  const time = names.findIndex((name) => TIME.test(name));
  const host = names.findIndex((name) => HOST.test(name));
  return { delimiter: delimiter ?? ',', columns: names.length, text, time, host };
}

/** The cells of a row; `isOpen` if the last one is the text, and goes on. */
function rowOf(line: string, table: Table): Row | undefined {
  if (line.length > LONGEST) return undefined;
  const { delimiter, columns, text } = table;
  const row = cellsOf(line, delimiter, columns);
  if (row === undefined) return undefined;
  return row.cells.length === (row.isOpen ? text + 1 : columns) ? row : undefined;
}
