// The executable starts the reader before its runtime (standalone/early-reader.h).
import { existsSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { isExecutable, KSTACK, kstack, needs, parseClassic, run, temporaryFolder, testRequires } from './harness.ts';

/** What -v says if kstack took over what the entry had asked the reader for. */
const AHEAD = / DEBUG - the reader was started before the runtime, and had begun to read\n/;
const MEMFD_NOEXEC = '/proc/sys/vm/memfd_noexec';

beforeEach(needs('root'));

/** Runs a script of sh, in which "$0" is kstack, in PID and mount namespaces of its own, whose first process it is. */
const amongItself = (text: string) => run('unshare', ['-p', '-f', '-m', '--mount-proc', 'sh', '-c', text, KSTACK]);

it('a reader that somebody else claims to have started is not taken', async () => {
  const env = { ...process.env, KSTACK_READER: `0 0 1 ${'00'.repeat(48)}` };
  for (const args of [['-p', '2'], ['-a'], ['-a', '--source', 'procfs']]) {
    const { code, stdout } = await kstack(args, { env });
    expect([code, parseClassic(stdout).lines.map(({ pid }) => pid)]).toEqual([0, expect.arrayContaining([2])]);
  }
});

if (isExecutable) {
  describe('the reader is started before the runtime', () => {
    it.each([['-a'], ['-D'], ['-aL'], ['-DL'], ['-TR', '-S'], ['-ZIL', '-L'], ['-DRSZIT'], ['-Da']])(
      'for %s %s, and has read what kstack would have asked for',
      async (...args) => {
        const asked = args.filter((arg) => arg !== undefined);
        for (const source of [['--source', 'procfs'], ['--source=procfs']]) {
          const { code, stdout, stderr } = await kstack(['-v', ...source, ...asked]);
          expect([code, stderr]).toEqual([0, expect.stringMatching(AHEAD)]);
          if (args[0] === '-a') expect(parseClassic(stdout).lines.map(({ pid }) => pid)).toContain(process.pid);
        }
      },
    );

    it.each([['why'], ['why', '-D'], ['why', '-aL'], ['why', '-f', 'json']])(
      'for %s %s too, which reads no command lines, unless it has other options',
      async (...args) => {
        const asked = args.filter((arg) => arg !== undefined);
        const { code, stderr } = await kstack(['-v', ...asked, '--source', 'procfs']);
        expect([code, AHEAD.test(stderr)]).toEqual([0, !asked.includes('json')]);
      },
    );

    it('if the environment says so, or BPF cannot be used', async () => {
      const env = { ...process.env, KSTACK_SOURCE: 'procfs' };
      expect((await kstack(['-av'], { env })).stderr).toMatch(AHEAD);
      expect((await amongItself('exec "$0" -av')).stderr).toMatch(AHEAD);
      testRequires('BTF');
      const { stderr } = await run('unshare', [
        '-m',
        'sh',
        '-c',
        'mount -t tmpfs tmpfs /sys/kernel/btf; exec "$0" -av',
        KSTACK,
      ]);
      expect(stderr).toMatch(AHEAD);
    });

    it.each([
      ['-p', '2'],
      ['-a', '-c', '.'],
      ['-a', '-f', 'json'],
      ['-a', '--proc', '/proc/.'],
      ['-a', '--sour=procfs'],
      ['-a', '--source=bpf', '--sour=procfs'],
    ])('but not for %s %s %s', async (...args) => {
      const env = { ...process.env, KSTACK_SOURCE: 'procfs' };
      const { code, stderr } = await kstack(['-v', ...args.filter((arg) => arg !== undefined)], { env });
      expect([code, stderr]).toEqual([0, expect.not.stringMatching(AHEAD)]);
    });

    it('and what it read is dropped if kstack wants something else', async () => {
      const selection = { pids: [2], threads: true };
      const order = {
        root: '/proc',
        options: { selection, source: 'procfs', fields: [], facts: false, steady: false },
      };
      const text = `(printf '%s\\n\\n' '${JSON.stringify(order)}'; sleep 1) | "$0" -a --source procfs`;
      const env = { ...process.env, KSTACK_SAMPLER: '1' };
      const { code, stdout } = await run('sh', ['-c', text, KSTACK], { env });
      expect([code, stdout]).toEqual([0, expect.not.stringMatching(/before the runtime/)]);
      expect(stdout).toMatch(/^\{"sample":/m);
      expect([...stdout.matchAll(/"pid":(\d+)/g)].map(([, pid]) => pid)).toEqual(['2']);
    });

    it('and from a folder that has been deleted', async () => {
      const folder = `${temporaryFolder()}/deleted`;
      const text = `mkdir ${folder}; cd ${folder}; rmdir ${folder}; exec "$0" -av --source procfs`;
      expect(await run('sh', ['-c', text, KSTACK])).toMatchObject({
        code: 0,
        stderr: expect.stringMatching(AHEAD),
      });
    });

    it('and is not shown, and kstack is, with one thread', async () => {
      const { stdout, stderr } = await amongItself('"$0" -aLv --source procfs; wait');
      expect(stderr).toMatch(AHEAD);
      const shown = [...stdout.matchAll(/^PID: +(\d+) +TID: +(\d+) +State: +(\S).* Cmd: (.*) $/gm)];
      expect(shown).toMatchObject([
        { 1: '1', 2: '1' },
        { 2: shown[1]?.[1], 3: expect.stringMatching(/[RS]/), 4: `${KSTACK} -aLv --source procfs` },
      ]);
    });

    it('and ends with kstack, whenever that is killed', async () => {
      const text = `for ms in 000 002 004 006 008 010 015 020 030 040 060 080; do
          "$0" -a --source procfs >/dev/null & sleep 0.$ms; kill -9 $!; wait $! 2>/dev/null
        done
        for try in $(seq 50); do sleep 0.1; grep -qs kstack /proc/[0-9]*/comm || break; done
        grep -hs kstack /proc/[0-9]*/comm; echo none`;
      expect(await amongItself(text)).toMatchObject({ stdout: 'none\n' });
    });

    it('or by kstack itself, where there is no variable that it could do without', async () => {
      const { code, stdout, stderr } = await kstack(['-av', '--source', 'procfs'], { env: {} });
      expect([code, stderr]).toEqual([0, expect.not.stringMatching(AHEAD)]);
      expect(parseClassic(stdout).lines.map(({ pid }) => pid)).toContain(process.pid);
    });

    it('or by kstack itself, where descriptors are few', async () => {
      const { code, stderr } = await run('sh', ['-c', 'ulimit -n 24; exec "$0" -av --source procfs', KSTACK]);
      expect([code, stderr]).toEqual([0, expect.not.stringMatching(AHEAD)]);
    });

    it('or by kstack itself, where processes are few', async () => {
      testRequires('a hierarchy of control groups that counts PIDs');
      const groups = '/sys/fs/cgroup/pids';
      const text = `group=${groups}/kstack-$$; mkdir $group; echo 16 >$group/pids.max; echo $$ >$group/cgroup.procs
        "$0" -av --source procfs; code=$?; echo $$ >${groups}/cgroup.procs
        for try in $(seq 50); do rmdir $group 2>/dev/null && break; sleep 0.1; done; exit $code`;
      const { code, stderr } = await run('sh', ['-c', text, KSTACK]);
      expect([code, stderr]).toEqual([0, expect.not.stringMatching(AHEAD)]);
    });

    it.runIf(existsSync(MEMFD_NOEXEC))('or by kstack itself, where no memfd can be executed', async () => {
      const { code, stdout, stderr } = await amongItself(`echo 2 >${MEMFD_NOEXEC}; "$0" -av`);
      expect([code, stderr]).toEqual([0, expect.not.stringMatching(AHEAD)]);
      expect(parseClassic(stdout).lines).toHaveLength(2);
    });
  });
}
