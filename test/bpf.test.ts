import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { allThreads, describeBpf, type Task } from './bpf-source.ts';
import {
  ended,
  expectWithin,
  fixture,
  KSTACK,
  kstack,
  lineOf,
  run,
  shell,
  temporaryFolder,
  testRequires,
  until,
} from './harness.ts';

describeBpf('the source bpf', () => {
  it('shows of every task that stays as it is what procfs shows, to the byte', async () => {
    for (const what of ['vfork', 'stopped', 'traced', 'zombie', 'thread', 'leaderless', 'vfork-of-nobody'])
      await fixture('tasks', [what]);
    await fixture('tasks', ['comm'], 'a) D 1 (\\n\\xff\n');
    await fixture('mmap-lock', [temporaryFolder(), '2', 'mkdir']);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const started = performance.now();
    const procfs = await allThreads('procfs');
    const bpf = await allThreads('bpf');
    const took = performance.now() - started;
    let compared = 0;
    for (const [tid, task] of bpf) {
      const expected = procfs.get(tid);
      // What ran in between may have changed.
      if ((task.offCpuMs ?? 0) < took || procfs.hanging.has(tid)) continue;
      compared++;
      expect(task).toEqual({
        ...expected,
        // Where a lock is held, procfs waits for it and bpf does not even try.
        unread: { ...expected?.unread, ...(task.mmapLock !== null && { commandLine: 'locked' }) },
        // Looked up for the first ones of a stack, which may be others by now.
        systemCall: expected?.systemCall && { ...expected.systemCall, text: task.systemCall?.text },
        // What procfs does not tell.
        offCpuMs: task.offCpuMs,
        lock: task.lock,
        mmapLock: task.mmapLock,
        vforkParent: task.vforkParent,
        tracer: task.tracer,
      });
      if (task.mmapLock !== null) expect(expected?.unread).toEqual({ commandLine: 'timeout' });
    }
    expect(compared).toBeGreaterThan(60);
    const states = new Set([...bpf.values()].map(({ state }) => state));
    expect([...'DSITtZ'].filter((state) => !states.has(state))).toEqual([]);
  });

  it('shows also what hangs so that not even its stat can be read', async () => {
    const [pid = 0, child = 0] = await fixture('mmap-lock', [temporaryFolder(), '1', 'exec']);
    const { code, stdout, stderr, milliseconds } = await kstack(['-D', '--source', 'bpf']);
    expect(lineOf(stdout, pid)?.stack).toContain('ext4_page_mkwrite+0x');
    expect(lineOf(stdout, child)).toMatchObject({
      state: 'D',
      command: 'mmap-stuck',
      stack: expect.stringContaining('+0x'),
    });
    // Others on this machine may be stuck as well.
    const named = `(?:PID ${pid} \\(mmap-stuck\\)|\\d+ processes mmap-stuck \\(.*\\b${pid}\\b.*\\))`;
    expect(stderr).toMatch(new RegExp(`^kstack: ${named}: command line not read: a thread holds`, 'm'));
    expect(code).toBe(0);
    expectWithin(milliseconds, 2500);
  });

  it('names kernel threads as procfs does, also workers and those with long names', async () => {
    const names = (threads: Map<number, Task>) =>
      [...threads.values()]
        .filter(({ kernelThread }) => kernelThread)
        .map(({ tid, comm }) => `${tid} ${comm.replace(/^(kworker\/u?\d+:\d+H?).*/, '$1')}`);
    let [bpf, procfs] = [await allThreads('bpf'), await allThreads('procfs')];
    // Workers come and go.
    for (let tries = 0; tries < 10 && names(bpf).join() !== names(procfs).join(); tries++)
      [bpf, procfs] = [await allThreads('bpf'), await allThreads('procfs')];
    expect(names(bpf)).toEqual(names(procfs));
    expect([...bpf.values()].some(({ comm }) => /^kworker\/\S+[-+]./.test(comm))).toBe(true);
    expect(
      [...bpf.values()].some(
        ({ comm, kernelThread }) => kernelThread && comm.length > 15 && !comm.startsWith('kworker'),
      ),
    ).toBe(true);
  });

  it.each([
    ['-D', ['-D']],
    ['-p with -D', ['-Dp']],
    ['a name', ['-c', '^kthreadd$']],
    ['the beginning of a name', ['-c', '^ksoftirq']],
    ['a part of a name', ['-c', 'thread']],
    ['a user', ['-u', 'nobody']],
    ['-L with a TID', ['-Lp']],
    ['a function', ['--function', '^kthreadd$']],
  ])('selects by %s as procfs does', async (_, args) => {
    const [pid = 0, tid = 0] = await fixture('tasks', ['thread']);
    await fixture('tasks', ['vfork-of-nobody']);
    const last = args.at(-1)?.endsWith('p') === true ? [`${args[0]?.includes('L') ? tid : pid}`] : [];
    const shown = async (source: string) =>
      (await kstack([...args, ...last, '--source', source])).stdout.replace(/^zzz .*/, '');
    let [bpf, procfs] = [await shown('bpf'), await shown('procfs')];
    // Zombies of earlier tests come and go.
    for (let tries = 0; tries < 10 && bpf !== procfs; tries++)
      [bpf, procfs] = [await shown('bpf'), await shown('procfs')];
    expect(bpf).toBe(procfs);
    expect(bpf).toMatch(/^PID:/m);
  });

  it('leaves no program, map or link behind, also after kill -9', async () => {
    testRequires('bpftool');
    const pinned = () => (existsSync('/sys/fs/bpf') ? readdirSync('/sys/fs/bpf') : []);
    const before = pinned();
    const directory = temporaryFolder();
    const started = await run(KSTACK, ['-ba', '--source', 'bpf', '-d', directory], {
      stdio: ['ignore', 'ignore', 'ignore'],
    });
    expect(started.code).toBe(0);
    const { pid } = JSON.parse(
      readFileSync(join(directory, readdirSync(directory).find((name) => name.endsWith('.run')) ?? ''), 'utf8'),
    );
    /** What the run has open, by the kernel's numbers. */
    const held = () =>
      shell(`cat /proc/${pid}/fdinfo/* 2>/dev/null | grep -E '^(prog|map|link)_id:' | sort -u || true`).split('\n');
    const programs = () => held().filter((line) => line.startsWith('prog_id')).length;
    for (let tries = 0; tries < 100 && programs() === 0; tries++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    const numbers = held();
    expect(numbers.filter((line) => line.startsWith('prog_id'))).not.toEqual([]);
    const left = () =>
      numbers.filter((line) => {
        const [, kind, number] = /^(\w+)_id:\s*(\d+)$/.exec(line) ?? [];
        return kind !== undefined && shell(`bpftool ${kind} show id ${number} 2>/dev/null || true`) !== '';
      });
    expect(left()).not.toEqual([]);
    process.kill(pid, 'SIGKILL');
    for (let tries = 0; tries < 100 && left().length > 0; tries++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect(left()).toEqual([]);
    expect(pinned()).toEqual(before);
  });
});

interface Wait {
  readonly edges: readonly number[];
}

interface Edge {
  readonly id: number;
  readonly from: { readonly tid: number | null };
  readonly to: { readonly tid: number | null };
}

/** The edges of a JSON document that are like this. */
function edgesIn({ edges }: { edges: readonly Edge[] }, isLike: (edge: Edge) => boolean): Edge[] {
  return edges.filter(isLike);
}

describeBpf('who holds up whom', () => {
  it('is told of a directory whose lock a task holds that waits for a stopped FUSE server', async () => {
    testRequires('bindfs and /dev/fuse');
    const folder = temporaryFolder();
    const mount = join(folder, 'mount');
    for (const name of ['source', 'source/inner', 'mount']) mkdirSync(join(folder, name));
    const server = spawn('bindfs', ['-f', join(folder, 'source'), mount], { stdio: 'ignore' });
    const serverEnd = ended(server);
    const touching: ReturnType<typeof spawn>[] = [];
    onTestFinished(async () => {
      server.kill('SIGCONT');
      await Promise.all(touching.map(ended));
      server.kill('SIGTERM');
      await serverEnd;
      shell(`umount -l ${mount} 2>/dev/null || true`);
    });
    for (let tries = 0; tries < 100 && shell(`ls ${mount}`) !== 'inner'; tries++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    shell(`ls ${mount}/inner`);
    server.kill('SIGSTOP');
    const pids: number[] = [];
    for (const name of ['a', 'b', 'c']) {
      const child = spawn('touch', [join(mount, 'inner', name)], { stdio: 'ignore' });
      touching.push(child);
      pids.push(child.pid ?? 0);
      // The first one waits for the server, the others for the lock of the directory that it holds.
      const [file, waits] = name === 'a' ? (['stack', /fuse/] as const) : (['status', /^State:\tD/m] as const);
      await until(() => waits.test(readFileSync(`/proc/${child.pid}/${file}`, 'latin1')));
    }
    const [root = 0, second = 0, third = 0] = pids;
    const { stdout } = await kstack(['-D', '-f', 'long']);
    // The root is the first one, or what that itself waits for.
    expect(stdout).toMatch(/^\S.* holds up [2-9] tasks\b/m);
    expect(stdout).toContain(
      `  ${second} touch, ${third} touch wait for the rw-semaphore, to write, that ${root} touch holds\n`,
    );
    // The root comes first, though it is not in D.
    expect(stdout.indexOf(`touch: ${root} `)).toBeGreaterThan(0);
    expect(stdout.indexOf(`touch: ${root} `)).toBeLessThan(stdout.indexOf('touch x 2: '));
    expect(stdout).toMatch(
      /\n1 task \(not selected\) {2}blocked for [\d.]+ s {2}waits for a FUSE daemon to answer, in order to open a file\n/,
    );
    expect(stdout).toMatch(
      new RegExp(
        `\\n2 tasks .*\\n(?:.*\\n)*? {2}behind {2}the rw-semaphore, to write, that ${root} touch holds {2}x 2\\n`,
      ),
    );
    const json = JSON.parse((await kstack(['-D', '-f', 'json'])).stdout);
    // Others may be in D on this host, too.
    const behind = edgesIn(json, ({ to }) => to.tid === root);
    expect(behind).toMatchObject(
      [second, third].map((tid) => ({ from: { tid }, by: 'rwsem-write', any: false, inferred: false })),
    );
    const [wait] = json.waits.filter(({ edges }: Wait) => edges.includes(behind[0]?.id ?? -1));
    expect(wait).toMatchObject({ deadlock: false, edges: expect.arrayContaining(behind.map(({ id }) => id)) });
    const holders: { tid: number; stack: number }[] = json.holders;
    const holder = holders.find(({ tid }) => tid === root);
    expect(holder).toMatchObject({
      tid: root,
      comm: 'touch',
      state: 'S',
      commandLine: expect.stringMatching(/^touch /),
    });
    expect(json.stacks[holder?.stack ?? -1].finding).toMatchObject({
      kind: 'blocked',
      waitsFor: 'a FUSE daemon to answer, in order to open a file',
    });
    const waiter = json.tasks.find(({ tid }: { tid: number }) => tid === second);
    expect(waiter.lock).toEqual({ kind: 'rwsem-write', address: expect.stringMatching(/^[0-9a-f]+$/), owner: root });
  });

  it('is told of the parent and the child of a vfork', async () => {
    const [parent = 0] = await fixture('tasks', ['vfork']);
    const { stdout } = await kstack(['-p', `${parent}`, '-f', 'long']);
    expect(stdout).toMatch(
      new RegExp(`${parent} tasks waits for its vfork child \\d+ tasks to execute a program or end`),
    );
  });

  it('is told also where the parent is a thread that is not selected, and names it', async () => {
    const [parent = 0] = await fixture('tasks', ['thread-in-vfork']);
    const child = Number(shell(`cat /proc/${parent}/task/*/children`));
    const { stdout } = await kstack(['-p', `${child}`, '-f', 'long']);
    expect(stdout).toMatch(
      new RegExp(
        `${child} tasks holds up 1 task, .*\\n  \\d+ tasks waits for its vfork child ${child} tasks to execute`,
      ),
    );
    expect(stdout).toContain('1 task (not selected)');
    const json = JSON.parse((await kstack(['-p', `${child}`, '-f', 'json'])).stdout);
    const [vfork] = edgesIn(json, ({ to }) => to.tid === child);
    expect(vfork).toMatchObject({ by: 'vfork', any: false, inferred: false });
    expect(json.holders).toMatchObject([{ tid: vfork?.from.tid, pid: parent, state: 'D' }]);
  });

  it('is told along a chain, to the task at its end', async () => {
    const [first = 0, second = 0] = await fixture('tasks', ['vfork-chain']);
    const { stdout } = await kstack(['-p', `${first}`, '-f', 'json']);
    const json = JSON.parse(stdout);
    const last = json.holders.find(({ ppid }: { ppid: number }) => ppid === second)?.tid;
    expect(json.waits).toMatchObject([
      { deadlock: false, certain: true, root: { tid: last, resource: null }, tasks: 2, atLeast: false },
    ]);
    const { edges }: Wait = json.waits[0];
    expect(edges.map((id) => json.edges[id])).toMatchObject([
      { from: { tid: second }, to: { tid: last }, by: 'vfork' },
      { from: { tid: first }, to: { tid: second }, by: 'vfork' },
    ]);
    const { stdout: long } = await kstack(['-p', `${first}`, '-f', 'long']);
    expect(long).toContain(`${last} tasks holds up 2 tasks, and itself waits for a signal\n`);
  });

  it('is nobody, for a frozen file system', async () => {
    const [pid = 0] = await fixture('mmap-lock', [temporaryFolder(), '1']);
    const { stdout } = await kstack(['-p', `${pid}`, '-f', 'long']);
    expect(stdout).toMatch(/ {2}behind {2}no task holds it: the file system is frozen until it is thawed\n/);
  });
});

describeBpf('how long a task has been off the CPU', () => {
  it('is known to the first sample', async () => {
    const sleeper = spawn('sleep', ['60'], { stdio: 'ignore' });
    const end = ended(sleeper);
    onTestFinished(async () => {
      sleeper.kill('SIGKILL');
      await end;
    });
    const started = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const { stdout } = await kstack(['-p', `${sleeper.pid}`, '-f', 'json']);
    const [{ offCpuMs }] = JSON.parse(stdout).tasks;
    expect(offCpuMs).toBeGreaterThan(900);
    expect(offCpuMs).toBeLessThan(performance.now() - started + 100);
  });
});
