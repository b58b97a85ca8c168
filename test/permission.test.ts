import { symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { SOURCES } from './bpf-source.ts';
import {
  fixture,
  isExecutable,
  KSTACK,
  kstack,
  lineOf,
  NODE_BUILD,
  needs,
  run,
  temporaryFolder,
  testRequires,
} from './harness.ts';

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
        `^kstack: cannot read kernel stacks [^\\n]*permission denied[^\\n]*CAP_SYS_ADMIN[^\\n]*'sudo ${KSTACK} -a'[^\\n]*--privileged[^\\n]*\\n$`,
      ),
    );
  });

  it('(stacks masked) one message says so', async () => {
    const masked = 'mount --bind /dev/null /proc/$$/stack && exec "$0" -a';
    const { code, stdout, stderr } = await run('unshare', ['-m', 'sh', '-c', masked, KSTACK]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      new RegExp(
        `^kstack: kernel stacks are masked here: /proc/self/stack is empty;[^\\n]*'${KSTACK} -a' on the host[^\\n]*\\n$`,
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

  it('the advice is what was typed, and what is found on the PATH goes by its name', async () => {
    const folder = temporaryFolder();
    symlinkSync(KSTACK, join(folder, 'kx'));
    const advice = async (script: string, env: NodeJS.ProcessEnv = {}) => {
      const dropped = ['--bounding-set=-sys_admin', '--inh-caps=-sys_admin', 'sh', '-c', `cd ${folder}; ${script}`];
      const { stderr } = await run('setpriv', dropped, { env: { ...process.env, npm_command: '', ...env } });
      return /run '(sudo .*?)', or/.exec(stderr)?.[1];
    };
    expect(await advice('./kx why')).toBe('sudo ./kx why');
    expect(await advice(`${folder}/kx why`)).toBe(`sudo ${folder}/kx why`);
    expect(await advice('kx why', { PATH: `${folder}:${process.env['PATH']}` })).toBe('sudo kx why');
    // The executable is started by neither.
    if (isExecutable) return;
    expect(await advice('./kx why', { npm_command: 'exec' })).toBe('sudo npx kx why');
    expect(await advice('node ./kx why')).toBe('sudo node ./kx why');
  });

  it('the advice is one that a shell understands', async () => {
    const { stderr } = await withoutCapabilities('sys_admin', '-p', '1, 2', '-c', "it's");
    expect(stderr).toContain(`'sudo ${KSTACK} -p '1, 2' -c 'it'\\''s''`);
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

  it('(of descriptors too few to start the process that samples) top works, or says what to do', async () => {
    // The executable needs fewer of its own.
    const limits = KSTACK === NODE_BUILD ? [23, 24, 25, 26, 27] : [7, 8, 9, 10];
    const ends = await Promise.all(
      limits.map((limit) => run('bash', ['-c', `ulimit -n ${limit}; exec "$0" top -n 1`, KSTACK])),
    );
    expect(ends.some(({ code }) => code === 1)).toBe(true);
    for (const { code, stderr } of ends)
      if (code !== 0) expect([code, stderr]).toEqual([1, expect.stringMatching(/raise ulimit -n/)]);
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

describe('where files may not grow (ulimit -f)', () => {
  beforeEach(needs('root'));

  const limited = (kilobytes: number, ...args: string[]) =>
    run('bash', ['-c', `ulimit -f ${kilobytes}; exec "$0" "$@"`, KSTACK, ...args]);

  it.each([0, 1])('(%i kB) a line says that there is no room for the program that reads', async (kilobytes) => {
    const { code, signal, stdout, stderr } = await limited(kilobytes, '-a');
    expect([code, signal, stdout]).toEqual([1, null, '']);
    expect(stderr).toMatch(
      /^kstack: cannot start the reader process: no file may be larger than \d+ bytes here \(ulimit -f\)[^\n]+\n$/,
    );
  });

  it('a line names the limit where the output is larger', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'out');
    const script = `ulimit -f 20; exec "$0" -aL -f json >${file}`;
    const toStdout = await run('bash', ['-c', script, KSTACK]);
    const toFile = await limited(20, '-aL', '-f', 'json', '-o', join(folder, 'other'));
    for (const { code, signal, stderr } of [toStdout, toFile]) {
      expect([code, signal]).toEqual([1, null]);
      expect(stderr).toMatch(
        /^kstack: cannot write [^\n]+: no file may be larger than 20480 bytes here: raise ulimit -f\n/,
      );
    }
  });

  it('the soft limit alone does not matter', async () => {
    const { code, stdout } = await run('bash', ['-c', 'ulimit -S -f 0; exec "$0" -p 2', KSTACK]);
    expect([code, lineOf(stdout, 2)?.state]).toEqual([0, 'S']);
  });
});

describe('where the kernel forbids programs in memory (vm.memfd_noexec=2)', () => {
  beforeEach(needs('root'));

  /** The repository may be in one of those folders. */
  const ROOT = join(import.meta.dirname, '..');

  /** In namespaces of its own. The folders where programs can be executed and written are these. */
  const forbidden = (readOnly: string) =>
    run('unshare', [
      '-m',
      '-p',
      '-f',
      '--mount-proc',
      'sh',
      '-c',
      `test -e /proc/sys/vm/memfd_noexec || exit 9; echo 2 >/proc/sys/vm/memfd_noexec
      for folder in /dev/shm /run /var/tmp; do mount -t tmpfs -o noexec none $folder; done
      mount --bind /tmp /tmp && mount -o remount,bind,noexec /tmp
      mount --bind ${ROOT} ${ROOT} && mount -o remount,bind,exec ${ROOT}
      ${readOnly}
      exec "$0" -p $$`,
      KSTACK,
    ]);

  it('a program is executed beside that of kstack, or a line names the setting and the ways out', async (context) => {
    const works = await forbidden('');
    if (works.code === 9) context.skip('needs: a kernel with vm.memfd_noexec');
    expect([works.code, works.stderr]).toEqual([0, '']);
    const beside = dirname(NAME === 'kstack' && !isExecutable ? process.execPath : KSTACK);
    const refused = await forbidden(`mount --bind ${beside} ${beside} && mount -o remount,bind,ro ${beside}`);
    expect([refused.code, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toMatch(
      /^kstack: cannot start the reader process: [^\n]*\(sysctl vm.memfd_noexec is 2; set it to 1 or 0\)[^\n]*\/dev\/shm[^\n]*without noexec\n$/,
    );
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

describe('where /proc hides the processes of others', () => {
  beforeEach(needs('root'));

  /** Runs kstack without CAP_SYS_PTRACE on a /proc that is mounted so. */
  const hidden = (option: string, ...args: string[]) => {
    const script = `mount -t proc -o ${option} proc /proc && exec setpriv --bounding-set=-sys_ptrace --inh-caps=-sys_ptrace "$0" "$@"`;
    return run('unshare', ['-m', 'sh', '-c', script, KSTACK, ...args]);
  };
  const WAY_OUT = 'and CAP_SYS_PTRACE is missing; run kstack with it, or remount /proc with hidepid=0\n';

  it.each([
    ['hidepid=2,gid=12345', 'hidepid=(2|invisible)'],
    // Whoever is in the group, which is 0 here, is exempt from the others.
    ['hidepid=4', 'hidepid=(4|ptraceable)'],
  ])('(%s) one line says so, with the option and the way out', async (option, named) => {
    const [pid = 0] = await fixture('tasks', ['comm'], 'unseen\n');
    const by = `/proc is mounted with ${named}, ${WAY_OUT}`;
    const all = await hidden(option, '-a', '--source', 'procfs');
    expect([all.code, all.stderr]).toEqual([
      0,
      expect.stringMatching(new RegExp(`^kstack: other users' processes not shown: ${by}$`)),
    ]);
    expect(lineOf(all.stdout, pid)).toBeUndefined();
    for (const args of [[], ['-L']]) {
      const one = await hidden(option, '-p', String(pid), '--source', 'procfs', ...args);
      expect([one.code, one.stderr]).toEqual([
        1,
        expect.stringMatching(new RegExp(`^kstack: [PT]ID ${pid}: not there, or hidden: ${by}$`)),
      ]);
    }
    const why = await hidden(option, 'why', '--source', 'procfs', '--exit-code');
    expect([why.code, why.stdout]).toEqual([3, expect.stringMatching(/^There is no verdict: other users' processes/)]);
  });

  it('(hidepid=1) one line says that it denies them, also of the threads of a process', async () => {
    const [pid = 0] = await fixture('tasks', ['comm'], 'denied\n');
    const { stderr } = await hidden('hidepid=1,gid=12345', '-L', '-p', String(pid), '--source', 'procfs');
    const by = `/proc is mounted with hidepid=(1|noaccess), ${WAY_OUT}`;
    expect(stderr).toMatch(new RegExp(`^kstack: TID ${pid}: thread not readable: permission denied; ${by}$`));
  });

  it('bpf shows them all the same, by their names, and one line says what is hidden', async (context) => {
    if (!SOURCES.includes('bpf')) context.skip('needs: bpf');
    const pids = [...(await fixture('tasks', ['comm'], 'first\n')), ...(await fixture('tasks', ['comm'], 'second\n'))];
    const { code, stdout, stderr } = await hidden('hidepid=4', '-S', '--source', 'bpf');
    expect(code).toBe(0);
    expect(pids.map((pid) => lineOf(stdout, pid)?.command)).toEqual(['first', 'second']);
    expect(lineOf(stdout, pids[0] ?? 0)?.stack).not.toBe('');
    expect(stderr).toMatch(
      new RegExp(
        `^kstack: \\d+ processes \\(.*\\): command line not shown: /proc is mounted with hidepid=\\w+, ${WAY_OUT}`,
        'm',
      ),
    );
    expect(stderr).not.toContain("other users' processes");
  });
});

describe('without root', () => {
  beforeEach(needs('root'));

  it.each(['status', 'stop'])('%s says that a directory may belong to root', async (command) => {
    const asNobody = ['--reuid=65534', '--regid=65534', '--clear-groups', KSTACK, command, '-d', temporaryFolder()];
    const { code, stdout, stderr } = await run('setpriv', asNobody);
    expect([code, stdout, stderr]).toEqual([
      1,
      '',
      expect.stringMatching(
        /^kstack: cannot use [^\n]+: permission denied \(EACCES\); it may belong to root: repeat[^\n]+\n$/,
      ),
    ]);
  });
});

describe('on a procfs that shows nothing but tasks (subset=pid)', () => {
  beforeEach(needs('root'));
  const LINE =
    /kstack: the host's boot time, load, locks and sockets not shown: there is no \/proc\/stat, as in a procfs mounted with subset=pid; mount another one with [^\n]+\n/;
  const onTasksOnly = (...args: readonly string[]) =>
    run('unshare', ['-m', 'sh', '-c', 'mount -t proc -o subset=pid proc /proc && exec "$0" "$@"', KSTACK, ...args]);

  it.each(SOURCES)('%s shows them, without their start, and says once what it lacks', async (source) => {
    const [parent = 0] = await fixture('tasks', ['vfork']);
    const { code, stdout, stderr } = await onTasksOnly('-p', `${parent}`, '--source', source);
    expect([code, lineOf(stdout, parent)?.command]).toEqual([0, expect.stringContaining('tasks vfork')]);
    expect(stdout).toMatch(/Start Time: unknown/);
    expect(stderr).toMatch(new RegExp(`^${LINE.source}$`));
  });

  it('the other commands go on as well', async () => {
    const [parent = 0] = await fixture('tasks', ['vfork']);
    const why = await onTasksOnly('why');
    expect(why.stdout.replaceAll(/\s+/g, ' ')).toContain("not known: the host's boot time, load, locks and sockets");
    const { code, stdout } = await onTasksOnly('top', '--batch', '-n', '1', '-p', `${parent}`);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/its vfork child/)]);
    const file = join(temporaryFolder(), 'r.kstack');
    const recorded = await onTasksOnly('record', '-p', `${parent}`, '-o', file, '--for', '1', '-i', '0.5');
    expect(recorded.code).toBe(0);
    const report = await kstack(['report', file]);
    expect([report.code, report.stdout]).toEqual([0, expect.stringMatching(/waits for its vfork child/)]);
  });
});

describe('in a PID namespace that is not that of the host', () => {
  beforeEach(needs('root'));
  const LINE =
    /tasks outside of this PID namespace not shown: \/proc is not of the host's PID namespace; run it on the host, or in a container with --pid=host\n/;
  const inside = (...args: readonly string[]) =>
    run('unshare', ['--pid', '--fork', '--mount-proc', '--kill-child', KSTACK, ...args]);

  it.each([
    ['-a'],
    ['record', '--for', '1', '-i', '1', '-o', 'FILE'],
    ['top', '--batch', '-n', '1'],
    ['metrics'],
    ['-b', '-a', '-t', '1', '-i', '10', '-d', 'FILE'],
  ])('a line says so: %s', async (...args) => {
    const file = join(temporaryFolder(), 'file');
    const { code, stderr } = await inside(...args.map((arg) => (arg === 'FILE' ? file : arg)));
    expect(code).toBe(0);
    expect(stderr).toMatch(LINE);
  });

  it('so does what is written, but where only PIDs are asked for', async () => {
    const { stdout } = await inside('-a', '-f', 'json');
    expect(JSON.parse(stdout).unread).toMatchObject([{ tid: null, what: 'namespaces', why: 'hidden' }]);
    expect((await inside('-p', '1')).stderr).toBe('');
    expect((await kstack(['-a'])).stderr).not.toMatch(LINE);
  });
});
