import { describe, expect, it } from 'vitest';
import { told } from '../../../../test/told.ts';
import { textSamples } from '../index.ts';

const ARCHIVER = [
  'INFO: task archiver:4901 blocked for more than 120 seconds.',
  'task:archiver        state:D stack:0     pid:4901  ppid:1      flags:0x00000000',
  'Call Trace:',
  ' <TASK>',
  ' __schedule+0x2b2/0x8a0',
  ' rpc_wait_bit_killable+0x24/0x40 [sunrpc]',
  ' nfs4_proc_getattr+0xf7/0x3a0 [nfsv4]',
  ' </TASK>',
];
const WRITER = [
  'task:writer          state:D stack:0     pid:4902  ppid:1      flags:0x00000000',
  'Call Trace:',
  ' __schedule+0x2b2/0x8a0',
  ' schedule+0x46/0xb0',
  ' jbd2_log_wait_commit+0xc5/0x140 [jbd2]',
  ' ext4_sync_file+0x1c8/0x3a0 [ext4]',
];
const TOLD = [
  'archiver 4901 D: __schedule rpc_wait_bit_killable nfs4_proc_getattr',
  'writer 4902 D: __schedule schedule jbd2_log_wait_commit ext4_sync_file',
];
const STACK = ['[<0>] f_wait+0xc5/0x140', '[<0>] f_sync+0x1c8/0x3a0 [f]', '[<0>] do_syscall_64+0x33/0x40'];
const OTHER = ['[<0>] g_wait_long_name+0xc5/0x140 [g]', '[<0>] g_sync+0x1c8/0x3a0', '[<0>] do_fsync+0x33/0x40'];
const BOTH = [': f_wait f_sync do_syscall_64', ': g_wait_long_name g_sync do_fsync'];

function beside(left: readonly string[], right: readonly string[], join: (left: string, right: string) => string) {
  const count = Math.max(left.length, right.length);
  const lines = Array.from({ length: count }, (_, at) => join(left[at] ?? '', right[at] ?? '').trimEnd());
  return `${lines.join('\n')}\n`;
}

/** As diff(1) and pr(1) fill a column. */
function tabbed(left: string, width: number): string {
  let text = left;
  for (let at = left.length; at < width; at += 8 - (at % 8)) text += '\t';
  return text;
}

describe('texts side by side', () => {
  it.each([
    ['pr -m', (left: string, right: string) => left.padEnd(90) + right],
    ['pr -m with tabs', (left: string, right: string) => `${tabbed(left, 88)}  ${right}`],
    ['paste', (left: string, right: string) => `${left}\t${right}`],
    ['paste -d"|"', (left: string, right: string) => `${left}|${right}`],
    ['panes of a terminal', (left: string, right: string) => `${left.padEnd(85)}│${right}`],
    ['diff -y', (left: string, right: string) => `${tabbed(left, 88)}   |\t${right}`],
  ])('are two texts: %s', async (_, join) => {
    expect((await told(beside(ARCHIVER, WRITER, join))).sort()).toEqual(TOLD);
    expect((await told(beside(WRITER, ARCHIVER, join))).sort()).toEqual(TOLD);
  });

  it('are told apart where a border cuts them', async () => {
    const text = beside(STACK, OTHER, (left, right) => `${left.slice(0, 28).padEnd(28)}│${right.slice(0, 40)}`);
    expect(await told(text)).toEqual(BOTH);
  });

  it('may be three', async () => {
    const three = ['[<0>] h_wait+0x1/0x2', '[<0>] h_sync+0x1/0x2'];
    const two = beside(OTHER, three, (left, right) => `${left.padEnd(50)}│${right}`).split('\n');
    const text = beside(STACK, two, (left, right) => `${left.padEnd(50)}│${right}`);
    expect(await told(text)).toEqual([...BOTH, ': h_wait h_sync']);
  });

  it('are told apart by a border where no line has two frames', async () => {
    const text = beside(ARCHIVER, STACK, (left, right) => `${left.padEnd(85)}│${right}`);
    expect((await told(text)).sort()).toEqual([BOTH[0], TOLD[0]]);
  });

  it('are read in the forms with numbers', async () => {
    const one = ['PID: 1 TASK: ffff9a5df7a5a100 CPU: 1 COMMAND: "one"', ' #0 [ffffb658] f_wait at ffffffffb965f5e4'];
    const two = one.map((line) => line.replace('PID: 1', 'PID: 2').replace('"one"', '"two"').replace('f_w', 'g_w'));
    const lines = (own: readonly string[]) => [...own, ' #1 [ffffb6a0] vfs_fsync at ffffffffb965fa7f'];
    const text = beside(lines(one), lines(two), (left, right) => `${left.padEnd(70)}  ${right}`);
    expect(await told(text)).toEqual(['one 1: f_wait vfs_fsync', 'two 2: g_wait vfs_fsync']);
  });

  it('that are equal, by diff -y, are one', async () => {
    expect(await told(beside(ARCHIVER, ARCHIVER, (left, right) => `${tabbed(left, 96)}${right}`))).toEqual(
      TOLD.slice(0, 1),
    );
  });

  it('end where a line goes across', async () => {
    const text = beside(STACK, OTHER, (left, right) => `${left.padEnd(50)}${right}`);
    const prose = 'Both of them have been like that since the server was rebooted on Tuesday evening.\n';
    expect(await told(prose + text + prose + STACK.join('\n'))).toEqual([...BOTH, BOTH[0]]);
  });

  it('are told of where only one line has them', async () => {
    expect(await unreadIn('so:\n f_wait+0x1/0x2 [m] │ g_wait+0x1/0x2\n h_wait+0x1/0x2\n')).toEqual([
      '2: two frames stand side by side: the second one was not read',
    ]);
  });

  it('are not told of where the next lines show them', async () => {
    const text = ' f_wait+0x1/0x2 │ g_wait+0x1/0x2\n f_sync+0x1/0x2 │ more\n less           │ g_sync+0x1/0x2\n';
    expect(await unreadIn(text)).toEqual([]);
  });

  it('are not what ftrace tells of callers', async () => {
    const frames = ['f', 'g'].map((name) => `[<0>] ${name}_wait+0x0/0x9 <-h_sync+0x1/0x2`);
    expect(await unreadIn(`${frames[0]}\n`)).toEqual([]);
    expect(await told(`${frames.join('\n')}\n`)).toEqual([': f_wait g_wait']);
  });

  it.each([
    ['many frames', ' a_wait+0x1/0x2  b_wait+0x1/0x2  c_wait+0x1/0x2  d_wait+0x1/0x2  e_wait+0x1/0x2'],
    ['a title', 'Call Trace:  a_wait+0x1/0x2  b_wait+0x1/0x2'],
  ])('are not two reports, each in one line: %s', async (_, report) => {
    const lines = [1, 2].map((tid) => `task:cp state:D stack:0 pid:${tid} ppid:1 flags:0x0`);
    expect(await unreadIn(`${report}\n`)).toEqual([]);
    const text = lines.map((line) => `${line}\n${report}\n`).join('');
    expect((await told(text)).map((each) => each.split(' ').slice(0, 3).join(' '))).toEqual(['cp 1 D:', 'cp 2 D:']);
  });

  it('end where a log with tabs follows', async () => {
    const log = Array.from({ length: 40 }, (_, at) => `GET\t/page/${at}\t200`);
    const table = ['PID\tSTAT\tWCHAN\tCOMMAND', '7\tD\tf_wait\tcp'];
    const text = beside(STACK, OTHER, (left, right) => `${left}\t${right}`);
    expect((await told(`${text}${[...log, ...table].join('\n')}\n`)).sort()).toEqual(
      [...BOTH, 'cp 7 D: f_wait'].sort(),
    );
  });
});

/** What was not read of a text, by its lines. */
async function unreadIn(text: string): Promise<string[]> {
  const unread: string[] = [];
  const malformed = (line: number | undefined, why: string) => unread.push(`${line}: ${why}`);
  for await (const _ of textSamples([text], { malformed }));
  return unread;
}
