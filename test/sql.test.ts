import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TABLE_NAMES, tableNamed } from '../src/analysis/tables/tables.ts';
import type { Edge } from '../src/model/edge.ts';
import type { Observation, Sample } from '../src/model/sample.ts';
import { parseFrames, type Stack } from '../src/model/stack.ts';
import { isExecutable, KSTACK, kstack, NODE_MODULES, run, temporaryFolder, testRequires } from './harness.ts';
import { ODD_SAMPLES } from './odd-samples.ts';
import { recorded } from './recorded.ts';
import { EMPTY_SAMPLE, observationOf, taskOf } from './samples.ts';

const stack = (id: number, ...lines: string[]): Stack => ({
  id,
  frames: parseFrames(lines.map((line) => `[<0>] ${line}`).join('\n')),
});
const COMMIT = stack(1, 'jbd2_log_wait_commit+0x1/0x2 [jbd2]', 'ext4_sync_file+0x1/0x2 [ext4]');
const NFS = stack(2, 'rpc_wait_bit_killable+0x1/0x2 [sunrpc]', 'nfs4_proc_getattr+0x1/0x2 [nfsv4]');
const START = Date.UTC(2026, 10, 25, 3, 12);

const task = (tid: number, comm: string, of: Stack, owner: string): Observation =>
  observationOf(tid, {
    task: taskOf(tid, { comm, user: owner, uid: { value: tid }, cgroup: { value: `/${comm}` } }),
    stack: { value: of },
  });
const writers = [task(11, 'postgres', COMMIT, 'db'), task(12, 'postgres', COMMIT, 'db')];
const reader = task(21, 'ls', NFS, 'joe');
const waits: Edge[] = writers.map(({ task }) => ({
  from: task.id.tid ?? 0,
  to: 'device 8:0',
  by: 'device',
  evidence: [{ place: '/proc/diskstats', text: 'sda' }],
}));

/** Six samples of each of three hosts: tasks wait for a journal on all of them, and later on one for a server. */
const SAMPLES: Sample[] = [0, 1, 2, 3, 4, 5].flatMap((at) =>
  ['db1', 'db2', 'db3'].map((host): Sample => {
    const isLate = host === 'db2' && at >= 4;
    return {
      ...EMPTY_SAMPLE,
      host,
      timeMs: START + 10_000 * at,
      fields: ['uid', 'cgroup'],
      observations: [...writers, ...(isLate ? [reader] : [])],
      edges: waits,
      resources: [
        { key: 'device 8:0', kind: 'device', name: 'sda', condition: 'is suspended', hangs: true, evidence: [] },
      ],
      unread: host === 'db3' && at === 0 ? [{ tid: 31, comm: 'vim', what: 'task', why: 'timeout' }] : [],
      ...(host === 'db2' && at === 5 && { events: [{ kind: 'nfs', text: 'server not responding', timeMs: START }] }),
    };
  }),
);

async function recording(samples: readonly Sample[] = SAMPLES): Promise<string> {
  const file = join(temporaryFolder(), 'recording');
  writeFileSync(file, Buffer.concat(await recorded(samples)));
  return file;
}

/** The command with DuckDB where it looks for it: the executable beside itself. */
function commandWithDuckDb(): string {
  testRequires('@duckdb/node-api (npm install --no-save)');
  if (!isExecutable) return KSTACK;
  const command = join(temporaryFolder(), 'kstack');
  copyFileSync(KSTACK, command);
  symlinkSync(NODE_MODULES, join(dirname(command), 'node_modules'));
  return command;
}

const sql = (...args: string[]) => run(commandWithDuckDb(), ['sql', ...args]);

async function rowsOf(file: string, statement: string): Promise<Record<string, unknown>[]> {
  const { code, stdout, stderr } = await sql('-f', 'jsonl', file, statement);
  expect([code, stderr]).toEqual([0, '']);
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

const JOURNAL = /^the journal thread to commit/;
const SERVER = /^an NFS server to answer/;

/** What each question of docs/sql.md gets for an answer, by its heading. */
const ANSWERS: Record<string, unknown> = {
  'What was blocked, and for how long': [
    { waits_for: expect.stringMatching(JOURNAL), tasks: 6, task_seconds: 300 },
    { waits_for: expect.stringMatching(SERVER), tasks: 1, task_seconds: 20 },
  ],
  'Which tasks were blocked the longest': expect.arrayContaining([
    expect.objectContaining({ host: 'db1', tid: 11, comm: 'postgres', seconds: 50, first: '2026-11-25T03:12:00.000Z' }),
    expect.objectContaining({ host: 'db2', tid: 21, comm: 'ls', seconds: 20, last: '2026-11-25T03:12:50.000Z' }),
  ]),
  'When was it worst': expect.arrayContaining([
    { host: 'db2', time: '2026-11-25T03:12:40.000Z', blocked: 3, tasks: 3 },
    { host: 'db2', time: '2026-11-25T03:12:50.000Z', blocked: 3, tasks: 3 },
  ]),
  'Who held up the most': ['db1', 'db2', 'db3'].map((host) =>
    expect.objectContaining({ host, kind: 'device', name: 'sda', condition: 'is suspended', tasks: 2, samples: 6 }),
  ),
  'Who waits for whom, at the end': Array.from({ length: 6 }, () => ({
    from_name: 'postgres',
    how: 'device',
    to_kind: 'device',
    to_name: 'sda',
    evidence: '/proc/diskstats: sda',
  })),
  'Whose tasks are they': [
    { owner: 'db', cgroup: '/postgres', tasks: 2 },
    { owner: 'joe', cgroup: '/ls', tasks: 1 },
  ],
  'What is in a module': [
    { module: 'ext4', waits_for: expect.stringMatching(JOURNAL), seen: 36 },
    { module: 'jbd2', waits_for: expect.stringMatching(JOURNAL), seen: 36 },
    { module: 'nfsv4', waits_for: expect.stringMatching(SERVER), seen: 2 },
    { module: 'sunrpc', waits_for: expect.stringMatching(SERVER), seen: 2 },
  ],
  'What is new': [
    {
      wait: expect.stringMatching(/^[0-9a-f]{16}$/),
      waits_for: expect.stringMatching(SERVER),
      first: '2026-11-25T03:12:40.000Z',
      hosts: 1,
    },
  ],
  'Which hosts deviate': [{ waits_for: expect.stringMatching(SERVER), hosts: 'db2' }],
  'What the kernel said, and what could not be read': [
    { time: '2026-11-25T03:12:00.000Z', host: 'db2', kind: 'nfs', text: 'server not responding' },
    { time: '2026-11-25T03:12:00.000Z', host: 'db3', kind: 'unread', text: 'vim task timeout' },
  ],
};

/** The questions of docs/sql.md. */
const QUESTIONS = new Map(
  [
    ...readFileSync(join(import.meta.dirname, '../docs/sql.md'), 'utf8').matchAll(
      /^### (.*?)\n\n(?:[^`]*?\n\n)?```sql\n(.*?)```/gms,
    ),
  ].map(([, title = '', statement = '']) => [title, statement]),
);

it('docs/sql.md asks ten questions', () => {
  expect([...QUESTIONS.keys()]).toEqual(Object.keys(ANSWERS));
});

describe('kstack sql', () => {
  it.each(Object.keys(ANSWERS))('answers: %s', async (title) => {
    const rows = await rowsOf(await recording(), QUESTIONS.get(title) ?? '');
    if (title === 'Who held up the most') rows.sort((a, b) => String(a['host']).localeCompare(String(b['host'])));
    expect(rows).toEqual(ANSWERS[title]);
  });

  it('has all rows of all tables, whatever is in them, and shows no control characters', async () => {
    const file = await recording(ODD_SAMPLES.filter(({ timeMs }) => timeMs !== undefined));
    for (const name of ['tasks', 'observations', 'events']) {
      const { code, stdout } = await sql(file, `SELECT * FROM ${name}`);
      expect(code).toBe(0);
      expect(stdout.split('\n').length).toBeGreaterThan(2);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
      expect(stdout).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\ufffd]/);
    }
    expect(await rowsOf(file, String.raw`SELECT count(*) > 0 AS odd FROM tasks WHERE comm LIKE '%\xff%'`)).toEqual([
      { odd: true },
    ]);
  });

  it('takes a time and a selection, as report does', async () => {
    const file = await recording();
    const count = 'SELECT count(*) AS n FROM observations';
    const { stdout } = await sql(file, count, '--from', '-10s', '-c', 'postgres');
    expect(stdout).toBe(' n\n12\n');
  });

  it('takes the recordings in a directory, as report does', async () => {
    const directory = temporaryFolder();
    renameSync(await recording(), join(directory, 'a.kstack'));
    expect((await sql(directory, 'SELECT count(*) AS n FROM samples')).stdout).toBe(' n\n18\n');
  });

  it('writes a file, and aligns numbers at the right', async () => {
    const file = await recording();
    const output = join(temporaryFolder(), 'answer');
    const statement = 'SELECT host, count(*) AS n, 1.5 AS x, NULL AS y FROM observations GROUP BY ALL ORDER BY ALL';
    expect((await sql(file, statement, '-o', output)).code).toBe(0);
    expect(readFileSync(output, 'utf8')).toBe('host   n    x  y\ndb1   12  1.5\ndb2   14  1.5\ndb3   12  1.5\n');
    const { code, stderr } = await sql(file, statement, '-o', file);
    expect([code, stderr]).toEqual([1, expect.stringContaining('is one of the files to sql')]);
  });

  it('reaches no file, loads no extension, and keeps its settings', async () => {
    const file = await recording();
    for (const statement of [
      `COPY samples TO '${temporaryFolder()}/copy.csv'`,
      "SELECT * FROM read_csv('/etc/passwd')",
      "SELECT * FROM '/etc/passwd'",
      `ATTACH '${temporaryFolder()}/other.db'`,
      'INSTALL httpfs',
      'LOAD httpfs',
      'SET enable_external_access = true',
      "SET memory_limit = '1TB'",
    ]) {
      const { code, stdout, stderr } = await sql(file, statement);
      expect([statement, code, stdout]).toEqual([statement, 1, '']);
      expect(stderr).toMatch(/^kstack: .*(?:disabled by configuration|locked|Permission|does not exist)/);
    }
  });

  it('says what is wrong with a statement, and what it needs', async () => {
    const file = await recording();
    const wrong = await sql(file, 'SELECT nothing FROM samples');
    expect([wrong.code, wrong.stderr]).toEqual([
      1,
      expect.stringMatching(/^kstack: Binder Error: .*"nothing" not found/),
    ]);
    const alone = await kstack(['sql', file]);
    expect([alone.code, alone.stderr]).toEqual([
      2,
      expect.stringContaining('give at least one file, then the statement'),
    ]);
    const folder = temporaryFolder();
    if (isExecutable) copyFileSync(KSTACK, join(folder, 'kstack'));
    else {
      cpSync(dirname(KSTACK), folder, { recursive: true });
      mkdirSync(join(folder, 'node_modules'));
      for (const name of ['koffi', '@koromix'])
        if (existsSync(join(NODE_MODULES, name)))
          symlinkSync(join(NODE_MODULES, name), join(folder, 'node_modules', name));
    }
    const command = join(folder, isExecutable ? 'kstack' : 'kstack.cjs');
    const missing = await run(command, ['sql', file, 'SELECT 1']);
    expect(missing.code).toBe(1);
    expect(missing.stderr).toMatch(/^kstack: SQL needs DuckDB, .*: npm install .*--prefix \S+ @duckdb\/node-api\n$/);
  });
});

describe('-f parquet', () => {
  it('has each table as DuckDB reads it', async () => {
    testRequires('@duckdb/node-api (npm install --no-save)');
    const { DuckDBInstance } = await import('@duckdb/node-api');
    const instance = await DuckDBInstance.create(':memory:', {});
    const connection = await instance.connect();
    const odd = await recording(ODD_SAMPLES.filter(({ timeMs }) => timeMs !== undefined));
    for (const name of TABLE_NAMES) {
      const file = join(temporaryFolder(), `${name}.parquet`);
      expect((await kstack(['convert', odd, '-f', 'parquet', '--table', name, '-o', file])).code).toBe(0);
      const types = new Map<unknown, unknown>();
      for await (const chunk of (await connection.stream(`DESCRIBE SELECT * FROM '${file}'`)).yieldRowsJs())
        for (const [column, type] of chunk) types.set(column, type);
      const { columns } = tableNamed(name);
      expect([...types]).toEqual(Object.entries(columns).map(([column, { type }]) => [column, PARQUET[type]]));
      const written: string[] = [];
      for await (const chunk of (await connection.stream(`SELECT * FROM '${file}'`)).yieldRowsJs())
        for (const row of chunk) written.push(JSON.stringify(row.map(plain)));
      const { stdout } = await sql('-f', 'jsonl', odd, `SELECT * FROM ${name}`);
      const asked = stdout.split('\n').filter(Boolean);
      const values = asked.map((line) => JSON.stringify(Object.values(JSON.parse(line)).map(plain)));
      expect(written.sort()).toEqual(values.sort());
    }
    connection.closeSync();
    instance.closeSync();
  });

  it('is observations if no table is named, and other formats have no table', async () => {
    const file = await recording();
    const [one, other] = [join(temporaryFolder(), '1'), join(temporaryFolder(), '2')];
    await kstack(['convert', file, '-f', 'parquet', '-o', one]);
    await kstack(['convert', file, '-f', 'parquet', '--table', 'observations', '-o', other]);
    expect(readFileSync(one).subarray(0, 4).toString()).toBe('PAR1');
    expect(readFileSync(one).equals(readFileSync(other))).toBe(true);
    const { code, stderr } = await kstack(['convert', file, '-f', 'json', '--table', 'samples']);
    expect([code, stderr]).toEqual([2, expect.stringContaining("'--table' needs '-f parquet'")]);
  });
});

const PARQUET = {
  key: 'UBIGINT',
  text: 'VARCHAR',
  time: 'TIMESTAMP',
  count: 'UINTEGER',
  integer: 'BIGINT',
  real: 'DOUBLE',
  flag: 'BOOLEAN',
} as const;

/** A value as both ways of reading it have it. */
function plain(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'bigint' || typeof value === 'number' ? String(value) : value;
}
