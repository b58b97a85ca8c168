import { chmodSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createSocketServer, type Server as SocketServer } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { expect, it, onTestFinished } from 'vitest';
import { Connection } from '../src/clickhouse/connection.ts';
import { authoritiesIn, type Credentials, credentialsOf } from '../src/clickhouse/credentials.ts';
import { ClickHouseFailure, type FailureKind } from '../src/clickhouse/failure.ts';
import { parseTarget } from '../src/clickhouse/target.ts';
import { withFiles } from '../src/files/remote.ts';
import { clickHouse } from './clickhouse-server.ts';
import { certificate, freePort, temporaryFolder } from './harness.ts';

const PASSWORD = 'ein Geheimnis';
const KNOWN: Credentials = { user: 'default', password: PASSWORD };

async function open(
  url: string,
  options: { credentials?: Credentials; authorities?: Buffer; deadlineMs?: number } = {},
) {
  const connection = await Connection.open({
    target: parseTarget(url),
    credentials: KNOWN,
    deadlineMs: 10_000,
    ...options,
  });
  onTestFinished(() => connection.close());
  return connection;
}

async function rowsOf(connection: Connection, statement: string) {
  const rows: unknown[] = [];
  for await (const row of connection.rows(statement)) rows.push(row);
  return rows;
}

async function failure(attempt: Promise<unknown>): Promise<[FailureKind, string]> {
  try {
    await attempt;
  } catch (error) {
    if (error instanceof ClickHouseFailure) return [error.kind, error.message];
    throw error;
  }
  throw new Error('nothing failed');
}

/** Listens on a free port of 127.0.0.1 until the test ends. */
async function listening(server: Server | SocketServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
  });
  const address = server.address() as AddressInfo;
  return address.port;
}

it('a real server is asked and told in all that a fleet needs', async () => {
  const server = await clickHouse(PASSWORD);
  const connection = await open(`${server.url}/default`);
  expect(connection.version).toEqual([18, 16]);
  await connection.run('CREATE TABLE t (a UInt64, b String) ENGINE = ReplacingMergeTree ORDER BY a');
  const lines = '{"a":"18446744073709551615","b":"\\\\xff \'"}\n{"a":1,"b":""}\n';
  for (let time = 0; time < 2; time++) await connection.insert('t', Readable.from([gzipSync(lines)]));
  expect(await rowsOf(connection, 'SELECT * FROM t FINAL ORDER BY a DESC')).toEqual([
    { a: '18446744073709551615', b: "\\xff '" },
    { a: '1', b: '' },
  ]);
  const many = await rowsOf(connection, 'SELECT number FROM system.numbers LIMIT 100000');
  expect(many).toHaveLength(100_000);
  // It fails behind the first rows, and gives none.
  const late = 'SELECT throwIf(number = 1500000) FROM system.numbers LIMIT 2000000';
  expect(await failure(rowsOf(connection, late))).toEqual(['refused', expect.stringContaining('(code 395)')]);
  const [kind, why] = await failure(rowsOf(connection, 'SELECT * FROM samples'));
  expect([kind, why]).toEqual(['tables', expect.stringMatching(/default\.samples .*kstack schema clickhouse/)]);
  expect(await failure(connection.insert('t', Readable.from([gzipSync('{"c":1}\n')])))).toEqual([
    'tables',
    expect.stringContaining('of another kstack'),
  ]);
});

it('who is not let in is told what to check', async () => {
  const server = await clickHouse(PASSWORD);
  const wrong = open(server.url, { credentials: { user: 'default', password: 'falsch' } });
  expect(await failure(wrong)).toEqual([
    'credentials',
    expect.stringMatching(/user default: Wrong.*CLICKHOUSE_PASSWORD/),
  ]);
  const unknown = open(server.url, { credentials: { user: 'nobody', password: PASSWORD } });
  expect(await failure(unknown)).toEqual(['credentials', expect.stringMatching(/user nobody: .*--credentials-file/)]);
  expect(await failure(open(`${server.url}/nowhere`))).toEqual(['tables', expect.stringContaining('CREATE DATABASE')]);
});

it('a server that goes away in the middle is unreachable, and is there again', async () => {
  const server = await clickHouse(PASSWORD);
  const connection = await open(server.url);
  await server.kill();
  expect(await failure(connection.run('SELECT 1'))).toEqual(['unreachable', expect.any(String)]);
  expect(await failure(open(server.url))).toEqual(['unreachable', expect.stringContaining('connection refused')]);
  await server.start();
  expect(await rowsOf(connection, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

/** Answers each request so until the test ends; resolves to the port. */
const answers = (listener: RequestListener) => listening(createServer(listener));

it('what is no ClickHouse is told for what it is', async () => {
  for (const status of [200, 302, 403, 502]) {
    const port = await answers((_, answer) =>
      answer
        .writeHead(status, { 'content-type': 'text/html' })
        .end('<html><head><style>a {}</style></head><body><h1>Log in</h1> to the\u001b[31m hotel</body></html>'),
    );
    const [kind, why] = await failure(open(`http://127.0.0.1:${port}`));
    expect([kind, why]).toEqual(['foreign', expect.stringContaining(`a page of HTML: 'Log in to the [31m hotel'`)]);
  }
  const json = await answers((_, answer) => answer.end('{"version":"18.16"}\n'));
  expect(await failure(open(`http://127.0.0.1:${json}`))).toEqual([
    'foreign',
    expect.stringContaining('something else'),
  ]);
  // It is there for the first question only, as behind a login that expires.
  let asked = 0;
  let url: string | undefined;
  const late = await answers((request, answer) => {
    ({ url } = request);
    if (asked++ > 0) answer.end('<html>Log in</html>');
    else answer.writeHead(200, { 'x-clickhouse-query-id': '1' }).end('24.3.1.2672.altinitystable\n');
  });
  const connection = await open(`http://127.0.0.1:${late}`);
  expect(connection.version).toEqual([24, 3]);
  expect(await failure(connection.insert('t', Readable.from([gzipSync('')])))).toEqual([
    'foreign',
    expect.stringContaining("'Log in'"),
  ]);
  // A later server is asked to collect the rows of many hosts, and to answer when they are stored.
  expect(url).toMatch(/&async_insert=1&wait_for_async_insert=1/);
});

it('an answer without an end is given up, and so is one that is no row', async () => {
  const own = { 'x-clickhouse-query-id': '1' };
  let asked = 0;
  const endless = await answers((_, answer) => {
    if (asked++ === 0) answer.writeHead(200, own).end('24.3.1.2672\n');
    else answer.writeHead(200, own).write(' ');
  });
  const connection = await open(`http://127.0.0.1:${endless}`, { deadlineMs: 500 });
  expect(await failure(connection.insert('t', Readable.from([gzipSync('')])))).toEqual([
    'unreachable',
    expect.stringContaining('no answer within 0.5 s'),
  ]);
  // The client's limit starts with the last byte, ours with the answer: here the one, there the other ends it.
  for (const partAfterMs of [0, 100]) {
    const begun = await answers((_, answer) => {
      answer.writeHead(200, own).write(' ');
      setTimeout(() => answer.write(' '), partAfterMs);
    });
    expect(await failure(open(`http://127.0.0.1:${begun}`, { deadlineMs: 500 }))).toEqual([
      'unreachable',
      expect.stringContaining('no answer within 0.5 s'),
    ]);
  }
  // Bytes that never end are not kept.
  for (const headers of [{}, own]) {
    const flood = await answers((_, answer) => {
      const part = Buffer.alloc(1 << 20, 'a');
      const timer = setInterval(() => answer.write(part), 20);
      answer.writeHead(200, headers).on('close', () => clearInterval(timer));
    });
    expect(await failure(open(`http://127.0.0.1:${flood}`))).toEqual([
      'foreign',
      expect.stringMatching(/something else: 'a{100}\.\.\.': is there a proxy\?$/),
    ]);
  }
  const nothing = await answers((_, answer) => answer.writeHead(200, own).end('\n'));
  expect(await failure(open(`http://127.0.0.1:${nothing}`))).toEqual([
    'foreign',
    expect.stringContaining('is no ClickHouse'),
  ]);
  let questions = 0;
  const rowless = await answers((_, answer) =>
    answer.writeHead(200, own).end(questions++ === 0 ? '24.3.1.2672\n' : 'null\n'),
  );
  const other = await open(`http://127.0.0.1:${rowless}`);
  expect(await failure(rowsOf(other, 'SELECT 1'))).toEqual(['foreign', expect.stringContaining('is no ClickHouse')]);
});

it('of a later answer without an end, little is read: of an error, and of rows that are one line', async () => {
  const own = { 'x-clickhouse-query-id': '1' };
  for (const [status, most] of [
    [500, 32 << 20],
    [200, 64 << 20],
  ] as const) {
    const part = Buffer.alloc(1 << 20, 'a');
    let [asked, sent] = [0, 0];
    const port = await answers((_, answer) => {
      if (asked++ === 0) {
        answer.writeHead(200, own).end('24.3.1.2672\n');
        return;
      }
      answer.writeHead(status, own);
      const send = () => {
        if (answer.destroyed || sent > 4 * most) return;
        sent += part.length;
        if (answer.write(part)) setImmediate(send);
      };
      answer.on('drain', send);
      send();
    });
    const connection = await open(`http://127.0.0.1:${port}`);
    expect(await failure(rowsOf(connection, 'SELECT 1'))).toEqual(['foreign', expect.stringContaining("'aaa")]);
    expect(sent).toBeLessThan(most);
  }
});

it('an error of a server of today is told for what it is', async () => {
  const own = { 'x-clickhouse-query-id': '1' };
  let asked = 0;
  const port = await answers((_, answer) => {
    if (asked++ === 0) answer.writeHead(200, own).end('24.3.1.2672\n');
    else
      answer
        .writeHead(404, { ...own, 'x-clickhouse-exception-code': '60' })
        .end('Code: 60. DB::Exception: Table d.samples does not exist. (UNKNOWN_TABLE) (version 24.3.1.2672)\n');
  });
  const connection = await open(`http://127.0.0.1:${port}`);
  for (const told of [rowsOf(connection, 'SELECT 1'), connection.insert('t', Readable.from([gzipSync('')]))])
    expect(await failure(told)).toEqual(['tables', expect.stringContaining('Table d.samples does not exist')]);
});

it('certificates of all authorities are read, and no more than that', async () => {
  const file = join(temporaryFolder(), 'certificates');
  writeFileSync(file, `${'#'.repeat(200_000)}\n-----BEGIN CERTIFICATE-----\n`);
  expect((await withFiles((files) => authoritiesIn(files, file))).length).toBe(200_029);
  writeFileSync(file, Buffer.alloc((4 << 20) + 1));
  await expect(withFiles((files) => authoritiesIn(files, file))).rejects.toThrow(/is too large: 4194305 bytes/);
});

it('what does not answer is given up', async () => {
  const silent = await listening(createSocketServer((socket) => socket.on('error', () => undefined)));
  expect(await failure(open(`http://127.0.0.1:${silent}`, { deadlineMs: 300 }))).toEqual([
    'unreachable',
    expect.stringContaining('no answer within 0.3 s'),
  ]);
  expect(await failure(open(`http://127.0.0.1:${await freePort()}`))).toEqual([
    'unreachable',
    expect.stringContaining('connection refused: does the server run'),
  ]);
  expect(await failure(open('http://nowhere.invalid'))).toEqual(['unreachable', expect.any(String)]);
});

it('a certificate has to be trusted, and for the host', async () => {
  const server = await clickHouse(PASSWORD);
  const proxy = async (name: string) => {
    const { key, cert } = certificate(name);
    const forward: RequestListener = async (request, answer) => {
      const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
      for (const name of ['host', 'connection', 'transfer-encoding']) delete headers[name];
      const body = Buffer.concat(await request.toArray());
      const got = await fetch(`${server.url}${request.url}`, { method: 'POST', headers, body });
      const display = got.headers.get('x-clickhouse-server-display-name');
      answer.writeHead(got.status, display === null ? {} : { 'x-clickhouse-server-display-name': display });
      answer.end(await got.text());
    };
    const tls = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, forward);
    return { port: await listening(tls), authorities: await withFiles((files) => authoritiesIn(files, cert)) };
  };
  const { port, authorities } = await proxy('subjectAltName=IP:127.0.0.1');
  expect(await failure(open(`https://127.0.0.1:${port}`))).toEqual(['tls', expect.stringContaining('--ca-file')]);
  const connection = await open(`clickhouse://127.0.0.1:${port}?secure=1`, { authorities });
  expect(await rowsOf(connection, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  expect(await failure(open(`http://127.0.0.1:${port}`))).toEqual([
    expect.stringMatching(/^(?:unreachable|foreign)$/),
    expect.stringContaining('https?'),
  ]);
  // It waits for the end of a line, which the greeting of TLS has or has not.
  expect(await failure(open(server.url.replace('http:', 'https:'), { authorities, deadlineMs: 3000 }))).toEqual([
    expect.stringMatching(/^(?:tls|unreachable)$/),
    expect.stringContaining('is this the port for TLS'),
  ]);
  const other = await proxy('subjectAltName=DNS:elsewhere');
  expect(await failure(open(`https://127.0.0.1:${other.port}`, other))).toEqual([
    'tls',
    expect.stringContaining('is for another host'),
  ]);
});

it('credentials come from a file that only its owner may read, or from the environment', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'secret');
  const environment = { CLICKHOUSE_USER: 'env', CLICKHOUSE_PASSWORD: 'from env' };
  const ask = (user: string | undefined, name: string | undefined) =>
    withFiles((files) => credentialsOf({ user }, name, { files, environment }));
  expect(await ask(undefined, undefined)).toEqual({ user: 'env', password: 'from env' });
  writeFileSync(file, '# of the fleet\nCLICKHOUSE_USER=fleet\n\nCLICKHOUSE_PASSWORD= a=b \r\n', { mode: 0o600 });
  expect(await ask(undefined, file)).toEqual({ user: 'fleet', password: ' a=b ' });
  expect(await ask('me', file)).toEqual({ user: 'me', password: ' a=b ' });
  symlinkSync(file, join(folder, 'link'));
  expect(await ask(undefined, join(folder, 'link'))).toMatchObject({ user: 'fleet' });
  chmodSync(file, 0o640);
  await expect(ask(undefined, file)).rejects.toThrow(`others may read or change ${file}: chmod 600 ${file}`);
  chmodSync(file, 0o600);
  writeFileSync(file, 'geheim\n');
  await expect(ask(undefined, file)).rejects.toThrow('each line is CLICKHOUSE_USER=NAME or CLICKHOUSE_PASSWORD=TEXT');
  await expect(ask(undefined, join(folder, 'none'))).rejects.toThrow(/cannot read .*none: no such file/);
  await expect(ask(undefined, folder)).rejects.toThrow('it is not a regular file');
  await expect(withFiles((files) => authoritiesIn(files, file))).rejects.toThrow('contains no PEM certificate');
});
