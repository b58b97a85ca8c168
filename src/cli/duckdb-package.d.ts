/**
 * What is used of DuckDB's package (duckdb.org/docs/stable/clients/node_neo/overview). It is not installed with kstack,
 * so its own types may not be there.
 */
declare module '@duckdb/node-api' {
  export class DuckDBInstance {
    static create(path: string, options: Readonly<Record<string, string>>): Promise<DuckDBInstance>;
    connect(): Promise<DuckDBConnection>;
    closeSync(): void;
  }

  export interface DuckDBConnection {
    run(statement: string): Promise<unknown>;
    /** Runs all statements, and gives the rows of the last one. */
    stream(statements: string): Promise<DuckDBResult>;
    createAppender(table: string, schema: string): Promise<DuckDBAppender>;
    closeSync(): void;
  }

  export interface DuckDBResult {
    columnNames(): string[];
    yieldRowsJs(): AsyncIterableIterator<unknown[][]>;
  }

  export interface DuckDBAppender {
    appendNull(): void;
    appendBoolean(value: boolean): void;
    appendUInteger(value: number): void;
    appendBigInt(value: bigint): void;
    appendUBigInt(value: bigint): void;
    appendDouble(value: number): void;
    appendVarchar(value: string): void;
    endRow(): void;
    closeSync(): void;
  }
}
