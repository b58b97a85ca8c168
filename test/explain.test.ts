import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import { ended, fixture, KSTACK, kstack, requires, temporaryFolder } from './harness.ts';

function explained(input: string, ...args: string[]) {
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
    expect(stdout).toContain('  undo:   fsfreeze -u MOUNTPOINT\n');
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
      '1 x nobody_knows\n  unexplained: unknown: no rule knows nobody_knows\n  why:    no rule fits\n',
    );
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
    expect(stderr).toContain("'/nonexistent'");
  });
});
