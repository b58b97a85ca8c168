// Nothing but the kernel and glibc: what the runtimes bring along, and what the host may lack. Tests of the executable
// itself are there when KSTACK_BIN is one.
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  type Ended,
  ended,
  isExecutable,
  KSTACK,
  kstack,
  NODE_BUILD,
  needs,
  parseClassic,
  run,
  shell,
  temporaryFolder,
  testRequires,
} from './harness.ts';

const NOT_WRITTEN = 'kstack: cannot write to standard output: bad file descriptor (EBADF)\n';
/** A user that has no other process, for limits that count all. */
const NOBODY_ELSE = '54321';

/** Runs a script of sh, in which "$0" is kstack and "$@" its arguments. */
function script(text: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return run('sh', ['-c', text, KSTACK, ...args], { env: { ...process.env, ...env } });
}

/** The same in a mount namespace of its own. */
function mounted(text: string, args: readonly string[] = []): Promise<Ended> {
  testRequires('root');
  return run('unshare', ['-m', 'sh', '-ec', text, KSTACK, ...args]);
}

describe('without /etc', () => {
  const emptied = `mount --bind ${JSON.stringify('FOLDER')} /etc; exec "$0" "$@"`;

  it('users are numbers, and -v says why', async () => {
    const text = emptied.replace('FOLDER', temporaryFolder());
    const { code, stdout, stderr } = await mounted(text, ['-p', '2', '-f', 'long', '-v']);
    expect(stdout).toMatch(/^ {2}tasks {3}kthreadd: 2 {2}0 {2}S/m);
    expect(stdout).toMatch(/^1 task seen: /m);
    expect(stderr).toMatch(/ DEBUG - user names unavailable: ENOENT: [^\n]*'\/etc\/passwd'\n/);
    expect(code).toBe(0);
  });

  it('-u takes a number, and says why it takes no name', async () => {
    const text = emptied.replace('FOLDER', temporaryFolder());
    expect(await mounted(text, ['-p', '2', '-u', '0'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^PID: {5}2 /m),
    });
    const { code, stderr } = await mounted(text, ['-a', '-u', 'root']);
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/^kstack: .*'root' cannot be looked up: .*\/etc\/passwd/m),
    ]);
  });
});

describe('a closed descriptor', () => {
  it.each([['-h'], ['--version'], ['-p', '2']])('of standard output is an error: %s %s', async (...args) => {
    if (args.includes('-p')) testRequires('root');
    const { code, stderr } = await script('exec "$0" "$@" >&-', args);
    expect([code, stderr]).toEqual([1, NOT_WRITTEN]);
  });

  it('of standard output is nobody else to write to, and no matter where nothing is to be written', async () => {
    testRequires('root');
    const file = join(temporaryFolder(), 'sample');
    expect(await script('exec "$0" "$@" >&- <&-', ['-p', '2', '-o', file])).toMatchObject({ code: 0, stderr: '' });
    expect(parseClassic(readFileSync(file, 'utf8')).lines).toMatchObject([{ pid: 2 }]);
  });

  it('of standard error changes nothing', async () => {
    testRequires('root');
    expect(await script('exec "$0" -q 2>&-')).toMatchObject({ code: 2, stdout: '' });
    expect((await script('exec "$0" -p 2 2>&- <&-')).stdout).toMatch(/^PID: {5}2 /m);
  });
});

describe('SIGUSR1', () => {
  it('opens no debugger, from the first moment on, and ends nothing', async () => {
    const child = spawn(KSTACK, ['explain'], { stdio: ['pipe', 'pipe', 'pipe'] });
    const end = ended(child);
    const pid = child.pid ?? 0;
    // Until somebody has it, it ends the process, as it does any.
    while (!catches(pid)) await sleep(1);
    for (let i = 0; i < 50; i++) {
      child.kill('SIGUSR1');
      await sleep(10);
      expect(listeners(pid)).toEqual([]);
    }
    child.stdin?.end();
    const { code, signal, stderr } = await end;
    expect([code, signal]).toEqual([1, null]);
    expect(stderr).toContain('kstack: the input is empty\n');
    expect(stderr).not.toContain('listening');
  });

  /** Whether a handler is there, or the signal ignored. */
  function catches(pid: number): boolean {
    const masks = readFileSync(`/proc/${pid}/status`, 'utf8').matchAll(/^Sig(?:Ign|Cgt):\t([0-9a-f]+)$/gm);
    return [...masks].some(([, mask = '']) => (BigInt(`0x${mask}`) & (1n << 9n)) !== 0n);
  }

  /** The addresses at which a process listens for TCP. */
  function listeners(pid: number): string[] {
    const sockets = readdirSync(`/proc/${pid}/fd`).map((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
      } catch {
        return undefined;
      }
    });
    const rows = ['tcp', 'tcp6'].flatMap((file) =>
      readFileSync(`/proc/net/${file}`, 'utf8').trim().split('\n').slice(1),
    );
    return rows
      .map((row) => row.trim().split(/\s+/))
      .filter((columns) => columns[3] === '0A' && sockets.includes(columns[9]))
      .map((columns) => columns[1] ?? '');
  }
});

describe('a folder', () => {
  beforeEach(needs('root'));

  it('that has been deleted is one to start in, and the one by which names are known', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'stack'), '[<0>] kthreadd+0x2f0/0x310\n');
    // Of an earlier run that failed.
    rmSync('/kstack-of-a-deleted-folder', { force: true });
    const inDeleted = `mkdir ${folder}/deleted; cd ${folder}/deleted; rmdir ${folder}/deleted; exec "$0" "$@"`;
    expect(await script(inDeleted, ['-p', '2'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^PID: {5}2 /m),
    });
    expect(await script(inDeleted, ['explain', '../stack'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('kthreadd'),
    });
    expect(await script(inDeleted, ['-p', '2', '-o', 'kstack-of-a-deleted-folder'])).toMatchObject({ code: 1 });
    expect(existsSync('/kstack-of-a-deleted-folder')).toBe(false);
    const logs = join(folder, 'logs');
    expect(await script(inDeleted, ['-b', '-p', '2', '-d', logs])).toMatchObject({ code: 0 });
    expect(await kstack(['stop', '-d', logs])).toMatchObject({ code: 0 });
  });

  it.each(['000', '111', '444'])('of mode %s of another user is one to start in', async (mode) => {
    const folder = temporaryFolder();
    const text = `cd ${folder}; chmod ${mode} .; exec setpriv --reuid=65534 --regid=65534 --clear-groups "$0" -h`;
    expect(await script(text)).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Usage: kstack /) });
  });
});

it('umask 0777 without root is no hindrance', async () => {
  testRequires('root');
  const capabilities = '+sys_admin,+sys_ptrace,+dac_read_search';
  const text = `umask 0777; exec setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=${capabilities} --ambient-caps=${capabilities} "$0" -p 2`;
  const { code, stdout } = await script(text);
  expect([code, parseClassic(stdout).lines]).toMatchObject([
    0,
    [{ pid: 2, stack: expect.stringContaining('kthreadd') }],
  ]);
});

it('few descriptors are enough, or a line says so', async () => {
  testRequires('root');
  // The shell that starts Node.js takes some itself.
  for (const limit of [...(isExecutable ? [8] : []), 12, 16, 20, 24, 32, 64]) {
    const { code, signal, stdout, stderr } = await script(`ulimit -n ${limit}; exec "$0" -p 2`);
    if (code === 0) expect(parseClassic(stdout).lines).toMatchObject([{ pid: 2 }]);
    else expect([code, signal, stderr]).toEqual([1, null, expect.stringMatching(/^kstack: [^\n]+\n$/)]);
    if (limit >= 24) expect(code).toBe(0);
  }
});

if (isExecutable) {
  describe('the executable', () => {
    /** A root directory with kstack, glibc and an empty /proc. */
    function smallRoot(): string {
      const root = temporaryFolder();
      mkdirSync(join(root, 'proc'));
      cpSync(KSTACK, join(root, 'kstack'));
      for (const library of libraries()) {
        mkdirSync(join(root, dirname(library)), { recursive: true });
        cpSync(library, join(root, library), { dereference: true });
      }
      return root;
    }

    function libraries(): string[] {
      return shell(`ldd ${KSTACK}`).match(/\/\S+/g) ?? [];
    }

    /** kstack in such a root, read-only. */
    const inSmallRoot = (root: string, args: readonly string[]) =>
      mounted(
        `mount --bind ${root} ${root}; mount -t proc proc ${root}/proc; mount -o remount,ro,bind ${root}; exec chroot ${root} /kstack "$@"`,
        args,
      );

    it('needs no library but those of glibc', () => {
      const names = libraries().map((path) => path.replace(/.*\//, ''));
      expect(names.filter((name) => !/^(lib(c|m|dl|pthread|rt)\.so\.\d|ld-linux-.*\.so\.\d)$/.test(name))).toEqual([]);
    });

    it('shows all in a root with itself, glibc and /proc and nothing else, read-only', async () => {
      const root = smallRoot();
      const { code, stdout, stderr } = await inSmallRoot(root, ['-p', `2,${process.pid}`]);
      const here = parseClassic((await kstack(['-p', `2,${process.pid}`])).stdout);
      expect([code, stderr]).toEqual([0, '']);
      expect(parseClassic(stdout).lines.map(({ pid, command, started }) => [pid, command, started])).toEqual(
        here.lines.map(({ pid, command, started }) => [pid, command, started]),
      );
      expect(parseClassic((await inSmallRoot(root, ['-a'])).stdout).lines.map(({ pid }) => pid)).toContain(process.pid);
    });

    it.each(['long', 'json', 'jsonl', 'folded', 'pprof', 'speedscope', 'perfetto', 'firefox', 'html'])(
      'writes %s there, whole and without a word',
      async (format) => {
        const { code, stdout, stderr } = await inSmallRoot(smallRoot(), ['-p', '2', '-f', format]);
        expect([code, stderr]).toEqual([0, '']);
        expect(stdout.length).toBeGreaterThan(20);
        if (format === 'long') expect(stdout).toMatch(/1 task seen: .*\n$/);
      },
    );

    it('says so where /proc is not mounted', async () => {
      testRequires('root');
      const root = smallRoot();
      const { code, stderr } = await script(`exec chroot ${root} /kstack -h`);
      expect([code, stderr]).toEqual([1, expect.stringMatching(/^kstack: \/proc is not mounted here: [^\n]+\n$/)]);
    });

    it.each([
      ['take no files to execute', 'mount -t tmpfs -o noexec tmpfs'],
      ['are read-only', 'mount -t tmpfs -o ro tmpfs'],
    ])('works where all folders for passing files %s', async (_, mount) => {
      const folder = temporaryFolder();
      const copy = `mount -t tmpfs tmpfs /mnt; cp "$0" /mnt/kstack; for folder in /tmp /run /dev/shm /var/tmp; do ${mount} $folder; done`;
      const { code, stdout, stderr } = await mounted(`cd ${folder}; ${copy}; cd /; exec /mnt/kstack -p 2`);
      expect([code, stderr, parseClassic(stdout).lines]).toMatchObject([0, '', [{ pid: 2 }]]);
    });

    it('says so where there is no room for its threads, and neither hangs nor aborts', async () => {
      testRequires('root');
      for (const limit of [1, 2, 4, 6, 7, 8]) {
        const user = `setpriv --reuid=${NOBODY_ELSE} --regid=${NOBODY_ELSE} --clear-groups`;
        const { code, signal, stderr } = await script(`exec prlimit --nproc=${limit} ${user} "$0" -h`);
        const refused = [
          1,
          null,
          expect.stringMatching(/^kstack: no room for the six threads that kstack needs: [^\n]+\n$/),
        ];
        expect([code, signal, stderr]).toEqual(limit < 7 ? refused : [0, null, '']);
      }
    });

    it('says so where there is no room for what it opens', async () => {
      const { code, stderr } = await script('ulimit -n 7; exec "$0" -h');
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(/^kstack: no room for the files that kstack opens: [^\n]+\n$/),
      ]);
    });

    it('says so where there is no room for what it maps', async () => {
      const { code, signal, stderr } = await script('ulimit -v 1000000; exec "$0" -h');
      expect([code, signal, stderr]).toEqual([
        1,
        null,
        expect.stringMatching(/^kstack: no room for the memory that kstack maps [^\n]+ulimit -v[^\n]+\n$/),
      ]);
      expect((await script('ulimit -S -v 1000000; exec "$0" -h')).code).toBe(0);
    });

    const settings = [
      'BUN_BE_BUN=1',
      'BUN_OPTIONS=--version',
      'BUN_OPTIONS=--preload=/proc/self/environ',
      'BUN_JSC_dumpOptions=2',
      'BUN_JSC_useJIT=no',
      'BUN_INSPECT=127.0.0.1:0',
      'NODE_OPTIONS=--version',
      'JSC_dumpOptions=2',
      'MIMALLOC_VERBOSE=1',
      'GLIBC_TUNABLES_=1',
    ];

    it.each(settings)('is not told anything by %s', async (setting) => {
      const [name = '', value] = setting.split(/=(.*)/s);
      const env = { ...process.env, [name]: value };
      expect(await kstack(['-e', 'console.log(1)'], { env })).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringMatching(/unknown option '-e'/),
      });
      expect(await kstack(['--version'], { env })).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^kstack [\d.]+\n$/),
        stderr: '',
      });
    });

    it('gives nobody the capabilities of its file but as kstack', async () => {
      testRequires('root', 'setcap');
      const folder = temporaryFolder();
      const copy = join(folder, 'kstack');
      shell(
        `chmod 755 ${folder}; cp ${KSTACK} ${copy}; setcap cap_sys_admin,cap_sys_ptrace,cap_dac_read_search+ep ${copy}`,
      );
      const asNobody = (args: readonly string[], env: NodeJS.ProcessEnv) =>
        run('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', copy, ...args], {
          env: { ...process.env, ...env },
        });
      const { code, stdout } = await asNobody(['-p', '2'], {});
      expect([code, parseClassic(stdout).lines]).toMatchObject([0, [{ stack: expect.stringContaining('kthreadd') }]]);
      for (const [name, value] of settings.map((setting) => setting.split(/=(.*)/s)))
        expect(await asNobody(['-e', 'console.log(1)'], { [name ?? '']: value })).toMatchObject({
          code: 2,
          stdout: '',
        });
    });

    it('speaks as the build for Node.js does, so that what describes one describes both', async () => {
      testRequires('the build for Node.js');
      const said = (command: string, args: readonly string[]) =>
        run(command, args).then(({ code, stdout, stderr }) => ({ args, code, stdout, stderr }));
      const commands = ['status', 'stop', 'explain', 'completion'].map((name) => [name, '-h']);
      const completions = ['bash', 'zsh', 'fish'].map((shell) => ['completion', shell]);
      const wrong = [[], ['-q'], ['-f', 'x'], ['-p', 'x'], ['-bD', '-i', 'x'], ['completion']];
      for (const args of [['-h'], ['--version'], ...commands, ...completions, ...wrong])
        expect(await said(KSTACK, args)).toEqual(await said(NODE_BUILD, args));
    });

    it('takes what is meant for kstack and the C library', async () => {
      testRequires('root');
      const { stdout } = await kstack(['-p', '2'], { env: { ...process.env, TZ: 'XYZ-3' } });
      expect(stdout).toMatch(/^zzz <.* XYZ \d{4} - /);
      expect(await kstack(['-p', '2'], { env: { ...process.env, KSTACK_SOURCE: 'nothing' } })).toMatchObject({
        code: 2,
      });
    });
  });
}

it('the executable is left every variable that kstack takes', () => {
  const root = join(import.meta.dirname, '..');
  const kept = [...readFileSync(join(root, 'standalone/entry.c'), 'utf8').matchAll(/\.asciz \\"([A-Z_]+\*?)\\"/g)].map(
    ([, name = '']) => name,
  );
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    /(?<!\.test)\.ts$/.test(file),
  );
  const taken = files.flatMap((file) => {
    const text = readFileSync(join(root, 'src', file), 'utf8');
    return [...text.matchAll(/env\['([A-Z_]+)'\]|'(KSTACK_[A-Z_]+)'/g)].map(([, quoted, own]) => quoted ?? own ?? '');
  });
  expect(taken).toEqual(expect.arrayContaining(['NO_COLOR', 'JOURNAL_STREAM', 'KSTACK_SOURCE']));
  const isKept = (name: string) =>
    kept.some((one) => one === name || (one.endsWith('*') && name.startsWith(one.slice(0, -1))));
  // NODE_OPTIONS is asked for under Node.js.
  expect(taken.filter((name) => name !== 'NODE_OPTIONS' && !isKept(name))).toEqual([]);
});
