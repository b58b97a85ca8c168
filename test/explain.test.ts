import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, type TestContext } from 'vitest';
import { ended, fixture, KSTACK, kstack, requires, run, shell, temporaryFolder, testRequires } from './harness.ts';

function explained(input: string | Buffer, ...args: string[]) {
  const child = spawn(KSTACK, ['explain', ...args]);
  child.stdin.on('error', () => child.stdin.destroy());
  child.stdin.end(input);
  return ended(child);
}

const FROZEN = `[<0>] percpu_rwsem_wait+0x15f/0x1d0
[<0>] ext4_page_mkwrite+0x4ab/0x580
[<0>] do_page_mkwrite+0x49/0xb0
[<0>] do_wp_page+0xff/0xf90
[<0>] handle_mm_fault+0xd0/0x310
[<0>] exc_page_fault+0x176/0x770
[<0>] asm_exc_page_fault+0x22/0x30
`;

describe('kstack explain', () => {
  it('says what a stack on standard input waits for, why and how to go on', async () => {
    const { code, stdout, stderr } = await explained(FROZEN);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('1 x ext4_page_mkwrite\n');
    expect(stdout).toContain('  blocked: waits for a frozen file system to be thawed');
    expect(stdout).toContain('  undo:   fsfreeze -u MOUNTPOINT   (changes the host)\n');
    expect(stdout).toContain('1 stack, 1 different: 1 blocked, 0 idle, 0 running, 0 unexplained.\n');
    expect(stdout).not.toContain('why:');
  });

  it('reads a file, and names the rule with --why', async () => {
    const file = join(temporaryFolder(), 'stack');
    writeFileSync(file, FROZEN);
    const { code, stdout } = await kstack(['explain', file, '--why']);
    expect(code).toBe(0);
    expect(stdout).toContain('  why:    rule fs-frozen-fault, see include/linux/fs.h: sb_start_pagefault\n');
  });

  it('says that no rule fits, and where the stack is', async () => {
    const { code, stdout } = await explained(
      '[<0>] __schedule+0x1/0x2\n[<0>] nobody_knows+0x1/0x2\n[<0>] do_syscall_64+0x1/0x2\n',
      '--why',
    );
    expect(code).toBe(0);
    expect(stdout).toContain(
      '1 x nobody_knows\n  unexplained: unknown: no rule knows nobody_knows\n  next:   kstack -L -p PID -f long\n',
    );
    expect(stdout).toContain('\n  why:    no rule fits\n');
  });

  it('says that a hung task is blocked, and for how long, where its stack is not in the text', async () => {
    const hung = (seconds: number) => `INFO: task tar:7 blocked for more than ${seconds} seconds.\n`;
    const owned = 'INFO: task cp:8 is blocked on a mutex likely owned by task tar:7.\n';
    const { code, stdout } = await explained(`[  500.1] ${hung(120)}[  620.1] ${hung(240)}[  620.1] ${owned}`);
    expect(code).toBe(0);
    expect(stdout).toContain(
      '  tasks:  tar 7 (D) for at least 4 min 0 s, reported 2 times\n' +
        '  blocked: waits for something unknown (the text has no stack of it)\n',
    );
    expect(stdout).toContain('  tasks:  cp 8 (D)\n  blocked: waits for a mutex (the text has no stack of it)\n');
    expect(stdout).toContain('7 tar holds up 1 task, and the text has no stack of it\n');
  });

  it('counts a hung task once that is reported with its stack, and later without it', async () => {
    const hung = (seconds: number) => `INFO: task tar:7 blocked for more than ${seconds} seconds.\n`;
    const stack = 'task:tar state:D stack:0 pid:7 ppid:1 flags:0x0\nCall Trace:\n nobody_knows+0x1/0x2\n';
    const { stdout } = await explained(`[  500.1] ${hung(120)}${stack}[  620.1] ${hung(240)}`);
    expect(stdout).toContain('1 x nobody_knows\n  tasks:  tar 7 (D) for at least 4 min 0 s, reported 2 times\n');
    expect(stdout).toContain('1 stack, 1 different: 1 blocked');
  });

  it('explains the classic output of its own', async (context: TestContext) => {
    requires(context, 'root', 'compiler');
    const pids = await fixture('tasks', ['vfork']);
    const [parent = 0] = pids;
    const { stdout } = await kstack(['-p', pids.join(',')]);
    const { code, stdout: explanation } = await explained(stdout);
    expect(code).toBe(0);
    expect(explanation).toMatch(
      new RegExp(`x kernel_clone\n  tasks: .* ${parent} \\(D\\)\n  blocked: waits for its vfork child`),
    );
  });

  it('counts tasks that share a stack', async () => {
    const task = (pid: number) => `PID: ${pid}   State:  D   Start Time: 2026/11/25 03:09:00   Cmd: tar`;
    const { stdout } = await explained(
      `${Array.from({ length: 10 }, (_, at) => task(10000 + at)).join('\n')}\nStack:\n${FROZEN}\n`,
    );
    expect(stdout).toContain('10 x ext4_page_mkwrite\n  tasks:  tar 10000 (D), ');
    expect(stdout).toContain(' (+2)\n');
  });

  it('escapes what would act on the terminal', async () => {
    const { stdout } = await explained(
      `PID: 10000   State:  D   Start Time: 2026/11/25 03:09:00   Cmd: \x1b[31mx\nStack:\n[<0>] f\x1b[2J+0x1/0x2\n`,
    );
    expect(stdout).toContain('\\x1b[31mx');
    expect(stdout).not.toContain('\x1b');
  });

  it('says that there is no stack, and fails', async () => {
    const { code, stdout, stderr } = await explained('total 0\n');
    expect([code, stdout, stderr]).toEqual([1, '', 'kstack: nothing in the input looks like a kernel stack\n']);
  });

  it('says that it left guesses out', async () => {
    const { stderr } = await explained('Call Trace:\n ? f+0x1/0x2\n do_wait+0x1/0x2\n');
    expect(stderr).toBe('kstack: 1 frame marked ? left out: they may be left over from earlier calls\n');
  });

  it('names the file that it cannot read', async () => {
    const { code, stderr } = await kstack(['explain', '/nonexistent']);
    expect(code).toBe(1);
    expect(stderr).toBe('kstack: cannot read /nonexistent: no such file or directory (ENOENT)\n');
  });

  it.each(['text', 'long', 'json', 'jsonl', 'folded'])(
    'explains its own %s as it explains the text',
    async (format) => {
      const pids = await fixture('tasks', ['vfork']);
      const { stdout } = await kstack(['-p', pids.join(','), '-f', format]);
      const { code, stdout: explanation } = await explained(stdout);
      expect(code).toBe(0);
      expect(explanation).toContain('  blocked: waits for its vfork child');
      // All but text and folded also tell for how long it has waited.
      if (format !== 'folded') expect(explanation).toMatch(new RegExp(` ${pids[0]} \\(D\\)(?: for [\\d.]+ s)?\n`));
    },
  );

  it('reads several files, of which one is standard input', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'first'), FROZEN);
    writeFileSync(join(folder, 'second.gz'), gzipSync(FROZEN));
    const { code, stdout } = await explained(FROZEN, join(folder, 'first'), '-', join(folder, 'second.gz'));
    expect(code).toBe(0);
    expect(stdout).toContain('3 x ext4_page_mkwrite\n');
    expect(stdout).toContain('3 stacks, 1 different');
  });

  it('explains what it has, and fails, if there is no stack in one of the files', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'other'), 'total 0\n');
    const { code, stdout, stderr } = await explained(FROZEN, '-', join(folder, 'other'));
    expect([code, stderr]).toEqual([1, `kstack: nothing in ${join(folder, 'other')} looks like a kernel stack\n`]);
    expect(stdout).toContain('1 stack, 1 different');
  });

  it('reads what a crash has left of a packed log, and says that it is not all', async () => {
    const lines = Array.from({ length: 20_000 }, (_, at) => `a line ${at * at} of a log\n`).join('');
    const packed = gzipSync(`${FROZEN}\n${lines}`);
    const { code, stdout, stderr } = await explained(packed.subarray(0, packed.length / 2));
    expect([code, stderr]).toEqual([
      0,
      'kstack: the input: the gzip data ends early: what comes before its end was read\n',
    ]);
    expect(stdout).toContain('1 x ext4_page_mkwrite\n');
  });

  it.each([
    ['xz', '\xfd7zXZ\0', 'it is packed with xz: xz -dc '],
    [
      'a dump',
      'KDUMP   ',
      'looks like a kernel stack: it is a dump of memory, or a program; of a dump of the kernel, ',
    ],
    ['an image', '\x89PNG\r\n', 'looks like a kernel stack: it is an image: kstack reads no pictures of text'],
  ])('says what it is that it cannot read: %s', async (_, bytes, message) => {
    const { code, stdout, stderr } = await explained(Buffer.from(bytes, 'latin1'));
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(message);
  });

  it('names a directory, and reads a FIFO to its end and of a device what there is', async () => {
    const folder = temporaryFolder();
    const logs = join(folder, 'logs');
    mkdirSync(logs);
    expect(await kstack(['explain', logs])).toMatchObject({
      code: 1,
      stderr: `kstack: cannot read ${logs}: it is a directory without recordings (*.kstack); name files to read\n`,
    });
    const fifo = join(folder, 'fifo');
    shell(`mkfifo ${fifo}`);
    const reading = kstack(['explain', fifo]);
    writeFileSync(fifo, FROZEN);
    expect((await reading).stdout).toContain('1 x ext4_page_mkwrite\n');
    expect(await kstack(['explain', '/dev/null'])).toMatchObject({ code: 1, stdout: '' });
  });

  it.each([
    ['explain', '1 x ext4_page_mkwrite'],
    ['explain -', '1 x ext4_page_mkwrite'],
    ['report -', '1 sample'],
    ['convert - -f long', 'ext4_page_mkwrite'],
  ])('asks for a paste on a terminal: %s', async (command, shown) => {
    testRequires('script');
    const child = spawn('script', ['-qec', `${KSTACK} ${command}`, '/dev/null']);
    const end = ended(child);
    child.stdout.once('data', () => child.stdin.write(`${FROZEN}\x04`));
    const { stdout } = await end;
    expect(stdout).toContain('kstack: reading from the terminal: paste here what to read, then press Ctrl-D\r\n');
    expect(stdout).toContain(shown);
  });

  it('reads a log of any size to its end, in the same memory', async (context: TestContext) => {
    requires(context, 'python3');
    const folder = temporaryFolder();
    const peakOf = async (name: string, megabytes: number) => {
      const file = createWriteStream(join(folder, name));
      const filler = `${'Nov 25 03:12:00 db1 kernel: usb 1-1: new high-speed USB device\n'.repeat(15_000)}${FROZEN}\n`;
      for (let written = 0; written < megabytes * 1e6; written += filler.length)
        if (!file.write(filler)) await once(file, 'drain');
      file.end('[<0>] the_newest+0x1/0x2\n');
      await once(file, 'close');
      const script = `import resource, subprocess, sys
told = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, check=True).stdout.decode()
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, "the_newest" in told)`;
      const { stdout } = await run('python3', ['-c', script, KSTACK, 'explain', join(folder, name)]);
      const [peak, isThere] = stdout.trim().split(' ');
      expect(isThere).toBe('True');
      return Number(peak);
    };
    const small = await peakOf('small', 5);
    expect(await peakOf('large', 80)).toBeLessThan(1.7 * small);
  });
});

describe('a selection', () => {
  it('takes some of the tasks of a text, and says what the text does not tell', async () => {
    const text =
      'INFO: task touch:501 blocked for more than 120 seconds.\ntask:touch state:D stack:0 pid:501\n' +
      'Call Trace:\n percpu_rwsem_wait+0x15f/0x1d0\n mnt_want_write+0x96/0xc0\n path_openat+0x4cf/0x12f0\n' +
      'task:sshd state:S stack:0 pid:502\nCall Trace:\n do_sys_poll+0x1/0x2\n __x64_sys_poll+0x1/0x2\n';
    const asked = (...args: string[]) => explained(text, ...args);
    expect((await asked()).stdout).toContain('2 stacks, 2 different');
    expect((await asked('-D')).stdout).toMatch(/tasks: {2}touch 501 \(D\)(.|\n)*\n1 stack, 1 different/);
    expect((await asked('--blocked')).stdout).toContain('\n1 stack, 1 different: 1 blocked');
    const byUser = await asked('-u', '0');
    expect(byUser.stdout).toContain('0 stacks, 0 different');
    expect(byUser.stderr).toContain('kstack: No task matches the selection\n');
    expect(byUser.stderr).toContain('tasks whose user is not in the files are left out, as the selection needs it');
  });
});
