import { spawn } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
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
  killedAt,
  LOG,
  liveHeap,
  logged,
  rotated,
  samples,
  smallFileSystem,
  stateOf,
  taken,
  until,
} from './background-run.ts';
import {
  expectWithin,
  fixture,
  isAvailable,
  KSTACK,
  kstack,
  lineOf,
  NODE_BUILD,
  run,
  shell,
  temporaryFolder,
  testRequires,
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
    const said = messages().trim().split('\n');
    const stamp = String.raw`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} INFO - `;
    expect(code).toBe(0);
    expect(said).toHaveLength(4);
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
      await new Promise((resolve) => setTimeout(resolve, 60 * i));
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
    const intervalMs = 300;
    const { pid } = await background(directory, ['-p', `${stuck},2`, '--source', 'procfs'], intervalMs);
    const phases: number[] = [];
    // The first ones wait for what hangs.
    await until(() => taken(directory) >= 3);
    for (let last = taken(directory); phases.length < 12; ) {
      await until(() => taken(directory) > last);
      last = taken(directory);
      phases.push(performance.now() % intervalMs);
    }
    await end(pid, 'SIGTERM');
    const distance = (one: number, other: number) =>
      Math.min(Math.abs(one - other), intervalMs - Math.abs(one - other));
    const together = phases.map((phase) => phases.filter((other) => distance(phase, other) < intervalMs / 8).length);
    // A machine that is busy may delay a few. Intervals counted from sample to sample would put a third here.
    expect(Math.max(...together)).toBeGreaterThanOrEqual(8);
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

describe('after kill -9', () => {
  const options = (counter: number) => ['-p', String(counter), '-m', '1', '-n', '10000', '-x', '100'];

  /** Takes one more sample, and looks whether all are there: so many at least, and at most one more for each kill. */
  async function expectWhole(directory: string, counter: number, finished: number, kills: number): Promise<void> {
    const { code, pid, messages } = await background(directory, options(counter), 60_000);
    expect([code, messages()]).toEqual([0, expect.not.stringContaining('ERROR')]);
    await until(() => taken(directory) >= 1);
    await end(pid, 'SIGTERM');
    const found = counts(directory, counter);
    expectAscending(found);
    expect(found.length).toBeGreaterThanOrEqual(finished + 1);
    expect(found.length).toBeLessThanOrEqual(finished + 1 + kills);
    expect(rotated(directory).filter((name) => !/-\d{10}\.gz$/.test(name))).toEqual([]);
  }

  // A rotation takes 30 ms, and a run as long until its first sample: kills go through both in steps of 3 ms.
  it.each([
    ['from its start on', 0, 20],
    ['from its first sample on', 1, 40],
  ])(
    '%s no sample is lost, doubled or torn, and the next run starts cleanly',
    {
      timeout: 200_000,
    },
    async (_, least, kills) => {
      const [counter = 0] = await fixture('tasks', ['count', '300000']);
      const directory = temporaryFolder();
      let finished = 0;
      for (let kill = 0; kill < kills; kill++) {
        const { code, pid, messages } = await background(directory, options(counter), 1);
        expect([code, messages()]).toEqual([0, expect.not.stringContaining('ERROR')]);
        await until(() => taken(directory) >= least);
        await new Promise((resolve) => setTimeout(resolve, kill * 3));
        await end(pid, 'SIGKILL');
        finished += taken(directory);
      }
      expect(finished).toBeGreaterThanOrEqual(least * kills);
      await expectWhole(directory, counter, finished, kills);
    },
  );

  it('before and after each call that changes a file no sample is lost, doubled or torn', async () => {
    testRequires('strace');
    const [counter = 0] = await fixture('tasks', ['count', '300000']);
    const moments = [
      // Of the run file: what it is about to append, that it has, and so on.
      ...[3, 4, 5, 6].map((when) => `pwrite64:delay_enter=1500000:when=${when}`),
      // Of a rotation: the log's new name, its compressed form under a name of its own, then under that for good.
      ...[1, 2].map((when) => `renameat2:delay_enter=1500000:when=${when}`),
      ...[1, 2].map((when) => `fsync:delay_enter=1500000:when=${when}`),
      'unlinkat:delay_enter=1500000:when=1',
      'unlinkat:delay_exit=1500000:when=1',
    ];
    await Promise.all(
      moments.map(async (moment) => {
        const directory = temporaryFolder();
        await killedAt(moment, directory, options(counter));
        await expectWhole(directory, counter, taken(directory), 1);
      }),
    );
  });

  it('status says that the run did not end by itself, and how far it came; of one that was stopped it says nothing', async () => {
    const directory = temporaryFolder();
    const started = await background(directory, ['-p', '2', '-x', '101'], 50);
    // A kill before the run file counts the first sample would leave none that is known to be whole.
    await until(() => stateOf(directory).samples > 0);
    await end(started.pid, 'SIGKILL');
    const killed = await kstack(['status', '-d', directory]);
    expect(killed.stderr).toMatch(
      new RegExp(`the last one, PID ${started.pid}, did not end by itself: .* it had written \\d+ samples? by \\d{4}-`),
    );
    const { pid } = await background(directory, ['-p', '2', '-x', '101'], 50);
    await end(pid, 'SIGTERM');
    expect((await kstack(['status', '-d', directory])).stderr).toBe(
      `kstack: no background run is active on ${directory}\n`,
    );
  });

  it('in the middle of a write the part of a sample that is there is cut off, and nothing before it', async () => {
    testRequires('strace');
    const [counter = 0] = await fixture('tasks', ['count', '300000']);
    const directory = temporaryFolder();
    const log = join(directory, LOG);
    await expectWhole(directory, counter, 0, 0);
    // The run file says what the run is, twice, then what it is about to append; this would be that it has.
    await killedAt('pwrite64:delay_enter=1500000:when=4', directory, options(counter));
    const { samples: counted, append } = stateOf(directory);
    expect([counted, append]).toEqual([0, expect.objectContaining({ sizeBefore: 0, bytes: lstatSync(log).size })]);
    truncateSync(log, Math.floor(lstatSync(log).size / 2));
    await expectWhole(directory, counter, 1, 0);
  });

  it('what a killed rotation left is finished or removed, and nothing that is not of kstack', async () => {
    testRequires('root');
    const directory = temporaryFolder();
    const text = (await kstack(['-p', '2'])).stdout;
    writeFileSync(join(directory, `${LOG}-1700000001`), text);
    writeFileSync(join(directory, `${LOG}-1700000002`), text);
    shell(`gzip -k ${directory}/${LOG}-1700000002`);
    writeFileSync(join(directory, `${LOG}-1700000003.gz.tmp`), 'torn');
    writeFileSync(join(directory, `${LOG}-x.gz.tmp`), 'not ours');
    writeFileSync(join(directory, 'notes'), 'not ours');
    const { pid } = await background(directory, ['-p', '2'], 60_000);
    await until(() => existsSync(join(directory, LOG)));
    await end(pid, 'SIGTERM');
    expect(
      readdirSync(directory)
        .filter((name) => !name.startsWith('.'))
        .sort(),
    ).toEqual([LOG, `${LOG}-1700000001.gz`, `${LOG}-1700000002.gz`, `${LOG}-x.gz.tmp`, 'notes'].sort());
    expect(gunzipSync(readFileSync(join(directory, `${LOG}-1700000001.gz`))).toString()).toBe(text);
  });
});

function usedPercent(directory: string): number {
  return Number(shell(`stat -f -c '%b %f' ${directory} | awk '{ print 100 * ($1 - $2) / $1 }'`));
}

describe('a file system', () => {
  it('that is used up to -x when kstack starts is refused, in the words of the interface', async () => {
    const directory = smallFileSystem('tmpfs', 4);
    shell(`head -c 2M /dev/zero > ${directory}/ballast`);
    const { code, messages } = await background(directory, ['-D', '-x', '50']);
    expect(code).toBe(1);
    expect(messages()).toMatch(/^\S+ \S+ ERROR - Maximum filesystem space reached\. Used: 50%, Threshold: 50%\n$/);
  });

  it('is never filled beyond -x by kstack, which says once that it stops and once that it writes again', async () => {
    const [counter = 0] = await fixture('tasks', ['count', '400000']);
    const directory = smallFileSystem('tmpfs', 8);
    const { pid, messages } = await background(directory, ['-p', String(counter), '-n', '100', '-x', '60']);
    let most = 0;
    const watch = (condition: () => boolean) =>
      until(() => {
        most = Math.max(most, usedPercent(directory));
        return condition();
      });
    await watch(() => messages().includes('ERROR'));
    expect((await kstack(['status', '-d', directory])).stdout).toMatch(/^Paused: {2}Maximum filesystem space reached/m);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(messages().match(/ERROR - Maximum filesystem space reached\. Used: \d+%, Threshold: 60%/g)).toHaveLength(1);
    const first = rotated(directory).sort()[0] ?? '';
    rmSync(join(directory, first));
    await watch(() => messages().includes('INFO - Writing again.'));
    await end(pid, 'SIGTERM');
    expect(most).toBeLessThanOrEqual(60);
    expect(most).toBeGreaterThan(40);
    expectAscending(counts(directory, counter));
  });

  it.each(['tmpfs', 'ext4'] as const)(
    '(%s) that others fill to the last byte costs no sample that was written',
    async (kind) => {
      const [counter = 0] = await fixture('tasks', ['count', '400000']);
      const directory = smallFileSystem(kind, 12);
      const { pid, messages } = await background(directory, ['-p', String(counter), '-n', '100', '-x', '100']);
      await until(() => existsSync(join(directory, LOG)) && taken(directory) > 2);
      shell(`cat /dev/zero > ${directory}/ballast 2>/dev/null || true`);
      await until(() => messages().includes('ERROR'));
      await new Promise((resolve) => setTimeout(resolve, 300));
      rmSync(join(directory, 'ballast'));
      await until(() => messages().includes('INFO - Writing again.'));
      const before = taken(directory);
      await until(() => taken(directory) > before);
      await end(pid, 'SIGTERM');
      expectAscending(counts(directory, counter));
      expect(messages().match(/ERROR/g)).toHaveLength(1);
    },
  );
});

describe('the log directory or file', () => {
  const started = async () => {
    const folder = temporaryFolder();
    const directory = join(folder, 'logs');
    const started = await background(directory, ['-p', '2']);
    await until(() => existsSync(join(directory, LOG)));
    return { folder, directory, ...started };
  };

  it('removed while running ends the run with an error', async () => {
    const { directory, pid, messages } = await started();
    rmSync(directory, { recursive: true });
    await until(() => !isAlive(pid));
    expect(messages()).toMatch(/ERROR - the log directory \S+ was removed\. The run ends\.\n$/);
    expect(existsSync(directory)).toBe(false);
  });

  it('replaced by a link ends the run with an error, and nothing is written through it', async () => {
    const { folder, directory, pid, messages } = await started();
    const elsewhere = join(folder, 'elsewhere');
    mkdirSync(elsewhere);
    renameSync(directory, join(folder, 'away'));
    symlinkSync(elsewhere, directory);
    await until(() => !isAlive(pid));
    expect(messages()).toMatch(
      /ERROR - the log directory \S+ was replaced by another file or a link\. The run ends\.\n$/,
    );
    expect(readdirSync(elsewhere)).toEqual([]);
  });

  it.each([
    ['a link', (log: string, victim: string) => symlinkSync(victim, log)],
    ['a second name of another file', (log: string, victim: string) => shell(`ln ${victim} ${log}`)],
    ['a FIFO', (log: string) => shell(`mkfifo ${log}`)],
    ['a directory', (log: string) => mkdirSync(log)],
  ])('replaced by %s ends the run with an error, and nothing is written through it', async (_, replace) => {
    const { folder, directory, pid, messages } = await started();
    const victim = join(folder, 'victim');
    writeFileSync(victim, 'untouched');
    const log = join(directory, LOG);
    process.kill(pid, 'SIGSTOP');
    rmSync(log);
    replace(log, victim);
    process.kill(pid, 'SIGCONT');
    await until(() => !isAlive(pid));
    expect(messages()).toMatch(/ERROR - \S+ is (a symbolic link|not a regular file)[^\n]*\. The run ends\.\n$/);
    expect(readFileSync(victim, 'utf8')).toBe('untouched');
  });

  it('that is a link from the start is refused', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'victim'), 'untouched');
    symlinkSync(join(folder, 'victim'), join(folder, LOG));
    const { code, messages } = await background(folder, ['-p', '2']);
    expect([code, readFileSync(join(folder, 'victim'), 'utf8')]).toEqual([1, 'untouched']);
    expect(messages()).toContain('is a symbolic link; nothing is written through it');
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
      expect([code, stdout, stderr]).toEqual([1, '', `kstack: no background run is active on ${directory}\n`]);
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

describe('while a process hangs in the kernel', () => {
  it('samples keep coming, and neither threads nor memory grow from sample to sample', async () => {
    const directory = temporaryFolder();
    const [pid = 0] = await fixture('mmap-lock', [temporaryFolder(), '3']);
    // So that a sample is large against what is compiled, or kept once, in the meantime.
    await fixture('tasks', ['crowd', '1000']);
    const snapshots = temporaryFolder();
    const env = { NODE_OPTIONS: `--heapsnapshot-signal=SIGUSR2 --diagnostic-dir=${snapshots}` };
    // Without a rotation in between, which starts the four threads that Node.js compresses on.
    const run = await background(directory, ['-a', '-m', '100', '--source', 'procfs'], 5, env);
    // The executable does not listen to NODE_OPTIONS, and is of the same sources.
    const heapBytes = () => (KSTACK === NODE_BUILD ? liveHeap(run.pid, snapshots) : Promise.resolve(0));
    const threads = () => Number(/^Threads:\t(\d+)/m.exec(readFileSync(`/proc/${run.pid}/status`, 'latin1'))?.[1]);
    await until(() => taken(directory) >= 10);
    const early = { threads: threads(), heapBytes: await heapBytes() };
    const from = taken(directory);
    await until(() => taken(directory) >= from + 40);
    const late = { threads: threads(), heapBytes: await heapBytes() };
    await end(run.pid, 'SIGTERM');
    expect(late.threads).toBeLessThanOrEqual(early.threads);
    // A sample takes more than a hundred kilobytes.
    expect((late.heapBytes - early.heapBytes) / 40).toBeLessThan(25_000);
    for (const lines of samples(logged(directory)))
      expect(lines.find((line) => line.pid === pid)).toMatchObject({ state: 'D', command: 'mmap-stuck' });
    // Said once, not sixty times.
    expect(
      run
        .messages()
        .match(
          new RegExp(
            `PID ${pid} \\(mmap-stuck\\): command line (could not be read in time|not read: a thread holds)`,
            'g',
          ),
        ),
    ).toHaveLength(1);
    expect(run.messages().match(/A sample took/g)).toHaveLength(1);
  });
});

describe('hostile processes', () => {
  it('with huge command lines keep nobody from being recorded', async () => {
    const huge = (
      await Promise.all(Array.from({ length: 6 }, () => fixture('tasks', ['rewrite', '2097152', '01'])))
    ).flat();
    const directory = temporaryFolder();
    const { pid, messages } = await background(directory, ['-S'], 300);
    await until(() => existsSync(join(directory, LOG)));
    await until(() => taken(directory) >= 3);
    const peak = Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]);
    await end(pid, 'SIGTERM');
    const [lines = []] = samples(logged(directory));
    expect(lines.map((line) => line.pid)).toEqual(expect.arrayContaining([...huge, 2]));
    expect(messages()).toContain('command line is too long: only its beginning is shown');
    // Between 140 and 170 MB were seen, as V8 collects sooner or later; JavaScriptCore, in the executable of its own,
    // collects later still.
    expect(peak).toBeLessThan((process.env['KSTACK_BIN'] === undefined ? 220 : 300) * 1024);
  });
});

describe('a lock that is not of a run', () => {
  it('is never answered with a signal', async () => {
    testRequires('root', 'python3');
    const directory = temporaryFolder();
    const file = join(directory, `.kstack_${hostname()}.run`);
    // F_OFD_SETLK: a lock that belongs to no process, for which the kernel gives -1.
    const script = `import fcntl, struct, sys, time
f = open(sys.argv[1], 'w+b')
fcntl.fcntl(f, 37, struct.pack('hhqqi', fcntl.F_WRLCK, 0, 0, 0, 0))
print('locked', flush=True)
sys.stdin.read()`;
    const holder = spawn('python3', ['-c', script, file], { stdio: ['pipe', 'pipe', 'inherit'] });
    onTestFinished(() => void holder.stdin.end());
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    const { code, stderr } = await run('unshare', ['-pf', '--mount-proc', KSTACK, 'stop', '-d', directory]);
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('its lock is held by a process in another namespace or on another host'),
    ]);
    expect((await kstack(['status', '-d', directory])).stdout).toContain('PID:     of another namespace or host');
    expect((await background(directory, ['-p', '2'])).code).toBe(1);
    expect(holder.exitCode).toBe(null);
  });
});

describe('the log of another user', () => {
  it('is refused, and nothing is written to it', async () => {
    testRequires('root');
    const directory = temporaryFolder();
    const log = join(directory, LOG);
    shell(`install -o nobody -m 644 /dev/null ${log}`);
    const { pid, messages } = await background(directory, ['-p', '2']);
    await until(() => !isAlive(pid));
    expect(messages()).toMatch(/ERROR - \S+ is a file of another user; nothing is written to it\. The run ends\.\n$/);
    expect(readFileSync(log, 'utf8')).toBe('');
  });

  it('is made private where it is ours and can be read by all', async () => {
    const directory = temporaryFolder();
    shell(`install -m 644 /dev/null ${join(directory, LOG)}`);
    const { pid } = await background(directory, ['-p', '2']);
    await until(() => lstatSync(join(directory, LOG)).size > 0);
    await end(pid, 'SIGTERM');
    expect(lstatSync(join(directory, LOG)).mode).toBe(0o100600);
  });
});

describe('a host out of everything', () => {
  it('(threads) loses samples, says so once, and goes on when there are some again', async () => {
    testRequires('root', 'a hierarchy of control groups that counts PIDs');
    const directory = temporaryFolder();
    const group = '/sys/fs/cgroup/pids/kstack-run';
    mkdirSync(group);
    onTestFinished(
      () => void shell(`for i in $(seq 200); do rmdir ${group} 2>/dev/null && exit; sleep 0.05; done; rmdir ${group}`),
    );
    // Longer than the second after which idle threads of the C library end.
    const { pid, messages } = await background(directory, ['-p', '2'], 1500);
    onTestFinished(() => end(pid, 'SIGKILL'));
    writeFileSync(`${group}/cgroup.procs`, String(pid));
    await until(() => existsSync(join(directory, LOG)));
    writeFileSync(`${group}/pids.max`, '1');
    await new Promise((resolve) => setTimeout(resolve, 4000));
    writeFileSync(`${group}/pids.max`, 'max');
    const before = taken(directory);
    await until(() => taken(directory) >= before + 2);
    expect(isAlive(pid)).toBe(true);
    expect(messages()).not.toContain('The run ends');
    expect(samples(logged(directory)).at(-1)).toHaveLength(1);
  });

  it('(a file system that turned read-only) is said once, and the run goes on', async () => {
    const directory = smallFileSystem('ext4', 12);
    const { pid, messages } = await background(directory, ['-p', '2']);
    await until(() => existsSync(join(directory, LOG)));
    shell(`mount -o remount,abort ${directory}`);
    await until(() => messages().includes('ERROR'));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(isAlive(pid)).toBe(true);
    expect(messages().match(/ERROR/g)).toHaveLength(1);
    expect(messages()).toMatch(
      /ERROR - Cannot write to \S+: (EROFS|EIO)[^\n]*Samples are kept in memory until it can be written to again\.\n$/,
    );
    await end(pid, 'SIGTERM');
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

describe('a terminal or pipe that takes no messages', () => {
  it.each([
    ['pipe', 'exec 2> >(exec true); sleep 0.1'],
    ['FIFO', 'mkfifo $d/said; exec 3<>$d/said 2>$d/said 3>&-'],
  ])('(a %s) whose reader has gone keeps no run from starting', async (_, redirect) => {
    testRequires('root');
    const directory = temporaryFolder();
    const script = `d=${directory}; ${redirect}; "$KSTACK" -bp 2 -d ${directory}; echo $?`;
    const { stdout } = await run('bash', ['-c', script], { env: { ...process.env, KSTACK, KSTACK_INTERVAL_MS: '20' } });
    expect(stdout).toBe('0\n');
    await until(() => existsSync(join(directory, LOG)));
    expect(await kstack(['stop', '-d', directory])).toMatchObject({ code: 0 });
  });

  it('(a terminal stopped by Ctrl-S) holds up neither the samples nor the end', async () => {
    testRequires('root', 'python3');
    const directory = temporaryFolder();
    const script = `import os, pty, sys
pid, master = pty.fork()
if pid == 0: os.execvp(sys.argv[1], sys.argv[1:])
os.waitpid(pid, 0)
os.write(master, b'\\x13')
print('stopped', flush=True)
sys.stdin.read()`;
    const env = { ...process.env, KSTACK_INTERVAL_MS: '1' };
    const terminal = spawn('python3', ['-c', script, KSTACK, '-bvp', '2', '-d', directory], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env,
    });
    onTestFinished(() => void terminal.stdin.end());
    await new Promise((resolve) => terminal.stdout.once('data', resolve));
    const state = () => stateOf(directory);
    onTestFinished(() => end(state().pid, 'SIGKILL'));
    // A stopped terminal takes nothing: the first message would do.
    await until(() => state().samples > 200);
    expect(await kstack(['stop', '-d', directory])).toMatchObject({ code: 0 });
  });
});

describe('a pipe that somebody reads to its end', () => {
  it('is not kept open, and what is said later can be asked for', async () => {
    testRequires('root');
    const directory = temporaryFolder();
    const { code, stderr, milliseconds } = await run('bash', [
      '-c',
      `"$0" -bp 2147483647 -d ${directory} 2>&1 | cat >&2`,
      KSTACK,
    ]);
    expect(code).toBe(0);
    expect(stderr.match(/ INFO - /g)).toHaveLength(4);
    expect(milliseconds).toBeLessThan(5000);
    const said = /INFO - PID 2147483647: no such process$/m;
    await until(() => /"messages":\["/.test(readFileSync(join(directory, `.kstack_${hostname()}.run`), 'utf8')));
    expect((await kstack(['status', '-d', directory])).stdout).toMatch(
      new RegExp(`^Said: {4}\\S+ \\S+ ${said.source}`, 'm'),
    );
    expect(await kstack(['stop', '-d', directory])).toMatchObject({ code: 0 });
    expect((await kstack(['status', '-d', directory])).stderr).toMatch(said);
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
