import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { certificate, ended, freePort, temporaryFolder, testRequires } from './harness.ts';
import { ask, bearer, firstLine, hasSample, open, startServe } from './served.ts';

const NAME = 'stacks.example.com';

/** nginx as docs/serve.md has it, which ends with the test. Resolves to its port. */
async function proxy(kstackPort: number): Promise<{ port: number; ca: string }> {
  const folder = temporaryFolder();
  const { key, cert } = certificate(`subjectAltName=DNS:${NAME}`);
  const port = await freePort();
  const documented = readFileSync(join(import.meta.dirname, '../docs/serve.md'), 'utf8');
  const server = /^```nginx\n(.*?)^```$/ms.exec(documented)?.[1] ?? '';
  const here = server
    .replace('listen 443 ssl', `listen 127.0.0.1:${port} ssl`)
    .replace('/etc/ssl/certs/stacks.pem', cert)
    .replace('/etc/ssl/private/stacks.key', key)
    .replace('127.0.0.1:9436', `127.0.0.1:${kstackPort}`);
  const file = join(folder, 'nginx.conf');
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  writeFileSync(
    file,
    `daemon off; worker_processes 1; user root; pid ${folder}/pid; error_log ${folder}/errors;
     events {} http { access_log off; ${paths.join(' ')} ${here} }`,
  );
  const child = spawn('nginx', ['-c', file, '-p', folder, '-e', join(folder, 'errors')], { stdio: 'ignore' });
  const end = ended(child);
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await end;
  });
  const ca = readFileSync(cert, 'utf8');
  const isThere = () =>
    ask({ port, ca, servername: NAME, path: '/', headers: { host: NAME } }).then(
      () => true,
      () => false,
    );
  while (!(await isThere())) if (child.exitCode !== null) throw new Error(`nginx ended: ${readdirSync(folder)}`);
  return { port, ca };
}

describe('kstack serve, behind nginx as documented', () => {
  it('shows the page live under the name of the proxy, and under no other', async () => {
    testRequires('root', 'openssl', 'nginx', 'browser');
    const kstackPort = await freePort();
    const directory = join(temporaryFolder(), 'recordings');
    const place = ['--port', String(kstackPort), '--behind-proxy', '--name', NAME, '--record-to', directory];
    const { child, end } = startServe('-p', '1', '--source', 'procfs', '-i', '0.2', ...place);
    const url = await firstLine(child, end);
    const token = new URL(url).hash.replace('#token=', '');
    const { port, ca } = await proxy(kstackPort);
    const request = { port, ca, servername: NAME, path: '/events' };
    const status = async (headers: Record<string, string>) =>
      (await ask({ ...request, headers: { ...bearer(token), host: NAME, ...headers } }, hasSample)).status;
    expect(await status({})).toBe(200);
    expect(await status({ origin: `https://${NAME}` })).toBe(200);
    expect(await status({ authorization: `Bearer ${token}x` })).toBe(401);
    // A name that a foreign site has pointed here, and that site's own pages.
    expect(await status({ host: 'evil.example' })).toBe(403);
    expect(await status({ origin: 'https://evil.example' })).toBe(403);
    expect(await status({ origin: `http://${NAME}:8080` })).toBe(403);
    const { page, complaints } = await open(url, `--host-resolver-rules=MAP ${NAME}:443 127.0.0.1:${port}`);
    await page.locator('header', { hasText: /[3-9] samples/ }).waitFor();
    await page.click('.live >> text="Record"');
    await page.locator('.recorder', { hasText: /^Recording since .*: [2-9] samples/ }).waitFor();
    await page.click('.live >> text="Stop recording"');
    await page.locator('.recorder', { hasText: /^\d+ samples? recorded$/ }).waitFor();
    expect(readdirSync(directory).some((name) => name.endsWith('.kstack'))).toBe(true);
    expect(complaints).toEqual([]);
  });
});
