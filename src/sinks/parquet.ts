import { tableRows } from '../analysis/tables/rows.ts';
import { type Column, type TableName, tableNamed, type Value } from '../analysis/tables/tables.ts';
import type { Format, Samples, WriteContext } from './format.ts';
import { ByteWriter, ParquetWriter } from './parquet-library.ts';

/** A table of samples (docs/tables.md) as Apache Parquet (parquet.apache.org/docs/file-format). A file has one table. */
export const format: Format = {
  fields: ['uid', 'cgroup', 'namespacePid', 'systemCall'],
  facts: true,
  edges: true,
  binary: true,
  write: formatParquet,
};

/** Rows that are kept until they are written: a row group, which readers take as a whole. */
const GROUP_ROWS = 20_000;

const ELEMENTS = {
  key: { type: 'INT64', converted_type: 'UINT_64' },
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  time: { type: 'INT64', converted_type: 'TIMESTAMP_MILLIS' },
  count: { type: 'INT32', converted_type: 'UINT_32' },
  integer: { type: 'INT64' },
  real: { type: 'DOUBLE' },
  flag: { type: 'BOOLEAN' },
} as const satisfies Record<Column['type'], object>;

async function* formatParquet(samples: Samples, { table = 'observations' }: WriteContext): AsyncGenerator<Uint8Array> {
  const file = new TableFile(table);
  for await (const each of tableRows(samples)) {
    if (each.table !== table || !file.add(each.row)) continue;
    file.writeRows();
    yield file.taken();
  }
  file.writeRows();
  file.end();
  yield file.taken();
}

class TableFile {
  readonly #columns: readonly (readonly [name: string, column: Column, values: unknown[]])[];
  readonly #bytes = new ByteWriter();
  readonly #writer: ParquetWriter;
  #rows = 0;

  constructor(table: TableName) {
    this.#columns = Object.entries(tableNamed(table).columns).map(([name, column]) => [name, column, []]);
    const elements = this.#columns.map(
      ([name, { type, nullable }]) =>
        ({ name, ...ELEMENTS[type], repetition_type: nullable === true ? 'OPTIONAL' : 'REQUIRED' }) as const,
    );
    const schema = [{ name: table, num_children: elements.length }, ...elements];
    this.#writer = new ParquetWriter({ writer: this.#bytes, schema, createdBy: 'kstack' });
  }

  /** Whether there are enough rows to be written. */
  add(row: Readonly<Record<string, Value>>): boolean {
    for (const [name, { type }, values] of this.#columns) values.push(stored(row[name], type));
    this.#rows++;
    return this.#rows >= GROUP_ROWS;
  }

  writeRows(): void {
    if (this.#rows === 0) return;
    const columnData = this.#columns.map(([name, , data]) => ({ name, data }));
    void this.#writer.write({ columnData, rowGroupSize: GROUP_ROWS });
    for (const [, , values] of this.#columns) values.length = 0;
    this.#rows = 0;
  }

  end(): void {
    void this.#writer.finish();
  }

  /** What was written since the last time. */
  taken(): Uint8Array {
    const bytes = this.#bytes.getBytes().slice();
    this.#bytes.index = 0;
    return bytes;
  }
}

/** Whole numbers of 64 bits are bigints there. */
function stored(value: Value | undefined, type: Column['type']): unknown {
  return type === 'integer' && typeof value === 'number' ? BigInt(value) : (value ?? null);
}
