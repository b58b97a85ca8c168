import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tableRows } from '../src/analysis/tables/rows.ts';
import { TABLE_NAMES, type TableName, type TableRow } from '../src/analysis/tables/tables.ts';
import { type SamplesOptions, samplesOf } from '../src/cli/samples.ts';
import { clickHouseLine } from '../src/sinks/clickhouse.ts';
import { InternedStacks } from '../src/sources/text/index.ts';
import { clickHouse } from './clickhouse-server.ts';
import { fixture, kstack, temporaryFolder, testRequires } from './harness.ts';
import { ODD_SAMPLES } from './odd-samples.ts';

const READ: SamplesOptions = {
  notes: {},
  stacks: new InternedStacks(),
  known: () => new Set(),
  damaged: (text) => {
    throw new Error(text);
  },
};

/** A recording of this process and the parent of a vfork. */
async function recording(): Promise<string> {
  testRequires('root');
  const pids = await fixture('tasks', ['vfork']);
  const file = join(temporaryFolder(), 'recording');
  const { code, stderr } = await kstack([
    'record',
    '-Lp',
    [process.pid, ...pids].join(),
    '-i',
    '0.5',
    '--for',
    '4',
    '-o',
    file,
  ]);
  expect([code, stderr]).toEqual([0, expect.stringMatching(/\d samples?, /)]);
  return file;
}

/** The lines of each table, and how many keys they have. */
async function linesOf(rows: AsyncIterable<TableRow>): Promise<Map<TableName, string[]>> {
  const lines = new Map<TableName, string[]>(TABLE_NAMES.map((name) => [name, []]));
  for await (const row of rows) lines.get(row.table)?.push(clickHouseLine(row));
  return lines;
}

const schema = async (...args: string[]) => (await kstack(['schema', 'clickhouse', ...args])).stdout;

const statementsIn = (text: string) =>
  text
    .split(';\n')
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');

it('the tables of a recording are as large in ClickHouse when it was inserted twice', async () => {
  const server = await clickHouse();
  for (const statement of statementsIn(await schema())) await server.ask(statement);
  // They may be created again.
  for (const statement of statementsIn(await schema())) await server.ask(statement);
  const file = await recording();
  const insert = async () => {
    const all = await linesOf(tableRows(samplesOf(file, READ)));
    for (const [table, lines] of all)
      if (lines.length > 0) await server.ask(`INSERT INTO ${table} FORMAT JSONEachRow`, lines.join(''));
    return all;
  };
  const lines = await insert();
  const counts = async (how: string) =>
    Promise.all(
      TABLE_NAMES.map(async (name) => [name, Number(await server.ask(`SELECT count() FROM ${name} ${how}`))]),
    );
  const once = TABLE_NAMES.map((name) => [name, lines.get(name)?.length]);
  expect(await counts('FINAL')).toEqual(once);
  expect(lines.get('samples')?.length).toBeGreaterThan(2);
  expect(lines.get('waits')?.length).toBeGreaterThan(0);
  await insert();
  expect(await counts('FINAL')).toEqual(once);
  const seen = `SELECT uniqExact(observation), uniqExact(sample), uniqExact(host) FROM observations`;
  expect(await server.ask(seen)).toBe(`${lines.get('observations')?.length}\t${lines.get('samples')?.length}\t1`);
  // What the views make of it is as often there, and says the same.
  const observed = (lines.get('observations') ?? []).map((line) => JSON.parse(line));
  const isBlocked = ({ kind, state }: Record<string, unknown>) =>
    kind === 'blocked' || (kind === 'unexplained' && state === 'D');
  const copied = observed.filter((row) => row.selected === 1 && row.own === 0 && isBlocked(row));
  expect(Number(await server.ask('SELECT count() FROM blocked FINAL'))).toBe(copied.length);
  const vforked = copied.filter(({ rule }) => rule === 'vfork');
  const { wait, time_ms: first, kernel } = vforked[0] ?? {};
  const whenSeen = `SELECT minMerge(first_ms), maxMerge(last_ms), any(kernel) FROM wait_hosts WHERE wait = '${wait}'`;
  const alike = vforked.filter((row) => row.wait === wait);
  expect(await server.ask(whenSeen)).toBe([first, alike.at(-1)?.time_ms, kernel].join('\t'));
  const blocked = `SELECT uniqExact(observation) FROM observations WHERE kind = 'blocked' AND rule = 'vfork'`;
  expect(Number(await server.ask(blocked))).toBeGreaterThan(2);
  const joined = `SELECT uniqExact(function) FROM frames WHERE stack IN (SELECT stack FROM observations)`;
  expect(Number(await server.ask(joined))).toBeGreaterThan(10);
  const odd = await linesOf(tableRows(ODD_SAMPLES));
  for (const [table, some] of odd) await server.ask(`INSERT INTO ${table} FORMAT JSONEachRow`, some.join(''));
  expect(Number(await server.ask(`SELECT count() FROM tasks WHERE position(comm, '\\\\xff') > 0`))).toBeGreaterThan(0);
});

it('a schema for newer servers compresses more and forgets by age, one for old ones does neither', async () => {
  const [plain, modern] = [await schema(), await schema('--server', '24.3.1.2672', '--keep', '7')];
  expect(plain).not.toMatch(/TTL|CODEC|LowCardinality/);
  expect(modern).toContain('`host` LowCardinality(String)');
  expect(modern).toContain('`rule` LowCardinality(Nullable(String))');
  expect(modern.match(/^TTL time \+ INTERVAL 7 DAY;$/gm)).toHaveLength(7);
  for (const wrong of [
    ['--server', 'new'],
    ['--keep', '0'],
    ['--keep', 'x'],
  ]) {
    const { code, stderr } = await kstack(['schema', 'clickhouse', ...wrong]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/is invalid\. Give a /)]);
  }
  expect((await kstack(['schema', 'mysql'])).code).toBe(2);
});
