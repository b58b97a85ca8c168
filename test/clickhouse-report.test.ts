import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { chromium } from 'playwright-core';
import { expect, it, onTestFinished, vi } from 'vitest';
import { selected } from '../src/analysis/selected.ts';
import { tableRows } from '../src/analysis/tables/rows.ts';
import type { TableName } from '../src/analysis/tables/tables.ts';
import { samplesOf } from '../src/cli/samples.ts';
import { Connection } from '../src/clickhouse/connection.ts';
import { parseTarget } from '../src/clickhouse/target.ts';
import type { Sample } from '../src/model/sample.ts';
import type { Selection } from '../src/model/selection.ts';
import { clickHouseLine } from '../src/sinks/clickhouse.ts';
import { storedSamples } from '../src/sources/clickhouse/samples.ts';
import { compileSelection } from '../src/sources/live/selection/compiled.ts';
import { InternedStacks } from '../src/sources/text/index.ts';
import { type ClickHouse, clickHouse } from './clickhouse-server.ts';
import { BROWSER, ended, fixture, KSTACK, kstack, temporaryFolder, testRequires } from './harness.ts';
import { ODD_SAMPLES } from './odd-samples.ts';
import { filesOfRun, samplesOfHost } from './shipping.ts';

// Servers and a browser of its own: that takes time on a busy machine.
vi.setConfig({ testTimeout: 180_000 });

/** A recording of tasks that hold up others: two wait for a file lock, one for the child of a vfork. */
async function recording(): Promise<string> {
  testRequires('root');
  const folder = temporaryFolder();
  const locks = await fixture('file-locks', ['flock', join(folder, 'lock'), '2']);
  const vfork = await fixture('tasks', ['vfork']);
  const file = join(folder, 'recording');
  const pids = [process.pid, ...locks, ...vfork].join();
  const { code, stderr } = await kstack(['record', '-Lp', pids, '-i', '0.5', '--for', '4', '-o', file]);
  expect([code, stderr]).toEqual([0, expect.stringMatching(/\d samples?, /)]);
  return file;
}

function samplesIn(file: string): AsyncIterable<Sample> {
  const damaged = (text: string) => {
    throw new Error(text);
  };
  return samplesOf(file, { notes: {}, stacks: new InternedStacks(), known: () => new Set(), damaged });
}

/** A database with these samples. */
async function database(
  server: ClickHouse,
  name: string,
  samples: Iterable<Sample> | AsyncIterable<Sample>,
): Promise<string> {
  await server.ask(`CREATE DATABASE ${name}`);
  const schema = (await kstack(['schema', 'clickhouse'])).stdout;
  const statements = schema.split(';\n').filter((statement) => statement.trim() !== '');
  for (const statement of statements)
    await server.ask(statement.replace(/(EXISTS|TO|FROM) (?=\w+)/g, (word) => `${word}${name}.`));
  await insert(server, name, samples);
  return `${server.url.replace('http', 'clickhouse')}/${name}`;
}

async function insert(
  server: ClickHouse,
  name: string,
  samples: Iterable<Sample> | AsyncIterable<Sample>,
): Promise<void> {
  const lines = new Map<TableName, string[]>();
  for await (const row of tableRows(samples))
    lines.set(row.table, [...(lines.get(row.table) ?? []), clickHouseLine(row)]);
  for (const [table, rows] of lines) await server.ask(`INSERT INTO ${name}.${table} FORMAT JSONEachRow`, rows.join(''));
}

it('of a database that an older kstack has created, the column that is missing is told, and how to add it', async () => {
  const server = await clickHouse();
  const target = await database(server, 'old', ODD_SAMPLES);
  for (const column of ['roots DROP COLUMN holds_up', 'blocked DROP COLUMN start_ticks'])
    await server.ask(`ALTER TABLE old.${column}`);
  for (const column of ['start_ticks', 'holds_up']) {
    const { code, stderr } = await kstack(['report', target]);
    expect([code, stderr]).toEqual([1, expect.stringContaining(`they lack the column ${column} (code 47); add it`)]);
    expect(stderr).toContain('or create the tables in a database of their own: kstack schema clickhouse');
    const table = column === 'holds_up' ? 'roots' : 'blocked';
    const [statement = ''] = stderr.match(new RegExp(`ALTER TABLE ${table} [^;]*`)) ?? [];
    await server.ask(statement.replace('TABLE ', 'TABLE old.'));
  }
  await told('report', target);
});

/** What a command says. */
async function told(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await kstack(args);
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
}

type Found = Record<string, Record<string, unknown>[]>;

/** What the sums of a database do not tell. */
const UNTOLD = { deadlockCount: null, deadlocks: null, sinceBoot: null, unnamed: null };

/** A report with what is equally long in one order. */
function inOrder(json: string): Record<string, unknown> {
  const found: Found = JSON.parse(json);
  const sorted = (list: unknown[] = []) => list.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  const findings = (found['findings'] ?? []).map(({ tasks, ...rest }) => ({ ...rest, tasks: sorted(tasks as []) }));
  return {
    ...found,
    findings: sorted(findings),
    ...Object.fromEntries(['holders', 'stuck', 'unread'].map((name) => [name, sorted(found[name])])),
  };
}

it('a report, a comparison and a conversion of one host are those of its recording', async () => {
  const server = await clickHouse();
  const file = await recording();
  const url = await database(server, 'one', samplesIn(file));
  const ofFile = await told('report', file, '-f', 'json');
  expect(inOrder(await told('report', url, '-f', 'json'))).toEqual({ ...inOrder(ofFile), ...UNTOLD });
  expect(ofFile).toMatch(/"holders":\[\n\{/);
  expect(ofFile).toMatch(/"stuck":\[\n\{/);
  const [head] = (await told('report', url)).split('\n\n');
  expect((await told('report', file)).startsWith(`${head}\n\n`)).toBe(true);
  // A selection is applied to the tasks one by one.
  const selected = ['-c', 'file-locks', '-f', 'json'];
  expect(inOrder(await told('report', url, ...selected))).toEqual(inOrder(await told('report', file, ...selected)));
  const sides = ['--a', '-30s/-2s', '--b', '-2s/', '-f', 'json'];
  expect(JSON.parse(await told('diff', url, ...sides))).toEqual(JSON.parse(await told('diff', file, ...sides)));
  const seen = (text: string) =>
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .map(({ type, time, tid, comm, state, rule, frames }) => ({ type, time, tid, comm, state, rule, frames }))
      .toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  expect(seen(await told('convert', url, '-f', 'jsonl'))).toEqual(seen(await told('convert', file, '-f', 'jsonl')));
  const [ofDatabase, ofRecording] = [await servedSamples(url), await servedSamples(file)];
  expect(ofDatabase).toBe(ofRecording);
  expect(ofDatabase).toBeGreaterThan(2);
  // A page says that there is no database any more.
  const address = await served(url);
  await server.kill();
  const failed = /event: failed\ndata: nothing in the database was read: .*connection refused/;
  expect(await eventsAt(address)).toMatch(failed);
});

/** The URL of a server that ends with the test. */
async function served(...args: string[]): Promise<URL> {
  const child = spawn(KSTACK, ['serve', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const end = ended(child);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await end;
  });
  return new URL(
    await new Promise<string>((resolve) => child.stdout.once('data', (text) => resolve(`${text}`.trim()))),
  );
}

it('two recorders of one host at once count what is blocked once, and a number that comes again is another task', async () => {
  const server = await clickHouse();
  /** Task 2 ends after half of the time, and another one has its number. */
  const recorded = (fromMs: number): Sample[] =>
    samplesOfHost('db1', 20, fromMs).map((sample, at) => ({
      ...sample,
      observations: sample.observations
        .filter(({ task }) => (task.id.tid ?? 0) <= 2)
        .map((each) => {
          const startTicks = at >= 10 && each.task.id.tid === 2 ? 200 : 100;
          return { ...each, task: { ...each.task, id: { ...each.task.id, startTicks } } };
        }),
    }));
  const streams = [recorded(1_790_000_000_000), recorded(1_790_000_000_500)];
  const url = await database(server, 'both', streams[0] ?? []);
  await insert(server, 'both', streams[1] ?? []);
  const files: string[] = [];
  for (const stream of streams) {
    const file = join(temporaryFolder(), 'recording');
    writeFileSync(file, Buffer.concat(await filesOfRun(stream, { segment: 20, file: 1 })));
    files.push(file);
  }
  const { stuck, ...ofDatabase } = JSON.parse(await told('report', url, '-f', 'json'));
  expect(ofDatabase).toMatchObject({ samples: 40, findings: [{ taskSeconds: 40, count: 3 }], stuckCount: 3 });
  expect(stuck.map(({ tid, seen }: Record<string, number>) => [tid, seen])).toEqual([
    [1, 40],
    [2, 20],
    [2, 20],
  ]);
  const { findings, timeline } = JSON.parse(await told('report', ...files, '-f', 'json'));
  expect(ofDatabase).toMatchObject({ findings, timeline });
});

/** What a page is sent. */
async function eventsAt({ origin, hash }: URL): Promise<string> {
  const headers = { authorization: `Bearer ${hash.replace('#token=', '')}` };
  const answer = await fetch(`${origin}/events`, { headers });
  const events = await answer.text();
  expect([answer.status, events]).toEqual([200, expect.stringMatching(/event: end\n/)]);
  return events;
}

/** How many samples a page is sent. */
async function servedSamples(source: string): Promise<number> {
  return [...(await eventsAt(await served(source))).matchAll(/"sample":\d/g)].length;
}

it('a report of several hosts has what they have in common, what is new, and who is unlike the rest', async () => {
  const server = await clickHouse();
  const file = await recording();
  const samples: Sample[] = [];
  for await (const sample of samplesIn(file)) samples.push(sample);
  const isBlocked = (sample: Sample) => sample.observations.filter(({ task }) => task.comm === 'file-locks');
  async function* fleet(): AsyncGenerator<Sample> {
    for (const [at, sample] of samples.entries())
      for (const host of ['db1', 'db2', 'db3', 'db4', 'web1']) {
        const all = { ...sample, host, kernel: host === 'db2' ? '6.12.1' : '6.1.0', observations: sample.observations };
        // Only one host has the lock, and only in the end.
        const isLocked = host === 'web1' && at >= samples.length / 2;
        const locked = new Set(isBlocked(sample));
        yield isLocked ? all : { ...all, observations: all.observations.filter((each) => !locked.has(each)) };
      }
  }
  const url = await database(server, 'fleet', fleet());
  const json = await told('report', url, '-f', 'json');
  const schemaOf = (name: string) =>
    JSON.parse(readFileSync(join(import.meta.dirname, `../schema/kstack-${name}-1.schema.json`), 'utf8'));
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  const isValid = ajv.addSchema(schemaOf('sample')).compile(schemaOf('report'));
  isValid(JSON.parse(json));
  expect(isValid.errors).toBeNull();
  const { fleet: all } = JSON.parse(json);
  const vfork = all.waits.find(({ finding }: { finding: { rule: string } }) => finding.rule === 'vfork');
  expect(vfork).toMatchObject({ hosts: 5, tasks: 5, kernels: ['6.1.0', '6.12.1'], firstSeen: expect.any(String) });
  expect(vfork.hostNames).toEqual(['db1', 'db2', 'db3', 'db4', 'web1']);
  expect(all.fresh).toBeNull();
  expect(all.unlike).toMatchObject([{ host: 'web1', most: { finding: { rule: expect.any(String) } } }]);
  const from = new Date((samples[Math.ceil(samples.length / 2)]?.timeMs ?? 0) - 1).toISOString();
  const since = await told('report', url, '--from', from);
  expect(since).toMatch(/^db1, db2, db3, db4 and 1 more hosts: /);
  expect(since).toMatch(/1 task on 5 hosts|5 tasks on 5 hosts/);
  expect(since).toMatch(
    /\n\nnew, never seen before on these hosts:\n.* on 1 host {2}waits for a file lock .*\n {4}web1; since/,
  );
  expect(since).toMatch(/\n\nhosts unlike the rest, where 1\.0 tasks are blocked on average:\n {2}web1: /);
  await showsFleet(url);
  // Of some hosts only, from the database and from its samples.
  for (const more of [[], ['-a']]) {
    const some: { hosts: string[] } = JSON.parse(await told('report', url, '--host', 'db?,x*', '-f', 'json', ...more));
    expect(some.hosts).toEqual(['db1', 'db2', 'db3', 'db4']);
  }
  const nobody = await kstack(['report', url, '--host', 'x*']);
  const shown = url.replace('clickhouse:', 'http:');
  expect([nobody.code, nobody.stderr]).toEqual([1, `kstack: no sample of ${shown} is of the requested hosts (x*)\n`]);
  const early = await kstack(['report', url, '--to', '2001-01-01']);
  expect([early.code, early.stderr]).toEqual([
    1,
    expect.stringMatching(/ is in the requested time \(to 2001-01-01 23:59:59\): they are from 20.* to 20.*\n$/),
  ]);
});

/** The same on a page, of which a copy names no host. */
async function showsFleet(url: string): Promise<void> {
  testRequires('browser');
  const [file, redacted] = ['fleet.html', 'redacted.html'].map((name) => join(temporaryFolder(), name)) as [
    string,
    string,
  ];
  expect(await told('report', url, '-f', 'html', '-o', file)).toBe('');
  expect(await told('report', url, '-f', 'html', '--redact', '-o', redacted)).toBe('');
  const browser = await chromium.launch({ executablePath: BROWSER, args: ['--no-sandbox'] });
  onTestFinished(() => browser.close());
  const textOf = async (address: string) => {
    const page = await browser.newPage();
    await page.goto(address);
    await page.locator('nav [aria-current]', { hasText: 'Fleet' }).waitFor();
    for (const summary of await page.locator('.fleet summary').all()) await summary.click();
    return await page.locator('main').innerText();
  };
  const text = await textOf(`file://${file}`);
  expect(text).toMatch(/5 tasks on 5 hosts: ?\s*waits for its vfork child/);
  expect(text).toMatch(/Hosts\s+db1, db2, db3, db4, web1\s/);
  expect(text).toMatch(/Kernels\s+6\.1\.0, 6\.12\.1/);
  expect(text).toMatch(/Hosts unlike the rest, where 1\.0 tasks are blocked on average[\s\S]*\nweb1\s/);
  const hidden = await textOf(`file://${redacted}`);
  expect(hidden).toMatch(/Hosts\s+host-1, host-2, host-3, host-4, host-5\s/);
  expect(hidden).not.toMatch(/db1|web1/);
  // A server has the same.
  expect(await textOf((await served(url, '--redact')).href)).toBe(hidden);
}

const SELECTIONS: readonly [string, Selection, isLess: boolean][] = [
  ['states', { states: ['D', 'Z'] }, true],
  ['numbers', { pids: [2, 8, 1000] }, true],
  ['numbers and states', { pids: [2], states: ['D'] }, true],
  ['a name', { command: { source: '^(sh|kw.*|t1$)|e' } }, true],
  ['a name that SQL does not tell', { command: { source: '\\w', flags: 'i' } }, false],
  ['users', { users: [0, 1000] }, false],
  ['a function', { function: { source: 'nfs|futex_wait' } }, true],
  ['a module', { module: "o'dd\\" }, true],
  ['what is not idle', { blocked: true }, true],
  ['all of it', { states: ['D'], users: [0], function: { source: 'rpc' }, module: 'sunrpc', blocked: true }, true],
];

it('a selection takes of a database what it takes of all of its samples, and pulls fewer tasks', async () => {
  const server = await clickHouse();
  const waiting = samplesIn(await recording());
  const url = await database(server, 'odd', ODD_SAMPLES);
  await insert(server, 'odd', waiting);
  const stacks = new InternedStacks();
  const target = parseTarget(url);
  const connection = await Connection.open({
    target,
    credentials: { user: 'default', password: '' },
    deadlineMs: 60_000,
  });
  onTestFinished(() => connection.close());
  const taken = async (selection: Selection, isPushed: boolean) => {
    let pulled = 0;
    const counting = {
      async *rows(statement: string) {
        for await (const row of connection.rows(statement)) {
          if ('stack_unread' in row) pulled++;
          yield row;
        }
      },
    };
    const scope = { hosts: [], fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY };
    const stored = storedSamples(counting, scope, (frames) => stacks.intern(frames), isPushed ? selection : undefined);
    const missed = new Set<string>();
    const samples: string[] = [];
    const part = selected(stored, await compileSelection(selection), (what) => missed.add(what));
    for await (const sample of part) samples.push(JSON.stringify(sample));
    return { samples, missed: [...missed].sort(), pulled };
  };
  for (const [name, selection, isLess] of SELECTIONS) {
    const [whole, pushed] = [await taken(selection, false), await taken(selection, true)];
    expect([name, pushed.samples]).toEqual([name, whole.samples]);
    // A task that another condition leaves out is not missed for what is not told of it.
    expect([name, whole.missed]).toEqual([name, expect.arrayContaining(pushed.missed)]);
    if (isLess) expect([name, pushed.pulled < whole.pulled]).toEqual([name, true]);
  }
});

it('a database with whatever samples is read, and one that is not there says what to do', async () => {
  const server = await clickHouse('secret');
  const environment = { ...process.env, CLICKHOUSE_PASSWORD: 'secret' };
  const url = await database(server, 'odd', ODD_SAMPLES);
  for (const format of ['text', 'json', 'html']) {
    const { code, stdout, stderr } = await kstack(['report', url, '-f', format], { env: environment });
    expect([code, stderr]).toEqual([0, '']);
    // Names hold what controls a terminal.
    expect([format, /[^\n\P{Cc}]|\u202e/u.test(stdout)]).toEqual([format, false]);
  }
  const converted = await kstack(['convert', url, '-f', 'json'], { env: environment });
  expect(converted.code).toBe(0);
  const counted = converted.stdout.split('{"format":"kstack-sample"').length - 1;
  expect(String(counted)).toBe(await server.ask('SELECT count() FROM odd.samples'));
  const refused = await kstack(['report', url]);
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(/CLICKHOUSE_PASSWORD/)]);
  const missing = await kstack(['report', `${url}x`], { env: environment });
  expect([missing.code, missing.stderr]).toEqual([1, expect.stringMatching(/kstack schema clickhouse/)]);
  const told = await kstack(['report', url.replace('//', '//me:hidden@')]);
  expect([told.code, told.stderr]).toEqual([2, expect.stringMatching(/--credentials-file/)]);
  expect(told.stderr).not.toContain('hidden');
});
