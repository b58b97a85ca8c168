import { type ClickHouseOptions, clickHouseSchema } from '../sinks/clickhouse.ts';
import { writeStdout } from '../terminal/output.ts';

/** Prints the statements that create the tables. */
export function printSchema(options: ClickHouseOptions): void {
  writeStdout(clickHouseSchema(options));
}
