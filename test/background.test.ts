import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import {
  background,
  counts,
  end,
  expectAscending,
  isAlive,
  LOG,
  logged,
  rotated,
  samples,
  stateOf,
  taken,
} from './background-run.ts';
import {
  expectWithin,
  fixture,
  isAvailable,
  KSTACK,
  kstack,
  lineOf,
  run,
  shell,
  temporaryFolder,
  testRequires,
  until,
} from './harness.ts';

/** The shortest run that ends by itself takes 70 s: it runs beside the other tests, from the first to the last. */
const shortest = { directory: '', startedMs: 0, pid: 0, endedMs: 0 };

beforeAll(async () => {
  if (!isAvailable('root')) return;
  shortest.directory = mkdtempSync(join(tmpdir(), 'kstack-test-'));
  const env = { ...process.env, KSTACK_INTERVAL_MS: '10000' };
  shortest.startedMs = performance.now();
  await run(KSTACK, ['-bp', '2', '-t', '1', '-d', shortest.directory], { env, stdio: 'ignore' });
  shortest.pid = stateOf(shortest.directory).pid;
  const timer = setInterval(() => {
    if (isAlive(shortest.pid)) return;
    clearInterval(timer);
    shortest.endedMs = performance.now();
  }, 100);
  timer.unref();
});

afterAll(async () => {
  if (shortest.pid > 0) await end(shortest.pid, 'SIGKILL');
  if (shortest.directory !== '') rmSync(shortest.directory, { recursive: true });
});

describe('kstack -b', () => {
  it('says what it does, gives the prompt back, and appends samples as those of the foreground', async () => {
    const [waiter = 0] = await fixture('tasks', ['vfork']);
    const directory = join(temporaryFolder(), 'made/for/it');
    const before = Date.now();
    const { code, pid, messages } = await background(directory, ['-DR', '-i', '10', '-t', '2'], 100);
    // What cannot be read of other tests' tasks may be said at any time.
    const said = messages()
      .trim()
      .split('\n')
      .filter((line) => !/ INFO - PID \d+ /.test(line));
    const stamp = String.raw`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} INFO - `;
    expect(code).toBe(0);
    expect(said[0]).toMatch(new RegExp(`${stamp}Spawning process to run in background\\.\\.\\.$`));
    expect(said[1]).toMatch(new RegExp(`${stamp}Background PID: ${pid}$`));
    expect(said[2]).toMatch(
      new RegExp(String.raw`${stamp}This script will run up to: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}$`),
    );
    expect(said[3]).toMatch(new RegExp(`${stamp}The requested data will be written to the directory: ${directory}$`));
    const ends = Date.parse(said[2]?.split('up to: ')[1]?.replace(' ', 'T') ?? '');
    expect(ends - before).toBeGreaterThan(119_000);
    expect(ends - before).toBeLessThan(125_000);
    await until(() => existsSync(join(directory, LOG)) && taken(directory) >= 3);
    await end(pid, 'SIGTERM');
    const { stdout } = await kstack(['-D']);
    for (const lines of samples(logged(directory))) {
      expect(lines.find((line) => line.pid === waiter)).toEqual(lineOf(stdout, waiter));
      expect(new Set(lines.map(({ state }) => state))).toEqual(
        new Set(['D', 'R'].filter((state) => lines.some((line) => line.state === state))),
      );
    }
    for (const [path, mode] of [
      [directory, 0o40700],
      [join(directory, LOG), 0o100600],
    ] as const)
      expect(lstatSync(path).mode).toBe(mode);
  });

  it('takes the filters of the foreground', async () => {
    const [blocked = 0] = await fixture('tasks', ['vfork']);
    const [idle = 0] = await fixture('tasks', ['thread']);
    const directory = temporaryFolder();
    const run = await background(directory, ['-p', `${blocked},${idle}`, '--blocked']);
    await until(() => taken(directory) >= 3);
    await end(run.pid, 'SIGTERM');
    for (const lines of samples(logged(directory))) expect(lines.map(({ pid }) => pid)).toEqual([blocked]);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('is ended by %s with a whole sample', async (signal) => {
    const [counter = 0] = await fixture('tasks', ['count', '700000']);
    const directory = temporaryFolder();
    for (let i = 0; i < 5; i++) {
      const { pid } = await background(directory, ['-p', String(counter), '-n', '1000'], 5);
      await until(() => taken(directory) > i);
      await new Promise((resolve) => setTimeout(resolve, 7 * i));
      const asked = performance.now();
      await end(pid, signal);
      expectWithin(performance.now() - asked, 2000);
      expectAscending(counts(directory, counter));
    }
    expect(counts(directory, counter).length).toBeGreaterThan(5);
  });

  it('is ended by nothing that happens to its terminal', async () => {
    testRequires('root', 'script');
    const directory = temporaryFolder();
    shell(`script -qec '"$KSTACK" -bvp 2 -d ${directory}' /dev/null`, { KSTACK, KSTACK_INTERVAL_MS: '20' });
    const pid = Number(/"pid":(\d+)/.exec(readFileSync(join(directory, `.kstack_${hostname()}.run`), 'utf8'))?.[1]);
    onTestFinished(() => end(pid, 'SIGKILL'));
    process.kill(pid, 'SIGHUP');
    const before = taken(directory);
    await until(() => taken(directory) > before + 5);
    await end(pid, 'SIGTERM');
  });

  it('keeps its interval against the clock, however long a sample takes', async () => {
    // Hangs, so that a sample takes a tenth of a second.
    const [stuck = 0] = await fixture('mmap-lock', [temporaryFolder(), '1']);
    const directory = temporaryFolder();
    const intervalMs = 1000;
    const { pid } = await background(directory, ['-p', `${stuck},2`, '--source', 'procfs'], intervalMs);
    const phases: number[] = [];
    const distance = (one: number, other: number) =>
      Math.min(Math.abs(one - other), intervalMs - Math.abs(one - other));
    const together = () => {
      const latest = phases.slice(-12);
      return Math.max(...latest.map((one) => latest.filter((other) => distance(one, other) < intervalMs / 8).length));
    };
    // The first ones wait for what hangs.
    await until(() => taken(directory) >= 3);
    // A machine that is busy delays some. Intervals counted from sample to sample would put a third of them together.
    for (let last = taken(directory); phases.length < 36 && !(together() >= 8); ) {
      await until(() => taken(directory) > last);
      last = taken(directory);
      phases.push(performance.now() % intervalMs);
    }
    await end(pid, 'SIGTERM');
    expect(together()).toBeGreaterThanOrEqual(8);
  });

  it('needs the right to read stacks, and says so before it starts anything', async () => {
    testRequires('root');
    const args = [
      '--bounding-set=-sys_admin',
      '--inh-caps=-sys_admin',
      KSTACK,
      '-bD',
      '-d',
      join(temporaryFolder(), 'never'),
    ];
    const { code, stderr } = await run('setpriv', args);
    expect(code).toBe(1);
    expect(stderr).toMatch(/ERROR - cannot read kernel stacks [^\n]*CAP_SYS_ADMIN[^\n]*\n$/);
  });
});

describe('the log', () => {
  it('is rotated before it passes -m, and its files together hold every sample once, in order', async () => {
    const [counter = 0] = await fixture('tasks', ['count', '300000']);
    const directory = temporaryFolder();
    const { pid } = await background(directory, ['-p', String(counter), '-m', '1', '-n', '1000']);
    await until(() => rotated(directory).length >= 6);
    const status = await kstack(['status', '-d', directory]);
    await end(pid, 'SIGTERM');
    expect(status.code).toBe(0);
    const found = counts(directory, counter);
    expectAscending(found);
    const state = JSON.parse(readFileSync(join(directory, `.kstack_${hostname()}.run`), 'utf8'));
    expect(found).toHaveLength(state.samples);
    const names = rotated(directory);
    for (const name of names) {
      expect(name).toMatch(/\.out-\d{10}\.gz$/);
      const { length } = gunzipSync(readFileSync(join(directory, name)));
      expect(length).toBeLessThanOrEqual(2 ** 20);
      expect(length).toBeGreaterThan(2 ** 19);
      expect(lstatSync(join(directory, name)).mode).toBe(0o100600);
    }
    expect(new Set(names).size).toBe(names.length);
  });

  it('keeps the newest -n rotated files, and all files together below -n times -m', async () => {
    const [counter = 0] = await fixture('tasks', ['count', '400000']);
    const directory = temporaryFolder();
    const { pid } = await background(directory, ['-p', String(counter), '-m', '1', '-n', '2']);
    const seen = new Set<string>();
    await until(() => {
      for (const name of rotated(directory)) seen.add(name);
      return seen.size >= 8;
    });
    await end(pid, 'SIGTERM');
    const names = rotated(directory);
    expect(names.length).toBeGreaterThanOrEqual(1);
    expect(names.length).toBeLessThanOrEqual(2);
    const bytes = readdirSync(directory)
      .filter((name) => name.startsWith(LOG))
      .map((name) => lstatSync(join(directory, name)).size);
    expect(bytes.reduce((sum, size) => sum + size)).toBeLessThanOrEqual(2 * 2 ** 20);
    const [oldest = ''] = names.sort();
    for (const name of seen) if (name.endsWith('.gz') && name > oldest) expect(names).toContain(name);
    expectAscending(counts(directory, counter));
  });

  it('of an earlier run is rotated by the next one, whatever its size', async () => {
    const directory = temporaryFolder();
    for (let i = 1; i <= 3; i++) {
      const { pid } = await background(directory, ['-p', '2']);
      await until(() => existsSync(join(directory, LOG)));
      await end(pid, 'SIGTERM');
      expect(rotated(directory)).toHaveLength(i - 1);
    }
  });
});

describe('two background runs', () => {
  it('exclude each other on one directory, by a message with the PID of the first, and only there', async () => {
    const directory = temporaryFolder();
    const first = await background(directory, ['-p', '2']);
    const second = await background(directory, ['-p', '2']);
    expect(second.code).toBe(1);
    expect(second.messages()).toMatch(new RegExp(`^\\S+ \\S+ ERROR - [^\\n]*PID ${first.pid}\\.[^\\n]*\\n$`));
    expect((await background(temporaryFolder(), ['-p', '2'])).code).toBe(0);
    expect((await kstack(['-p', '2'])).code).toBe(0);
    await end(first.pid, 'SIGKILL');
    expect((await background(directory, ['-p', '2'])).code).toBe(0);
  });
});

describe('kstack status and kstack stop', () => {
  it('show the run that is active, and end it', async () => {
    const directory = temporaryFolder();
    const { pid } = await background(directory, ['-p', '2'], 500);
    await until(() => existsSync(join(directory, LOG)) && taken(directory) >= 3);
    const { code, stdout } = await kstack(['status', '-d', directory]);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      new RegExp(`^PID: {5}${pid}
Since: {3}[-0-9]{10} [:0-9]{8}
Until: {3}[-0-9]{10} [:0-9]{8}
Samples: [0-9]+
File: {4}${join(directory, LOG)}
Size: {4}[0-9]+ bytes, [0-9]+ bytes with its rotated files \\(0\\)
$`),
    );
    const stopped = await kstack(['stop', '-d', directory]);
    expect(stopped).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(isAlive(pid)).toBe(false);
    for (const command of ['status', 'stop']) {
      const { code, stdout, stderr } = await kstack([command, '-d', directory]);
      const last = command === 'status' ? `kstack: the last one, PID ${pid}, ran from [^\\n]+\n` : '';
      expect([code, stdout, stderr]).toEqual([
        1,
        '',
        expect.stringMatching(new RegExp(`^kstack: no background run is active on ${directory}\n${last}$`)),
      ]);
    }
  });

  it.each(['status', 'stop'])('%s makes no directory, and says which is missing', async (command) => {
    const directory = join(temporaryFolder(), 'missing');
    const { code, stderr } = await kstack([command, '-d', directory]);
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`^kstack: [^\\n]*${directory}[^\\n]*\\n$`));
    expect(existsSync(directory)).toBe(false);
  });
});

describe('kstack stop', () => {
  it('ends a run that is still busy with what an earlier one left', async () => {
    const directory = temporaryFolder();
    shell(`head -c 80M /dev/urandom > ${join(directory, LOG)}`);
    const starting = background(directory, ['-p', '2', '-m', '1000', '-x', '100']);
    await until(() => existsSync(join(directory, `.kstack_${hostname()}.run`)));
    await until(() => readdirSync(directory).some((name) => name.endsWith('.gz.tmp')));
    expect((await kstack(['status', '-d', directory])).stdout).toMatch(/^Samples: 0$/m);
    expect(readdirSync(directory)).toContainEqual(expect.stringMatching(/\.gz\.tmp$/));
    expect(await kstack(['stop', '-d', directory])).toMatchObject({ code: 0, stderr: '' });
    const { pid } = await starting;
    expect(isAlive(pid)).toBe(false);
  });

  it('ends a run that is stopped by SIGSTOP', async () => {
    const directory = temporaryFolder();
    const { pid } = await background(directory, ['-p', '2']);
    process.kill(pid, 'SIGSTOP');
    expect(await kstack(['stop', '-d', directory])).toMatchObject({ code: 0, stderr: '' });
    expect(isAlive(pid)).toBe(false);
  });
});

describe('values that make no sense', () => {
  it.each([
    ['-t', '-1', '-t takes a whole number from 0 to 527040.'],
    ['-t', 'long', '-t takes a whole number from 0 to 527040.'],
    ['-i', '9', 'Option -i must be >= 10 seconds. -i takes a whole number from 10 to 86400.'],
    ['-i', '1.5', '-i takes a whole number from 10 to 86400.'],
    ['-m', '0', '-m takes a whole number from 1 to 1000000.'],
    ['-n', '-1', '-n takes a whole number from 0 to 10000.'],
    ['-n', 'many', '-n takes a whole number from 0 to 10000.'],
    ['-x', '0', '-x takes a whole number from 1 to 1000000.'],
    ['-x', '', '-x takes a whole number from 1 to 1000000.'],
  ])('%s %s is wrong usage, with the option and what it takes', async (option, value, sentence) => {
    const { code, stdout, stderr } = await kstack(['-bD', option, value, '-d', join(temporaryFolder(), 'never')]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(sentence);
  });

  it('-b alone is wrong usage, as no process is selected', async () => {
    expect(await kstack(['-b'])).toMatchObject({ code: 2, stdout: '' });
  });
});

describe('a run of one minute', () => {
  it('ends when its time is up', { timeout: 120_000 }, async () => {
    testRequires('root');
    await until(() => shortest.endedMs > 0, 90_000);
    // The last one, ten seconds after the end, is within the grace of fifteen.
    expect(samples(logged(shortest.directory))).toHaveLength(8);
    const seconds = (shortest.endedMs - shortest.startedMs) / 1000;
    expect(seconds).toBeGreaterThan(69);
    expect(seconds).toBeLessThan(79);
  });
});
