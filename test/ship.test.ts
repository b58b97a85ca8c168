import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { ended, KSTACK, kstack, temporaryFolder, testRequires } from './harness.ts';
import {
  expectContent,
  filesOfRun,
  positionFiles,
  putRun,
  recordedDirectory,
  samplesOfHost,
  serverWithTables,
} from './shipping.ts';

// A server of its own for each test, and many starts of the command: that takes time on a busy machine.
vi.setConfig({ testTimeout: 180_000 });

const SHAPE = { segment: 5, file: 3 };

it('sends of a directory what was not sent yet, and nothing twice', async () => {
  const server = await serverWithTables();
  const samples = samplesOfHost('db1', 40);
  const directory = await recordedDirectory(samples.slice(0, 20), SHAPE);
  const ship = () => kstack(['ship', directory, '--to', server.url]);
  const first = await ship();
  const sent = /^kstack: sent 20 samples in \d+ rows, [\d.]+ \w+, to http:\/\/127\.0\.0\.1:\d+\/default\n$/;
  expect([first.code, first.stderr]).toEqual([0, expect.stringMatching(sent)]);
  await expectContent(server, [samples.slice(0, 20)]);
  expect((await ship()).stderr).toMatch(/^kstack: sent 0 samples in 0 rows/);
  // It has gone on: what was the current file is longer, and has another name.
  putRun(directory, 'db1', await filesOfRun(samples, SHAPE));
  const next = await ship();
  expect([next.code, next.stderr]).toEqual([0, expect.stringMatching(/^kstack: sent 20 samples/)]);
  await expectContent(server, [samples]);
  expect(await server.ask('SELECT count(), uniqExact(sample) FROM samples')).toBe('40\t40');
});

it('sends the torn end of a recording whose writer is gone, and counts what was removed before', async () => {
  const server = await serverWithTables();
  const samples = samplesOfHost('db1', 33);
  const files = await filesOfRun(samples, { ...SHAPE, torn: true });
  const directory = join(temporaryFolder(), 'recordings');
  putRun(directory, 'db1', files.slice(0, 1));
  const ship = () => kstack(['ship', directory, '--to', server.url]);
  expect((await ship()).stderr).toContain('sent 15 samples');
  // The first file was sent and is gone; of the second one, three segments are gone unsent.
  putRun(directory, 'db1', files.slice(2));
  const { code, stderr } = await ship();
  expect([code, stderr]).toEqual([0, expect.stringMatching(/at least 3 segments are missing .*\n.*sent 3 samples/)]);
  expect(await server.ask('SELECT uniqExact(sample), max(time_ms) FROM samples')).toBe(`18\t${samples.at(-1)?.timeMs}`);
  expect((await ship()).stderr).not.toContain('missing');
});

it('counts the time of a sample from the one before it, whatever was sent by whom', async () => {
  const server = await serverWithTables();
  const samples = samplesOfHost('db1', 30);
  const directory = join(temporaryFolder(), 'recordings');
  const files = await filesOfRun(samples, { segment: 5, file: 2 });
  for (const count of [1, 2, 3]) {
    putRun(directory, 'db1', files.slice(0, count));
    expect((await kstack(['ship', directory, '--to', server.url])).code).toBe(0);
  }
  await expectContent(server, [samples]);
  expect(await server.ask('SELECT sum(span_ms) FROM samples FINAL')).toBe('29000');
});

it('sends files of any kind as a whole, and twice is as good as once', async () => {
  const server = await serverWithTables();
  const samples = samplesOfHost('db1', 12);
  const folder = temporaryFolder();
  const [recording, log] = [join(folder, 'a.kstack'), join(folder, 'kern.log')];
  writeFileSync(recording, Buffer.concat(await filesOfRun(samples, { segment: 5, file: 9 })));
  const line =
    '2026-11-26T03:12:00.000000+00:00 db2 kernel: INFO: task touch:24044 blocked for more than 122 seconds.\n';
  writeFileSync(log, line);
  for (let times = 0; times < 2; times++) {
    const { code, stderr } = await kstack(['ship', recording, log, '--to', server.url]);
    expect([code, stderr]).toEqual([0, expect.stringContaining('sent 13 samples')]);
  }
  const hosts = 'SELECT host, count() FROM samples FINAL GROUP BY host ORDER BY host';
  expect(await server.ask(hosts)).toBe('db1\t12\ndb2\t1');
  expect(await server.ask("SELECT count() FROM events FINAL WHERE kind = 'hung-task' AND host = 'db2'")).toBe('1');
  writeFileSync(log, 'nothing\n');
  const nothing = await kstack(['ship', log, '--to', server.url]);
  expect([nothing.code, nothing.stderr]).toEqual([1, expect.stringContaining('looks like a kernel stack')]);
});

it('sends no more bytes per second than it may', async () => {
  const server = await serverWithTables();
  const directory = await recordedDirectory(samplesOfHost('db1', 20), SHAPE);
  const { code, milliseconds } = await kstack(['ship', directory, '--to', server.url, '--max-rate', '3K']);
  expect(code).toBe(0);
  const [, rows = ''] = /in (\d+) rows/.exec((await kstack(['ship', directory, '--to', server.url])).stderr) ?? [];
  expect(rows).toBe('0');
  // Some 11 KB.
  expect(milliseconds).toBeGreaterThan(2000);
});

it('a damaged segment costs itself, and is told', async () => {
  const server = await serverWithTables();
  const samples = samplesOfHost('db1', 15);
  const [file = Buffer.alloc(0)] = await filesOfRun(samples, SHAPE);
  file.fill(0, Math.floor(file.length * 0.45), Math.floor(file.length * 0.55));
  const directory = join(temporaryFolder(), 'recordings');
  putRun(directory, 'db1', [file]);
  const { code, stderr } = await kstack(['ship', directory, '--to', server.url]);
  expect([code, stderr]).toEqual([1, expect.stringContaining('kstack_db1.kstack: the segment at byte')]);
  expect(Number(await server.ask('SELECT count() FROM samples FINAL'))).toBeGreaterThanOrEqual(10);
});

it('follows no link, and takes no foreign file for its positions', async () => {
  const server = await serverWithTables();
  const samples = samplesOfHost('db1', 10);
  const directory = await recordedDirectory(samples, SHAPE);
  const ship = () => kstack(['ship', directory, '--to', server.url]);
  expect((await ship()).code).toBe(0);
  const [name = ''] = positionFiles(directory);
  const path = join(directory, name);
  expect(readFileSync(path, 'utf8')).toContain('"format":"kstack-positions"');
  // What it does not know is not sent.
  writeFileSync(path, 'x'.repeat(5000));
  expect((await ship()).stderr).toContain('sent 10 samples');
  writeFileSync(path, '{"format":"kstack-positions","version":99}\n'.padEnd(512));
  expect(await ship()).toMatchObject({ code: 1, stderr: expect.stringContaining('was written by a newer kstack') });
  rmSync(path);
  const victim = join(temporaryFolder(), 'victim');
  writeFileSync(victim, 'precious');
  symlinkSync(victim, path);
  expect(await ship()).toMatchObject({ code: 1, stderr: expect.stringContaining('is a symbolic link') });
  expect(readFileSync(victim, 'utf8')).toBe('precious');
  rmSync(path);
  const [elsewhere = Buffer.alloc(0)] = await filesOfRun(samplesOfHost('secret', 5), SHAPE);
  writeFileSync(victim, elsewhere);
  symlinkSync(victim, join(directory, 'kstack_secret.kstack'));
  expect((await ship()).stderr).toContain('sent 10 samples');
  expect(await server.ask("SELECT count() FROM samples WHERE host = 'secret'")).toBe('0');
  await expectContent(server, [samples]);
});

it('says what is wrong with a command line', async () => {
  const folder = temporaryFolder();
  const to = ['--to', 'clickhouse://127.0.0.1:1'];
  for (const [args, why] of [
    [['ship', folder], "option '--to <URL>' not specified"],
    [['ship', folder, '--to', 'db1'], "the URL of '--to' is not the URL of a database"],
    [['ship', folder, '--to', 'clickhouse://me:geheim@db1'], '--credentials-file or in CLICKHOUSE_PASSWORD'],
    [['ship', folder, folder, ...to], 'give one directory, or files'],
    [['ship', KSTACK, '--follow', ...to], '--follow needs a directory'],
    [['ship', folder, '--max-rate', '10', ...to], 'Give 1K or more'],
    [['record', '-o', join(folder, 'x'), ...to], "'--to' applies only with '-d'"],
    [['record', '-d', folder, '--ca-file', 'x'], "'--ca-file' applies only with '--to'"],
  ] as const) {
    const { code, stderr } = await kstack(args);
    expect([args, code, stderr]).toEqual([args, 2, expect.stringContaining(why)]);
    expect(stderr).not.toContain('geheim');
  }
  expect(readdirSync(folder)).toEqual([]);
  const missing = await kstack(['ship', join(folder, 'none'), ...to]);
  expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining('no such file')]);
});

it('a recorder sends what it records, and what is left when it ends', async () => {
  testRequires('root');
  const server = await serverWithTables('ein Geheimnis');
  const directory = join(temporaryFolder(), 'recordings');
  const args = ['-d', directory, '-p', '1,2', '--source', 'procfs', '--to', server.url];
  const env = { ...process.env, KSTACK_INTERVAL_MS: '20', CLICKHOUSE_PASSWORD: 'ein Geheimnis' };
  const child = spawn(KSTACK, ['record', ...args], { stdio: ['ignore', 'ignore', 'pipe'], env });
  onTestFinished(() => void child.kill('SIGKILL'));
  const end = ended(child);
  const sent = async () => Number(await server.ask('SELECT count() FROM samples'));
  await vi.waitFor(async () => expect(await sent()).toBeGreaterThan(30), { timeout: 90_000, interval: 200 });
  child.kill('SIGTERM');
  const { code, stderr } = await end;
  expect([code, stderr]).toEqual([143, expect.stringMatching(/sent \d+ samples.*\n.*: \d+ samples, /)]);
  const [, recorded] = /: (\d+) samples, [\d.]+ \w+\n$/.exec(stderr) ?? [];
  const again = await kstack(['ship', directory, '--to', server.url], { env });
  // On a busy machine, ten seconds may not suffice.
  if (!stderr.includes('the rest is still there')) expect(again.stderr).toContain('sent 0 samples');
  expect(await server.ask('SELECT count(), uniqExact(sample) FROM samples FINAL')).toBe(`${recorded}\t${recorded}`);
});
