import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { tableRows } from '../src/analysis/tables/rows.ts';
import { TABLE_NAMES } from '../src/analysis/tables/tables.ts';
import type { Sample } from '../src/model/sample.ts';
import { type Piece, RecordingWriter } from '../src/recording/write.ts';
import { clickHouseLine } from '../src/sinks/clickhouse.ts';
import { type ClickHouse, clickHouse } from './clickhouse-server.ts';
import { kstack, temporaryFolder } from './harness.ts';
import { EMPTY_SAMPLE, observationOf } from './samples.ts';

const START_MS = Date.UTC(2026, 10, 26, 23, 50);
const STACK = {
  id: 0,
  frames: ['io_schedule', 'folio_wait_bit_common', 'do_read_fault'].map((symbol) => ({
    symbol,
    offset: 1,
    size: 2,
    raw: '',
  })),
};

/** Samples of a host a second apart, each with a few blocked tasks, of which one is new with each sample. */
export function samplesOfHost(host: string, count: number, fromMs = START_MS): Sample[] {
  return Array.from({ length: count }, (_, at) => ({
    ...EMPTY_SAMPLE,
    host,
    timeMs: fromMs + 1000 * at,
    intervalMs: 1000,
    observations: [1, 2, 1000 + at].map((tid) => observationOf(tid, { stack: { value: STACK } })),
    unread: [{ tid: 3, what: 'stack', why: 'denied' }],
  }));
}

export interface RunShape {
  /** Samples of a segment. */
  readonly segment: number;
  /** Segments of a file. */
  readonly file: number;
  /** Leave the last segment without its end. */
  readonly torn?: boolean;
}

/** What one run records: its files. */
export async function filesOfRun(samples: readonly Sample[], { segment, file, torn }: RunShape): Promise<Buffer[]> {
  const writer = new RecordingWriter();
  const files: Buffer[] = [];
  let pieces: Buffer[] = [];
  const put = (piece: Piece | undefined) => {
    if (piece !== undefined) pieces.push(piece.at(pieces.reduce((sum, each) => sum + each.length, 0)));
  };
  for (const [at, sample] of samples.entries()) {
    put(await writer.add(sample));
    const isLast = at === samples.length - 1;
    if ((at + 1) % segment === 0 || (isLast && torn !== true)) put(await writer.end());
    if (!isLast && (at + 1) % (segment * file) !== 0) continue;
    files.push(Buffer.concat(pieces));
    pieces = [];
  }
  return files;
}

/** Puts the files of a run into a directory as `record -d` calls them. The last one is the current one. */
export function putRun(directory: string, host: string, files: readonly Buffer[], firstSeconds = 1_795_000_000): void {
  mkdirSync(directory, { recursive: true });
  for (const [at, file] of files.entries()) {
    const name = at === files.length - 1 ? host : `${host}-${firstSeconds + at}`;
    writeFileSync(join(directory, `kstack_${name}.kstack`), file, { mode: 0o600 });
  }
}

/** A directory with the run of a host. */
export async function recordedDirectory(samples: readonly Sample[], shape: RunShape, host = 'db1'): Promise<string> {
  const directory = join(temporaryFolder(), 'recordings');
  putRun(directory, host, await filesOfRun(samples, shape));
  return directory;
}

/** A server that has the tables. */
export async function serverWithTables(password = ''): Promise<ClickHouse> {
  const server = await clickHouse(password);
  const { stdout } = await kstack(['schema', 'clickhouse']);
  for (const statement of stdout.split(';\n')) if (statement.trim() !== '') await server.ask(statement);
  return server;
}

/** That a server has the rows of these streams, each value of them, and no others. */
export async function expectContent(server: ClickHouse, streams: readonly (readonly Sample[])[]): Promise<void> {
  const linesOf = async (table: string) =>
    new Set(
      (await server.ask(`SELECT * FROM ${table} FINAL FORMAT JSONEachRow`)).split('\n').filter((line) => line !== ''),
    );
  await server.ask('DROP DATABASE IF EXISTS expected');
  await server.ask('CREATE DATABASE expected');
  for (const table of TABLE_NAMES) {
    await server.ask(`CREATE TABLE expected.${table} AS default.${table}`);
    const lines: string[] = [];
    for (const samples of streams)
      for await (const row of tableRows(samples)) if (row.table === table) lines.push(clickHouseLine(row));
    if (lines.length > 0) await server.ask(`INSERT INTO expected.${table} FORMAT JSONEachRow`, lines.join(''));
    const [found, expected] = [await linesOf(table), await linesOf(`expected.${table}`)];
    const lost = [...expected].filter((line) => !found.has(line));
    const more = [...found].filter((line) => !expected.has(line));
    expect({ table, lost: lost.slice(0, 2), more: more.slice(0, 2) }).toEqual({ table, lost: [], more: [] });
  }
}

export const positionFiles = (directory: string) =>
  readdirSync(directory).filter((name) => name.startsWith('.kstack_ship_'));
