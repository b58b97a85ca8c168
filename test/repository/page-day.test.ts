import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { type CDPSession, chromium } from 'playwright-core';
import { expect, it, onTestFinished } from 'vitest';
import { BROWSER, expectWithin, kstack, temporaryFolder, testRequires } from '../harness.ts';

/** As many as every twenty seconds of a day, of a host of so many processes, of which so many run between two samples. */
const [SAMPLES, PROCESSES, RUNS] = [4320, 4000, 50];
const VIEWS = 7;
const FRAMES = 120;
/** Pixels: ten rows. */
const STEP = 260;

async function pageOfDay(): Promise<string> {
  const folder = temporaryFolder();
  const [program, recording, page] = ['day.mjs', 'day.kstack', 'day.html'].map((name) => join(folder, name));
  if (program === undefined || recording === undefined || page === undefined) throw new Error('no names');
  const entry = join(import.meta.dirname, '../../bench/day.ts');
  await build({
    entryPoints: [entry],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  });
  execFileSync(process.execPath, [program, recording, '', ...[SAMPLES, PROCESSES, RUNS].map(String)]);
  const { code, stderr } = await kstack(['report', recording, '-f', 'html', '-o', page]);
  expect([code, stderr]).toEqual([0, '']);
  return page;
}

/** What the page's main thread has spent so far, in milliseconds of CPU: other tasks of the machine do not count. */
async function spentMs(session: CDPSession): Promise<number> {
  const { metrics } = await session.send('Performance.getMetrics');
  return 1000 * (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN);
}

it('the page of a day of 4,000 processes is small, soon there in each view, and scrolls smoothly', async () => {
  testRequires('browser');
  const file = await pageOfDay();
  expect(statSync(file).size).toBeLessThan(6_000_000);
  const browser = await chromium.launch({ executablePath: BROWSER, args: ['--no-sandbox'] });
  onTestFinished(() => browser.close());
  const page = await browser.newPage();
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  await page.goto(`file://${file}`);
  await page.waitForSelector('main h2');
  const opened = await spentMs(session);
  expectWithin(opened, 2000);
  for (let key = 1; key <= VIEWS; key++) {
    await page.keyboard.press(String(key));
    await page.locator(`nav a:nth-child(${key})[aria-current]`).waitFor();
    await page.locator('main .empty', { hasText: 'Adding up' }).waitFor({ state: 'detached' });
  }
  const looked = await spentMs(session);
  expectWithin(looked - opened, 2000);
  await page.keyboard.press('6');
  await page.waitForSelector('.rows .body .row');
  const before = await spentMs(session);
  const scrolled = await page.evaluate(`(async () => {
    const body = document.querySelector('.rows .body');
    for (let frame = 0; frame < ${FRAMES}; frame++) {
      body.scrollBy(0, ${STEP});
      await new Promise(requestAnimationFrame);
    }
    return body.scrollTop;
  })()`);
  expect(scrolled).toBe(STEP * FRAMES);
  // Fifty frames a second leave 20 ms for each.
  expectWithin(((await spentMs(session)) - before) / FRAMES, 20);
}, 300_000);
