import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import {
  ended,
  fixture,
  freePort,
  isOverdue,
  KSTACK,
  kstack,
  needs,
  temporaryFolder,
  testRequires,
} from './harness.ts';

const LABELS = ['kind', 'rule', 'state', 'holder', 'what', 'why', 'source'];
const TOKEN = 'a-token-of-this-test-only';

/** The values in a text, by name and labels as they are written. */
function valuesIn(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

function promtool(text: string): string {
  testRequires('prometheus and promtool');
  return execFileSync('promtool', ['check', 'metrics'], { input: text, stdio: ['pipe', 'pipe', 'pipe'] }).toString();
}

/** Starts `kstack serve` with a token of ours, which ends with the test. Resolves to its URL. */
async function serve(...args: string[]): Promise<URL> {
  const tokenFile = join(temporaryFolder(), 'token');
  writeFileSync(tokenFile, `${TOKEN}\n`, { mode: 0o600 });
  const child = spawn(KSTACK, ['serve', '--token-file', tokenFile, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const end = ended(child);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await end;
  });
  return new URL(await new Promise<string>((resolve) => child.stdout.once('data', (bytes) => resolve(String(bytes)))));
}

const bearer = { authorization: `Bearer ${TOKEN}` };

describe('kstack metrics', () => {
  beforeEach(needs('root', 'compiler'));

  it('counts blocked tasks by rule and state, and those held up by what holds them up', async () => {
    const pids = await fixture('tasks', ['vfork-chain']);
    await pause(1100);
    const { code, stdout, stderr } = await kstack(['metrics', '-p', pids.join()]);
    expect([code, stderr]).toEqual([0, '']);
    const values = valuesIn(stdout);
    expect(values.get('kstack_blocked_tasks{rule="vfork",state="D"}')).toBe(2);
    expect(values.get('kstack_tasks{kind="blocked"}')).toBe(2);
    expect(values.get('kstack_blocked_longest_seconds')).toBeGreaterThan(1);
    expect(values.get('kstack_held_up_tasks{holder="task"}')).toBe(2);
    expect(values.get('kstack_held_up_tasks{holder="deadlock"}')).toBe(0);
    expect(values.get('kstack_sample_duration_seconds')).toBeGreaterThan(0);
    expect(Math.abs((values.get('kstack_sample_timestamp_seconds') ?? 0) - Date.now() / 1000)).toBeLessThan(60);
    expect(promtool(stdout)).toBe('');
  });

  it('has labels of few values only, and nothing of a task', async () => {
    const [named = 0] = await fixture('tasks', ['comm'], 'secret\n');
    const { code, stdout } = await kstack(['metrics']);
    expect(code).toBe(0);
    expect(promtool(stdout)).toBe('');
    const labels = [...stdout.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, name = '', value = '']) => [name, value]);
    expect(labels.length).toBeGreaterThan(10);
    for (const [name = '', value] of labels) {
      expect(LABELS).toContain(name);
      expect(value).toMatch(/^[\w-]+$/);
    }
    for (const text of ['secret', `${named}`, '+0x', '"/']) expect(stdout).not.toContain(text);
  });

  it('replaces a file as a whole, which others may read', async () => {
    const file = join(temporaryFolder(), 'kstack.prom');
    writeFileSync(file, 'old\n');
    for (const args of [[], ['--openmetrics']]) {
      const { code, stdout } = await kstack(['metrics', '-p', '1', '-o', file, ...args]);
      expect([code, stdout]).toEqual([0, '']);
      expect(statSync(file).mode & 0o777).toBe(0o644);
      const text = readFileSync(file, 'utf8');
      expect(text).toMatch(/^# HELP kstack_tasks /);
      expect(text.endsWith('\n# EOF\n')).toBe(args.length > 0);
    }
  });
});

describe('kstack serve', () => {
  beforeEach(needs('root'));

  it('gives metrics to those who have the token of the file, in the form they ask for', async () => {
    const { origin, hash } = await serve('-p', '1', '--source', 'procfs');
    // Whoever reads what is printed need not be allowed to read the file.
    expect(decodeURIComponent(hash)).toMatch(/^#token=\$\(cat \S+\/token\)$/);
    expect((await fetch(`${origin}/metrics`)).status).toBe(401);
    const plain = await fetch(`${origin}/metrics`, { headers: bearer });
    expect([plain.status, plain.headers.get('content-type')]).toEqual([
      200,
      'text/plain; version=0.0.4; charset=utf-8',
    ]);
    const text = await plain.text();
    expect(promtool(text)).toBe('');
    expect(valuesIn(text).get('kstack_samples_total')).toBe(1);
    await pause(1100);
    const accept = 'application/openmetrics-text;version=1.0.0;q=0.7,text/plain;q=0.3';
    const open = await fetch(`${origin}/metrics`, { headers: { ...bearer, accept } });
    expect(open.headers.get('content-type')).toMatch(/^application\/openmetrics-text; version=1\.0\.0/);
    const openText = await open.text();
    expect(openText).toContain('# TYPE kstack_samples counter\nkstack_samples_total 2\n');
    expect(openText.endsWith('\n# EOF\n')).toBe(true);
  });

  it('takes one sample for all who ask within an interval', async () => {
    const { origin } = await serve('-p', '1', '--source', 'procfs', '-i', '60');
    const texts = await Promise.all(
      Array.from({ length: 5 }, async () => (await fetch(`${origin}/metrics`, { headers: bearer })).text()),
    );
    expect(new Set(texts).size).toBe(1);
    expect(valuesIn(texts[0] ?? '').get('kstack_samples_total')).toBe(1);
  });

  it('is scraped by Prometheus', async () => {
    testRequires('prometheus and promtool');
    const { host } = await serve('-p', '1', '--source', 'procfs');
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'data'));
    writeFileSync(join(folder, 'token'), TOKEN);
    writeFileSync(
      join(folder, 'prometheus.yml'),
      `scrape_configs:
  - job_name: kstack
    scrape_interval: 1s
    authorization: {credentials_file: ${folder}/token}
    static_configs: [{targets: ['${host}']}]
`,
    );
    const port = await freePort();
    const child = spawn(
      'prometheus',
      [
        `--config.file=${folder}/prometheus.yml`,
        `--storage.tsdb.path=${folder}/data`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: 'ignore' },
    );
    const end = ended(child);
    onTestFinished(async () => {
      child.kill('SIGKILL');
      await end;
    });
    const query = async (text: string): Promise<string | undefined> => {
      try {
        const answer = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(text)}`);
        const { data }: { data?: { result: { value: [number, string] }[] } } = JSON.parse(await answer.text());
        return data?.result[0]?.value[1];
      } catch {
        return undefined;
      }
    };
    const startedMs = performance.now();
    while ((await query('up')) !== '1' && !isOverdue(performance.now() - startedMs, 20_000)) await pause(200);
    expect([await query('up'), await query('sum(kstack_tasks)')]).toEqual(['1', '1']);
  });

  it('has no metrics of files, and takes no token that is none', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'stack.txt');
    writeFileSync(file, '[<0>] do_wait+0x1/0x2\n');
    const { origin } = await serve(file);
    expect((await fetch(`${origin}/metrics`, { headers: bearer })).status).toBe(404);
    for (const text of ['', 'short', `${TOKEN} ${TOKEN}`]) {
      writeFileSync(join(folder, 'token'), text, { mode: 0o600 });
      const { code, stderr } = await kstack(['serve', '--token-file', join(folder, 'token'), file]);
      expect([code, stderr]).toEqual([1, expect.stringMatching(/token has no token: write 20 to 100 letters/)]);
    }
    chmodSync(join(folder, 'token'), 0o640);
    const open = await kstack(['serve', '--token-file', join(folder, 'token'), file]);
    expect([open.code, open.stderr]).toEqual([1, expect.stringContaining('others may read or change')]);
    const { code, stderr } = await kstack(['serve', '--token-file', join(folder, 'none'), file]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('ENOENT')]);
  });
});
