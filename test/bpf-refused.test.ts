import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { allThreads, bpfCalls, describeBpf, withFailing } from './bpf-source.ts';
import { fixture, KSTACK, lineOf, needs, run, temporaryFolder, testRequires } from './harness.ts';

const WITHOUT_LIBBPF = 'mount --bind /dev/null "$(ldconfig -p | sed -n "s/.*libbpf.so.1 .*=> //p" | head -1)"';
const LOADS = /BPF_PROG_LOAD, \{prog_type=BPF_PROG_TYPE_SYSCALL/;
const MAKES_MAP = /BPF_MAP_CREATE/;

/** Runs a shell command in a mount namespace of its own, in which it may hide files; `$0` is kstack. */
const isolated = (script: string) => run('unshare', ['-m', 'sh', '-c', script, KSTACK]);

describe('--source', () => {
  beforeEach(needs('root'));

  it('auto takes procfs without a word where bpf is unavailable, and -v says why', async () => {
    const dropped = ['--no-new-privs', '--bounding-set=-all,+sys_admin,+sys_ptrace,+dac_read_search'];
    const namespaces = await run('unshare', ['-fp', '--mount-proc', '--kill-child', KSTACK, '-a', '-f', 'long', '-v']);
    expect(namespaces.stderr).toMatch(
      /DEBUG - source: procfs; bpf unavailable: \/proc is not of the initial PID namespace/,
    );
    expect(namespaces.stdout).toMatch(/^ {2}tasks {3}\S+: 1 {2}root/m);
    const quiet = await run('setpriv', [...dropped, KSTACK, '-D', '-f', 'long']);
    expect(quiet.stderr).not.toMatch(/bpf/);
    const elsewhere = temporaryFolder();
    const script = `mount --rbind /proc ${elsewhere} && exec unshare -fp --mount-proc "$0" -p 2 -f long -v --proc ${elsewhere}`;
    const { stderr, stdout } = await isolated(script);
    expect(stderr).toMatch(
      /source: procfs; bpf unavailable: \S+ is not of the initial PID namespace, whose PIDs BPF uses/,
    );
    expect(stdout).toContain('kthreadd: 2');
  });

  it('auto takes procfs where there is no BTF', async () => {
    const { code, stdout, stderr } = await isolated('mount -t tmpfs none /sys/kernel/btf && exec "$0" -p 2 -f long -v');
    expect(stderr).toMatch(/source: procfs; bpf unavailable: there is no \/sys\/kernel\/btf\/vmlinux: /);
    expect(stdout).toContain('kthreadd: 2');
    expect(code).toBe(0);
  });

  it('auto takes procfs where no sysfs is mounted', async () => {
    const { code, stdout, stderr } = await isolated('mount -t tmpfs none /sys && exec "$0" -p 2 -f long -v');
    expect(stderr).toMatch(
      /source: procfs; bpf unavailable: there is no \/sys\/kernel\/btf\/vmlinux: no sysfs is mounted at \/sys\n/,
    );
    expect(stdout).toContain('kthreadd: 2');
    expect(code).toBe(0);
  });

  it('bpf fails with the reason where it is unavailable', async () => {
    const elsewhere = temporaryFolder();
    const script = `mount --rbind /proc ${elsewhere} && exec unshare -fp --mount-proc "$0" -a --source bpf --proc ${elsewhere}`;
    const { code, stdout, stderr } = await isolated(script);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      /^kstack: --source bpf: \S+ is not of the initial PID namespace, whose PIDs BPF uses; use --source procfs instead\n$/,
    );
  });
});

describeBpf('a kernel that refuses', () => {
  it.each([
    ['the loader program', LOADS, 'EPERM', 'the kernel refuses the loader program: EPERM'],
    ['the program that reads tasks', /BPF_PROG_TEST_RUN|BPF_PROG_RUN/, 'EPERM', 'cannot run the loader program: EPERM'],
    ['maps', MAKES_MAP, 'ENOMEM', 'cannot create a BPF map: ENOMEM'],
    ['to attach iterators', /BPF_LINK_CREATE/, 'EACCES', 'cannot attach a BPF iterator: EACCES'],
    ['to start iterators', /BPF_ITER_CREATE/, 'EPERM', 'cannot start a BPF iterator: EPERM'],
  ])('%s: it is asked no further, and tasks come from /proc', async (_, call, errno, reason) => {
    const args = ['-p', '2', '-f', 'long', '-v'];
    const [first = 0] = await bpfCalls(args, call);
    expect(first).toBeGreaterThan(0);
    const [command = '', ...around] = withFailing(errno, `${first}`);
    const { code, stdout, stderr } = await run(command, [...around, KSTACK, ...args]);
    expect(stderr).toContain(`DEBUG - source: procfs; bpf unavailable: ${reason}\n`);
    expect(stdout).toContain('kthreadd: 2');
    expect(code).toBe(0);
    // Neither libbpf, which makes dozens of calls, nor anything else is tried.
    expect(await bpfCalls(args, /./, errno, `${first}`)).toHaveLength(first);
  });

  it.each([
    ['the type of the loader program, as before 5.14', LOADS, 'EINVAL'],
    ['relocations, as before 5.17', /BPF_PROG_TEST_RUN|BPF_PROG_RUN/, 'E2BIG'],
  ])('%s: libbpf loads, where it is there', async (_, call, errno) => {
    testRequires('libbpf.so.1');
    const args = ['-p', '2', '-f', 'long', '-v'];
    const [first = 0] = await bpfCalls(args, call);
    const failing = withFailing(errno, `${first}`).join(' ');
    const { code, stdout, stderr } = await isolated(`exec ${failing} "$0" ${args.join(' ')}`);
    expect(stderr).toMatch(/source: bpf$/m);
    expect(stdout).toContain('kthreadd: 2');
    expect(code).toBe(0);
    const without = await isolated(`${WITHOUT_LIBBPF} && exec ${failing} "$0" ${args.join(' ')}`);
    expect(without.stderr).toMatch(
      new RegExp(
        `source: procfs; bpf unavailable: .* the loader program: ${errno}, and libbpf\\.so\\.1 cannot be loaded: `,
      ),
    );
    expect(without.stdout).toContain('kthreadd: 2');
  });

  it('nothing has no use for libbpf, also where a signal breaks off the first try', async () => {
    const [load = 0] = await bpfCalls(['-p', '2', '-f', 'long'], LOADS);
    for (const around of ['', withFailing('EAGAIN', `${load}`).join(' ')]) {
      const { stderr } = await isolated(`${WITHOUT_LIBBPF} && exec ${around} "$0" -p 2 -f long -v`);
      expect(stderr).toMatch(/source: bpf$/m);
    }
  });
});

describeBpf('a kernel that has allowed everything, and then refuses', () => {
  it('any one call: the sample is as good, by /proc where it must be, and -v says so', async () => {
    const [parent = 0] = await fixture('tasks', ['vfork']);
    const args = ['-p', `2,${parent}`, '-f', 'json', '-v'];
    const [opened = 0] = await bpfCalls(args, /BPF_ITER_CREATE/);
    const all = await bpfCalls(args, /./);
    const later = all.filter((call) => call > opened);
    expect(later.length).toBeGreaterThan(5);
    let fromProc = 0;
    for (const call of later) {
      const [command = '', ...around] = withFailing('ENOMEM', `${call}`);
      const { code, stdout, stderr } = await run(command, [...around, KSTACK, ...args]);
      expect([call, code, stderr.match(/source: bpf$/m)?.[0]]).toEqual([call, 0, 'source: bpf']);
      expect(stderr).toMatch(/DEBUG - bpf: .*: ENOMEM; /);
      const { source, tasks, stacks } = JSON.parse(stdout);
      expect(tasks.map(({ tid }: { tid: number }) => tid)).toEqual(expect.arrayContaining([2, parent]));
      for (const { stack } of tasks) expect(stacks[stack]).toBeDefined();
      if (source.name === 'procfs') {
        fromProc++;
        expect(source.why).toMatch(/^bpf failed: cannot .*: ENOMEM$/);
      }
    }
    // What is asked for, the numbers, and to begin.
    expect(fromProc).toBeGreaterThanOrEqual(3);
  });

  it('every call: all samples of a run are there', async () => {
    const directory = temporaryFolder();
    const args = ['-bp', '2', '-t', '0', '-d', directory, '-v', '--source', 'bpf'];
    const [opened = 0] = await bpfCalls(['-p', '2', '-v', '--source', 'bpf'], /BPF_ITER_CREATE/);
    expect(opened).toBeGreaterThan(0);
    const [command = '', ...around] = withFailing('ENOMEM', `${opened + 1}+`);
    const { code, stdout } = await run(command, [...around, KSTACK, ...args]);
    expect([code, stdout]).toEqual([0, '']);
    const log = readFileSync(
      join(directory, readdirSync(directory).find((name) => name.endsWith('.out')) ?? ''),
      'latin1',
    );
    expect(lineOf(log, 2)).toMatchObject({
      state: 'S',
      command: 'kthreadd',
      stack: expect.stringContaining('kthreadd+0x'),
    });
  });
});

describeBpf('symbols', () => {
  /** Of every task that slept all along, the stack is what /proc/PID/stack has. Returns what -v said. */
  async function comparedWith(around: readonly string[]): Promise<string> {
    const started = performance.now();
    const procfs = await allThreads('procfs');
    const bpf = await allThreads('bpf', around);
    const took = performance.now() - started;
    let compared = 0;
    for (const [tid, { offCpuMs, stack }] of bpf) {
      if ((offCpuMs ?? 0) < took || procfs.hanging.has(tid)) continue;
      compared++;
      expect(stack).toEqual(procfs.get(tid)?.stack);
    }
    expect(compared).toBeGreaterThan(40);
    return bpf.stderr;
  }

  const ARGS = ['-aLv', '-f', 'json', '--source', 'bpf'];
  const REFUSED_RUN =
    /DEBUG - bpf: symbols from bpf_snprintf unavailable: [^\n]*: E[A-Z]+; using an iterator over tasks instead\n/;
  const REFUSED_ITERATOR =
    /DEBUG - bpf: symbols from an iterator over tasks unavailable: [^\n]*: E[A-Z]+; using \/proc\/kallsyms instead\n/;

  it('are those of /proc, whichever way this kernel lets them be printed', async () => {
    await comparedWith([]);
  });

  it.each([
    ['loaded', LOADS, 2],
    ['run', /BPF_PROG_TEST_RUN|BPF_PROG_RUN/, 3],
  ])('come from an iterator over tasks where the program that prints them cannot be %s', async (_, call, count) => {
    const when = (await bpfCalls(ARGS, call))[count - 1] ?? 65535;
    const stderr = await comparedWith(withFailing('EPERM', `${when}`));
    expect(stderr).toMatch(REFUSED_RUN);
  });

  it('come from /proc/kallsyms where the iterator is refused as well', async () => {
    const when = (await bpfCalls(ARGS, MAKES_MAP))[1] ?? 0;
    const stderr = await comparedWith(withFailing('EPERM', `${when}..${when + 1}`));
    expect(stderr).toMatch(REFUSED_RUN);
    expect(stderr).toMatch(REFUSED_ITERATOR);
  });

  it('are addresses where that hides them, and -v says so', async () => {
    const args = ['-p', '2', '-v', '--source', 'bpf'];
    const when = (await bpfCalls(args, MAKES_MAP))[1] ?? 0;
    const failing = withFailing('EPERM', `${when}..${when + 1}`).join(' ');
    const { code, stdout, stderr } = await isolated(
      `mount --bind /dev/null /proc/kallsyms && exec ${failing} "$0" ${args.join(' ')}`,
    );
    expect(stderr).toContain(
      'bpf: symbols from /proc/kallsyms unavailable: /proc/kallsyms has no addresses (kernel.kptr_restrict); stacks show addresses\n',
    );
    expect(stdout).toMatch(/^\[<0>\] 0xf[0-9a-f]{15}\n\[<0>\] 0xf/m);
    expect(code).toBe(0);
  });

  it('are not looked for where no stack is shown', async () => {
    expect(await bpfCalls(['-Z', '--source', 'bpf'], LOADS)).toHaveLength(1);
  });
});
