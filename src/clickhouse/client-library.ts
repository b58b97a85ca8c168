// What is used of @clickhouse/client, in a file of its own: the build keeps it apart from the command.
export { ClickHouseLogLevel, createClient } from '@clickhouse/client';
