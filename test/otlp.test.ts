import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import {
  certificate,
  expectWithin,
  fixture,
  freePort,
  kstack,
  needs,
  temporaryFolder,
  testRequires,
} from './harness.ts';

interface Received {
  readonly path: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** A receiver of OTLP, which gives these answers one after the other, and then takes everything. */
function receiver(...answers: ((response: ServerResponse) => void)[]) {
  return receiverAt('http', createServer, answers);
}

/** The same over TLS, with this certificate. */
function secureReceiver({ key, cert }: ReturnType<typeof certificate>) {
  const pair = { key: readFileSync(key), cert: readFileSync(cert) };
  return receiverAt('https', (listener) => createTlsServer(pair, listener), []);
}

async function receiverAt(
  scheme: string,
  create: (listener: RequestListener) => ReturnType<typeof createServer>,
  answers: ((response: ServerResponse) => void)[],
) {
  const received: Received[] = [];
  const server = create(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    received.push({ path: request.url, headers: request.headers, body: Buffer.concat(pieces) });
    const answer = answers.shift();
    if (answer === undefined) response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    else answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

/** What protoc reads in a message of test/otlp.proto, or makes of its text. */
function protoc(how: 'decode' | 'encode', message: string, input: Buffer | string): Buffer {
  testRequires('protoc');
  const args = [`--${how}=otlp.${message}`, `--proto_path=${import.meta.dirname}`, 'otlp.proto'];
  return execFileSync('protoc', args, { input });
}

const decoded = ({ body }: Received) => protoc('decode', 'ExportMetricsServiceRequest', body).toString();

describe('kstack metrics --otlp', () => {
  beforeEach(needs('root', 'compiler'));

  it('sends what it prints otherwise, with the host it is of', async () => {
    const pids = await fixture('tasks', ['vfork-chain']);
    const { url, received } = await receiver();
    const { code, stdout, stderr } = await kstack(['metrics', '--otlp', `${url}/base/`, '-p', pids.join()]);
    expect([code, stdout, stderr]).toEqual([0, '', '']);
    expect(received).toHaveLength(1);
    expect(received[0]).toMatchObject({
      path: '/base/v1/metrics',
      headers: { 'content-type': 'application/x-protobuf' },
    });
    const text = received.map(decoded).join('');
    // A field that is not known has a number for its name.
    expect(text).not.toMatch(/^\s*\d+(?:: | \{)/m);
    const host = execFileSync('uname', ['-n']).toString().trim();
    expect(text).toMatch(new RegExp(`key: "host.name"\\s+value \\{\\s+string_value: "${host}"`));
    expect(text).toMatch(/key: "service.name"\s+value \{\s+string_value: "kstack"/);
    const [, blocked = ''] = /name: "kstack_blocked_tasks"\n(.*?)\n {4}\}/s.exec(text) ?? [];
    expect(blocked).toMatch(/as_double: 2\b/);
    expect(blocked).toMatch(/key: "rule"\s+value \{\s+string_value: "vfork"/);
    const [, time = 0] = /time_unix_nano: (\d+)/.exec(blocked) ?? [];
    expectWithin(Math.abs(Number(time) / 1e6 - Date.now()), 60_000);
    const printed = await kstack(['metrics', '-p', pids.join()]);
    const names = [...printed.stdout.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name);
    const sent = [...text.matchAll(/name: "(kstack_\w+)"/g)].map(([, name]) => name);
    // By then, they have waited for long enough to hold others up.
    expect(names).toEqual(expect.arrayContaining(sent));
    expect(sent).toEqual(expect.arrayContaining(['kstack_tasks', 'kstack_held_up_tasks', 'kstack_source_info']));
  });

  it('sends headers from a file that only its owner may read, or from the environment', async () => {
    const { url, received } = await receiver();
    const file = join(temporaryFolder(), 'headers');
    writeFileSync(file, '# of a test\nAuthorization: Bearer secret: yes\n\nx-tenant:  7\n', { mode: 0o600 });
    const args = ['metrics', '-p', '2', '--otlp', url];
    expect((await kstack([...args, '--otlp-headers', file])).code).toBe(0);
    const env = { ...process.env, KSTACK_OTLP_HEADERS: 'authorization=Bearer%20secret,x-tenant=7' };
    expect((await kstack(args, { env })).code).toBe(0);
    const [one, other] = received;
    expect(one?.headers).toMatchObject({ authorization: 'Bearer secret: yes', 'x-tenant': '7' });
    expect(other?.headers).toMatchObject({ authorization: 'Bearer secret', 'x-tenant': '7' });
    chmodSync(file, 0o644);
    const open = await kstack([...args, '--otlp-headers', file]);
    expect([open.code, open.stderr]).toEqual([
      1,
      expect.stringContaining(`others may read or change ${file}: chmod 600 ${file}`),
    ]);
    writeFileSync(file, 'secret\n');
    chmodSync(file, 0o600);
    const wrong = await kstack([...args, '--otlp-headers', file]);
    expect(wrong.stderr).toMatch(/: each line is NAME: VALUE\n$/);
    expect(wrong.stderr).not.toContain('secret');
    expect(received).toHaveLength(2);
  });

  it('sends again where the receiver is busy, as late as it says', async () => {
    const { url, received } = await receiver(
      (response) => response.writeHead(503).end(),
      (response) => response.writeHead(429, { 'retry-after': '2' }).end(),
    );
    const { code, stderr, milliseconds } = await kstack(['metrics', '-p', '2', '--otlp', url]);
    expect([code, stderr]).toEqual([0, `kstack: ${url}/v1/metrics: it answered 503; trying again for 20 s\n`]);
    expect(received.map(({ body }) => body.equals(received[0]?.body ?? Buffer.alloc(0)))).toEqual([true, true, true]);
    expect(milliseconds).toBeGreaterThan(2900);
  });

  it.each<[string, (response: ServerResponse) => void, RegExp]>([
    [
      'a web page',
      (r) => r.writeHead(200, { 'content-type': 'text/html' }).end('<p>Log in'),
      /200 with a web page: a proxy/,
    ],
    ['a refusal', (r) => r.writeHead(401).end(), /it answered 401; credentials go into the file of --otlp-headers/],
    ['nothing there', (r) => r.writeHead(404).end(), /it answered 404; is it a receiver of OTLP/],
    ['another address', (r) => r.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(), /302; give the address/],
    [
      'later only',
      (r) => r.writeHead(503, { 'retry-after': '3600' }).end(),
      /it answered 503; it asks to be tried again only in 3600 s/,
    ],
    [
      'a reason',
      (r) => r.writeHead(400, { 'content-type': 'text/plain' }).end('no\ngood \x1b[31m'),
      /it answered 400: no good \\x1b\[31m\n$/,
    ],
    [
      'much',
      (r) => r.writeHead(400, { 'content-type': 'application/json; x' }).end(`{"message":"${'a'.repeat(5000)}"}`),
      /it answered 400: \{"message":"a{288}\.\.\.\n$/,
    ],
    ['endless', (r) => r.writeHead(200).end(Buffer.alloc(100_000)), /longer than 65536 bytes/],
  ])('says what is wrong with the answer: %s', async (_, answer, message) => {
    const { url, received } = await receiver(...Array.from({ length: 50 }, () => answer));
    const { code, stderr } = await kstack(['metrics', '-p', '2', '--otlp', url]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(message)]);
    if (!message.source.includes('65536')) expect(received).toHaveLength(1);
  });

  it('says what the receiver did not take, and why it refused', async () => {
    const partial = 'partial_success { rejected_data_points: 3 error_message: "too old" }';
    const some = protoc('encode', 'ExportMetricsServiceResponse', partial);
    const type = { 'content-type': 'application/x-protobuf' };
    const { url } = await receiver((response) => response.writeHead(200, type).end(some));
    const { code, stderr } = await kstack(['metrics', '-p', '2', '--otlp', url]);
    expect([code, stderr]).toEqual([1, `kstack: ${url}/v1/metrics: 3 metrics were rejected: too old\n`]);
    // A google.rpc.Status has its message in field 2.
    const status = Buffer.from('\x12\x07no room', 'latin1');
    const other = await receiver((response) => response.writeHead(400, type).end(status));
    const refused = await kstack(['metrics', '-p', '2', '--otlp', other.url]);
    expect(refused.stderr).toMatch(/no metrics were delivered: it answered 400: no room\n$/);
  });

  it('trusts whom --otlp-ca-file names, over TLS, and says what is wrong with others', async () => {
    const own = certificate('subjectAltName=IP:127.0.0.1');
    const { url, received } = await secureReceiver(own);
    const send = async (...more: string[]) => {
      const { code, stderr } = await kstack(['metrics', '-p', '2', '--otlp', ...more]);
      return [code, stderr];
    };
    expect(await send(url, '--otlp-ca-file', own.cert)).toEqual([0, '']);
    expect(received.map(({ path }) => path)).toEqual(['/v1/metrics']);
    const start = `kstack: ${url}/v1/metrics: no metrics were delivered: `;
    const untrusted = `${start}the certificate of the receiver is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT): `;
    expect(await send(url)).toEqual([1, `${untrusted}give its authority with --otlp-ca-file\n`]);
    const other = url.replace('127.0.0.1', 'localhost');
    expect(await send(other, '--otlp-ca-file', own.cert)).toEqual([
      1,
      expect.stringContaining('for another host (ERR_TLS_CERT_ALTNAME_INVALID): give the name that it has'),
    ]);
    const plain = await receiver();
    const [code, stderr] = await send(plain.url.replace('http', 'https'), '--otlp-ca-file', own.cert);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/does it want http:\/\/ rather than https:\/\/\?\n$/)]);
    expect(await send(url, '--otlp-ca-file', own.key)).toEqual([
      1,
      `kstack: ${own.key} contains no PEM certificate, which begins with -----BEGIN CERTIFICATE-----\n`,
    ]);
    expect(received).toHaveLength(1);
  });

  it('gives up on a receiver that is not there', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const { code, stderr } = await kstack(['metrics', '-p', '2', '--otlp', url]);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/ECONNREFUSED.*; kstack tried for 20 s: does a receiver listen there\?/),
    ]);
  });

  it.each([
    [['--otlp', 'localhost:4318'], 'Give http:// or https://.'],
    [['--otlp', 'http://me:secret@localhost'], 'credentials go into the file'],
    [['--otlp', 'http://localhost:4318/v1/metrics'], 'Leave /v1/metrics out'],
    [['--otlp', 'http://localhost/?x=1'], 'without ? and #'],
    [['--otlp', 'http://localhost/v1development/profiles'], 'Leave /v1development/profiles out'],
    [['--otlp-headers', '/dev/null'], "'--otlp-headers' needs '--otlp'"],
    [['--otlp-ca-file', '/dev/null'], "'--otlp-ca-file' needs '--otlp'"],
    [['--otlp', 'http://localhost', '--openmetrics'], 'cannot be used with'],
    [['--otlp', 'http://localhost', '-o', 'x'], 'cannot be used with'],
  ])('refuses %s', async (args, message) => {
    const { code, stderr } = await kstack(['metrics', ...args]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(stderr).not.toContain('secret');
  });
});

describe('kstack record --otlp', () => {
  beforeEach(needs('root', 'compiler'));

  const logs = ({ body }: Received) => protoc('decode', 'ExportLogsServiceRequest', body).toString();

  it('sends a log record for each task that is stuck and each trigger, again where the receiver is busy', async () => {
    const [parent = 0] = await fixture('tasks', ['vfork']);
    const { url, received } = await receiver((response) => response.writeHead(503).end());
    const file = join(temporaryFolder(), 'recording');
    const args = ['record', '-o', file, '-p', `${parent}`, '-i', '0.5', '--when', 'blocked>0', '--keep', '1s'];
    const { code, stderr } = await kstack([...args, '--for', '13s', '--otlp', url]);
    expect(code).toBe(0);
    expect(stderr).toContain(`kstack: ${url}/v1/logs: it answered 503\n`);
    expect(stderr).toContain(`kstack: ${url}/v1/logs: log records are accepted again\n`);
    expect(new Set(received.map(({ path }) => path))).toEqual(new Set(['/v1/logs']));
    const text = received.slice(1).map(logs).join('');
    // A field that is not known has a number for its name.
    expect(text).not.toMatch(/^\s*\d+(?:: | \{)/m);
    expect(text.match(/event_name: "kstack.trigger"/g)).toHaveLength(1);
    expect(text.match(/event_name: "kstack.stuck"/g)).toHaveLength(1);
    expect(text).toMatch(new RegExp(`string_value: "${parent} tasks has been stuck for \\d\\d s: waits for its vfork`));
    expect(text).toMatch(new RegExp(`key: "thread.id"\\s+value \\{\\s+int_value: ${parent}\\b`));
    expect(text).toMatch(/key: "kstack.rule"\s+value \{\s+string_value: "vfork"/);
    expect(text).toMatch(/key: "host.name"/);
    expect(text).toContain('severity_number: SEVERITY_NUMBER_WARN');
  });

  it('sends profiles of what does not idle, with --otlp-profiles', async () => {
    const [parent = 0] = await fixture('tasks', ['vfork']);
    const own = certificate('subjectAltName=IP:127.0.0.1');
    const { url, received } = await secureReceiver(own);
    const file = join(temporaryFolder(), 'recording');
    const args = ['record', '-o', file, '-p', `${parent},${process.pid}`, '-i', '0.5', '--for', '2s'];
    const { code } = await kstack([...args, '--otlp', url, '--otlp-ca-file', own.cert, '--otlp-profiles']);
    expect(code).toBe(0);
    expect(received.map(({ path }) => path)).toEqual(['/v1development/profiles']);
    const text = received.map(({ body }) => protoc('decode', 'ExportProfilesServiceRequest', body).toString()).join('');
    expect(text).not.toMatch(/^\s*\d+(?:: | \{)/m);
    // The two are this test, which idles or runs, and what waits.
    expect(text).toMatch(/string_table: "\[kernel.kallsyms\]"/);
    expect(text).toMatch(/string_value: "vfork"/);
    expect(text).toMatch(/string_value: "tasks"/);
    expect(text).not.toMatch(/string_value: "idle"/);
    expect(text).toMatch(/\bperiod: 500000000\n/);
    expect(text).toMatch(/\bvalues: [1-9]/);
    expect(text).toMatch(/key: "host.name"/);
    expect(text).toMatch(/profile_id: ".{16,}"/);
  });

  it('says that a receiver takes no profiles, and records all the same', async () => {
    const [parent = 0] = await fixture('tasks', ['vfork']);
    const { url, received } = await receiver((response) => response.writeHead(404).end());
    const file = join(temporaryFolder(), 'recording');
    const args = ['record', '-o', file, '-p', `${parent}`, '-i', '0.5', '--for', '2s', '--otlp', url];
    const { code, stderr } = await kstack([...args, '--otlp-profiles']);
    expect(code).toBe(0);
    expect(stderr).toContain(`${url}/v1development/profiles: it answered 404; it may not take profiles`);
    expect(stderr).toContain('profiles: 1 profile was not delivered\n');
    expect(received).toHaveLength(1);
    const misplaced = await kstack(['record', '-o', `${file}2`, '--otlp-profiles']);
    expect([misplaced.code, misplaced.stderr]).toEqual([
      2,
      expect.stringContaining("'--otlp-profiles' needs '--otlp'"),
    ]);
  });

  it('does not hurry with whoever wants all of it at once, nor complain of each', async () => {
    const [parent = 0] = await fixture('tasks', ['vfork']);
    let number = 0;
    const busy = (response: ServerResponse) => {
      const why = Buffer.from(`\x12\x09no room ${number++ % 10}`, 'latin1');
      response.writeHead(503, { 'retry-after': '0', 'content-type': 'application/x-protobuf' }).end(why);
    };
    const { url, received } = await receiver(...Array.from({ length: 1000 }, () => busy));
    const file = join(temporaryFolder(), 'recording');
    const args = ['record', '-o', file, '-p', `${parent}`, '-i', '0.1', '--when', 'blocked>0', '--for', '3s'];
    const { stderr } = await kstack([...args, '--otlp', url]);
    expect(received.length).toBeLessThan(6);
    expect(stderr.match(/no room/g)).toHaveLength(1);
  });

  it('records all the same while nobody takes them, and says how many were not delivered', async () => {
    const [parent = 0] = await fixture('tasks', ['vfork']);
    const url = `http://127.0.0.1:${await freePort()}`;
    const file = join(temporaryFolder(), 'recording');
    const args = ['record', '-o', file, '-p', `${parent}`, '-i', '0.1', '--when', 'blocked>0', '--for', '2s'];
    const { code, stderr } = await kstack([...args, '--otlp', url]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/\/v1\/logs: .*ECONNREFUSED/);
    expect(stderr).toContain(`kstack: ${url}/v1/logs: 1 log record was not delivered\n`);
    expect((await kstack(['report', file])).stdout).toContain('trigger');
  });
});
