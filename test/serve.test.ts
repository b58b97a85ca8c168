import { existsSync, lstatSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { expectWithin, fixture, kstack, needs, shell, temporaryFolder, testRequires, until } from './harness.ts';
import {
  ask,
  bearer,
  childrenOf,
  cpuTicks,
  firstLine,
  hasSample,
  listeningPort,
  open,
  samplesIn,
  serve,
  startServe,
  unsentBytes,
} from './served.ts';

const HOSTILE = '<img src=x oner';

async function recording(): Promise<string> {
  const [named = 0] = await fixture('tasks', ['comm'], `${HOSTILE}\n`);
  const file = join(temporaryFolder(), 'recording.kstack');
  const args = ['record', '-o', file, '-L', '-p', `${named},1,2`, '-i', '0.2', '--for', '2s'];
  expect((await kstack(args)).code).toBe(0);
  return file;
}

describe('kstack serve, over HTTP', () => {
  beforeEach(needs('root'));

  it('gives the samples to those who have the token, and nobody else', async () => {
    const { port, token } = await serve('-p', '1', '--source', 'procfs');
    const statusWith = async (headers: Record<string, string>) =>
      (await ask({ port, path: '/events', headers }, hasSample)).status;
    expect(await statusWith({})).toBe(401);
    expect(await statusWith(bearer(`${token.slice(1)}x`))).toBe(401);
    expect(await statusWith(bearer(token.slice(1)))).toBe(401);
    expect(await statusWith({ authorization: token })).toBe(401);
    const { status, headers, text } = await ask({ port, path: '/events', headers: bearer(token) }, hasSample);
    expect([status, headers['content-type']]).toEqual([200, 'text/event-stream; charset=utf-8']);
    expect(text).toContain('"format":"kstack-recording"');
  });

  it('sends with the page what keeps it apart from other sites', async () => {
    const { port, token } = await serve('-p', '1');
    const { status, headers, text } = await ask({ port, path: '/' });
    expect(status).toBe(200);
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'sha256-\S+'; style-src 'sha/);
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    expect(text).not.toContain(token);
  });

  it('answers under its own names only, and no foreign page', async () => {
    const { port, token } = await serve('-p', '1', '--source', 'procfs', '--name', 'Stacks.example');
    const status = async (headers: Record<string, string>) =>
      (await ask({ port, path: '/events', headers: { ...bearer(token), ...headers } }, hasSample)).status;
    for (const host of ['evil.example', 'localhost.evil.example', 'evil.example:80@localhost'])
      expect([host, await status({ host })]).toEqual([host, 403]);
    for (const host of ['localhost', `localhost:${port}`, '[::1]:80', 'stacks.example'])
      expect([host, await status({ host })]).toEqual([host, 200]);
    const host = `localhost:${port}`;
    for (const origin of ['http://evil.example', 'null', `http://localhost:${port + 1}`])
      expect([origin, await status({ host, origin })]).toEqual([origin, 403]);
    expect(await status({ host, origin: `http://${host}` })).toBe(200);
    expect(await status({ host, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' })).toBe(403);
  });

  it('does not print the token of a file, but how to take it from there', async () => {
    const tokenFile = join(temporaryFolder(), 'token');
    writeFileSync(tokenFile, 'a-token-that-stays-the-same\n', { mode: 0o600 });
    const { child, end } = startServe('-p', '1', '--source', 'procfs', '--token-file', tokenFile);
    const text = await firstLine(child, end);
    expect(text).not.toContain('a-token');
    const url = new URL(shell(`echo "${text}"`).trim());
    const headers = bearer(url.hash.replace('#token=', ''));
    expect((await ask({ port: Number(url.port), path: '/events', headers }, hasSample)).status).toBe(200);
  });

  it('has no path to any file, and takes no large or unfinished request', async () => {
    const { port, token } = await serve('-p', '1');
    for (const path of ['/../../etc/passwd', '/%2e%2e/etc/passwd', '//etc/passwd', '/events/..', '/?x', '/index.html'])
      expect([path, (await ask({ port, path, headers: bearer(token) })).status]).toEqual([path, 404]);
    expect((await ask({ port, path: '/', method: 'OPTIONS' })).status).toBe(405);
    expect((await ask({ port, path: '/', headers: { 'content-length': '5' } })).status).toBe(413);
    expect((await ask({ port, path: '/', headers: { 'x-large': 'x'.repeat(20_000) } })).status).toBe(431);
    const socket = connect(port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n');
    socket.resume();
    const began = performance.now();
    await new Promise((resolve) => socket.once('close', resolve));
    expectWithin(performance.now() - began, 12_000);
  });

  it('samples while a page is open, and only then; whoever comes later gets what was kept', async () => {
    const { child, port, token } = await serve('-p', '1', '--source', 'procfs', '-i', '0.1');
    await pause(300);
    expect(childrenOf(child)).toEqual([]);
    const request = { port, path: '/events', headers: bearer(token) };
    const { text } = await ask(request, (found) => samplesIn(found) >= 5);
    expect(samplesIn(text)).toBeGreaterThanOrEqual(5);
    await until(() => childrenOf(child).length === 0);
    const later = await ask(request, hasSample);
    const kept = text.split('\n').slice(0, 5);
    expect(later.text.split('\n').slice(0, 5)).toEqual(kept);
  });

  it('costs little beside the samples of 8,000 threads, and is not held up by a page that reads nothing', async () => {
    await fixture('tasks', ['crowd', '4000']);
    const { child, port, token } = await serve('-L', '-c', '^tasks$', '-i', '0.2');
    const slow = connect(port, '127.0.0.1');
    slow.pause();
    slow.write(`GET /events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`);
    onTestFinished(() => void slow.destroy());
    const sampler = () => childrenOf(child).reduce((sum, pid) => sum + cpuTicks(pid), 0);
    const spent: { server: number; sampler: number }[] = [];
    const request = { port, path: '/events', headers: bearer(token) };
    // The first samples tell of every thread, later ones of what has changed.
    const { text } = await ask(request, (found) => {
      const count = samplesIn(found);
      if (count >= 2 && spent.length === 0) spent.push({ server: cpuTicks(child.pid), sampler: sampler() });
      return count >= 8;
    });
    const [before, after] = [spent[0], { server: cpuTicks(child.pid), sampler: sampler() }];
    expect(text.match(/^data: \{"task"/gm)?.length).toBeGreaterThanOrEqual(8000);
    expect(unsentBytes(port, slow.localPort)).toBeGreaterThan(0);
    if (before === undefined) throw new Error('there were no samples');
    expect(after.server - before.server).toBeLessThan((after.sampler - before.sampler) / 3);
  }, 180_000);

  it('ends soon after Ctrl-C, also while pages are open', async () => {
    const { child, end, port, token } = await serve('-p', '1', '--source', 'procfs');
    const asked = ask({ port, path: '/events', headers: bearer(token) }).catch(() => undefined);
    await until(() => childrenOf(child).length > 0);
    const began = performance.now();
    child.kill('SIGINT');
    expect((await end).code).toBe(130);
    expectWithin(performance.now() - began, 3000);
    await asked;
  });

  it('says what is in the way of a port or a socket', async () => {
    const { port } = await serve('-p', '1');
    const again = await kstack(['serve', '-p', '1', '--port', String(port)]);
    expect([again.code, again.stderr]).toEqual([
      1,
      `kstack: port ${port} is in use; give another with --port, or 0 for any that is free\n`,
    ]);
    const link = join(temporaryFolder(), 'link');
    symlinkSync('/tmp/nowhere', link);
    const linked = await kstack(['serve', '-p', '1', '--socket', link]);
    expect([linked.code, linked.stderr]).toEqual([1, expect.stringContaining('exists')]);
    for (const args of [['--listen', '0.0.0.0'], ['--tls-cert', 'x'], ['-'], ['--from', '-10m']])
      expect((await kstack(['serve', ...args])).code).toBe(2);
    expect((await kstack(['serve', '/nowhere'])).code).toBe(1);
  });

  it('serves on another address by HTTPS only, and says which file is no certificate or key', async () => {
    testRequires('openssl');
    const folder = temporaryFolder();
    shell(
      `cd "$FOLDER" && openssl req -x509 -newkey rsa:2048 -nodes -keyout key -out cert -days 2 -subj /CN=localhost \\
        -addext subjectAltName=DNS:localhost 2>&1`,
      { FOLDER: folder },
    );
    const [cert, key] = [join(folder, 'cert'), join(folder, 'key')];
    const only = ['-p', '1', '--source', 'procfs', '--listen', '127.0.0.2', '--name', 'localhost'];
    const { url, token, port } = await serve(...only, '--tls-cert', cert, '--tls-key', key);
    expect(url).toBe(`https://localhost:${port}/#token=${token}`);
    const place = { host: '127.0.0.2', port, servername: 'localhost', ca: readFileSync(cert, 'utf8') };
    const own = { host: `localhost:${port}` };
    expect((await ask({ ...place, path: '/', headers: own })).status).toBe(200);
    const headers = { ...own, ...bearer(token) };
    expect((await ask({ ...place, path: '/events', headers }, hasSample)).text).toMatch(/sample/);
    expect((await ask({ ...place, path: '/events', headers: own })).status).toBe(401);
    expect((await ask({ ...place, path: '/', headers: { host: 'evil.example' } })).status).toBe(403);
    await expect(ask({ host: '127.0.0.2', port, path: '/' })).rejects.toThrow();
    for (const [files, message] of [
      [[key, cert], `kstack: ${key} and ${cert} are no certificate and its private key, as PEM: `],
      [['/dev/zero', key], 'kstack: /dev/zero is too large for a certificate, a key or a token\n'],
      [[cert, '/nowhere'], 'kstack: cannot read /nowhere: '],
    ] as const) {
      const { code, stderr } = await kstack(['serve', ...only, '--tls-cert', files[0], '--tls-key', files[1]]);
      expect([code, stderr]).toEqual([1, expect.stringContaining(message)]);
    }
  });

  it('behind a proxy, has the URL of the proxy and answers under its name', async () => {
    const place = ['--listen', '127.0.0.1', '--behind-proxy', '--name', 'stacks.example', '--port', '0'];
    const { child, end } = startServe('-p', '1', '--source', 'procfs', ...place);
    const url = new URL(await firstLine(child, end));
    expect([url.protocol, url.host]).toEqual(['https:', 'stacks.example']);
    const port = listeningPort(child);
    const headers = { ...bearer(url.hash.replace('#token=', '')), host: 'stacks.example' };
    const status = async (more: Record<string, string>) =>
      (await ask({ port, path: '/events', headers: { ...headers, ...more } }, hasSample)).status;
    expect(await status({ origin: 'https://stacks.example' })).toBe(200);
    expect(await status({ origin: 'https://evil.example' })).toBe(403);
    expect(await status({ host: 'evil.example', origin: 'https://evil.example' })).toBe(403);
    // What a proxy adds of whom it asks for is no reason to let anybody in.
    expect(await status({ 'x-forwarded-host': 'evil.example', authorization: 'Bearer x' })).toBe(401);
  });

  it('serves on a socket that only its owner may open, and that goes with it', async () => {
    testRequires('curl');
    const socketPath = join(temporaryFolder(), 'socket');
    const { child, end } = startServe('-p', '1', '--source', 'procfs', '--socket', socketPath);
    const text = await firstLine(child, end);
    expect(lstatSync(socketPath).mode & 0o777).toBe(0o600);
    const url = new URL(/^Then open: +(\S+)$/m.exec(text)?.[1] ?? '');
    const headers = { ...bearer(url.hash.replace('#token=', '')), host: url.host };
    expect((await ask({ socketPath, path: '/events', headers }, hasSample)).status).toBe(200);
    // The command that it prints, to the letter.
    const curl = /^Here, for text: +(.*)$/m.exec(text)?.[1] ?? '';
    expect(shell(`${curl} --silent --max-time 3 || true`)).toContain('data: {"sample"');
    child.kill('SIGTERM');
    expect((await end).code).toBe(143);
    expect(lstatSync(socketPath, { throwIfNoEntry: false })).toBeUndefined();
  });
});

describe('a recording that a page starts and stops', () => {
  beforeEach(needs('root'));
  const post = (port: number, path: string, headers: Record<string, string>) =>
    ask({ port, path, headers, method: 'POST' });
  const statesIn = (text: string): { sinceMs?: number; samples: number; trouble?: string }[] =>
    [...text.matchAll(/^event: recorder\ndata: (.*)$/gm)].map(([, state = '']) => JSON.parse(state));

  it('needs the token, and a page of this server', async () => {
    const directory = join(temporaryFolder(), 'recordings');
    const { port, token } = await serve('-p', '1', '--source', 'procfs', '--record-to', directory);
    const status = async (headers: Record<string, string>) => (await post(port, '/recording/start', headers)).status;
    expect(await status({})).toBe(401);
    expect(await status(bearer(`${token.slice(1)}x`))).toBe(401);
    expect(await status({ ...bearer(token), origin: 'http://evil.example' })).toBe(403);
    expect(await status({ ...bearer(token), host: 'evil.example' })).toBe(403);
    expect(await status({ ...bearer(token), 'sec-fetch-site': 'cross-site' })).toBe(403);
    expect(await status({ ...bearer(token), 'content-length': '2' })).toBe(413);
    for (const path of ['/recording/start/x', '/recording/start?to=/etc', '/recording/%2e%2e', '/recording'])
      expect([path, (await post(port, path, bearer(token))).status]).toEqual([path, 405]);
    expect((await ask({ port, path: '/recording/start', headers: bearer(token) })).status).toBe(405);
    expect(existsSync(directory)).toBe(false);
  });

  it('goes nowhere unless the command line says where', async () => {
    const { port, token } = await serve('-p', '1', '--source', 'procfs');
    expect((await post(port, '/recording/start', bearer(token))).status).toBe(405);
    const { text } = await ask({ port, path: '/events', headers: bearer(token) }, hasSample);
    expect(statesIn(text)).toEqual([]);
    const { code, stderr } = await kstack(['serve', await recording(), '--record-to', '/nowhere']);
    expect([code, stderr]).toEqual([2, expect.stringContaining("'--record-to' applies to this host, not to files")]);
  });

  it('has the samples that the page shows, also while no page is open, and each page sees its state', async () => {
    const directory = join(temporaryFolder(), 'recordings');
    const args = ['-p', '1', '--source', 'procfs', '-i', '0.1', '--redact', '--record-to', directory];
    const { child, end, port, token } = await serve(...args);
    const request = { port, path: '/events', headers: bearer(token) };
    expect((await post(port, '/recording/start', bearer(token))).status).toBe(204);
    const { text } = await ask(request, (found) => (statesIn(found).at(-1)?.samples ?? 0) >= 5);
    expect(statesIn(text).at(-1)?.sinceMs).toBeGreaterThan(0);
    await pause(500);
    expect(childrenOf(child)).not.toEqual([]);
    expect((await post(port, '/recording/stop', bearer(token))).status).toBe(204);
    await until(() => childrenOf(child).length === 0);
    const state = statesIn((await ask(request, (found) => statesIn(found).length > 0)).text)[0];
    expect(state).toEqual({ samples: expect.any(Number) });
    const files = readdirSync(directory).filter((name) => name.endsWith('.kstack'));
    const { stdout } = await kstack(['convert', join(directory, files[0] ?? ''), '-f', 'jsonl']);
    const times = new Set([...stdout.matchAll(/"time":"([^"]*)"/g)].map(([, time]) => time));
    expect(times.size).toBe(state?.samples);
    expect(new Set([...stdout.matchAll(/"host":"([^"]*)"/g)].map(([, host]) => host))).toEqual(new Set(['host-1']));
    // Again into the same directory, and to the end of the server.
    expect((await post(port, '/recording/start', bearer(token))).status).toBe(204);
    await ask(request, (found) => (statesIn(found).at(-1)?.samples ?? 0) >= 2);
    expect((await kstack(['status', '-d', directory])).code).toBe(0);
    child.kill('SIGTERM');
    expect((await end).code).toBe(143);
    expect((await kstack(['status', '-d', directory])).code).toBe(1);
  });

  it('says in the page why there is none', async () => {
    const file = await recording();
    const { port, token } = await serve('-p', '1', '--source', 'procfs', '--record-to', file);
    expect((await post(port, '/recording/start', bearer(token))).status).toBe(204);
    const request = { port, path: '/events', headers: bearer(token) };
    const { text } = await ask(request, (found) => statesIn(found).some(({ trouble }) => trouble !== undefined));
    expect(statesIn(text).at(-1)).toEqual({ samples: 0, trouble: expect.stringContaining('ENOTDIR') });
  });
});

describe('kstack serve, in a browser', () => {
  it('shows files as the page with data does, and keeps the token out of the address', async () => {
    testRequires('root', 'compiler', 'browser');
    const { url, token } = await serve(dirname(await recording()));
    const { page, complaints } = await open(url);
    await page.waitForSelector('nav');
    expect(page.url()).not.toContain(token);
    expect(await page.locator('.live').count()).toBe(0);
    await page.keyboard.press('6');
    await page.waitForSelector('.rows');
    expect(await page.locator('.rows').innerText()).toContain(HOSTILE);
    expect(await page.locator('img').count()).toBe(0);
    await page.reload();
    await page.waitForSelector('.rows');
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('shows this host live, can be held, and leads back', async () => {
    testRequires('root', 'compiler', 'browser');
    const [named = 0] = await fixture('tasks', ['comm'], `${HOSTILE}\n`);
    const { url } = await serve('-p', `${named},1`, '-i', '0.2', '--source', 'procfs');
    const { page, complaints } = await open(url);
    await page.waitForSelector('.live');
    const samples = async () => Number(/(\d+) samples?/.exec(await page.locator('header').innerText())?.[1]);
    const atLeast = async (count: number) => {
      while ((await samples()) < count) await pause(100);
    };
    await atLeast(4);
    for (const key of ['1', '2', '3', '4', '5', '6', '7']) {
      await page.keyboard.press(key);
      await pause(300);
    }
    await page.click('.live >> text=Pause');
    const held = await samples();
    await pause(1000);
    expect(await samples()).toBe(held);
    await page.click('.live >> text=Earlier');
    expect(await samples()).toBe(held - 1);
    await page.click('.live >> text=Later');
    expect(await samples()).toBe(held);
    await page.click('.live >> text="Go on"');
    await atLeast(held + 3);
    await page.keyboard.press('6');
    await page.waitForSelector('.rows');
    expect(await page.locator('.rows').innerText()).toContain(HOSTILE);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('starts and stops a recording', async () => {
    testRequires('root', 'browser');
    const directory = join(temporaryFolder(), 'recordings');
    const { url } = await serve('-p', '1', '-i', '0.2', '--source', 'procfs', '--record-to', directory);
    const { page, complaints } = await open(url);
    await page.click('.live >> text="Record"');
    await page.locator('.recorder', { hasText: /^Recording since .*: [2-9] samples/ }).waitFor();
    await page.click('.live >> text="Stop recording"');
    await page.locator('.recorder', { hasText: /^\d+ samples recorded$/ }).waitFor();
    expect(readdirSync(directory).some((name) => name.endsWith('.kstack'))).toBe(true);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('tells who has no token where it is', async () => {
    testRequires('root', 'browser');
    const { url } = await serve('-p', '1');
    const { page } = await open(url.replace(/#.*/, ''));
    await page.getByText('the URL that kstack serve printed').waitFor();
    await page.close();
  });
});
