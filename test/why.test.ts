import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { smallFileSystem } from './background-run.ts';
import { ended, expectWithin, fixture, KSTACK, kstack, needs, run, temporaryFolder, until } from './harness.ts';

/** 50 processes with a thread each that sleep: none of them may be in a verdict. */
async function innocents(): Promise<number[]> {
  const [parent = 0] = await fixture('tasks', ['crowd', '50']);
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'latin1').trim().split(' ').map(Number);
  expect(children.length).toBe(50);
  return children;
}

const asked = (...pids: readonly number[]) => ['why', '-p', pids.join(',')];

describe('kstack why', () => {
  beforeEach(needs('root', 'compiler'));

  it('says in one line that nothing is held up, and how busy the host is', async () => {
    const { code, stdout } = await kstack(asked(...(await innocents()), process.pid));
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^Nothing holds up the \d+ selected tasks(?:, as far as could be read [^:]*)?: none has been blocked for long, .*\n(?:pressure .*; )?load /,
    );
    expect(stdout.split('\n').filter((line) => !line.startsWith('not known: ')).length).toBe(3);
  });

  it('says that it does not see the tasks of other PID namespaces', async () => {
    const inside = (...args: string[]) => run('unshare', ['--pid', '--fork', '--mount-proc', ...args]);
    const beside = 'sleep 60 & exec "$0" "$@"';
    const { code, stdout } = await inside('sh', '-c', beside, KSTACK, 'why', '--exit-code');
    expect([code, stdout]).toEqual([
      3,
      // A host that is short of CPUs has another sentence behind it.
      expect.stringMatching(/^There is no verdict: tasks outside of this PID namespace are hidden from kstack\.[ \n]/),
    ]);
    expect(stdout).toMatch(
      /^not known: tasks outside of this PID namespace not shown: \/proc is not of the host's PID namespace; run /m,
    );
    expect((await kstack(asked(process.pid))).stdout).not.toContain('PID namespace');
  });

  it('names the task at the end of a chain, and who waits behind it', { tags: ['source'] }, async () => {
    const pids = await innocents();
    const [outer = 0, inner = 0] = await fixture('tasks', ['vfork-chain']);
    await pause(1100);
    const { code, stdout } = await kstack(asked(outer, ...pids));
    expect(code).toBe(0);
    const [, last = ''] =
      /^2 tasks wait, directly or through others, for (\d+) tasks, which itself waits for /.exec(stdout) ?? [];
    expect(stdout).toContain(`\n${last} tasks, which itself `);
    expect(stdout).toMatch(/\n {2}holds up {3}2 tasks, for up to [\d.]+ s\n/);
    // Only bpf tells for sure which child it is.
    const mark = (process.env['KSTACK_SOURCE'] ?? 'auto') === 'procfs' ? ' \\(inferred\\)' : '( \\(inferred\\))?';
    for (const [parent, child] of [
      [outer, inner],
      [inner, last],
    ])
      expect(stdout).toMatch(
        new RegExp(
          `\n {4}${parent} tasks waits for its vfork child ${child} tasks to execute a program or end${mark}\n`,
        ),
      );
    for (const pid of pids) expect(stdout).not.toMatch(new RegExp(`\\b${pid}\\b`));
  });

  it('names what is stopped at once, and how to let it go on', async () => {
    const { parent, child } = await waitingParent();
    process.kill(child, 'SIGSTOP');
    const { stdout } = await kstack(asked(parent, ...(await innocents())));
    expect(stdout).toMatch(
      new RegExp(`^1 task waits, directly or through others, for ${child} sleep, which is stopped by a signal\\.\n`),
    );
    expect(stdout).toContain(`\n    ${parent} sh waits for its child ${child} sleep to end or to change its state\n`);
    expect(stdout).toContain(`\n  undo       kill -CONT ${child}   (changes the host)\n`);
  });

  it('tells with --evidence what each line was read from', async () => {
    const { parent, child } = await waitingParent();
    process.kill(child, 'SIGSTOP');
    const { stdout } = await kstack([...asked(parent), '--evidence']);
    expect(stdout).toContain(`  evidence   ${parent} sh, child: /proc/${parent}/task/${parent}/children: ${child}\n`);
  });

  it('says why ps hangs: who holds the mmap lock of a process, and what that waits for', {
    tags: ['source'],
  }, async () => {
    const [pid = 0] = await fixture('mmap-lock', [temporaryFolder(), '1']);
    const reader = spawn('cat', [`/proc/${pid}/cmdline`], { stdio: 'ignore' });
    const end = ended(reader);
    onTestFinished(async () => {
      reader.kill('SIGKILL');
      await end;
    });
    await until(() => stateOf(reader.pid ?? 0) === 'D');
    // On a host that is short of CPUs, a task in D counts only then.
    await pause(5100);
    const { stdout, milliseconds } = await kstack(asked(pid, reader.pid ?? 0, ...(await innocents())));
    expectWithin(milliseconds, 3000);
    if ((process.env['KSTACK_SOURCE'] ?? 'auto') === 'procfs') {
      expect(stdout).toContain(`${reader.pid} cat, for up to `);
      return;
    }
    expect(stdout).toMatch(
      new RegExp(
        `^2 tasks wait, directly or through others, for ${pid} mmap-stuck, which itself waits for a frozen file`,
      ),
    );
    expect(stdout).toMatch(/\n {4}(\d+) mmap-stuck waits for the page fault of \d+ mmap-stuck \(inferred\)\n/);
    expect(stdout).toMatch(
      new RegExp(`\\n {4}${reader.pid} cat waits for the mmap lock of a process that \\d+ mmap-stuck holds\\n`),
    );
  });

  it('says nothing of a parent that waits for a child that sleeps', async () => {
    const { parent } = await waitingParent();
    const { stdout } = await kstack(asked(parent));
    expect(stdout).toMatch(/^Nothing holds up the selected task(?:, as far as could be read [^:]*)?: /);
  });

  it('agrees with a report of the same tasks about who holds up others', async () => {
    const { parent, child } = await waitingParent();
    const reported = async () => {
      const file = join(temporaryFolder(), 'recording');
      const both = ['-p', `${parent},${child}`, '--for', '1s', '-i', '1'];
      expect((await kstack(['record', '-o', file, ...both])).code).toBe(0);
      return (await kstack(['report', file])).stdout;
    };
    expect(await reported()).not.toContain('held up others');
    process.kill(child, 'SIGSTOP');
    expect(await reported()).toMatch(new RegExp(`^ {2}(?:\\S+ s {2})?sleep ${child} held up 1 task$`, 'm'));
  });

  it('is a check: exits with 1 if something has been held up for long, else with 0, and with 3 if it cannot tell', async () => {
    const [outer = 0] = await fixture('tasks', ['vfork-chain']);
    await pause(1100);
    expect((await kstack([...asked(outer), '--exit-code', '--for', '1s'])).code).toBe(1);
    expect((await kstack([...asked(outer), '--exit-code'])).code).toBe(0);
    expect((await kstack([...asked(process.pid), '--exit-code', '--for', '1s'])).code).toBe(0);
    const env = { ...process.env, KSTACK_EDGES_MS: '0.001' };
    // While kstack waits for a CPU, that time does not pass, so that a busy machine may find all of it.
    await expect
      .poll(async () => (await kstack([...asked(outer), '--exit-code'], { env })).code, { timeout: 20_000 })
      .toBe(3);
    expect((await kstack(['why', '--proc', '/nowhere', '--exit-code'])).code).toBe(3);
    expect((await kstack(['why', '--proc', '/nowhere'])).code).toBe(1);
  });

  it('is a check also if nobody reads what it says, and cannot tell where it could not be written', async () => {
    const [outer = 0] = await fixture('tasks', ['vfork-chain']);
    await pause(1100);
    const piped = (...words: string[]) =>
      run('bash', ['-c', `"$0" "$@" | :; echo "\${PIPESTATUS[0]}"`, KSTACK, ...asked(outer), ...words]);
    expect(await piped('--exit-code', '--for', '1s')).toMatchObject({ stdout: '1\n', stderr: '' });
    expect(await piped('--exit-code', '--for', '9h')).toMatchObject({ stdout: '0\n', stderr: '' });
    expect(await piped()).toMatchObject({ stdout: '0\n', stderr: '' });
    for (const [words, code] of [
      [['--exit-code', '--for', '9h'], 3],
      [[], 1],
    ] as const) {
      const stdio = ['ignore', openSync('/dev/full', 'w'), 'pipe'] as const;
      expect(await kstack([...asked(outer), ...words], { stdio: [...stdio] })).toMatchObject({
        code,
        stderr: expect.stringContaining('cannot write to standard output: no space left on device (ENOSPC)'),
      });
    }
  });

  it('says that nothing matches a selection, which is no healthy host', async () => {
    for (const [words, code] of [
      [['-c', 'no-such-command-anywhere'], 0],
      [['-p', '2147483647'], 1],
      [['-p', '2147483647', '--exit-code'], 3],
      [['-c', 'no-such-command-anywhere', '--exit-code'], 3],
    ] as const) {
      const { stdout, ...ended } = await kstack(['why', ...words]);
      expect([words, ended.code, stdout.split('\n')[0]]).toEqual([
        words,
        code,
        'No task matches the selection, so there is no verdict.',
      ]);
    }
  });

  it('is a document for programs, as the schema says, healthy or not', { tags: ['source'] }, async () => {
    const ajv = new Ajv2020({ allErrors: true });
    const schemaOf = (name: string) =>
      JSON.parse(readFileSync(join(import.meta.dirname, `../schema/kstack-${name}-1.schema.json`), 'utf8'));
    ajv.compile(schemaOf('sample'));
    const isVerdict = ajv.compile(schemaOf('why'));
    const [outer = 0] = await fixture('tasks', ['vfork-chain']);
    await pause(1100);
    for (const [pid, verdict] of [
      [process.pid, 'healthy'],
      [outer, 'heldUp'],
    ] as const) {
      const { code, stdout } = await kstack([...asked(pid), '-f', 'json']);
      const document: unknown = JSON.parse(stdout);
      expect([code, isVerdict(document), isVerdict.errors]).toEqual([0, true, null]);
      expect(document).toMatchObject({ verdict });
    }
    const file = join(temporaryFolder(), 'verdict.json');
    await kstack([...asked(outer), '-f', 'json', '-o', file]);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
      verdict: 'heldUp',
      roots: [{ trouble: 'awaited', tasks: 2, name: 'tasks', edges: [0, 1] }],
      edges: [{ by: 'vfork' }, { by: 'vfork' }],
    });
  });

  it('serves Nagios as docs/why.md shows, and Node Problem Detector', async () => {
    const page = readFileSync(join(import.meta.dirname, '../docs/why.md'), 'utf8');
    const blocks = [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, kind, text = '']) => ({ kind, text }));
    const script = blocks.find(({ text }) => text.includes('check_kstack'))?.text ?? '';
    const [outer = 0] = await fixture('tasks', ['vfork-chain']);
    await pause(1100);
    const folder = temporaryFolder();
    const check = join(folder, 'check');
    const state = async (pid: number, seconds: number) => {
      writeFileSync(
        check,
        script.replace('--for 60s', `--for ${seconds}s -p ${pid}`).replace('kstack why', `${KSTACK} why`),
      );
      chmodSync(check, 0o755);
      const { code, stdout } = await run(check, []);
      return [code, stdout];
    };
    expect(await state(process.pid, 60)).toEqual([
      0,
      expect.stringMatching(/^Nothing holds up the \d+ selected tasks(?:, as far as could be read [^:]*)?: .*\n$/),
    ]);
    expect(await state(outer, 1)).toEqual([2, expect.stringMatching(/^2 tasks wait, .*\n$/)]);
    const plugin = JSON.parse(blocks.find(({ kind }) => kind === 'json')?.text ?? '');
    const [{ args }] = plugin.rules;
    expect((await kstack([...args, '-p', String(process.pid)])).code).toBe(0);
  });

  it('takes a selection, a duration and a file, and refuses what is none', async () => {
    for (const wrong of [
      ['--for', '0'],
      ['--for', 'x'],
      ['--for', '5s'],
      ['-f', 'long'],
      ['-o', ''],
      ['extra'],
      ['--full'],
    ]) {
      const { code, stdout, stderr } = await kstack(['why', ...wrong]);
      expect([wrong, code, stdout]).toEqual([wrong, 2, '']);
      expect(stderr).toMatch(/^kstack: /);
    }
  });
});

describe('the verdict', { tags: ['source'] }, () => {
  beforeEach(needs('root', 'compiler'));

  /** Asks about these tasks, with 50 innocent ones beside them, which must not be in the answer. */
  async function verdictOn(...pids: readonly number[]): Promise<string> {
    const sleepers = await innocents();
    const { code, stdout } = await kstack(asked(...pids, ...sleepers));
    expect(code).toBe(0);
    for (const pid of sleepers) expect(stdout).not.toMatch(new RegExp(`\\b${pid}\\b`));
    return stdout;
  }

  it('on a frozen ext4 names its mount point, and the command that thaws it', async () => {
    const mounted = smallFileSystem('ext4', 16);
    execFileSync('fsfreeze', ['-f', mounted]);
    const { pid } = started('touch', [join(mounted, 'new')]);
    onTestFinished(() => void execFileSync('fsfreeze', ['-u', mounted]));
    await until(() => stateOf(pid) === 'D');
    const stdout = await verdictOn(pid);
    expect(stdout).toContain(`1 task waits, directly or through others, for ${mounted}, which is frozen (inferred).\n`);
    expect(stdout).toContain(`\n  undo       fsfreeze -u ${mounted}   (changes the host)\n`);
  });

  it('on a pipeline names its stopped end, not the stages that wait', async () => {
    const { pid } = started('sh', ['-c', 'yes | cat | sh -c "kill -STOP \\$\\$; exec cat"; :']);
    const childrenOf = () => readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ').map(Number);
    await until(() => childrenOf().length === 3 && childrenOf().some((child) => stateOf(child) === 'T'));
    const [, , last = 0] = childrenOf();
    onTestFinished(() => {
      for (const child of childrenOf()) process.kill(child, 'SIGKILL');
    });
    await until(() => childrenOf().every((child) => stateOf(child) !== 'R'));
    const stdout = await verdictOn(pid, ...childrenOf());
    expect(stdout).toMatch(
      new RegExp(`^3 tasks wait, directly or through others, for ${last} sh, which is stopped by a`),
    );
  });

  it('on a client names the stopped server at the other end of its connection', async () => {
    const script =
      'import os, signal, socket, sys\n' +
      's = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1], flush=True)\n' +
      'c, _ = s.accept(); os.kill(os.getpid(), signal.SIGSTOP); c.recv(1)';
    const stopped = started('python3', ['-c', script]);
    const port = Number(String((await once(stopped.child.stdout, 'data'))[0]));
    const client = started('bash', ['-c', `exec 3<>/dev/tcp/127.0.0.1/${port}; read -ru 3`]);
    await until(() => stateOf(stopped.pid) === 'T');
    await until(() => readFileSync(`/proc/${client.pid}/stack`, 'latin1').includes('tcp_recvmsg'));
    expect(await verdictOn(client.pid)).toMatch(
      new RegExp(`^1 task waits, directly or through others, for ${stopped.pid} python3, which is stopped by a signal`),
    );
  });
});

/** Ends with the test, in whatever it waits. */
function started(command: string, args: readonly string[]) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'] });
  const end = ended(child);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await end;
  });
  return { child, pid: child.pid ?? 0 };
}

const stateOf = (pid: number) => /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1];
/** A shell that waits for a child, which sleeps. */
async function waitingParent(): Promise<{ parent: number; child: number }> {
  const shell = spawn('sh', ['-c', 'sleep 300; :'], { stdio: 'ignore' });
  const parent = shell.pid ?? 0;
  const end = ended(shell);
  const childOf = () => Number(readFileSync(`/proc/${parent}/task/${parent}/children`, 'latin1'));
  const isAsleep = () => childOf() > 0 && readFileSync(`/proc/${childOf()}/comm`, 'latin1') === 'sleep\n';
  await until(isAsleep);
  const child = childOf();
  onTestFinished(async () => {
    process.kill(child, 'SIGKILL');
    await end;
  });
  return { parent, child };
}
