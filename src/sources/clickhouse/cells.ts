/** The values of a row of JSONEachRow. Whole numbers of 64 bits are text there, and so stay exact. */
export class Cells {
  readonly #values: ReadonlyMap<string, unknown>;

  constructor(values: ReadonlyMap<string, unknown>) {
    this.#values = values;
  }

  static ofRow(row: Readonly<Record<string, unknown>>): Cells {
    return new Cells(new Map(Object.entries(row)));
  }

  /** Of a tuple, which comes as a list of what its parts are. */
  static ofTuple(names: readonly string[], tuple: unknown): Cells {
    const values: readonly unknown[] = Array.isArray(tuple) ? tuple : [];
    return new Cells(new Map(names.map((name, at) => [name, values[at]])));
  }

  /** Undefined for null. */
  text(name: string): string | undefined {
    const value = this.#of(name);
    return value === null ? undefined : String(value);
  }

  /** The same of a column that a database of an earlier version may lack. */
  laterText(name: string): string | undefined {
    return this.#values.has(name) ? this.text(name) : undefined;
  }

  /** Undefined for null, and for an infinite one, which JSON does not have. */
  number(name: string): number | undefined {
    const value = this.#of(name);
    return value === null ? undefined : Number(value);
  }

  /** Of a column that is never null. */
  toldText(name: string): string {
    return this.text(name) ?? '';
  }

  /** The same. */
  toldNumber(name: string): number {
    return this.number(name) ?? 0;
  }

  flag(name: string): boolean {
    return this.toldNumber(name) === 1;
  }

  list(name: string): readonly unknown[] {
    const value = this.#of(name);
    return Array.isArray(value) ? value : [];
  }

  texts(name: string): string[] {
    return this.list(name).map(String);
  }

  #of(name: string): unknown {
    const value = this.#values.get(name);
    if (value === undefined) throw new TypeError(`the database does not tell ${name}`);
    return value;
  }
}

/** What answers statements. */
export interface Database {
  rows(statement: string, signal?: AbortSignal): AsyncIterable<Record<string, unknown>>;
}

export async function allRows(database: Database, statement: string): Promise<Cells[]> {
  const all: Cells[] = [];
  for await (const row of database.rows(statement)) all.push(Cells.ofRow(row));
  return all;
}

/** The only row of what is added up. */
export async function onlyRow(database: Database, statement: string): Promise<Cells> {
  const [row] = await allRows(database, statement);
  if (row === undefined) throw new TypeError('the database does not answer with a row');
  return row;
}

/** The first of what a statement finds, and how many there are. */
export interface Shown {
  readonly total: number;
  readonly rows: readonly Cells[];
}

/**
 * @param statement a SELECT in the order that is wanted, with these columns
 * @param most how many of its rows leave the database
 */
export async function shownRows(
  database: Database,
  statement: string,
  columns: readonly string[],
  most: number,
): Promise<Shown> {
  const first = `groupArray(${most})((${columns.join(', ')}))`;
  const row = await onlyRow(database, `SELECT count() AS total, ${first} AS shown FROM (${statement})`);
  return { total: row.toldNumber('total'), rows: row.list('shown').map((tuple) => Cells.ofTuple(columns, tuple)) };
}
