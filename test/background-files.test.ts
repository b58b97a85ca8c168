import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  background,
  counts,
  end,
  expectAscending,
  isAlive,
  LOG,
  rotated,
  smallFileSystem,
  taken,
} from './background-run.ts';
import { fixture, kstack, shell, temporaryFolder, testRequires, until } from './harness.ts';

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

  it('that a sample does not fit into is not called full', async () => {
    const [counter = 0] = await fixture('tasks', ['count', '400000']);
    const directory = smallFileSystem('tmpfs', 1);
    const { pid, messages } = await background(directory, ['-p', String(counter), '-x', '30']);
    await until(() => messages().includes('ERROR'));
    await end(pid, 'SIGTERM');
    expect(messages()).toMatch(
      / ERROR - \d+ bytes more would pass the maximum filesystem space\. Used: [0-9]%, Threshold: 30%/,
    );
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
    expect((await kstack(['status', '-d', directory])).stdout).toMatch(/^Paused: {2}.*\. Used: \d+%, Threshold: 60%/m);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(messages().match(/ERROR - .*\. Used: \d+%, Threshold: 60%/g)).toHaveLength(1);
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
      // Said once for all samples that found it full; on a busy host it may become full twice.
      expect(messages().match(/ERROR/g)?.length).toBe(messages().match(/INFO - Writing again/g)?.length);
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

describe('the log of another user', () => {
  it('is refused, and nothing is written to it', async () => {
    testRequires('root');
    const directory = temporaryFolder();
    const log = join(directory, LOG);
    shell(`install -o nobody -m 644 /dev/null ${log}`);
    const { pid, messages } = await background(directory, ['-p', '2']);
    await until(() => !isAlive(pid) && messages().includes('ERROR'));
    expect(messages()).toMatch(/ERROR - \S+ is a file of another user; nothing is written to it\. The run ends\.\n/);
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
