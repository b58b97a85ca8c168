import { beforeEach, describe, expect, it, type TestContext } from 'vitest';
import { fixture, KSTACK, kstack, lineOf, requires, run } from './harness.ts';

beforeEach((context: TestContext) => requires(context, 'root', 'compiler'));

const withoutCapabilities = (dropped: string, ...args: string[]) =>
  run('setpriv', [`--bounding-set=-${dropped}`, `--inh-caps=-${dropped}`, KSTACK, ...args]);

describe('without the right to read stacks', () => {
  it.each([
    ['CAP_SYS_ADMIN', () => withoutCapabilities('sys_admin', '-a')],
    ['the initial user namespace', () => run('unshare', ['-Ur', KSTACK, '-a'])],
  ])('(no %s) one message says what is missing and how to get it', async (_, refused) => {
    const { code, stdout, stderr } = await refused();
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      /^kstack: cannot read kernel stacks [^\n]*permission denied[^\n]*CAP_SYS_ADMIN[^\n]*'sudo kstack -a'[^\n]*--privileged[^\n]*\n$/,
    );
  });

  it('(stacks masked) one message says so', async () => {
    const masked = 'mount --bind /dev/null /proc/$$/stack && exec "$0" -a';
    const { code, stdout, stderr } = await run('unshare', ['-m', 'sh', '-c', masked, KSTACK]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^kstack: kernel stacks are masked here: \/proc\/self\/stack is empty;[^\n]*'kstack -a' on the host[^\n]*\n$/);
  });

  it('(no procfs) one message says so', async () => {
    const { code, stdout, stderr } = await run('unshare', ['-m', 'sh', '-c', 'mount -t tmpfs none /proc && exec "$0" -a', KSTACK]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^kstack: cannot read kernel stacks: there is no \/proc\/self\/stack; either no procfs is mounted[^\n]*\n$/);
  });

  it('help and wrong usage work all the same', async () => {
    expect((await withoutCapabilities('all', '-h')).code).toBe(0);
    expect((await withoutCapabilities('all', '--version')).code).toBe(0);
    expect((await withoutCapabilities('all', '-p', 'x')).code).toBe(2);
    expect((await withoutCapabilities('all')).code).toBe(2);
  });
});

describe('without CAP_SYS_PTRACE', () => {
  it('a process that may not be traced is shown with an empty stack, and the refusal is said', async () => {
    const [pid = 0] = await fixture('tasks', ['comm'], 'refused\n');
    expect(lineOf((await kstack(['-p', String(pid)])).stdout, pid)?.stack).not.toBe('');
    const { code, stdout, stderr } = await withoutCapabilities('sys_ptrace', '-p', String(pid));
    expect(lineOf(stdout, pid)).toMatchObject({ state: 'S', stack: '' });
    expect(stderr).toMatch(
      /^kstack: PID \d+ \(refused\): kernel stack not readable: permission denied; CAP_SYS_PTRACE or CAP_DAC_READ_SEARCH is missing[^\n]*\n$/,
    );
    expect(code).toBe(0);
  });
});
