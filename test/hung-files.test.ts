import { type ChildProcess, spawn } from 'node:child_process';
import { lstatSync, mkdirSync, truncateSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  background,
  counts,
  end,
  expectAscending,
  isAlive,
  LOG,
  logged,
  samples,
  smallFileSystem,
  stateOf,
  taken,
} from './background-run.ts';
import {
  expectWithin,
  fixture,
  fixturePath,
  KSTACK,
  kstack,
  shell,
  temporaryFolder,
  testRequires,
  until,
} from './harness.ts';

/** A file system that answers until it is told to hang. */
interface Hanging {
  readonly directory: string;
  hang(): void;
  resume(): void;
}

function frozenExt4(): Hanging {
  const mounted = smallFileSystem('ext4', 16);
  const resume = () => void shell(`fsfreeze -u ${mounted} 2>/dev/null || true`);
  onTestFinished(resume);
  const directory = join(mounted, 'logs');
  return { directory, hang: () => void shell(`fsfreeze -f ${mounted}`), resume };
}

interface Fuse extends Hanging {
  readonly mounted: string;
  readonly behind: string;
  readonly server: ChildProcess;
}

async function stoppedFuse(): Promise<Fuse> {
  testRequires('root', 'bindfs and /dev/fuse');
  const folder = temporaryFolder();
  const mounted = join(folder, 'mounted');
  const behind = join(folder, 'behind');
  for (const each of [mounted, behind]) mkdirSync(each);
  const server = spawn('bindfs', ['-f', behind, mounted], { stdio: 'ignore' });
  onTestFinished(async () => {
    server.kill('SIGCONT');
    shell(`umount -l ${mounted} 2>/dev/null || true`);
    server.kill('SIGKILL');
    await until(() => server.exitCode !== null || server.signalCode !== null);
  });
  await until(() => shell(`stat -f -c %T ${mounted}`).startsWith('fuse'));
  const send = (signal: NodeJS.Signals) => () => void server.kill(signal);
  return { mounted, behind, server, directory: join(mounted, 'logs'), hang: send('SIGSTOP'), resume: send('SIGCONT') };
}

const HANGING: readonly [string, () => Hanging | Promise<Hanging>][] = [
  ['a frozen ext4', frozenExt4],
  ['a FUSE file system whose server is stopped', stoppedFuse],
];

describe.each(HANGING)('while the log is on %s', (_, make) => {
  it('samples are taken and kept, status says so, and they are written when it answers again', {
    timeout: 60_000,
  }, async () => {
    const [counter = 0] = await fixture('tasks', ['count', '20000']);
    const { directory, hang, resume } = await make();
    const { pid, messages } = await background(directory, ['-p', String(counter)], 100);
    await until(() => taken(directory) >= 3);
    hang();
    await until(() =>
      messages().includes('The file system of the log does not answer. Samples are kept in memory until it does.'),
    );
    // It goes on sampling: the number of those that wait grows.
    const kept = async () =>
      Number(/In memory: (\d+) samples/.exec((await kstack(['status', '-d', directory])).stdout)?.[1] ?? 0);
    await until(() => messages().includes('kept in memory'));
    const status = await kstack(['status', '-d', directory]);
    expect(status.code).toBe(0);
    expectWithin(status.milliseconds, 4000);
    expect(status.stdout).toMatch(new RegExp(`^PID: {5}${pid}$`, 'm'));
    expect(status.stdout).toMatch(
      /^Paused: {2}The file system of the log does not answer\. Since [-0-9]{10} [:0-9]{8}\./m,
    );
    const early = await kept();
    let held = early;
    while (held <= early + 5) held = await kept();
    resume();
    await until(() => messages().includes('INFO - Writing again.'));
    const { samples: before } = stateOf(directory);
    await until(() => taken(directory) > before + 3);
    expect(await kstack(['stop', '-d', directory])).toMatchObject({ code: 0 });
    const found = counts(directory, counter);
    expectAscending(found);
    // None is missing of the time in between: three before it and those held at least.
    expect(found.length).toBe(stateOf(directory).samples);
    expect(found.length).toBeGreaterThanOrEqual(3 + held);
  });

  it('the run is ended by stop, says what is lost, and holds up no run elsewhere nor the next one there', {
    timeout: 60_000,
  }, async () => {
    const { directory, hang, resume } = await make();
    const { pid, messages } = await background(directory, ['-p', '2'], 100);
    await until(() => taken(directory) >= 3);
    hang();
    await until(() => messages().includes('does not answer'));
    const stopped = await kstack(['stop', '-d', directory]);
    expect(stopped).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expectWithin(stopped.milliseconds, 8000);
    expect(isAlive(pid)).toBe(false);
    expect(messages()).toMatch(
      /ERROR - (1 sample was|\d+ samples were) lost at the end of the run: the log could not be written to\.\n$/,
    );
    // What it said last can still be asked for.
    expect((await kstack(['status', '-d', directory])).stderr).toContain('the last one said: ');
    const refused = await background(directory, ['-p', '2']);
    expect(refused.code).toBe(1);
    expect(refused.messages()).toMatch(/(ERROR -|kstack:) \S+: the file system does not answer\n$/);
    resume();
    await until(() => samples(logged(directory)).length >= 3);
    const next = await background(directory, ['-p', '2'], 100);
    expect([next.code, next.messages()]).toEqual([0, expect.not.stringContaining('ERROR')]);
    await until(() => taken(directory) >= 2);
    await end(next.pid, 'SIGTERM');
    expect(samples(logged(directory)).length).toBeGreaterThan(4);
  });

  it('every command answers within 3 s', { timeout: 60_000 }, async () => {
    const { directory, hang } = await make();
    mkdirSync(directory);
    const limit = 3000 + (await kstack(['-p', '2'])).milliseconds;
    hang();
    const writing = [
      ['-bp', '2', '-d', join(directory, 'new')],
      ['-p', '2', '-o', join(directory, 'file')],
    ].map(async (args) => {
      const { code, stderr, milliseconds } = await kstack(args);
      expect([args, code, stderr]).toEqual([args, 1, expect.stringContaining('the file system does not answer')]);
      expectWithin(milliseconds, limit);
    });
    await Promise.all(writing);
    const reading = ['status', 'stop'].map(async (command) => {
      const { code, stderr, milliseconds } = await kstack([command, '-d', join(directory, 'new')]);
      expect([command, code, stderr]).toEqual([command, 1, expect.stringMatching(/^kstack: [^\n]+\n$/)]);
      expectWithin(milliseconds, limit);
    });
    await Promise.all(reading);
  });
});

describe('--proc on a file system that hangs', () => {
  it('is refused within 3 s', async () => {
    const { mounted, hang } = await stoppedFuse();
    const limit = 3000 + (await kstack(['-p', '2'])).milliseconds;
    hang();
    const refused = [['-a'], ['-ab', '-d', temporaryFolder()]].map(async (args) => {
      const { code, stderr, milliseconds } = await kstack([...args, '--proc', mounted]);
      expect([code, stderr]).toEqual([1, expect.stringContaining(`${mounted}: the file system does not answer\n`)]);
      expectWithin(milliseconds, limit);
    });
    await Promise.all(refused);
  });
});

/** Starts a run as over a pipe: what it says has no reader but the status. */
async function quietRun(directory: string, args: readonly string[]): Promise<number> {
  shell(`"$KSTACK" -b -d ${directory} ${args.join(' ')} 2>&1 | cat >/dev/null`, { KSTACK, KSTACK_INTERVAL_MS: '100' });
  await until(() => taken(directory) >= 2);
  const { pid } = stateOf(directory);
  onTestFinished(() => end(pid, 'SIGKILL'));
  return pid;
}

describe('a run over a pipe whose log cannot be written', () => {
  it('since its file system turned read-only after an error tells status what happened and since when, also after its end', async () => {
    const directory = smallFileSystem('ext4', 16);
    const pid = await quietRun(directory, ['-p', '2']);
    shell(`mount -o remount,abort ${directory}`);
    await until(() => shell(`"$KSTACK" status -d ${directory}`, { KSTACK }).includes('Paused'));
    const { stdout } = await kstack(['status', '-d', directory]);
    expect(stdout).toMatch(
      /^Paused: {2}Cannot write to \S+: [^\n(]*\((EROFS|EIO)\)\. Since [-0-9]{10} [:0-9]{8}\. In memory: \d+ samples\.$/m,
    );
    expect(stdout).toMatch(/^Said: {4}[-0-9]{10} [:.0-9]{12} ERROR - Cannot write to \S+: [^\n(]*\((EROFS|EIO)\)/m);
    expect(await kstack(['stop', '-d', directory])).toMatchObject({ code: 0, stderr: '' });
    expect(isAlive(pid)).toBe(false);
    const { stderr } = await kstack(['status', '-d', directory]);
    expect(stderr).toMatch(
      /the last one said: [-0-9]{10} [:.0-9]{12} ERROR - Cannot write to \S+: [^\n(]*\((EROFS|EIO)\)/,
    );
    expect(stderr).toMatch(/the last one said: \S+ \S+ ERROR - \d+ samples? w\S+ lost at the end of the run/);
  });

  it('writes again, with all samples of the time in between, when that passes', async () => {
    const [counter = 0] = await fixture('tasks', ['count', '2000']);
    const directory = smallFileSystem('ext4', 16);
    const pid = await quietRun(directory, ['-p', String(counter)]);
    const files = `${directory}/kstack_* ${directory}/.kstack_*`;
    onTestFinished(() => void shell(`chattr -i ${files} || true`));
    shell(`chattr +i ${files}`);
    await until(() => shell(`"$KSTACK" status -d ${directory}`, { KSTACK }).includes('In memory'));
    shell(`chattr -i ${files}`);
    await until(() => shell(`"$KSTACK" status -d ${directory}`, { KSTACK }).includes('INFO - Writing again.'));
    await end(pid, 'SIGTERM');
    expectAscending(counts(directory, counter));
    expect(counts(directory, counter)).toHaveLength(taken(directory));
  });

  it.each([
    ['its FUSE server is gone', 'ENOTCONN', ({ server }: Fuse) => void server.kill('SIGKILL')],
    // What the server may not, nobody may.
    [
      'its server is not allowed to',
      'EPERM',
      ({ behind }: Fuse) => shell(`chattr +i ${behind}/logs/* ${behind}/logs/.kstack*`),
    ],
  ])('since %s goes on', async (_, errno, fail) => {
    const fuse = await stoppedFuse();
    onTestFinished(() => void shell(`chattr -R -i ${fuse.behind}`));
    const pid = await quietRun(fuse.directory, ['-p', '2', '-m', '1']);
    fail(fuse);
    const said = new RegExp(`^Said: {4}\\S+ \\S+ ERROR - Cannot write to \\S+: [^\\n(]*\\(${errno}\\)`, 'm');
    await until(() => said.test(shell(`"$KSTACK" status -d ${fuse.directory} 2>&1 || true`, { KSTACK })));
    expect(isAlive(pid)).toBe(true);
    expect(await kstack(['stop', '-d', fuse.directory])).toMatchObject({ code: 0 });
    expect((await kstack(['status', '-d', fuse.directory])).stderr).toContain(`(${errno})`);
  });
});

describe('a log that somebody else changes while it is written', () => {
  it.each([
    ['truncated to nothing', 'truncated', (log: string) => truncateSync(log)],
    [
      'truncated in the middle of a sample',
      'truncated',
      (log: string) => truncateSync(log, Math.floor(lstatSync(log).size / 2) + 7),
    ],
    ['removed', 'removed', (log: string) => unlinkSync(log)],
    [
      'moved away and made anew',
      'replaced',
      // The run may make one of its own in between, which no command may mind.
      (log: string) => shell(`install -m 600 /dev/null ${log}.new && mv ${log} ${log}.1 && mv -f ${log}.new ${log}`),
    ],
  ])('(%s) is said to be, and holds whole samples from there on', async (_, word, change) => {
    const [counter = 0] = await fixture('tasks', ['count', '5000']);
    const directory = temporaryFolder();
    const run = await background(directory, ['-p', String(counter), '-m', '100'], 20);
    for (let times = 0; times < 20; times++) {
      const before = taken(directory);
      await until(() => taken(directory) > before + 1);
      change(join(directory, LOG));
    }
    const before = taken(directory);
    await until(() => taken(directory) > before + 3);
    await end(run.pid, 'SIGTERM');
    expect(run.messages()).toMatch(new RegExp(`ERROR - \\S+ was ${word} by somebody else`));
    const found = counts(directory, counter);
    expectAscending(found);
    expect(found.length).toBeGreaterThanOrEqual(3);
  });
});

describe('a run that reads what is swapped out to a device that does not answer', () => {
  it.each(['SIGTERM', 'stop'])(
    'samples on, is ended by %s, and the next run starts',
    { timeout: 90_000 },
    async (how) => {
      const [swapped = 0] = await fixture('hung-swap.sh', [fixturePath('.'), temporaryFolder(), '4096', '2']);
      const directory = temporaryFolder();
      const run = await background(directory, ['-p', `${swapped},2`, '--source', 'procfs'], 1000);
      await until(() => taken(directory) >= 2, 40_000);
      if (how === 'SIGTERM') await end(run.pid, 'SIGTERM');
      else expect(await kstack(['stop', '-d', directory])).toMatchObject({ code: 0, stderr: '' });
      expect(isAlive(run.pid)).toBe(false);
      // Before the next run compresses it.
      for (const lines of samples(logged(directory))) expect(lines.map(({ pid }) => pid)).toContain(2);
      const next = await background(directory, ['-p', '2']);
      expect([next.code, next.messages()]).toEqual([0, expect.not.stringContaining('ERROR')]);
    },
  );
});
