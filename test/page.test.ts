import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, describe, expect, it } from 'vitest';
import { BROWSER, fixture, kstack, temporaryFolder, testRequires } from './harness.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const HOSTILE = '<img src=x oner';
const VIEWS = ['Verdict', 'Timeline', 'Waits', 'Who holds whom', 'Flame graph', 'Tasks', 'Not read'];

let browser: Browser | undefined;
afterAll(() => browser?.close());

interface Opened {
  readonly page: Page;
  /** What went wrong in the page, and every request that it made. */
  readonly complaints: readonly string[];
}

async function open(file: string, colorScheme: 'light' | 'dark' = 'light'): Promise<Opened> {
  browser ??= await chromium.launch({ executablePath: BROWSER, args: ['--no-sandbox'] });
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, colorScheme });
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('dialog', async (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  page.on('request', (request) => {
    if (!/^(?:file|data|blob):/.test(request.url())) complaints.push(`request: ${request.url()}`);
  });
  await page.goto(`file://${file}`);
  await page.waitForSelector('nav');
  return { page, complaints };
}

async function shows(page: Page, title: string): Promise<void> {
  await page.locator('nav [aria-current]', { hasText: title }).waitFor();
}

async function choose(page: Page, title: string): Promise<void> {
  await page.click(`nav >> text="${title}"`);
  await shows(page, title);
  // The report is computed beside the page.
  await page.locator('main .empty', { hasText: 'Adding up' }).waitFor({ state: 'detached' });
}

interface Recorded {
  readonly file: string;
  readonly html: string;
  readonly stuck: number;
}

const folder = mkdtempSync(join(tmpdir(), 'kstack-test-'));
afterAll(() => rmSync(folder, { recursive: true }));
let shared: Promise<Recorded> | undefined;

/** A recording of a hang, in which a task has a name that is markup; all tests share it. */
function recorded(): Promise<Recorded> {
  testRequires('root', 'compiler', 'loop', 'browser');
  shared ??= record();
  return shared;
}

async function record(): Promise<Recorded> {
  const [stuck = 0] = await fixture('mmap-lock', [temporaryFolder(), '2']);
  const [named = 0] = await fixture('tasks', ['comm'], `${HOSTILE}\n`);
  const [file, html] = [join(folder, 'recording'), join(folder, 'page.html')];
  const pids = `${stuck},${named},1,2`;
  expect((await kstack(['record', '-o', file, '-L', '-p', pids, '-i', '0.2', '--for', '3s'])).code).toBe(0);
  const { code, stdout, stderr } = await kstack(['report', file, '-f', 'html', '-o', html]);
  expect([code, stdout, stderr]).toEqual([0, '', '']);
  return { file, html, stuck };
}

describe('the page of a recording', () => {
  it('shows each view, asks nobody for anything, and has nothing serious for those who see or move otherwise', async () => {
    const { html } = await recorded();
    for (const scheme of ['light', 'dark'] as const) {
      const { page, complaints } = await open(html, scheme);
      for (const title of VIEWS) {
        await choose(page, title);
        const text = await page.locator('main').innerText();
        expect(text).not.toContain('There is no sample');
        expect(text.length).toBeGreaterThan(20);
        await page.evaluate(AXE);
        const found = await page.evaluate('axe.run(document)');
        const { violations } = found as { violations: { id: string; impact: string; nodes: { html: string }[] }[] };
        const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
        expect(serious.map(({ id, nodes }) => [title, scheme, id, nodes[0]?.html])).toEqual([]);
      }
      expect(complaints).toEqual([]);
      await page.close();
    }
  });

  it('tells the same as kstack report', async () => {
    const { file, html } = await recorded();
    const { findings, holders } = JSON.parse((await kstack(['report', file, '-f', 'json'])).stdout);
    expect(findings.length).toBeGreaterThan(0);
    const { page } = await open(html);
    await choose(page, 'Waits');
    const shown = await page.locator('.findings summary').allInnerTexts();
    expect(shown.length).toBe(findings.length);
    for (const [at, { finding, count }] of findings.entries()) {
      expect(shown[at]).toContain(finding.waitsFor);
      expect(shown[at]).toContain(`${count} task`);
    }
    expect(await page.locator('.holders > li').count()).toBe(holders.length);
    const advised = (await kstack(['report', file])).stdout.matchAll(/^ +next: (.*)$/gm);
    const text = await page.locator('.findings').textContent();
    for (const [, command] of advised) expect(text).toContain(command);
    expect(text).not.toMatch(/-p PID\b/);
    await page.close();
  });

  it('can be used by the keyboard alone, and the back button leads back', async () => {
    const { html, stuck } = await recorded();
    const { page } = await open(html);
    for (const [at, title] of VIEWS.entries()) {
      await page.keyboard.press(String(at + 1));
      await shows(page, title);
    }
    await page.keyboard.press('6');
    await page.keyboard.press('/');
    await page.keyboard.type(String(stuck));
    await page.locator('.hint', { hasText: /^[1-9]\d* tasks?\./ }).waitFor();
    await page.keyboard.press('Escape');
    await page.focus('.rows .body');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.life');
    expect(await page.locator('.life h2').innerText()).toContain('mmap-stuck');
    await page.goBack();
    await page.waitForSelector('.life', { state: 'detached' });
    await page.reload();
    await page.waitForSelector('.rows');
    expect(await page.inputValue('input[type=search]')).toBe(String(stuck));
    await page.close();
  });

  it('shows the part of the time that was drawn over, in each view', async () => {
    const { html } = await recorded();
    const { page } = await open(html);
    const samples = async () => Number(/(\d+) samples?/.exec(await page.locator('header').innerText())?.[1]);
    const all = await samples();
    await choose(page, 'Timeline');
    const box = await page.locator('.u-over').first().boundingBox();
    if (box === null) throw new Error('there is no chart');
    await page.mouse.move(box.x + box.width * 0.3, box.y + 50);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.7, box.y + 60, { steps: 4 });
    await page.mouse.up();
    await page.waitForURL(/from=/);
    const part = await samples();
    expect(part).toBeGreaterThan(0);
    expect(part).toBeLessThan(all);
    await choose(page, 'Waits');
    await page.keyboard.press('Escape');
    await page.waitForURL((url) => !url.hash.includes('from='));
    expect(await samples()).toBe(all);
    await page.close();
  });

  it('takes no name for markup', async () => {
    const { html } = await recorded();
    const { page, complaints } = await open(html);
    await choose(page, 'Tasks');
    expect(await page.locator('.rows').innerText()).toContain(HOSTILE);
    expect(await page.locator('img').count()).toBe(0);
    expect(readFileSync(html, 'utf8')).not.toContain(HOSTILE);
    expect(complaints).toEqual([]);
    await page.close();
  });
});

describe('the page of a comparison', () => {
  it('tells the same as kstack diff, and shows either side', async () => {
    const { file } = await recorded();
    const html = join(temporaryFolder(), 'changes.html');
    const { stdout } = await kstack(['convert', file, '-f', 'jsonl']);
    const times = [...new Set([...stdout.matchAll(/"time":"([^"]*)"/g)].map(([, time = '']) => time))];
    const middle = times[Math.floor(times.length / 2)] ?? '';
    // Only one side has the stuck tasks, so that something changes.
    const before = join(temporaryFolder(), 'before');
    expect((await kstack(['record', '-o', before, '-p', '1', '-i', '0.2', '--for', '1s'])).code).toBe(0);
    const { code, stderr } = await kstack(['diff', before, file, '-f', 'html', '-o', html]);
    expect([code, stderr]).toEqual([0, '']);
    const found = JSON.parse((await kstack(['diff', before, file, '-f', 'json'])).stdout);
    expect(found.appeared.length).toBeGreaterThan(0);
    const { page, complaints } = await open(html);
    await shows(page, 'Changes');
    const rows = page.locator('.changes tbody tr');
    await rows.first().waitFor();
    const shown = await rows.allInnerTexts();
    const all = ['appeared', 'grown', 'shrunk', 'disappeared'].flatMap((kind) => found[kind]);
    expect(shown.length).toBe(all.length);
    for (const [at, { finding }] of all.entries()) expect(shown[at]).toContain(finding.waitsFor);
    await page.focus('.changes canvas');
    await page.keyboard.press('ArrowDown');
    expect(await page.locator('.told').innerText()).toMatch(/ → .* tasks on average$/);
    await page.evaluate(AXE);
    const { violations } = (await page.evaluate('axe.run(document)')) as { violations: { impact: string }[] };
    expect(violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')).toEqual([]);
    const samples = async () => Number(/(\d+) samples?/.exec(await page.locator('header').innerText())?.[1]);
    await choose(page, 'Tasks');
    expect(await samples()).toBe(times.length);
    await page.click('.sides >> text=before');
    await page.waitForURL(/side=before/);
    expect(await samples()).not.toBe(times.length);
    expect(complaints).toEqual([]);
    await page.close();
    // Both times of one file, with the same stand-ins on both sides.
    const windows = ['--a', `/${middle}`, '--b', `${middle}/`];
    expect((await kstack(['diff', file, ...windows, '-f', 'html', '--redact', '-o', html])).code).toBe(0);
    const redacted = await open(html);
    const facts = redacted.page.locator('.facts dd');
    await facts.first().waitFor();
    expect((await facts.allInnerTexts()).map((text) => text.split(':')[0])).toEqual(['host-1', 'host-1']);
    await redacted.page.close();
  });

  it('is not written if one side has no sample', async () => {
    const { file } = await recorded();
    const html = join(temporaryFolder(), 'changes.html');
    const asked = ['diff', file, '--a', '/2001-01-01', '--b', '2001-01-01/', '-f', 'html', '-o', html];
    const { code, stderr } = await kstack(asked);
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining(`kstack: no sample of ${file} is in the requested time (to `),
    ]);
    expect(existsSync(html)).toBe(false);
    expect((await kstack(['diff', file, file, '--redact'])).code).toBe(2);
    expect((await kstack(['diff', file, file, '-f', 'html', '-o', file])).code).toBe(1);
  });
});

it('the page of why has its verdict, and what it was read from', async () => {
  testRequires('root', 'compiler', 'browser');
  const [outer = 0, inner = 0] = await fixture('tasks', ['vfork-chain']);
  await pause(1100);
  const html = join(temporaryFolder(), 'why.html');
  const asked = ['why', '-p', String(outer)];
  expect((await kstack([...asked, '-f', 'html', '-o', html])).code).toBe(0);
  const { page, complaints } = await open(html);
  expect(await page.locator('.verdict h2').innerText()).toBe((await kstack(asked)).stdout.split('\n')[0]);
  await page.click('text="Evidence"');
  expect(await page.locator('.evidence').innerText()).toContain(`${inner} is a vfork child of ${outer}`);
  expect(complaints).toEqual([]);
});

it('a page to hand on has no arguments, users or hosts in it, and still shows each view', async () => {
  testRequires('root', 'compiler', 'loop', 'browser');
  const { file } = await recorded();
  const html = join(temporaryFolder(), 'redacted.html');
  expect((await kstack(['report', file, '--redact', '-f', 'html', '-o', html])).code).toBe(0);
  const { stdout: before } = await kstack(['convert', file, '-f', 'jsonl']);
  const { stdout: after } = await kstack(['convert', file, '--redact', '-f', 'jsonl']);
  const linesOf = (text: string): { host: string; arguments?: string[] | null }[] =>
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  const givenIn = (text: string) => linesOf(text).flatMap((line) => line.arguments?.slice(1) ?? []);
  expect(givenIn(before)).toContain('comm');
  expect(givenIn(after).filter((argument) => !/^argument-\d+$/.test(argument))).toEqual([]);
  expect(new Set(linesOf(after).map(({ host }) => host))).toEqual(new Set(['host-1']));
  const { page, complaints } = await open(html);
  for (const title of VIEWS) await choose(page, title);
  expect(await page.locator('h1').innerText()).toBe('host-1');
  expect(complaints).toEqual([]);
  expect((await kstack(['report', file, '--redact'])).code).toBe(2);
});

it('a sample and a verdict can be handed on, too', async () => {
  testRequires('root', 'compiler');
  const secret = join(temporaryFolder(), 'secret-customer');
  const [holder = 0, waiter = 0] = await fixture('file-locks', ['flock', secret, '1']);
  const pids = ['-p', `${holder},${waiter}`];
  // A lock of a file counts from the third second on.
  await expect.poll(async () => (await kstack(['why', ...pids])).stdout, { timeout: 30_000 }).toContain(String(waiter));
  for (const format of ['text', 'long', 'json', 'jsonl', 'speedscope', 'perfetto', 'firefox']) {
    const { code, stdout, stderr } = await kstack([...pids, '--redact', '-f', format]);
    expect([format, code, stdout.includes('secret-customer'), stderr]).toEqual([format, 0, false, '']);
  }
  expect((await kstack(pids)).stdout).toContain('secret-customer');
  for (const args of [['--evidence'], ['-f', 'json']]) {
    const { code, stdout } = await kstack(['why', ...pids, '--redact', ...args]);
    expect([code, stdout.includes('secret-customer'), stdout.includes(hostname())]).toEqual([0, false, false]);
    expect(stdout).toContain(String(waiter));
  }
  expect((await kstack(['-b', '-a', '--redact'])).code).toBe(2);
});
