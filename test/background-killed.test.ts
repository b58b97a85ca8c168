import { existsSync, lstatSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  background,
  counts,
  end,
  expectAscending,
  killedAt,
  LOG,
  logged,
  rotated,
  samples,
  stateOf,
  taken,
} from './background-run.ts';
import { fixture, kstack, readersOf, shell, temporaryFolder, testRequires, until } from './harness.ts';

describe('a process that writes the log, and that somebody', () => {
  it.each([
    ['kills', 'SIGKILL', 'killed'],
    ['stops', 'SIGSTOP', 'stopped'],
  ] as const)('%s is replaced: the run goes on, in the same files, and says so', async (_, signal, how) => {
    testRequires('root');
    const directory = temporaryFolder();
    const { pid } = await background(directory, ['-p', '2', '-x', '101', '--source', 'procfs'], 50);
    await until(() => taken(directory) >= 2);
    const { ino } = lstatSync(join(directory, LOG));
    const readers = readersOf(pid);
    expect(readers).toHaveLength(2);
    for (const reader of readers) process.kill(reader, signal);
    const before = taken(directory);
    await until(() => taken(directory) >= before + 3);
    const status = await kstack(['status', '-d', directory]);
    expect([status.code, status.stdout]).toEqual([0, expect.stringMatching(`^PID: +${pid}\n`)]);
    expect(status.stdout).toContain(`The process that writes the log ended (it was ${how} by ${signal}). Another one`);
    expect(status.stdout).toContain(`the process that reads /proc ended (it was ${how} by ${signal}); another one`);
    // It holds the lock again.
    const other = await kstack(['-b', '-p', '2', '-d', directory]);
    expect([other.code, other.stderr]).toEqual([1, expect.stringContaining(`PID ${pid}`)]);
    expect((await kstack(['stop', '-d', directory])).code).toBe(0);
    expect(lstatSync(join(directory, LOG)).ino).toBe(ino);
    expect(samples(logged(directory))).toHaveLength(taken(directory));
  });

  it('a run counts as active until it has its lock again', async () => {
    testRequires('root');
    const directory = temporaryFolder();
    const { pid } = await background(directory, ['-p', '2', '-x', '101'], 60_000);
    await until(() => taken(directory) >= 1 && stateOf(directory).samples >= 1);
    for (const reader of readersOf(pid)) process.kill(reader, 'SIGKILL');
    const status = await kstack(['status', '-d', directory]);
    expect([status.code, status.stdout]).toEqual([0, expect.stringMatching(`^PID: +${pid}\n`)]);
    const other = await kstack(['-b', '-p', '2', '-d', directory]);
    expect([other.code, other.stderr]).toEqual([1, expect.stringContaining(`PID ${pid}`)]);
    expect((await kstack(['stop', '-d', directory])).code).toBe(0);
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

  // A rotation takes 30 ms, and a run as long until its first sample: kills go through both in small steps.
  it.each([
    ['from its start on', 0, 20, 3],
    ['from its first sample on', 1, 20, 6],
  ])(
    '%s no sample is lost, doubled or torn, and the next run starts cleanly',
    {
      timeout: 200_000,
    },
    async (_, least, kills, stepMs) => {
      const [counter = 0] = await fixture('tasks', ['count', '300000']);
      const directory = temporaryFolder();
      let finished = 0;
      for (let kill = 0; kill < kills; kill++) {
        const { code, pid, messages } = await background(directory, options(counter), 1);
        expect([code, messages()]).toEqual([0, expect.not.stringContaining('ERROR')]);
        await until(() => taken(directory) >= least);
        await new Promise((resolve) => setTimeout(resolve, kill * stepMs));
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

  it('status says that the run did not end by itself, and how far it came; of one that was stopped, from when to when it ran', async () => {
    const directory = temporaryFolder();
    const started = await background(directory, ['-p', '2', '-x', '101'], 50);
    // A kill before the run file counts the first sample would leave none that is known to be whole.
    await until(() => stateOf(directory).samples > 0);
    await end(started.pid, 'SIGKILL');
    const killed = await kstack(['status', '-d', directory]);
    expect(killed.stderr).toMatch(
      new RegExp(`the last one, PID ${started.pid}, did not end by itself: .* it had written \\d+ samples? by \\d{4}-`),
    );
    const { pid } = await background(directory, ['-p', '2', '-x', '101'], 60_000);
    await end(pid, 'SIGTERM');
    const time = '\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d';
    expect((await kstack(['status', '-d', directory])).stderr).toMatch(
      new RegExp(
        `^kstack: no background run is active on ${directory}\n` +
          `kstack: the last one, PID ${pid}, ran from ${time} to ${time}; it had written \\d+ samples?\n$`,
      ),
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
