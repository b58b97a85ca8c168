import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { killedAt, smallFileSystem, stateOf, taken } from './background-run.ts';
import { ended, KSTACK, kstack, needs, readersOf, shell, temporaryFolder, testRequires, until } from './harness.ts';

/** Few tasks, so that files stay small and samples quick. */
const FEW = ['-p', '1,2', '--source', 'procfs'];

/** Starts `kstack record`; it ends with the test. `stderr` is what it has said until now. */
function recorder(args: readonly string[], intervalMs: number) {
  const env = { ...process.env, KSTACK_INTERVAL_MS: String(intervalMs) };
  const child = spawn(KSTACK, ['record', ...args], { stdio: ['ignore', 'ignore', 'pipe'], env });
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  child.stderr.on('data', (piece: Buffer) => {
    said += piece.toString();
  });
  return { child, end: ended(child), stderr: () => said };
}

const started = (directory: string, pid: number | undefined) => {
  const name = existsSync(directory) ? readdirSync(directory).find((file) => file.endsWith('.run')) : undefined;
  return name !== undefined && statSync(join(directory, name)).size > 0 && stateOf(directory).pid === pid;
};

const recordings = (directory: string) =>
  readdirSync(directory).flatMap((name) => (name.endsWith('.kstack') ? [join(directory, name)] : []));

/** The times of all samples, of which each has PID 1. */
async function times(files: readonly string[]): Promise<string[]> {
  const { stdout } = await kstack(['convert', ...files, '-f', 'jsonl']);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter(({ type, tid }) => type === 'task' && tid === 1)
    .map(({ time }) => time);
}

describe('kstack record -d', () => {
  beforeEach(needs('root'));

  it('goes on if its readers are killed, and says so', async () => {
    const directory = temporaryFolder();
    const { child, end, stderr } = recorder(['-d', directory, ...FEW], 100);
    await until(() => started(directory, child.pid) && taken(directory) >= 2);
    const readers = readersOf(child.pid ?? 0);
    expect(readers).toHaveLength(2);
    for (const reader of readers) process.kill(reader, 'SIGKILL');
    const before = taken(directory);
    await until(() => taken(directory) >= before + 3);
    child.kill('SIGTERM');
    expect((await end).code).toBe(143);
    expect(stderr()).toContain('The process that writes the log ended (it was killed by SIGKILL). Another one');
    expect(stderr()).toContain('the process that reads /proc ended (it was killed by SIGKILL); another one');
    expect(await times(recordings(directory))).toHaveLength(taken(directory));
  });

  it('is shown by status, ended by stop, and alone in its directory', async () => {
    const directory = join(temporaryFolder(), 'made/for/it');
    const { child, end } = recorder(['-d', directory, ...FEW], 100);
    await until(() => started(directory, child.pid) && taken(directory) >= 3);
    const status = await kstack(['status', '-d', directory]);
    expect([status.code, status.stdout]).toEqual([0, expect.stringMatching(`^PID: +${child.pid}\nSince: `)]);
    expect(status.stdout).toContain('\nUntil:   stopped\n');
    expect(status.stdout).toContain(`\nFile:    ${directory}/kstack_`);
    for (const args of [
      ['record', '-d', directory],
      ['-b', '-p', '1', '-d', directory],
    ]) {
      const other = await kstack(args);
      expect([other.code, other.stderr]).toEqual([1, expect.stringContaining(`PID ${child.pid}`)]);
    }
    expect((await kstack(['stop', '-d', directory])).code).toBe(0);
    const { code, stderr } = await end;
    const [, samples] = /: (\d+) samples, \d+ bytes\n$/.exec(stderr) ?? [];
    expect([code, Number(samples)]).toEqual([143, (await times(recordings(directory))).length]);
    for (const file of recordings(directory)) expect(statSync(file).mode & 0o777).toBe(0o600);
    expect((await kstack(['report', ...recordings(directory)])).code).toBe(0);
  });

  it('has every sample once, however often it is killed', async () => {
    const directory = temporaryFolder();
    let written = 0;
    const rounds = 8;
    for (let round = 0; round < rounds; round++) {
      const { child, end } = recorder(['-d', directory, '-x', '101', ...FEW], 10);
      await until(() => started(directory, child.pid) && taken(directory) > 0);
      await pause((round * 389) % 900);
      child.kill('SIGKILL');
      await end;
      written += taken(directory);
    }
    const found = await times(recordings(directory));
    expect(new Set(found).size).toBe(found.length);
    // One that was written as it was killed may not have been counted any more.
    expect(found.length).toBeGreaterThanOrEqual(written);
    expect(found.length).toBeLessThanOrEqual(written + rounds);
    expect(recordings(directory)).toHaveLength(rounds);
  });

  it.each([
    'renameat2:delay_enter=1500000:when=1',
    'renameat2:delay_exit=1500000:when=1',
    'unlinkat:delay_enter=1500000:when=1',
  ])('has every sample once if it is killed in a rotation, at %s', async (moment) => {
    testRequires('strace');
    const directory = temporaryFolder();
    const options = ['--max-size', '1M', '-x', '101', '-a', '--source', 'procfs'];
    // There is no room for it once a file more is begun, and nobody has sealed its end.
    const oldest = join(directory, `kstack_${hostname()}-1700000001.kstack`);
    if (moment.startsWith('unlinkat')) writeFileSync(oldest, Buffer.alloc(1_000_000));
    await killedAt(moment, directory, options, 'record');
    const written = taken(directory);
    const { code } = await kstack(['record', '-d', directory, ...options, '--for', '1s', '-i', '1']);
    expect([code, existsSync(oldest)]).toEqual([0, false]);
    const found = await times(recordings(directory));
    expect(found).toEqual([...new Set(found)].sort());
    expect(found.length - taken(directory)).toBeGreaterThanOrEqual(written);
    expect(found.length - taken(directory)).toBeLessThanOrEqual(written + 1);
    expect((await kstack(['report', directory])).code).toBe(0);
  });

  it('pauses while the file system is full, says so, and goes on', async () => {
    const mounted = smallFileSystem('tmpfs', 2);
    const directory = join(mounted, 'recordings');
    mkdirSync(directory, { mode: 0o700 });
    const { child, stderr, end } = recorder(['-d', directory, '-x', '90', ...FEW], 50);
    await until(() => started(directory, child.pid) && taken(directory) >= 3);
    const filler = join(mounted, 'filler');
    writeFileSync(filler, Buffer.alloc(1_900_000));
    await until(() => stderr().includes('Samples are kept in memory until there is space again.'));
    const before = taken(directory);
    rmSync(filler);
    await until(() => stderr().includes('Writing again.') && taken(directory) > before + 3);
    child.kill('SIGINT');
    expect((await end).code).toBe(130);
    const found = await times(recordings(directory));
    expect([found.length, new Set(found).size]).toEqual([taken(directory), taken(directory)]);
  });

  it.each([
    ['--for', ['--for', '6s']],
    ['a signal', []],
  ])('counts what a full file system did not take until the end, by %s, and ends with 1', async (by, args) => {
    const mounted = smallFileSystem('tmpfs', 2);
    const directory = join(mounted, 'recordings');
    mkdirSync(directory, { mode: 0o700 });
    const { child, stderr, end } = recorder(['-d', directory, '-x', '101', ...args, '-a'], 100);
    await until(() => started(directory, child.pid) && taken(directory) >= 3);
    try {
      writeFileSync(join(mounted, 'filler'), Buffer.alloc(4_000_000));
    } catch {
      // It is full now.
    }
    if (by === 'a signal') {
      await until(() => stderr().includes('Samples are kept in memory until there is space again.'));
      child.kill('SIGINT');
    }
    const { code } = await end;
    expect(stderr()).toMatch(/Samples are kept in memory until there is space again\.\n/);
    expect(stderr()).toMatch(
      /kstack: \d+ samples? (?:was|were) lost at the end of the run: the log could not be written to\.\n/,
    );
    expect(code).toBe(1);
  });

  it('ends with 1 when its directory is gone', async () => {
    const directory = join(temporaryFolder(), 'gone');
    const { child, end } = recorder(['-d', directory, ...FEW], 50);
    await until(() => started(directory, child.pid) && taken(directory) >= 3);
    rmSync(directory, { recursive: true });
    const { code, stderr } = await end;
    expect([code, stderr]).toEqual([1, expect.stringContaining('was removed')]);
  });
});

describe('kstack record -o', () => {
  beforeEach(needs('root'));

  it('keeps what a frozen file system does not take, and writes it when that is thawed', async () => {
    testRequires('loop');
    const mounted = smallFileSystem('ext4', 20);
    const file = join(mounted, 'recording');
    const { child, end, stderr } = recorder(['-o', file, ...FEW], 100);
    await until(() => existsSync(file) && statSync(file).size > 0);
    shell(`fsfreeze -f ${mounted}`);
    const frozen = performance.now();
    try {
      await until(() => stderr().includes('The file system of the log does not answer.'));
      await pause(1000);
    } finally {
      shell(`fsfreeze -u ${mounted}`);
    }
    const frozenMs = performance.now() - frozen;
    await until(() => stderr().includes('Writing again.'));
    child.kill('SIGINT');
    const { code } = await end;
    const found = (await times([file])).map((time) => Date.parse(time));
    const [, samples] = /: (\d+) samples, /.exec(stderr()) ?? [];
    expect([code, Number(samples)]).toEqual([130, found.length]);
    // No gap as long as the freeze.
    expect(Math.max(...found.map((time, at) => time - (found[at - 1] ?? time)))).toBeLessThan(frozenMs);
  });

  it('leaves no empty file, and says which option is wrong', async () => {
    const folder = temporaryFolder();
    for (const [args, message] of [
      [[], "give a file with '-o' or a directory with '-d'"],
      [['-o', 'a', '-d', 'b'], 'cannot be used with'],
      [['-o', 'a', '--max-age', '1d'], "'--max-age' applies only with '-d'"],
      [['-d', 'a', '--max-size', '1'], 'Give 1M or more'],
      [['-d', 'a', '-x', '0'], '-x takes a whole number'],
      [['-o', 'a', '--when', 'hung-task', '--dense', '5', '-i', '1'], "'--dense 5' is a longer time between samples"],
    ] as const) {
      const { code, stderr } = await kstack(['record', ...args], { cwd: folder });
      expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
    }
    expect(readdirSync(folder)).toEqual([]);
  });
});
