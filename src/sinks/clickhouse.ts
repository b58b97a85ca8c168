import {
  type Column,
  TABLE_NAMES,
  type Table,
  type TableRow,
  tableNamed,
  type Value,
} from '../analysis/tables/tables.ts';
import { jsonText } from '../model/json-text.ts';
import { BLOCKED, COPY_BLOCKED, WAIT_HOSTS } from './clickhouse-views.ts';

/** What a ClickHouse server is, and how long it keeps rows. */
export interface ClickHouseOptions {
  /** As `SELECT version()` tells: year and month. */
  readonly version: readonly [year: number, month: number];
  readonly keepDays: number;
}

/** From this version on LowCardinality, codecs and TTL are there without a setting. */
const MODERN = [20, 3] as const;

const TYPES: Readonly<Record<Column['type'], string>> = {
  key: 'UInt64',
  text: 'String',
  time: 'Int64',
  count: 'UInt32',
  integer: 'Int64',
  real: 'Float64',
  flag: 'UInt8',
};

/** Text that is one of few, or that many rows in turn have in common. */
const REPEATED: ReadonlySet<string> = new Set([
  'host',
  'kernel',
  'architecture',
  'source',
  'state',
  'kind',
  'rule',
  'how',
  'from_kind',
  'to_kind',
  'what',
  'why',
  'stack_unread',
  'user_name',
  'runtime',
]);

/**
 * The statements that create the tables in ClickHouse. An inserted row replaces one with the same key: at once in what
 * `FINAL` reads, and some time later on the disk.
 */
export function clickHouseSchema(options: ClickHouseOptions): string {
  const tables = TABLE_NAMES.map((name) => `${createTable(name, tableNamed(name), options)};\n`);
  return [...tables, `${createTable('blocked', BLOCKED, options, true)};\n`, COPY_BLOCKED, WAIT_HOSTS].join('\n');
}

/** @param isCopied whether a view fills it: it has to tell all columns, and may not tell those that are MATERIALIZED */
function createTable(name: string, table: Table, { version, keepDays }: ClickHouseOptions, isCopied = false): string {
  const isModern = isSince(version, MODERN);
  const order = orderOf(table);
  const columns = Object.entries(table.columns).flatMap(([column, definition]) =>
    columnLines(column, definition, { isFixed: isFixed(table, column), isModern, isCopied }),
  );
  const ending = [
    'ENGINE = ReplacingMergeTree',
    ...(table.timed === true ? ["PARTITION BY toYYYYMMDD(time, 'UTC')"] : []),
    order.length === 1 ? `ORDER BY ${order[0]}` : `ORDER BY (${order.join(', ')})`,
    ...(table.timed === true && isModern ? [`TTL time + INTERVAL ${keepDays} DAY`] : []),
  ];
  const comment = `-- ${name}: ${table.about}`;
  return `${comment}\nCREATE TABLE IF NOT EXISTS ${name}\n(\n${columns.map((line) => `    ${line}`).join(',\n')}\n)\n${ending.join('\n')}`;
}

/** The statements that add a column to tables that an older kstack has created; undefined if none has it. */
export function addColumn(name: string): string | undefined {
  const tables = [...TABLE_NAMES.map((table) => [table, tableNamed(table)] as const), ['blocked', BLOCKED] as const];
  const statements = tables.flatMap(([table, { columns }]) => {
    const column = columns[name];
    if (column === undefined) return [];
    const [line] = columnLines(name, column, { isFixed: false, isModern: false, isCopied: false });
    return `ALTER TABLE ${table} ADD COLUMN ${line}${column.earlier === undefined ? '' : ` DEFAULT ${column.earlier}`}`;
  });
  return statements.length === 0 ? undefined : statements.join('; ');
}

function orderOf({ key, timed }: Table): readonly string[] {
  return timed === true ? ['host', 'time_ms', ...key] : key;
}

/** Whether a column is part of what sorts or divides a table: such a one has '' or 0 for what is not known. */
function isFixed({ key, timed }: Table, column: string): boolean {
  return key.includes(column) || (timed === true && (column === 'host' || column === 'time'));
}

function columnLines(
  name: string,
  { type, nullable }: Column,
  { isFixed, isModern, isCopied }: Readonly<Record<'isFixed' | 'isModern' | 'isCopied', boolean>>,
): string[] {
  const asNullable = (plain: string) => (nullable === true && !isFixed ? `Nullable(${plain})` : plain);
  if (type === 'time') {
    const codec = !isModern ? '' : isFixed ? ' CODEC(DoubleDelta, ZSTD)' : ' CODEC(ZSTD)';
    const seconds = isCopied ? '' : ` MATERIALIZED toDateTime(intDiv(${name}_ms, 1000), 'UTC')`;
    const stored = `${quoted(`${name}_ms`)} ${asNullable('Int64')}${codec}`;
    return [stored, `${quoted(name)} ${asNullable("DateTime('UTC')")}${seconds}`];
  }
  if (!isModern || type !== 'text') return [`${quoted(name)} ${asNullable(TYPES[type])}`];
  return REPEATED.has(name)
    ? [`${quoted(name)} LowCardinality(${asNullable('String')})`]
    : [`${quoted(name)} ${asNullable('String')} CODEC(ZSTD)`];
}

/** Some names are words of SQL. */
function quoted(name: string): string {
  return `\`${name}\``;
}

function isSince(
  [year, month]: readonly [number, number],
  [sinceYear, sinceMonth]: readonly [number, number],
): boolean {
  return year > sinceYear || (year === sinceYear && month >= sinceMonth);
}

/** A row as a line of JSONEachRow. Numbers of 64 bits are text, which ClickHouse takes for numbers. */
export function clickHouseLine({ table, row }: TableRow): string {
  const { columns, ...rest } = tableNamed(table);
  const values: Record<string, unknown> = {};
  for (const [name, value] of Object.entries<Value>(row)) {
    const column = columns[name];
    if (column === undefined) throw new TypeError(`${table} has no column ${name}`);
    const known = value === null && isFixed({ columns, ...rest }, name) ? (column.type === 'text' ? '' : 0) : value;
    values[column.type === 'time' ? `${name}_ms` : name] = plainOf(known);
  }
  return `${jsonText(values)}\n`;
}

function plainOf(value: Value): unknown {
  if (typeof value === 'bigint') return String(value);
  return typeof value === 'boolean' ? Number(value) : value;
}
