import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  ended,
  fixture,
  KSTACK,
  kstack,
  namedThread,
  needs,
  parseClassic,
  run,
  temporaryFolder,
  testRequires,
} from './harness.ts';

const require = createRequire(import.meta.url);
const ajv = new Ajv2020({ allErrors: true });
const isSample = ajv.compile(
  JSON.parse(readFileSync(join(import.meta.dirname, '..', 'schema', 'kstack-sample-1.schema.json'), 'utf8')),
);

/** The schema's complaints; none where the value is as it says. */
function complaints(value: unknown, schema = 'urn:kstack:sample:1') {
  const validate = schema === 'urn:kstack:sample:1' ? isSample : ajv.getSchema(schema);
  if (validate === undefined) throw new Error(`no schema ${schema}`);
  return validate(value) === true ? [] : (validate.errors ?? ['no reason']);
}

/** Of a container that no other run of these tests has. */
const ID = randomBytes(32).toString('hex');

/**
 * Puts a process into a control group of its own, of version 2, which goes with the test. Returns its path from the
 * hierarchy's root.
 */
function inCgroup(name: string, pid: number): string {
  testRequires('root', 'cgroup2');
  const [, mount] = /^\S+ (\S+) cgroup2 /m.exec(readFileSync('/proc/mounts', 'utf8')) ?? [];
  if (mount === undefined) throw new Error('no cgroup2 is mounted');
  const parent = join(mount, `kstack-test-${pid}`);
  const folder = join(parent, name);
  mkdirSync(folder, { recursive: true });
  // Registered before the fixture's own end would be too early: a group goes when its last process has.
  onTestFinished(() => {
    writeFileSync(join(mount, 'cgroup.procs'), `${pid}`);
    rmdirSync(folder);
    rmdirSync(parent);
  });
  writeFileSync(join(folder, 'cgroup.procs'), `${pid}`);
  return `/kstack-test-${pid}/${name}`;
}

/** Tasks of several states and stacks, all of which stay as they are. */
async function standingTasks(): Promise<number[]> {
  const pids: number[] = [];
  for (const what of ['vfork', 'vfork', 'stopped', 'zombie', 'thread'])
    pids.push((await fixture('tasks', [what]))[0] ?? 0);
  pids.push((await fixture('tasks', ['comm'], 'a;b\\n\\e[2J\\xe2\\x80\\xae\\xff\n'))[0] ?? 0);
  return pids.sort((a, b) => a - b);
}

describe('all formats', { tags: ['source'] }, () => {
  beforeEach(needs('root'));

  it('tell the same of the same tasks', async () => {
    testRequires('go');
    const pids = await standingTasks();
    const write = async (format: string) => {
      const { code, stdout, stderr } = await kstack(['-p', pids.join(','), '-f', format]);
      expect([code, stderr]).toEqual([0, '']);
      return stdout;
    };
    const { lines } = parseClassic(await write('text'));
    const sizes = (keys: readonly unknown[]) => {
      const counts = new Map<unknown, number>();
      for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
      return [...counts.values()].sort();
    };
    const expected = sizes(lines.map(({ stack }) => stack));
    expect(expected.length).toBeGreaterThan(3);

    const document = JSON.parse(await write('json'));
    expect(document.tasks.map(({ pid }: { pid: number }) => pid)).toEqual(pids);
    expect(sizes(document.tasks.map(({ stack }: { stack: unknown }) => stack))).toEqual(expected);
    expect(document.counts.tasks).toBe(pids.length);

    const tasks = (await write('jsonl'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(tasks.map(({ pid, state }) => [pid, state])).toEqual(lines.map(({ pid, state }) => [pid, state]));
    expect(sizes(tasks.map(({ frames }) => JSON.stringify(frames)))).toEqual(expected);

    const heads = [...(await write('long')).matchAll(/^(\d+) tasks? \(\d+\.\d %\) {2}(\w+)/gm)];
    expect(heads.map(([, count]) => Number(count)).toSorted()).toEqual(expected);

    const folded = (await write('folded'))
      .trimEnd()
      .split('\n')
      .map((line) => /^(.*) (\d+)$/.exec(line) ?? []);
    expect(folded.reduce((sum, [, , count]) => sum + Number(count), 0)).toBe(pids.length);

    const speedscope = JSON.parse(await write('speedscope'));
    const [profile] = speedscope.profiles;
    expect(profile.weights).toEqual(folded.map(([, , count]) => Number(count)));
    expect(profile.endValue).toBe(pids.length);
    const names = (sample: number[]) =>
      sample.map((index) => speedscope.shared.frames[index].name.replaceAll(';', '\\x3b')).join(';');
    expect(profile.samples.map(names)).toEqual(folded.map(([, names]) => names));

    const file = join(temporaryFolder(), 'profile');
    expect((await kstack(['-p', pids.join(','), '-fpprof', '-o', file])).code).toBe(0);
    expect(
      /(\d+) total/.exec(
        execFileSync('go', ['tool', 'pprof', '-top', file], { stdio: ['ignore', 'pipe', 'ignore'] }).toString(),
      )?.[1],
    ).toBe(`${pids.length}`);
  });

  it.each(['long', 'json', 'jsonl', 'folded', 'speedscope', 'firefox'])(
    '%s lets no name act on a terminal',
    async (format) => {
      const pids = await standingTasks();
      const { stdout } = await kstack(['-p', pids.join(','), '-f', format]);
      expect(stdout).toMatch(/a(;|\\x3b)b/);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
      expect(stdout).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
    },
  );
});

describe('json', { tags: ['source'] }, () => {
  beforeEach(needs('root'));

  it('is as its schema says, with every task of the host', async () => {
    await standingTasks();
    // Nobody has that name.
    const unnamed = spawn('sleep', ['600'], { uid: 54321, stdio: 'ignore' });
    onTestFinished(() => void unnamed.kill('SIGKILL'));
    for (const args of [['-a'], ['-aL']]) {
      const { stdout } = await kstack([...args, '-f', 'json']);
      const document = JSON.parse(stdout);
      expect(complaints(document)).toEqual([]);
      const { tasks, blocked, idle, running, unexplained } = document.counts;
      expect(document.tasks).toHaveLength(tasks);
      expect(blocked + idle + running + unexplained).toBe(tasks);
      expect(document.threads).toBe(args[0] === '-aL');
      for (const { stack, pid, uid, user } of document.tasks) {
        if (stack !== null) expect(document.stacks[stack].id).toBe(stack);
        if (pid === unnamed.pid) expect([uid, user]).toEqual([54321, null]);
      }
    }
    for (const line of (await kstack(['-aL', '-f', 'jsonl'])).stdout.trimEnd().split('\n'))
      expect(complaints(JSON.parse(line), 'urn:kstack:line:1')).toEqual([]);
  });

  it('has a schema that refuses any property too few, too many or of another type, at every depth', async () => {
    const [pid = 0] = await fixture('mmap-lock', [temporaryFolder(), '1']);
    const [child = 0] = await fixture('tasks', ['vfork']);
    const [named = 0] = await fixture('tasks', ['comm'], '\\xff\n');
    inCgroup(`docker-${ID}.scope`, named);
    const args = ['-p', `${pid},${child},${named}`, '-f'];
    const document = JSON.parse((await kstack([...args, 'json'])).stdout);
    expect(complaints(document)).toEqual([]);
    let faults = 0;
    for (const fault of faultsOf(document)) {
      expect([fault.what, complaints(fault.value)]).not.toEqual([fault.what, []]);
      faults++;
    }
    expect(faults).toBeGreaterThan(200);
    const lines = (await kstack([...args, 'jsonl'])).stdout.trimEnd().split('\n');
    const kinds = new Map(lines.map((line) => [JSON.parse(line).type, line]));
    expect([...kinds.keys()].toSorted()).toEqual(['task', 'unread']);
    for (const line of kinds.values())
      for (const { what, value } of faultsOf(JSON.parse(line)))
        expect([what, complaints(value, 'urn:kstack:line:1')]).not.toEqual([what, []]);
  });

  it('is UTF-8 for every reader, and gives each name back to the byte', async () => {
    testRequires('jq', 'python3');
    const bytes = Buffer.from([0xff, 0xc3, 0xa9, 0x0a, 0x22, 0x5c]);
    const [pid = 0] = await fixture('tasks', ['comm'], '\\xff\\xc3\\xa9\\n"\\\\\n');
    const [twin = 0] = await fixture('tasks', ['comm'], '\\\\xff\n');
    const [rewritten = 0] = await fixture('tasks', ['rewrite', '4', 'fe']);
    for (const format of ['json', 'jsonl']) {
      const { stdout } = await kstack(['-p', `${pid},${twin},${rewritten}`, '-f', format]);
      const select = format === 'json' ? '.tasks[]' : 'select(.type == "task")';
      const query = `${select} | [.comm, .processName, .commandLine, .arguments[0], .raw]`;
      // jq and Python take no lone surrogates.
      const python = 'import json,sys\nfor line in sys.stdin: print(json.dumps(json.loads(line), ensure_ascii=False))';
      const { stdout: read } = await runWithInput('jq', ['-c', query], stdout);
      const { stdout: reread } = await runWithInput('python3', ['-c', python], read);
      const [name, twinName, line] = reread
        .trimEnd()
        .split('\n')
        .map((each) => JSON.parse(each));
      const hex = bytes.toString('hex');
      expect([name[0], name[1], name[4]]).toEqual(['\\xffé\n"\\', '\\xffé\n"\\', { comm: hex, processName: hex }]);
      expect([twinName[0], twinName[4]]).toEqual(['\\xff', {}]);
      expect(line.slice(2)).toEqual(['\\xfe\\xfe\\xfe', '\\xfe\\xfe\\xfe', { commandLine: 'fefefe00' }]);
    }
  });

  it('has null in the place of what could not be read, and the reason in the task and in the list', async () => {
    const [pid = 0] = await fixture('mmap-lock', [temporaryFolder(), '1']);
    const document = JSON.parse((await kstack(['-p', `${pid}`, '-f', 'json'])).stdout);
    const [task] = document.tasks;
    expect(task).toMatchObject({
      pid,
      commandLine: null,
      arguments: null,
      unread: { commandLine: expect.stringMatching(/^(timeout|locked)$/) },
    });
    const entry = {
      tid: pid,
      pid,
      comm: 'mmap-stuck',
      what: 'commandLine',
      why: task.unread.commandLine,
      detail: null,
    };
    expect(document.unread).toMatchObject([entry]);
    const lines = (await kstack(['-p', `${pid}`, '-f', 'jsonl'])).stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toMatchObject([
      { type: 'task', commandLine: null, unread: { commandLine: expect.any(String) } },
      { type: 'unread', ...entry, why: expect.any(String) },
    ]);
  });

  it('tells the bytes that are cut, and what nobody of that number has', async () => {
    const [pid = 0] = await fixture('tasks', ['huge', '64']);
    const document = JSON.parse((await kstack(['-p', `${pid},2147483647`, '-f', 'json'])).stdout);
    expect(complaints(document)).toEqual([]);
    expect(document.tasks).toMatchObject([{ pid, unread: { commandLine: 'cut' } }]);
    expect(document.tasks[0].commandLine).toMatch(/^h+$/);
    expect(document.unread).toMatchObject([
      { tid: 2147483647, pid: null, comm: null, what: 'task', why: 'gone' },
      { tid: pid, what: 'commandLine', why: 'cut' },
    ]);
  });

  it('tells of the system call whether there is one, and looks up the arguments of all tasks with --full', async () => {
    const pids: number[] = [];
    for (let count = 0; count < 9; count++) pids.push((await fixture('tasks', ['thread']))[0] ?? 0);
    const [spinning = 0] = await fixture('tasks', ['spin']);
    const [zombie = 0] = await fixture('tasks', ['zombie']);
    const callsIn = async (...more: string[]) => {
      const args = ['-p', [...pids, spinning, zombie, 2].join(','), '-f', 'json', ...more];
      const document = JSON.parse((await kstack(args)).stdout);
      expect(complaints(document)).toEqual([]);
      return document.tasks.map(({ systemCall }: { systemCall: unknown }) => systemCall);
    };
    const none = { status: 'none', name: null, number: null, arguments: [], text: null };
    const calls = await callsIn();
    expect(calls.slice(0, 9)).toMatchObject(
      pids.map((_, at) => ({ status: 'inCall', name: 'read', number: 0, text: at < 8 ? expect.any(String) : null })),
    );
    expect(calls.slice(9)).toEqual([expect.objectContaining({ name: null, number: null }), none, none]);
    expect(calls[9].status).toMatch(/^(running|none)$/);
    expect((await callsIn('--full')).slice(0, 9)).toMatchObject(
      pids.map(() => ({ text: expect.stringMatching(/^read\(/) })),
    );
  });

  it('identifies a task and a wait, whatever else the line is of', async () => {
    const [one = 0, thread = 0] = await fixture('tasks', ['thread']);
    const [two = 0] = await fixture('tasks', ['thread']);
    const linesOf = async (...args: string[]) =>
      (await kstack([...args, '-f', 'jsonl'])).stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
    const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    const [first, second] = await linesOf('-Lp', `${one}`);
    expect([first, second]).toMatchObject([
      { pid: one, tid: one, bootId, processName: 'tasks', arguments: [expect.stringMatching(/tasks$/), 'thread'] },
      { pid: one, tid: thread, bootId, processName: 'tasks' },
    ]);
    const [other] = await linesOf('-p', `${two}`);
    expect(other.signature).toBe(first.signature);
    expect(second.signature).not.toBe(first.signature);
    expect(Number(readFileSync(`/proc/${one}/stat`, 'latin1').split(' ')[21])).toBe(first.startTicks);
    // Without -L, a thread that is asked for by its number stands for itself.
    const [pid, tid] = await namedThread('wal-writer');
    expect(await linesOf('-p', `${tid}`)).toMatchObject([{ pid, tid, comm: 'wal-writer', processName: 'python3' }]);
  });

  it('names the user, the control group and the container of a task, and where it waits', async () => {
    const [pid = 0] = await fixture('tasks', ['vfork-of-nobody']);
    const cgroup = inCgroup(`docker-${ID}.scope`, pid);
    const { stdout } = await kstack(['-p', `${pid}`, '-f', 'json']);
    const { tasks, stacks } = JSON.parse(stdout);
    expect(tasks).toMatchObject([
      { uid: 65534, user: 'nobody', cgroup, container: { runtime: 'docker', id: ID }, state: 'D', kind: 'blocked' },
    ]);
    expect(stacks[0].finding).toMatchObject({ kind: 'blocked', waitsFor: expect.stringMatching(/vfork|child/) });
  });
});

describe('folded', () => {
  it('has the name of the process and that of its thread, where they differ', async () => {
    const [pid] = await namedThread('wal;writer');
    const folded = async (...args: string[]) => (await kstack([...args, '-p', `${pid}`, '-f', 'folded'])).stdout;
    const names = (text: string) =>
      text
        .trimEnd()
        .split('\n')
        .map((line) => /^.*?(?=;(?:entry|ret|el0))/.exec(line)?.[0]);
    expect(names(await folded('-L')).toSorted()).toEqual(['python3', 'python3;wal\\x3bwriter']);
    expect(names(await folded())).toEqual(['python3']);
  });

  it('marks functions, and nothing else, as those of the kernel with --annotate', async () => {
    const [blocked = 0] = await fixture('tasks', ['vfork']);
    const [zombie = 0] = await fixture('tasks', ['zombie']);
    const args = ['-p', `${blocked},${zombie}`, '-f', 'folded'];
    const { stdout: plain } = await kstack(args);
    const { stdout: marked } = await kstack([...args, '--annotate']);
    expect(marked).toMatch(/^tasks;(?:\w[\w.]*_\[k\];)+kernel_clone_\[k\] 1$/m);
    expect(marked).toMatch(/^tasks;\[zombie\] 1$/m);
    expect(plain).toBe(marked.replaceAll('_[k]', ''));
    expect(plain).not.toBe(marked);
  });
});

describe('speedscope', () => {
  beforeEach(needs('root'));

  it('is as the published schema says', async () => {
    const schema = JSON.parse(readFileSync(require.resolve('speedscope/dist/release/file-format-schema.json'), 'utf8'));
    const { stdout } = await kstack(['-aL', '-f', 'speedscope']);
    // It is a schema of an older draft, of which all that it uses has kept its meaning.
    delete schema.$schema;
    const validate = new Ajv2020({ strict: false }).compile(schema);
    expect(validate(JSON.parse(stdout)) ? [] : validate.errors).toEqual([]);
    expect(validate({ profiles: [] })).toBe(false);
  });
});

describe('pprof', () => {
  beforeEach(needs('root'));

  it('has the state, the user and the container as labels, and a module as a mapping', async () => {
    testRequires('go');
    const [pid = 0] = await fixture('tasks', ['vfork-of-nobody']);
    inCgroup(`docker-${ID}.scope`, pid);
    const file = join(temporaryFolder(), 'profile.pb.gz');
    expect(await kstack(['-p', `${pid}`, '-f', 'pprof', '-o', file])).toMatchObject({
      code: 0,
      stdout: '',
      stderr: '',
    });
    const raw = execFileSync('go', ['tool', 'pprof', '-raw', file]).toString();
    expect(raw).toMatch(/^tasks\/count\n/m);
    const labels = [
      `comm:[tasks] container:[${ID}] finding:[vfork] kind:[blocked] state:[D] user:[nobody]`,
      `pid:[${pid}]`,
    ];
    for (const label of labels) expect(raw).toContain(label);
    expect(raw).toMatch(/M=1 (__x64_sys_vfork|__do_sys_vfork|kernel_clone)/);
    expect(raw).toMatch(/^1: .*\[kernel\.kallsyms\]/m);
  });

  it('is not thrown at a terminal', async () => {
    testRequires('script');
    const { code, stdout } = await run('script', ['-qec', `${KSTACK} -p 2 -f pprof`, '/dev/null']);
    expect(stdout).toMatch(/^kstack: pprof is a binary format: write it to a file with -o, or redirect the output\s*$/);
    expect(code).toBe(1);
    for (const command of ['-p 2', 'why -p 2', 'report /dev/null', 'diff /dev/null /dev/null', 'convert /dev/null']) {
      const page = await run('script', ['-qec', `${KSTACK} ${command} -f html`, '/dev/null']);
      const said = /^kstack: html is a page for a browser: write it to a file with -o, or redirect the output\s*$/;
      expect([command, page.code, page.stdout]).toEqual([command, 1, expect.stringMatching(said)]);
    }
  });
});

describe('-o', () => {
  beforeEach(needs('root'));

  it('replaces a file when all is written, for its owner to read only', async () => {
    const file = join(temporaryFolder(), 'out');
    writeFileSync(file, 'before', { mode: 0o644 });
    const before = statSync(file).ino;
    expect(await kstack(['-p', '2', '-o', file])).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(parseClassic(readFileSync(file, 'utf8')).lines).toMatchObject([{ pid: 2 }]);
    expect(statSync(file).ino).not.toBe(before);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('leaves what was there, and nothing else, where the disk is full', async () => {
    const folder = temporaryFolder();
    const script =
      'mount -t tmpfs -o size=8k none "$1" && echo before > "$1/out" && "$0" -aL -f json -o "$1/out"; echo "code $?"; cat "$1/out"; ls -A "$1"';
    const { stdout, stderr } = await run('unshare', ['-m', 'sh', '-c', script, KSTACK, folder]);
    expect(stderr).toMatch(
      new RegExp(`^kstack: cannot write ${folder}/out: no space left on device \\(ENOSPC\\)$`, 'm'),
    );
    expect(stdout).toBe('code 1\nbefore\nout\n');
  });

  it('leaves what was there or all of the new content, never a part, before and after each call that changes it', async () => {
    testRequires('strace');
    const isWhole = (path: string) =>
      expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ format: 'kstack-sample' });
    const moments = [
      { call: 'fsync', when: 'delay_enter', isNew: false },
      { call: 'linkat', when: 'delay_enter', isNew: false },
      // Between these two calls, some microseconds long, the new content has another name.
      { call: 'renameat2', when: 'delay_enter', isNew: false, beside: true },
      { call: 'renameat2', when: 'delay_exit', isNew: true },
    ];
    const killed = async ({ call, when, isNew, beside = false }: (typeof moments)[number]) => {
      const folder = temporaryFolder();
      const [file, calls] = [join(folder, 'out'), join(temporaryFolder(), 'calls')];
      writeFileSync(file, 'before');
      const tracing = [
        '-f',
        '--seccomp-bpf',
        '-o',
        calls,
        '-e',
        `trace=${call}`,
        '-e',
        `inject=${call}:${when}=3500000`,
      ];
      const strace = spawn('strace', [...tracing, KSTACK, '-aL', '-f', 'json', '-o', file], { stdio: 'ignore' });
      const end = ended(strace);
      while (!existsSync(calls) || !readFileSync(calls, 'latin1').includes(` ${call}(`)) await sleep(5);
      const [pid = 0] = readFileSync(`/proc/${strace.pid}/task/${strace.pid}/children`, 'latin1')
        .split(' ')
        .map(Number);
      process.kill(pid, 'SIGKILL');
      await end;
      if (isNew) isWhole(file);
      else expect(readFileSync(file, 'utf8')).toBe('before');
      const others = readdirSync(folder).filter((name) => name !== 'out');
      expect([call, when, ...others]).toEqual([call, when, ...(beside ? [`.kstack-${pid}.tmp`] : [])]);
      for (const name of others) isWhole(join(folder, name));
    };
    await Promise.all(moments.map(killed));
  });

  it('is written to a FIFO as it is read, once somebody has opened it for that', async () => {
    const fifo = join(temporaryFolder(), 'fifo');
    execFileSync('mkfifo', [fifo]);
    const reader = run('cat', [fifo]);
    while ((await kstack(['-p', '2', '-o', fifo])).code !== 0);
    expect(parseClassic((await reader).stdout).lines).toHaveLength(1);
  });

  it('does not follow a link, nor replace what is no file', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'target'), 'kept');
    symlinkSync('target', join(folder, 'link'));
    const link = await kstack(['-p', '2', '-o', join(folder, 'link')]);
    expect([link.code, link.stderr]).toEqual([
      1,
      `kstack: cannot write ${folder}/link: it is a symbolic link; name the file that it points to\n`,
    ]);
    expect(readFileSync(join(folder, 'target'), 'utf8')).toBe('kept');
    expect((await kstack(['-p', '2', '-o', folder])).stderr).toBe(
      `kstack: cannot write ${folder}: it is a directory\n`,
    );
    expect((await kstack(['-p', '2', '-o', join(folder, 'no', 'out')])).stderr).toMatch(
      /^kstack: cannot write .*ENOENT/,
    );
    expect((await kstack(['-p', '2', '-o', '/dev/null'])).code).toBe(0);
    expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true);
    expect(readdirSync(folder).sort()).toEqual(['link', 'target']);
  });

  it('- is standard output', async () => {
    expect(parseClassic((await kstack(['-p', '2', '-o', '-'])).stdout).lines).toHaveLength(1);
    expect(existsSync('-')).toBe(false);
  });
});

describe('--cgroup', () => {
  it.each([
    ['its path', (path: string) => path],
    ['a path above it', (path: string) => path.slice(0, path.lastIndexOf('/'))],
    ['a pattern of its path', (path: string) => `${path.slice(0, path.lastIndexOf('/'))}/*.scope`],
    ['its name', (path: string) => path.slice(path.lastIndexOf('/') + 1)],
    ["the beginning of its container's id", () => ID.slice(0, 12)],
  ])('takes the tasks of a control group by %s, and no others', async (_, pattern) => {
    const [pid = 0] = await fixture('tasks', ['comm'], 'inside\n');
    const path = inCgroup(`docker-${ID}.scope`, pid);
    // A read may miss its deadline on a machine that is busy with other things.
    const takes = async () => {
      const { lines } = parseClassic((await kstack(['--cgroup', pattern(path)])).stdout);
      expect(lines.map((line) => line.pid)).toEqual([pid]);
      const { stdout } = await kstack(['-L', '--cgroup', pattern(path), '--cgroup=/no/such', '-f', 'long']);
      expect(stdout).toMatch(new RegExp(`inside: ${pid}/${pid}  root  S  docker ${ID.slice(0, 12)}  cpu \\d+\n`));
    };
    await vi.waitFor(takes, { timeout: 30_000, interval: 100 });
    expect((await kstack(['-D', '--cgroup', pattern(path)])).stdout).not.toMatch(/^PID/m);
  });

  it('without a pattern is wrong usage', async () => {
    expect(await kstack(['--cgroup', ''])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/Give a path, a name/),
    });
  });
});

describe('-f', () => {
  it.each([
    [
      ['-a', '-f', 'xml'],
      /'xml' is invalid\. Allowed choices are text, long, json, jsonl, folded, pprof, speedscope, perfetto, firefox, parquet, html\./,
    ],
    [['-ab', '-f', 'json'], /-b writes the classic text to its log/],
    [['-ab', '-o', '/dev/null'], /-b writes the classic text to its log/],
  ])('%j is wrong usage', async (args, message) => {
    expect(await kstack(args)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(message) });
  });
});

/** The value with one property or element less, more, or of another type, for each that it has at any depth. */
function* faultsOf(value: unknown, path = ''): Generator<{ readonly what: string; readonly value: unknown }> {
  if (Array.isArray(value)) {
    // The first ones stand for all.
    for (const [at, each] of value.slice(0, 3).entries())
      for (const fault of faultsOf(each, `${path}[${at}]`))
        yield { what: fault.what, value: value.with(at, fault.value) };
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  yield { what: `${path}.more`, value: { ...value, more: null } };
  for (const [name, each] of Object.entries(value)) {
    const others = Object.entries(value).filter(([other]) => other !== name);
    const where = `${path}.${name}`;
    // Why something could not be read, and its bytes, are there only if there is something to say.
    if (!/\.(unread|raw)$/.test(path)) yield { what: `without ${where}`, value: Object.fromEntries(others) };
    yield { what: `${where} of another type`, value: { ...value, [name]: [[1.5]] } };
    for (const fault of faultsOf(each, where)) yield { what: fault.what, value: { ...value, [name]: fault.value } };
  }
}

async function runWithInput(command: string, args: readonly string[], input: string): Promise<{ stdout: string }> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(input);
  let stdout = '';
  for await (const bytes of child.stdout) stdout += bytes;
  return { stdout };
}
