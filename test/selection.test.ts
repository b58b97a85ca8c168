import { readdirSync, readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { fixture, KSTACK, kstack, lineOf, needs, parseClassic, run, temporaryFolder } from './harness.ts';

interface Thread {
  readonly pid: number;
  readonly tid: number;
  readonly state: string;
  readonly thread: string;
  readonly command: string;
}

/** Reads the lines that -L prints. */
function threads(text: string): Thread[] {
  const line =
    /^PID: +(\d+) {3}TID: +(\d+) {3}State: {1,2}(\S) {3}Start Time: \S+ \S+ {3}Thread: (.*?) {3}Cmd: (.*)$/gm;
  return [...text.matchAll(line)].map(([, pid, tid, state = '', thread = '', command = '']) => ({
    pid: Number(pid),
    tid: Number(tid),
    state,
    thread,
    command,
  }));
}

describe('-L', { tags: ['source'] }, () => {
  beforeEach(needs('root'));

  it('takes every thread of every process, with its TID and its name', async () => {
    const [pid = 0, tid = 0] = await fixture('tasks', ['thread']);
    const { code, stdout } = await kstack(['-aL']);
    const seen = threads(stdout);
    expect(stdout.match(/^PID: /gm)).toHaveLength(seen.length);
    const expected = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    for (const number of [pid, tid]) {
      expect(seen.filter((line) => line.tid === number)).toEqual([
        { pid, tid: number, state: 'S', thread: 'tasks', command: expected },
      ]);
    }
    expect(
      seen
        .filter((line) => line.pid === process.pid)
        .map((line) => line.tid)
        .sort(),
    ).toEqual(readdirSync('/proc/self/task').map(Number).sort());
    expect(code).toBe(0);
  });

  it('with -p takes all threads of a process, and a single one by its TID', async () => {
    const [pid = 0, tid = 0] = await fixture('tasks', ['thread']);
    const numbers = async (...args: string[]) => threads((await kstack(args)).stdout).map((line) => line.tid);
    expect(await numbers('-Lp', String(pid))).toEqual([pid, tid]);
    expect(await numbers('--threads', '-p', String(tid))).toEqual([tid]);
    expect(await numbers('-LZp', `${tid}`)).toContain(tid);
    expect(await kstack(['-Lp', '2147483647'])).toMatchObject({
      code: 1,
      stderr: 'kstack: PID 2147483647: no such process\n',
    });
  });

  it('shows the thread that is stuck, though its main thread is not', async () => {
    const [pid = 0] = await fixture('tasks', ['thread-in-vfork']);
    expect(lineOf((await kstack(['-D'])).stdout, pid)).toBeUndefined();
    expect(threads((await kstack(['-DL'])).stdout).filter((line) => line.pid === pid)).toMatchObject([{ state: 'D' }]);
  });

  it.each(['procfs', 'bpf'])('is what -D advises where only other threads are stuck: %s', async (source) => {
    const [pid = 0] = await fixture('tasks', ['thread-in-vfork']);
    const asked = await kstack(['-D', '--source', source]);
    if (asked.stderr.startsWith('kstack: --source bpf: ')) return;
    const threadsOfHost = Number(/\/(\d+) /.exec(readFileSync('/proc/loadavg', 'latin1'))?.[1]);
    // From /proc, a look at very many threads takes too long.
    if (source === 'procfs' && threadsOfHost > 900) return;
    const [, count] = /^kstack: (\d+) more threads? (?:is|are) in D: use -L$/m.exec(asked.stderr) ?? [];
    expect(Number(count)).toBeGreaterThanOrEqual(1);
    const stuck = threads((await kstack(['-DL', '--source', source])).stdout).filter((line) => line.pid !== line.tid);
    expect(stuck.map((line) => line.pid)).toContain(pid);
    expect((await kstack(['-DL', '--source', source])).stderr).not.toContain('use -L');
    expect((await kstack(['-Z', '--source', source])).stderr).not.toContain('use -L');
  });

  it('calls a TID a TID where it says what could not be read', async () => {
    const [pid = 0, tid = 0] = await fixture('tasks', ['thread']);
    const hide = `for t in ${pid} ${tid}; do mount --bind /dev/full /proc/${pid}/task/$t/stack; done`;
    const { stderr } = await run('unshare', [
      '-m',
      'sh',
      '-c',
      `${hide}; exec "$0" -Lp ${pid} --source procfs`,
      KSTACK,
    ]);
    for (const number of [pid, tid])
      expect(stderr).toMatch(new RegExp(`^kstack: TID ${number} \\(tasks\\): kernel stack `, 'm'));
    expect(stderr).not.toContain('PID');
  });

  it('shows a process whose main thread has ended with the command line that its other threads have', async () => {
    const [pid = 0] = await fixture('tasks', ['leaderless']);
    const { stdout } = await kstack(['-Lp', String(pid)]);
    expect(threads(stdout).map(({ state, command }) => [state, command])).toEqual([
      ['Z', 'tasks'],
      ['S', expect.stringMatching(/tasks leaderless $/)],
    ]);
  });
});

describe('states', { tags: ['source'] }, () => {
  beforeEach(needs('root'));

  it.each([
    [['-T'], 'T', ['stopped']],
    [['-T'], 't', ['traced']],
    [['--state', 'tZ'], 't', ['traced']],
    [['--state=Z', '--state=D'], 'D', ['vfork']],
  ])('%j takes a task in %s', async (args, state, what) => {
    const [pid = 0] = await fixture('tasks', what);
    const { lines } = parseClassic((await kstack(args)).stdout);
    expect(lines.find((line) => line.pid === pid)?.state).toBe(state);
  });

  it('-I takes idle kernel threads and nothing else', async () => {
    const { lines } = parseClassic((await kstack(['-I'])).stdout);
    expect(lines.length).toBeGreaterThan(0);
    expect(new Set(lines.map(({ state }) => state))).toEqual(new Set(['I']));
  });
});

describe('filters', { tags: ['source'] }, () => {
  beforeEach(needs('root'));

  it('narrow what is selected, and select among all where they are alone', async () => {
    const [one = 0] = await fixture('tasks', ['comm'], 'filter-one\n');
    const [two = 0] = await fixture('tasks', ['comm'], 'filter-two\n');
    const [waiter = 0] = await fixture('tasks', ['vfork']);
    const pids = async (...args: string[]) => parseClassic((await kstack(args)).stdout).lines.map(({ pid }) => pid);
    expect(await pids('-c', '^filter-')).toEqual([one, two]);
    expect(await pids('-c', '^filter-o', '-c', '^filter-t')).toEqual([one, two]);
    expect(await pids('-Sc', 'filter-t')).toEqual([two]);
    expect(await pids('-a', '--command=filter-o')).toEqual([one]);
    expect(await pids('-c', '^filter-', '-p', `${two},${waiter}`)).toEqual([two]);
    expect(await pids('-D', '-c', '^filter-')).toEqual([]);
    expect(await pids('--function', '^(do_)?sys_pause$|^__do_sys_pause$|pause', '-c', 'filter-two')).toEqual([two]);
    expect(await pids('--function', '^kthreadd$')).toEqual([2]);
    expect(await pids('--function', '^no_such_function$')).toEqual([]);
    expect(await pids('--module', 'no_such_module')).toEqual([]);
    const none = (...args: string[]) => kstack(args).then(({ code, stderr }) => [code, stderr]);
    expect(await none('-c', '^no-such-name$')).toEqual([0, 'kstack: No task matches the selection\n']);
    expect(await none('--cgroup', 'no-such-group')).toEqual([0, 'kstack: No task matches the selection\n']);
  });

  it('by a regular expression take time linear in the text, and miss nothing', async () => {
    // Each engine that backtracks gives up on one of these, or takes until tomorrow.
    const name = 'aaaaaaaaaaaaaaa';
    const [pid = 0] = await fixture('tasks', ['comm'], `${name}\n`);
    const shown = async (...args: string[]) => {
      const { code, stdout, milliseconds } = await kstack([...args, '-p', String(pid)]);
      expect(milliseconds).toBeLessThan(10_000);
      return [code, parseClassic(stdout).lines.map((line) => line.pid)];
    };
    expect(await shown('-c', '(a|a?a?a?a?)+$')).toEqual([0, [pid]]);
    expect(await shown('-c', '^(((a+)+)+)+!')).toEqual([1, []]);
    expect(await shown('--function', '(([a-z_0-9]+)+)+!')).toEqual([1, []]);
    expect(await shown('--function', '(\\w+)+!|entry_SYSCALL_64_after_hwframe|el0t_64_sync$')).toEqual([0, [pid]]);
  });

  it('match names in any script', async () => {
    const [pid = 0] = await fixture('tasks', ['comm'], '\\xd0\\x98\\xd0\\xb2\\xd0\\xb0\\xd0\\xbd\n');
    for (const pattern of ['^Иван$', '(?i)^иВ', '^\\p{Cyrillic}{4}$', '^....$'])
      expect(
        parseClassic((await kstack(['-c', pattern, '-p', String(pid)])).stdout).lines.map((line) => line.pid),
      ).toEqual([pid]);
  });

  it('-u takes the tasks of users, by name or number', async () => {
    const [pid = 0] = await fixture('tasks', ['vfork-of-nobody']);
    for (const user of ['nobody', '65534', '65534,0']) {
      const { lines } = parseClassic((await kstack(['-D', '-u', user])).stdout);
      expect(lines.map((line) => line.pid)).toContain(pid);
    }
    expect(lineOf((await kstack(['-Du', 'root'])).stdout, pid)).toBeUndefined();
  });

  it('may leave nothing of the PIDs asked for, which is then not found', async () => {
    const [pid = 0] = await fixture('tasks', ['comm'], 'other\n');
    expect(await kstack(['-p', String(pid), '-c', 'else'])).toMatchObject({ code: 1 });
  });
});

describe('--proc', () => {
  beforeEach(needs('root'));

  it('reads another /proc', async () => {
    const [pid = 0] = await fixture('tasks', ['comm'], 'elsewhere\n');
    const folder = temporaryFolder();
    // A PID namespace of its own, in which /proc shows its own processes only, and the host's is at another place.
    const script = `mount --rbind /proc ${folder} && exec unshare -fp --mount-proc "$0" -p ${pid} --source procfs --proc ${folder}`;
    const { code, stdout } = await run('unshare', ['-m', 'sh', '-c', script, KSTACK]);
    expect(lineOf(stdout, pid)?.stack).not.toBe('');
    expect(code).toBe(0);
  });
});

describe('what cannot be', () => {
  it.each([
    [
      ['-c', '(a|b'],
      /^kstack: option '-c, --command <REGEX>' argument '\(a\|b' is invalid\. missing closing \):\n {2}\(a\|b\n {2}\^\nTry 'kstack -h' for more\.\n$/,
    ],
    [['--function', 'a[z-b]c'], /'--function <REGEX>' .*invalid character class range:\n {2}a\[z-b\]c\n {6}\^\n/],
    [['-c', 'a**'], /invalid nested repetition operator:\n {2}a\*\*\n {4}\^\n/],
    [['-Dc', '(a)\\1'], /the RE2 syntax has no backreferences:\n/],
    [['--function', 'a(?=b)'], /the RE2 syntax has no lookaround:\n/],
    [['-u', 'no-such-user'], /'no-such-user' is neither a user of \/etc\/passwd nor a user id\./],
    [['-u', '99999999999'], /'99999999999' is neither a user/],
    [['--module', 'xfs', '--module', 'ext4'], /Give one module only: 'xfs' was given, too\./],
    [['-c', 'a', '-c', '(b'], /'-c, --command <REGEX>' argument '\(b' is invalid\./],
    [['--state', 'DQ'], /'Q' is not a state; the kernel has R S D I T t Z X P\./],
    [['--state', ''], /Give one or more of R S D I/],
  ])('%j is wrong usage, and shown where it is wrong', async (args, message) => {
    const { code, stdout, stderr } = await kstack(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
  });
});

describe('--blocked', { tags: ['source'] }, () => {
  beforeEach(needs('root'));

  it('leaves out what idles, and counts it', async () => {
    const [blocked = 0] = await fixture('tasks', ['vfork']);
    const [idle = 0] = await fixture('tasks', ['thread']);
    const { stdout } = await kstack(['-p', `${blocked},${idle}`, '--blocked']);
    expect(parseClassic(stdout).lines.map(({ pid }) => pid)).toEqual([blocked]);
    const { stdout: long } = await kstack(['--blocked', '-p', `${blocked},${idle}`, '-f', 'long']);
    expect(long).toMatch(/^1 task \(50\.0 %\) {2}blocked(?: for [\d.]+ s)? {2}waits for /m);
    expect(long).toMatch(/\n2 tasks seen: 1 blocked, 1 idle, 0 running, 0 unexplained\.\n$/);
    const { stdout: json } = await kstack(['--blocked', '-p', `${blocked},${idle}`, '-f', 'json']);
    expect(JSON.parse(json)).toMatchObject({ counts: { tasks: 2, idle: 1 }, tasks: [{ pid: blocked }] });
  });

  it('selects among all where it is alone, and shows next to nothing of a healthy host', async () => {
    const [blocked = 0] = await fixture('tasks', ['vfork']);
    const document = JSON.parse((await kstack(['--blocked', '-L', '-f', 'json'])).stdout);
    expect(document.counts.tasks).toBeGreaterThan(50);
    expect(document.tasks.map(({ pid }: { pid: number }) => pid)).toContain(blocked);
    for (const { kind } of document.tasks) expect(kind).not.toBe('idle');
    // What is left is at work, or is PID 1 of a machine that does not let itself be looked at.
    expect(document.tasks.filter(({ kind }: { kind: string }) => kind === 'blocked').length).toBeLessThan(6);
    const unexplained = document.tasks.filter(
      ({ kind, stack }: { kind: string; stack: unknown }) => kind === 'unexplained' && typeof stack === 'number',
    );
    expect(unexplained.length).toBeLessThan(5);
  });
});
