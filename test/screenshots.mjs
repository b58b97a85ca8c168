// Makes the pictures of docs/images: the views of a page of tasks that are really stuck. Needs root, cc and chromium.
//
//   node test/screenshots.mjs FOLDER [RECORDING]
//
// Without a recording it makes one, with programs of test/fixtures, and keeps it as FOLDER/recording.kstack.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { chromium } from 'playwright-core';

const KSTACK = resolve(import.meta.dirname, '../dist/kstack.cjs');
const INSIDE = 'KSTACK_SCREENSHOTS_INSIDE';
const SHOWN = '^(orders|mmap|contended|file-locks|user-locks|bindfs|jbd2|kworker|loop|kswapd|rcu_)';
/** Seconds. */
const [HANGS_FROM, CONTENDED_FROM, CONTENDED_TO, ENDS] = [10, 16, 28, 40];

const [folder = 'docs/images', given] = process.argv.slice(2);
// A host of its own name, with a /srv of its own.
if (process.env[INSIDE] === undefined) {
  const prepare = 'hostname db-3 && mount -t tmpfs none /srv && exec "$@"';
  const again = [process.execPath, ...process.argv.slice(1)];
  const options = { stdio: 'inherit', env: { ...process.env, [INSIDE]: '1' } };
  process.exit(
    spawnSync('unshare', ['--uts', '--mount', '--cgroup', 'sh', '-c', prepare, 'sh', ...again], options).status ?? 1,
  );
}
mkdirSync(folder, { recursive: true });
const scratch = mkdtempSync(join(tmpdir(), 'kstack-screenshots-'));
try {
  const recording = given ?? join(folder, 'recording.kstack');
  if (!existsSync(recording)) await record(recording);
  await picture(recording);
} finally {
  rmSync(scratch, { recursive: true });
}

/** @param program of test/fixtures; resolves once it is ready to a function that ends it */
async function fixture(program, as, args) {
  const file = join('/srv/bin', as);
  execFileSync('cc', ['-O1', '-pthread', '-o', file, join(import.meta.dirname, `fixtures/${program}.c`)]);
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return async () => {
    child.stdin.end();
    await once(child, 'exit');
  };
}

async function record(recording) {
  for (const name of ['bin', 'orders', 'share']) mkdirSync(`/srv/${name}`);
  const ends = [
    await fixture('file-locks', 'orders-lock', ['flock', '/srv/orders/lock', '9']),
    await fixture('user-locks', 'user-locks', ['deadlock']),
  ];
  const args = ['record', '-o', recording, '-L', '-c', SHOWN, '-i', '1', '--for', `${ENDS}s`];
  const recorder = spawn(KSTACK, args, { stdio: 'inherit' });
  const began = performance.now();
  const at = (seconds) => pause(began + 1000 * seconds - performance.now());
  await at(HANGS_FROM);
  ends.push(await fixture('mmap-lock', 'orders-db', ['/srv/orders', '14', 'mixed']));
  await at(CONTENDED_FROM);
  const endContended = await fixture('contended-locks', 'contended-locks', ['/srv/share']);
  await at(CONTENDED_TO);
  await endContended();
  await once(recorder, 'exit');
  for (const end of ends) await end();
}

async function picture(recording) {
  const [page, comparison] = [join(scratch, 'page.html'), join(scratch, 'comparison.html')];
  const kstack = (...args) => execFileSync(KSTACK, args, { stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1 << 30 });
  kstack('report', recording, '-f', 'html', '-o', page);
  const firstMs = JSON.parse(kstack('convert', recording, '-f', 'jsonl').toString().split('\n')[0]).time;
  const timeAt = (seconds) => new Date(Date.parse(firstMs) + 1000 * seconds).toISOString();
  const windows = ['--a', `/${timeAt(HANGS_FROM - 1)}`, '--b', `${timeAt(CONTENDED_TO - 2)}/`];
  kstack('diff', recording, ...windows, '-f', 'html', '-o', comparison);
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  const shoot = async (name, file, hash, { width = 1280, height = 800, colorScheme = 'light', act } = {}) => {
    const tab = await browser.newPage({ viewport: { width, height }, colorScheme });
    await tab.goto(`file://${file}#${hash}`);
    await tab.waitForSelector('nav');
    await tab.waitForFunction(() => !document.querySelector('main')?.textContent?.startsWith('Adding up'));
    await act?.(tab);
    await tab.waitForTimeout(300);
    await tab.screenshot({ path: join(folder, `${name}.png`) });
    await tab.close();
  };
  await shoot('verdict', page, 'view=verdict');
  await shoot('timeline', page, 'view=timeline');
  await shoot('timeline-dark', page, 'view=timeline', { colorScheme: 'dark' });
  await shoot('waits', page, 'view=waits');
  await shoot('holders', page, 'view=holders');
  await shoot('flame', page, 'view=flame');
  await shoot('tasks', page, 'view=tasks', {
    height: 560,
    act: (tab) => tab.click('.rows .body .row'),
  });
  await shoot('unread', page, 'view=unread');
  await shoot('changes', comparison, 'view=changes');
  await shoot('narrow-dark', page, 'view=verdict', { width: 390, height: 844, colorScheme: 'dark' });
  await browser.close();
}
