import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { TABLE_NAMES, type TableName, type TableRow, tableNamed } from '../analysis/tables/tables.ts';
import { clickHouseLine } from '../sinks/clickhouse.ts';

/** Rows of one table, as they are sent. */
export interface Batch {
  readonly table: TableName;
  readonly rows: number;
  /** Lines of JSONEachRow in gzip. */
  readonly bytes: Buffer;
}

/** What is sent at once: enough for the server to be content, little enough for this host's memory. */
const MOST_CHARACTERS = 8 << 20;
/** Servers refuse an insert into more than a hundred partitions, and a day is one. */
const MOST_DAYS = 50;
const DAY_MS = 86_400_000;

const compress = promisify(gzip);

/** What other rows refer to is sent before them. */
const ORDER = [
  ...TABLE_NAMES.filter((name) => tableNamed(name).timed !== true),
  ...TABLE_NAMES.filter((name) => tableNamed(name).timed === true),
];

/** Collects rows until they are worth an insert for each table. */
export class RowBatches {
  readonly #tables = new Map<TableName, string[]>();
  readonly #days = new Set<number>();
  #characters = 0;

  add(row: TableRow): void {
    const line = clickHouseLine(row);
    const lines = this.#tables.get(row.table);
    if (lines === undefined) this.#tables.set(row.table, [line]);
    else lines.push(line);
    this.#characters += line.length;
    if ('time' in row.row && row.row.time !== null) this.#days.add(Math.floor(row.row.time / DAY_MS));
  }

  get isFull(): boolean {
    return this.#characters >= MOST_CHARACTERS || this.#days.size >= MOST_DAYS;
  }

  /** Takes out all of them. */
  async *take(): AsyncGenerator<Batch> {
    const tables = new Map(this.#tables);
    this.#tables.clear();
    this.#days.clear();
    this.#characters = 0;
    for (const table of ORDER) {
      const lines = tables.get(table);
      if (lines !== undefined) yield { table, rows: lines.length, bytes: await compress(lines.join('')) };
    }
  }
}
