import { basename } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { fixture, KSTACK, kstack, lineOf, needs, run, temporaryFolder, testRequires } from './harness.ts';

const withoutCapabilities = (dropped: string, ...args: string[]) =>
  run('setpriv', [`--bounding-set=-${dropped}`, `--inh-caps=-${dropped}`, KSTACK, ...args]);

/** What was typed. */
const NAME = basename(KSTACK).replace(/\.c?js$/, '');

describe('without the right to read stacks', () => {
  beforeEach(needs('root'));

  it.each([
    ['CAP_SYS_ADMIN', () => withoutCapabilities('sys_admin', '-a')],
    ['the initial user namespace', () => run('unshare', ['-Ur', KSTACK, '-a'])],
  ])('(no %s) one message says what is missing and how to get it', async (_, refused) => {
    const { code, stdout, stderr } = await refused();
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      new RegExp(
        `^kstack: cannot read kernel stacks [^\\n]*permission denied[^\\n]*CAP_SYS_ADMIN[^\\n]*'sudo ${NAME} -a'[^\\n]*--privileged[^\\n]*\\n$`,
      ),
    );
  });

  it('(stacks masked) one message says so', async () => {
    const masked = 'mount --bind /dev/null /proc/$$/stack && exec "$0" -a';
    const { code, stdout, stderr } = await run('unshare', ['-m', 'sh', '-c', masked, KSTACK]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      new RegExp(
        `^kstack: kernel stacks are masked here: /proc/self/stack is empty;[^\\n]*'${NAME} -a' on the host[^\\n]*\\n$`,
      ),
    );
  });

  it('(no procfs) one message says so', async () => {
    // The runtime inside of the executable of its own ends at once where there is no /proc at all.
    const none = `mount -t tmpfs none /proc && exec "$0" -a`;
    const elsewhere = `exec "$0" -a --proc ${temporaryFolder()}`;
    const { code, stdout, stderr } = await run('unshare', [
      '-m',
      'sh',
      '-c',
      NAME === 'kstack' ? none : elsewhere,
      KSTACK,
    ]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      /^kstack: cannot read kernel stacks: there is no \S+\/self\/stack; either no procfs is mounted[^\n]*\n$/,
    );
  });

  it('the advice is one that a shell understands', async () => {
    const { stderr } = await withoutCapabilities('sys_admin', '-p', '1, 2', '-c', "it's");
    expect(stderr).toContain(`'sudo ${NAME} -p '1, 2' -c 'it'\\''s''`);
  });

  it('help and wrong usage work all the same', async () => {
    expect((await withoutCapabilities('all', '-h')).code).toBe(0);
    expect((await withoutCapabilities('all', '--version')).code).toBe(0);
    expect((await withoutCapabilities('all', '-p', 'x')).code).toBe(2);
    expect((await withoutCapabilities('all')).code).toBe(2);
  });
});

describe('with little of everything', () => {
  beforeEach(needs('root'));

  it.each([40, 64, 100, 300])('(%i descriptors) all processes are shown', async (limit) => {
    await fixture('tasks', ['crowd', '500']);
    const { code, stdout, stderr } = await run('bash', ['-c', `ulimit -n ${limit}; exec "$0" -a`, KSTACK]);
    expect(code).toBe(0);
    expect(stdout.match(/Cmd: \S*\/tasks crowd 500 $/gm)).toHaveLength(501);
    expect(stderr).not.toContain('EMFILE');
  });

  it.each([14, 20, 40])('(%i threads) all processes are shown', async (limit) => {
    testRequires('a hierarchy of control groups that counts PIDs');
    await fixture('tasks', ['crowd', '500']);
    const group = '/sys/fs/cgroup/pids/kstack-test';
    const script = `mkdir ${group} && echo ${limit} > ${group}/pids.max && echo $$ > ${group}/cgroup.procs && "$0" -a; code=$?
      echo $$ > /sys/fs/cgroup/pids/cgroup.procs; rmdir ${group}; exit $code`;
    const { code, stdout, stderr } = await run('bash', ['-c', script, KSTACK]);
    expect([code, stderr.replaceAll(/^kstack: PID 1 .*\n/gm, '')]).toEqual([0, '']);
    expect(stdout.match(/Cmd: \S*\/tasks crowd 500 $/gm)).toHaveLength(501);
  });
});

describe('without CAP_SYS_PTRACE', () => {
  beforeEach(needs('root'));

  it('a process that may not be traced is shown with an empty stack, and the refusal is said', async () => {
    const [pid = 0] = await fixture('tasks', ['comm'], 'refused\n');
    expect(lineOf((await kstack(['-p', String(pid)])).stdout, pid)?.stack).not.toBe('');
    const { code, stdout, stderr } = await withoutCapabilities('sys_ptrace', '--source', 'procfs', '-p', String(pid));
    expect(lineOf(stdout, pid)).toMatchObject({ state: 'S', stack: '' });
    expect(stderr).toMatch(
      /^kstack: PID \d+ \(refused\): kernel stack not readable: permission denied; CAP_SYS_PTRACE or CAP_DAC_READ_SEARCH is missing[^\n]*\n$/,
    );
    expect(code).toBe(0);
  });
});
