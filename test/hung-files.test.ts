import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import {
  background,
  counts,
  end,
  expectAscending,
  isAlive,
  logged,
  samples,
  smallFileSystem,
  stateOf,
  taken,
  until,
} from './background-run.ts';
import { fixture, kstack, requires, shell, temporaryFolder } from './harness.ts';

beforeEach((context: TestContext) => requires(context, 'root', 'compiler', 'loop', 'bindfs and /dev/fuse'));

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
  it('samples are taken and kept, status says so, and they are written when it answers again', { timeout: 60_000 }, async () => {
    const [counter = 0] = await fixture('tasks', ['count', '20000']);
    const { directory, hang, resume } = await make();
    const { pid, messages } = await background(directory, ['-p', String(counter)], 100);
    await until(() => taken(directory) >= 3);
    hang();
    await until(() => messages().includes('The file system of the log does not answer. Samples are kept in memory until it does.'));
    // It goes on sampling: the number of those that wait grows.
    const kept = async () => Number(/In memory: (\d+) samples/.exec((await kstack(['status', '-d', directory])).stdout)?.[1] ?? 0);
    await until(() => messages().includes('kept in memory'));
    const status = await kstack(['status', '-d', directory]);
    expect(status.code).toBe(0);
    expect(status.milliseconds).toBeLessThan(4000);
    expect(status.stdout).toMatch(new RegExp(`^PID: {5}${pid}$`, 'm'));
    expect(status.stdout).toMatch(/^Paused: {2}The file system of the log does not answer\. Since [-0-9]{10} [:0-9]{8}\./m);
    const early = await kept();
    await new Promise((resolve) => setTimeout(resolve, 2000));
    expect(await kept()).toBeGreaterThan(early + 5);
    resume();
    await until(() => messages().includes('INFO - Writing again.'));
    const { samples: before } = stateOf(directory);
    await until(() => taken(directory) > before + 3);
    expect(await kstack(['stop', '-d', directory])).toMatchObject({ code: 0 });
    const found = counts(directory, counter);
    expectAscending(found);
    // None is missing of the time in between.
    expect(found.length).toBe(stateOf(directory).samples);
    expect(found.length).toBeGreaterThan(30);
  });

  it('the run is ended by stop, says what is lost, and holds up no run elsewhere nor the next one there', { timeout: 60_000 }, async () => {
    const { directory, hang, resume } = await make();
    const { pid, messages } = await background(directory, ['-p', '2'], 100);
    await until(() => taken(directory) >= 3);
    hang();
    await until(() => messages().includes('does not answer'));
    const stopped = await kstack(['stop', '-d', directory]);
    expect(stopped).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(stopped.milliseconds).toBeLessThan(8000);
    expect(isAlive(pid)).toBe(false);
    expect(messages()).toMatch(/ERROR - \d+ samples were lost at the end of the run: the log could not be written to\.\n$/);
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
    hang();
    for (const args of [
      ['-bp', '2', '-d', join(directory, 'new')],
      ['-p', '2', '-o', join(directory, 'file')],
    ]) {
      const { code, stderr, milliseconds } = await kstack(args);
      expect([args, code, stderr]).toEqual([args, 1, expect.stringContaining('the file system does not answer')]);
      expect(milliseconds).toBeLessThan(4000);
    }
    for (const command of ['status', 'stop']) {
      const { code, stderr, milliseconds } = await kstack([command, '-d', join(directory, 'new')]);
      expect([command, code, stderr]).toEqual([command, 1, expect.stringMatching(/^kstack: [^\n]+\n$/)]);
      expect(milliseconds).toBeLessThan(4000);
    }
  });
});
