import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import type { createServer, RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { smallFileSystem } from './background-run.ts';
import type { ClickHouse } from './clickhouse-server.ts';
import { certificate, ended, KSTACK, kstack, temporaryFolder } from './harness.ts';
import { killLoop } from './ship-kills.ts';
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
// To remove what a server has left takes long, too, where hundreds of kills have kept it from merging.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 900_000 });

const SHAPE = { segment: 5, file: 3 };
const WAIT = { timeout: 40_000, interval: 100 };

/** Starts `kstack ship`; it ends with the test. `said` is what it has said until now. */
function shipper(args: readonly string[], more: NodeJS.ProcessEnv = {}) {
  const child = spawn(KSTACK, ['ship', ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...more },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  child.stderr.on('data', (bytes: Buffer) => {
    said += bytes.toString();
  });
  return { child, end: ended(child), said: () => said };
}

/** Waits until a server has so many samples: this table is the last one of a segment that is sent. */
async function allOf(samples: number, server: ClickHouse): Promise<void> {
  const seen = async () => Number(await server.ask('SELECT uniqExact(unread) FROM unread'));
  await vi.waitFor(async () => expect(await seen()).toBe(samples), WAIT);
}

it('a server that is killed in the middle of inserts has all of them when it is back', async () => {
  const server = await serverWithTables();
  const samples = samplesOfHost('db1', 60);
  const directory = await recordedDirectory(samples, SHAPE);
  const { end, said } = shipper([directory, '--to', server.url, '--max-rate', '8K']);
  const sent = async () => Number(await server.ask('SELECT count() FROM samples'));
  await vi.waitFor(async () => expect(await sent()).toBeGreaterThan(0), WAIT);
  await server.kill();
  await vi.waitFor(() => expect(said()).toContain('It is tried again'), WAIT);
  await server.start();
  const { code, stderr } = await end;
  expect([code, stderr]).toEqual([0, expect.stringMatching(/sending again\n.*sent 60 samples/s)]);
  await expectContent(server, [samples]);
});

it('positions that a full disk does not take cost nothing', async () => {
  const server = await serverWithTables();
  const mounted = smallFileSystem('tmpfs', 1);
  const directory = join(mounted, 'recordings');
  const samples = samplesOfHost('db1', 40);
  const files = await filesOfRun(samples, SHAPE);
  putRun(directory, 'db1', files);
  const filler = join(mounted, 'filler');
  const fill = () => {
    const fd = openSync(filler, 'a');
    try {
      for (;;) writeSync(fd, Buffer.alloc(4096));
    } catch (error) {
      expect(error).toMatchObject({ code: 'ENOSPC' });
    } finally {
      closeSync(fd);
    }
  };
  fill();
  const ship = () => kstack(['ship', directory, '--to', server.url]);
  const full = await ship();
  expect([full.code, full.stderr]).toEqual([
    0,
    expect.stringMatching(/cannot write positions in .*no space left.*\n.*sent 40 samples/s),
  ]);
  expect((await ship()).stderr).toContain('sent 40 samples');
  rmSync(filler);
  expect((await ship()).stderr).toContain('sent 40 samples');
  expect((await ship()).stderr).toContain('sent 0 samples');
  await expectContent(server, [samples]);
});

it('clocks of hosts need not agree, and one may be set back', async () => {
  const server = await serverWithTables();
  const ahead = samplesOfHost('db2', 20, Date.UTC(2099, 0, 1));
  const early = samplesOfHost('db3', 20, Date.UTC(1970, 0, 2));
  const start = Date.UTC(2026, 10, 27);
  const setBack = [...samplesOfHost('db1', 10, start), ...samplesOfHost('db1', 10, start - 3_600_000)];
  const directory = join(temporaryFolder(), 'recordings');
  // Rotated files are called by the time that the clock told.
  putRun(directory, 'db2', await filesOfRun(ahead, SHAPE), 4_070_908_800);
  putRun(directory, 'db3', await filesOfRun(early, SHAPE), 86_400);
  putRun(directory, 'db1', await filesOfRun(setBack, SHAPE));
  const { code, stderr } = await kstack(['ship', directory, '--to', server.url]);
  expect([code, stderr]).toEqual([0, expect.stringMatching(/^kstack: sent 60 samples/)]);
  await expectContent(server, [ahead, early, setBack]);
  const spans = 'SELECT host, sum(span_ms) FROM samples FINAL GROUP BY host ORDER BY host';
  // Nobody knows how long the sample before a clock is set back stood, and the one behind.
  expect(await server.ask(spans)).toBe('db1\t17000\ndb2\t19000\ndb3\t19000');
});

it('a directory has one shipper for each database', async () => {
  const [server, other] = [await serverWithTables(), await serverWithTables()];
  const samples = samplesOfHost('db1', 20);
  const directory = await recordedDirectory(samples, SHAPE);
  const { child, end } = shipper([directory, '--to', server.url, '--follow']);
  await allOf(20, server);
  const second = await kstack(['ship', directory, '--to', server.url]);
  const refused = `another kstack sends ${directory} to ${server.url}/default already`;
  expect([second.code, second.stderr]).toEqual([1, expect.stringContaining(refused)]);
  expect((await kstack(['ship', directory, '--to', other.url])).stderr).toContain('sent 20 samples');
  expect(positionFiles(directory)).toHaveLength(2);
  child.kill('SIGTERM');
  expect((await end).code).toBe(143);
  for (const each of [server, other]) await expectContent(each, [samples]);
});

it('a host that is renamed is followed under both names', async () => {
  const server = await serverWithTables();
  const [before, after] = [samplesOfHost('old', 20), samplesOfHost('new', 20, Date.UTC(2026, 10, 27))];
  const directory = await recordedDirectory(before, { ...SHAPE, torn: true }, 'old');
  const { child, end } = shipper([directory, '--to', server.url, '--follow']);
  const seen = async () => Number(await server.ask('SELECT uniqExact(sample) FROM samples'));
  await vi.waitFor(async () => expect(await seen()).toBeGreaterThanOrEqual(15), WAIT);
  putRun(directory, 'new', await filesOfRun(after, SHAPE), 1_796_000_000);
  // Somebody gives its old files the new name, too.
  renameSync(join(directory, 'kstack_old-1795000000.kstack'), join(directory, 'kstack_new-1795000000.kstack'));
  await vi.waitFor(async () => expect(await seen()).toBeGreaterThanOrEqual(35), WAIT);
  child.kill('SIGINT');
  expect((await end).code).toBe(130);
  expect((await kstack(['ship', directory, '--to', server.url])).code).toBe(0);
  await expectContent(server, [before, after]);
});

it('what is delivered twice is there once', async () => {
  const server = await serverWithTables();
  const samples = samplesOfHost('db1', 20);
  const directory = await recordedDirectory(samples, SHAPE);
  for (let times = 0; times < 3; times++) {
    expect((await kstack(['ship', directory, '--to', server.url])).stderr).toContain('sent 20 samples');
    for (const name of positionFiles(directory)) rmSync(join(directory, name));
  }
  await expectContent(server, [samples]);
  await server.ask('OPTIMIZE TABLE observations FINAL');
  expect(await server.ask('SELECT count() FROM observations')).toBe('60');
});

it('a wrong password, and tables that are missing, are told and waited for', async () => {
  const server = await serverWithTables('ein Geheimnis');
  const samples = samplesOfHost('db1', 20);
  const directory = await recordedDirectory(samples, SHAPE);
  const secret = join(temporaryFolder(), 'secret');
  const args = [directory, '--to', server.url, '--credentials-file', secret];
  writeFileSync(secret, 'CLICKHOUSE_PASSWORD=falsch\n', { mode: 0o600 });
  const wrong = await kstack(['ship', ...args]);
  const advice = /refuses for user default: .*check --credentials-file.*\n.*sent 0 samples .*the rest is still there/;
  expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringMatching(advice)]);
  await server.ask('RENAME TABLE stacks TO hidden');
  const { child, end, said } = shipper([...args, '--follow']);
  await vi.waitFor(() => expect(said()).toContain('check --credentials-file'), WAIT);
  writeFileSync(secret, 'CLICKHOUSE_PASSWORD=ein Geheimnis\n', { mode: 0o600 });
  await vi.waitFor(() => expect(said()).toContain('create the tables: kstack schema clickhouse'), WAIT);
  await server.ask('RENAME TABLE hidden TO stacks');
  await allOf(20, server);
  child.kill('SIGTERM');
  const { stderr } = await end;
  expect(stderr).toMatch(/sending again/);
  expect(stderr).not.toContain('Geheimnis');
  await expectContent(server, [samples]);
});

it('TLS that cannot be trusted, and a proxy that answers HTML, send nothing and lose nothing', async () => {
  const server = await serverWithTables();
  const samples = samplesOfHost('db1', 20);
  const directory = await recordedDirectory(samples, SHAPE);
  const { key, cert } = certificate('subjectAltName=IP:127.0.0.1');
  let mood: 'html' | 'forward' = 'html';
  const proxy: RequestListener = async (request, answer) => {
    const body = Buffer.concat(await request.toArray());
    if (mood === 'html') {
      answer.writeHead(200, { 'content-type': 'text/html' }).end('<html><title>Login</title>Log in first</html>');
      return;
    }
    const encoding = request.headers['content-encoding'];
    const headers = encoding === undefined ? {} : { 'content-encoding': encoding };
    const got = await fetch(`${server.url}${request.url}`, { method: 'POST', headers, body });
    answer.writeHead(got.status, { 'x-clickhouse-server-display-name': 'db1' }).end(await got.text());
  };
  const listening = async (one: ReturnType<typeof createServer> | ReturnType<typeof createTlsServer>) => {
    await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void one.close());
    return (one.address() as AddressInfo).port;
  };
  const tls = await listening(createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, proxy));
  const to = `clickhouse://127.0.0.1:${tls}?secure=1`;
  const untrusted = await kstack(['ship', directory, '--to', to]);
  expect([untrusted.code, untrusted.stderr]).toEqual([1, expect.stringContaining('is not trusted (')]);
  expect(untrusted.stderr).toContain('--ca-file');
  const html = await kstack(['ship', directory, '--to', to, '--ca-file', cert]);
  expect([html.code, html.stderr]).toEqual([1, expect.stringContaining("a page of HTML: 'Login Log in first'")]);
  const { child, end, said } = shipper([directory, '--to', to, '--ca-file', cert, '--follow']);
  await vi.waitFor(() => expect(said()).toContain('a page of HTML'), WAIT);
  mood = 'forward';
  await allOf(20, server);
  child.kill('SIGTERM');
  expect((await end).code).toBe(143);
  await expectContent(server, [samples]);
  const plain = await kstack(['ship', directory, '--to', server.url.replace('http:', 'https:')]);
  expect([plain.code, plain.stderr]).toEqual([1, expect.stringContaining('is this the port for TLS')]);
});

it('a recorder goes on while its shipper is killed, and its database is away', async () => {
  const directory = join(temporaryFolder(), 'recordings');
  const env = { ...process.env, KSTACK_INTERVAL_MS: '20' };
  const args = ['record', '-d', directory, '-p', '1,2', '--source', 'procfs', '--to', 'http://127.0.0.1:1'];
  const child = spawn(KSTACK, args, { stdio: ['ignore', 'ignore', 'pipe'], env });
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  child.stderr.on('data', (bytes: Buffer) => {
    said += bytes.toString();
  });
  const end = ended(child);
  const shipperPid = () =>
    readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')
      .split(' ')
      .find(
        (pid) =>
          pid !== '' &&
          existsSync(`/proc/${pid}/cmdline`) &&
          readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('\0ship\0'),
      );
  await vi.waitFor(() => expect(said).toContain('connection refused'), WAIT);
  process.kill(Number(shipperPid()), 'SIGKILL');
  await vi.waitFor(
    () => expect(said).toContain('the process that sends the recording ended (it was killed by SIGKILL)'),
    WAIT,
  );
  await vi.waitFor(() => expect(said.match(/connection refused/g)).toHaveLength(2), WAIT);
  child.kill('SIGTERM');
  const { code, stderr } = await end;
  expect([code, stderr]).toEqual([
    143,
    expect.stringMatching(/the rest is still there\n.*: \d+ samples, [\d.]+ \w+\n$/),
  ]);
  const { stdout } = await kstack(['report', join(directory, `kstack_${hostname()}.kstack`)]);
  expect(stdout).toContain('samples');
});

/** KSTACK_KILLS=500 tries more of them. */
const KILLS = Number(process.env['KSTACK_KILLS'] ?? 12);

it('random kills of either side lose nothing and double nothing', { timeout: 60_000 + 10_000 * KILLS }, async () => {
  const { server, samples } = await killLoop(KILLS, 7);
  await expectContent(server, [samples]);
});
