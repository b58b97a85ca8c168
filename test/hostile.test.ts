import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { ended, expectWithin, fixture, fixturePath, kstack, lineOf, needs, parseClassic } from './harness.ts';

/** A comm is cut to 15 bytes by the kernel. */
describe('a comm', { tags: ['source'] }, () => {
  beforeEach(needs('root'));

  it.each([
    ['that looks like the fields behind it', 'a) D 1 (', 'a) D 1 ('],
    ['with spaces and a colon', 'tmux: server', 'tmux: server'],
    ['with a newline and a forged line', '\\nPID: 1 D', '\\x0aPID: 1 D'],
    ['that clears the screen', '\\e[2J\\e[31m', '\\x1b[2J\\x1b[31m'],
    ['with C1 controls and DEL', '\\xc2\\x9b2J\\x7f', '\\x9b2J\\x7f'],
    ['that turns the direction of writing', '\\xe2\\x80\\xaeexe.fdp', '\\u202eexe.fdp'],
    ['that is not UTF-8', '\\xff\\xfe\\x80x', '\\xff\\xfe\\x80x'],
    ['cut in the middle of a character', 'fourteen_chars\\xc3\\xa9', 'fourteen_chars\\xc3'],
    ['of parentheses only', ')))(((', ')))((('],
    ['that is empty', '', ''],
    ['with a backslash', '\\\\x1b', '\\x1b'],
    ['in another script', '\\xd0\\x98\\xd0\\xb2\\xd0\\xb0\\xd0\\xbd', 'Иван'],
  ])('%s is shown safe, and its state is right', async (_, name, shown) => {
    const [pid = 0] = await fixture('tasks', ['zombie-named'], `${name}\n`);
    const { code, stdout } = await kstack(['-Zp', String(pid)]);
    expect(lineOf(stdout, pid)).toMatchObject({ state: 'Z', command: shown, stack: '' });
    expect(code).toBe(0);
  });
});

describe('a command line', { tags: ['source'] }, () => {
  beforeEach(needs('root', 'compiler'));

  it('of 2 MB, rewritten by the process to bytes that are not UTF-8, is shown whole', async () => {
    const bytes = 2 * 1024 * 1024;
    const [pid = 0] = await fixture('tasks', ['rewrite', String(bytes), 'fe']);
    const { code, stdout, stderr } = await kstack(['-p', String(pid)]);
    expect(readFileSync(`/proc/${pid}/cmdline`)).toHaveLength(bytes);
    expect(lineOf(stdout, pid)?.command).toBe(`${'\\xfe'.repeat(bytes - 1)} `);
    expect([code, stderr]).toEqual([0, '']);
  });

  it('longer than any execve takes is cut, and that is said', async () => {
    const [pid = 0] = await fixture('tasks', ['huge', '64']);
    const { code, stdout, stderr } = await kstack(['-p', String(pid)]);
    expect(lineOf(stdout, pid)?.command).toBe('h'.repeat(6 * 1024 * 1024));
    expect([code, stderr]).toEqual([
      0,
      `kstack: PID ${pid} (tasks): command line is too long: only its beginning is shown\n`,
    ]);
  });

  it('of 2 MB in each of twenty processes takes neither the memory nor the time of kstack', async () => {
    const pids = (
      await Promise.all(Array.from({ length: 20 }, () => fixture('tasks', ['rewrite', '2097152', 'ff'])))
    ).flat();
    const env = { ...process.env, NODE_OPTIONS: '--max-old-space-size=128' };
    const { code, stdout, stderr, milliseconds } = await kstack(['-p', pids.join(',')], { env });
    expect(code).toBe(0);
    expect(parseClassic(stdout).lines.map(({ pid }) => pid)).toEqual(pids);
    expect(stderr).toMatch(
      /^kstack: 1\d processes exe \(\d+(, \d+){7}, \.\.\.\): command line is too long: only its beginning is shown\n$/,
    );
    expectWithin(milliseconds, 8000);
  });

  it('of blanks only gives way to the comm, one of blanks and a NUL does not', async () => {
    const [withNul = 0] = await fixture('tasks', ['rewrite', '40', '20']);
    const [blanks = 0] = await fixture('command-lines', [], `${'20'.repeat(40)}\n\n`);
    const { stdout } = await kstack(['-p', `${withNul},${blanks}`]);
    expect(lineOf(stdout, withNul)?.command).toBe(' ');
    expect(lineOf(stdout, blanks)?.command).toBe('command-lines');
  });

  it('has its controls escaped, and a space behind each argument', async () => {
    const child = spawn(fixturePath('tasks'), ['thread', '\x1b]0;owned\x07', '', 'a\nb', 'naïve \u2066x'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const end = ended(child);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const { stdout } = await kstack(['-p', String(child.pid)]);
    child.stdin.end();
    await end;
    expect(lineOf(stdout, child.pid ?? 0)?.command).toBe(
      `${fixturePath('tasks')} thread \\x1b]0;owned\\x07  a\\x0ab naïve \\u2066x `,
    );
  });
});

describe('a process', { tags: ['source'] }, () => {
  beforeEach(needs('root'));

  it('that is a kernel thread is shown with its name', async () => {
    const { stdout } = await kstack(['-p', '2']);
    expect(lineOf(stdout, 2)).toMatchObject({ state: 'S', command: 'kthreadd' });
    expect(lineOf(stdout, 2)?.stack).toMatch(/^\[<0>\] kthreadd\+0x/);
  });

  it.each([
    ['stopped', 'T', /do_signal_stop/],
    ['traced', 't', /ptrace_stop/],
  ])('that is %s is shown with its state and its stack', async (what, state, stack) => {
    const [pid = 0] = await fixture('tasks', [what]);
    const { stdout } = await kstack(['-p', String(pid)]);
    expect(lineOf(stdout, pid)?.state).toBe(state);
    expect(lineOf(stdout, pid)?.stack).toMatch(stack);
  });

  it('whose main thread has ended is a zombie by its comm', async () => {
    const [pid = 0] = await fixture('tasks', ['leaderless']);
    const { stdout } = await kstack(['-p', String(pid)]);
    expect(lineOf(stdout, pid)).toMatchObject({ state: 'Z', command: 'tasks' });
  });

  it('that comes and goes while kstack looks never breaks the sample, nor is it spoken of', async () => {
    const [churner = 0] = await fixture('tasks', ['churn']);
    for (let i = 0; i < 10; i++) {
      const { code, stdout, stderr } = await kstack(['-a']);
      expect(code).toBe(0);
      expect(parseClassic(stdout).lines.map(({ pid }) => pid)).toContain(churner);
      // Who forks holds the lock of its memory meanwhile: for long where the machine is busy with other things.
      const told = stderr
        .split('\n')
        .filter((line) => !/could not be read in time|not read: a thread holds/.test(line));
      expect(told.join('\n')).not.toContain('tasks');
    }
  });
});
