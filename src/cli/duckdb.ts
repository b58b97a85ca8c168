import { existsSync, realpathSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { cpus, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import type { DuckDBAppender, DuckDBConnection } from '@duckdb/node-api';
import {
  type Column,
  TABLE_NAMES,
  type TableName,
  type TableRow,
  tableNamed,
  type Value,
} from '../analysis/tables/tables.ts';
import { isStandalone } from '../native/self.ts';

const PACKAGE = '@duckdb/node-api';
const BINDINGS = '@duckdb/node-bindings';
const MOST_THREADS = 2;

/** DuckDB is not there. The message says how to get it. */
export class NoDuckDb extends Error {}

type DuckDb = typeof import('@duckdb/node-api');

/**
 * DuckDB's package, which is not installed with kstack: beside it, as Node.js finds packages, and for the executable in
 * the folder node_modules beside it only, since whoever may write to a folder above may be somebody else.
 * @throws NoDuckDb
 */
export function loadDuckDb(): DuckDb {
  if (isStandalone) {
    const folder = dirname(process.execPath);
    const path = join(folder, 'node_modules', PACKAGE, 'lib/index.js');
    if (!existsSync(path)) throw new NoDuckDb(advice(`npm install --prefix ${folder} ${PACKAGE}`));
    resolveBeside(join(folder, 'node_modules'));
    return createRequire(process.execPath)(path);
  }
  const own = realpathSync(process.argv[1] ?? '.');
  const require = createRequire(own);
  try {
    require.resolve(PACKAGE);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND')) throw error;
    throw new NoDuckDb(advice(installation(own)), { cause: error });
  }
  return require(PACKAGE);
}

/**
 * Lets what DuckDB is made of be found in a folder. Bun could look for packages itself, but from then on it would read
 * the package.json of the folder that the executable is started in, too.
 */
function resolveBeside(folder: string): void {
  const usual: () => string = Reflect.get(Module, '_resolveFilename');
  Reflect.set(Module, '_resolveFilename', function resolve(this: unknown, ...all: [string, ...unknown[]]): string {
    const [request] = all;
    if (request === BINDINGS) return join(folder, BINDINGS, 'duckdb.js');
    if (request === 'detect-libc') return join(folder, 'detect-libc/lib/detect-libc.js');
    return request.startsWith(`${BINDINGS}-`) ? join(folder, request) : Reflect.apply(usual, this, all);
  });
}

/** The command that puts it where Node.js looks for it from there. */
function installation(own: string): string {
  const [, project, isGlobal] = /^(.*?(\/lib)?)\/node_modules\//.exec(own) ?? [];
  if (isGlobal !== undefined) return `npm install -g ${PACKAGE}`;
  if (project !== undefined) return `npm install --prefix ${project} ${PACKAGE}`;
  return `npm install --no-save --prefix ${join(dirname(own), '..')} ${PACKAGE}`;
}

function advice(command: string): string {
  return `SQL needs DuckDB, which is not installed with kstack, because it takes 70 MB: ${command}`;
}

const TYPES: Readonly<Record<Column['type'], string>> = {
  key: 'UBIGINT',
  text: 'VARCHAR',
  time: 'BIGINT',
  count: 'UINTEGER',
  integer: 'BIGINT',
  real: 'DOUBLE',
  flag: 'BOOLEAN',
};

/** A database in memory with the tables of samples. It can reach no file and no network. */
export class SampleDatabase {
  readonly #connection: DuckDBConnection;
  readonly #appenders: ReadonlyMap<TableName, DuckDBAppender>;
  readonly close: () => void;

  private constructor(
    connection: DuckDBConnection,
    appenders: ReadonlyMap<TableName, DuckDBAppender>,
    close: () => void,
  ) {
    this.#connection = connection;
    this.#appenders = appenders;
    this.close = close;
  }

  /** @throws NoDuckDb */
  static async open(): Promise<SampleDatabase> {
    const { DuckDBInstance } = loadDuckDb();
    const instance = await DuckDBInstance.create(':memory:', {
      enable_external_access: 'false',
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      threads: String(Math.min(MOST_THREADS, cpus().length)),
      memory_limit: `${Math.floor(totalmem() / 2 ** 21)}MiB`,
    });
    const connection = await instance.connect();
    await connection.run('CREATE SCHEMA stored');
    const appenders = new Map<TableName, DuckDBAppender>();
    for (const name of TABLE_NAMES) {
      for (const statement of statementsFor(name)) await connection.run(statement);
      appenders.set(name, await connection.createAppender(name, 'stored'));
    }
    await connection.run('SET lock_configuration = true');
    return new SampleDatabase(connection, appenders, () => {
      connection.closeSync();
      instance.closeSync();
    });
  }

  add({ table, row }: TableRow): void {
    const appender = this.#appenders.get(table);
    if (appender === undefined) return;
    const values: Readonly<Record<string, Value>> = row;
    for (const [name, { type }] of Object.entries(tableNamed(table).columns))
      append(appender, type, values[name] ?? null);
    appender.endRow();
  }

  /** To be called once, behind the last row. */
  finish(): void {
    for (const appender of this.#appenders.values()) appender.closeSync();
  }

  /** The names of the columns and the rows of a statement, in chunks. */
  async query(statement: string): Promise<{ names: string[]; rows: AsyncIterable<unknown[][]> }> {
    const result = await this.#connection.stream(statement);
    return { names: result.columnNames(), rows: result.yieldRowsJs() };
  }
}

/** What others refer to may be there twice. */
function statementsFor(name: TableName): [table: string, view: string] {
  const { columns, key, timed } = tableNamed(name);
  const all = Object.entries(columns);
  const stored = all.map(([column, { type }]) => `"${column}" ${TYPES[type]}`);
  const shown = all.map(([column, { type }]) =>
    type === 'time' ? `epoch_ms("${column}") AS "${column}"` : `"${column}"`,
  );
  const distinct = timed === true ? '' : `DISTINCT ON (${key.map((column) => `"${column}"`).join(', ')}) `;
  return [
    `CREATE TABLE stored.${name} (${stored.join(', ')})`,
    `CREATE VIEW ${name} AS SELECT ${distinct}${shown.join(', ')} FROM stored.${name}`,
  ];
}

function append(appender: DuckDBAppender, type: Column['type'], value: Value): void {
  if (value === null) appender.appendNull();
  else if (typeof value === 'string') appender.appendVarchar(value);
  else if (typeof value === 'boolean') appender.appendBoolean(value);
  else if (typeof value === 'bigint') appender.appendUBigInt(value);
  else if (type === 'real') appender.appendDouble(value);
  else if (type === 'count') appender.appendUInteger(value);
  else appender.appendBigInt(BigInt(value));
}
