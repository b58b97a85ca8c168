import { describe, expect, it } from 'vitest';
import { told } from '../../../test/told.ts';
import { textSamples } from './index.ts';

const SLEEP = 'finish_task_switch __schedule schedule io_schedule filemap_read do_syscall_64'.split(' ');
const each = (names: readonly string[], before: string, after = '') =>
  names.map((name) => `${before}${name}${after}\n`).join('');

const lines = (...all: readonly string[]) => `${all.join('\n')}\n`;

/** What tracers have added up, by task. */
async function summed(text: string): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const { observations } of textSamples([text]))
    for (const { task, facts } of observations) all.push([task.comm, facts?.traced]);
  return all;
}

describe('the number behind a stack', () => {
  const BEHIND = '    -                dd (5301)\n';

  it.each<[string, string, unknown]>([
    ['of bpftrace is how often it was seen', `@[\n${each(SLEEP, '    ', '+7')}, dd]: 42\n`, { times: 42 }],
    ['of bpftrace is a time, if the map says so', `@us[\n${each(SLEEP, '    ', '+7')}, dd]: 42000\n`, { offCpuMs: 42 }],
    ['of bpftrace is neither', `@bytes[\n${each(SLEEP, '    ', '+7')}, dd]: 42\n`, undefined],
    ['of offcputime', `${each(SLEEP, '    ')}${BEHIND}        1200000\n`, { offCpuMs: 1200 }],
    ['of profile', `Sampling at 49 Hertz of all threads\n${each(SLEEP, '    ')}${BEHIND}        12\n`, { times: 12 }],
    [
      'of profile, untold',
      `${each([...SLEEP.slice(4), 'entry_SYSCALL_64_after_hwframe'], '    ')}${BEHIND}        12\n`,
      { times: 12 },
    ],
    ['of an older offcputime', `${each(SLEEP, '    ')}    dd\n        1200000\n\n`, { offCpuMs: 1200 }],
    ['of stackcount', `${each(SLEEP, '  ')}    dd [5301]\n    12\n\n`, { times: 12 }],
    ['of a folded stack', `dd;${SLEEP.toReversed().join(';')} 1200000\n`, { offCpuMs: 1200 }],
    ['of a folded stack by perf', `dd;${SLEEP.slice(1).toReversed().join(';')} 12\n`, undefined],
  ])('%s', async (_, text, traced) => {
    expect(await summed(text)).toEqual([['dd', traced]]);
    expect(await summed(`${text}\n${text}`)).toEqual([
      ['dd', traced],
      ['dd', traced],
    ]);
  });
});

describe('what only looks like a tracer', () => {
  it.each([
    ['an arrow and a word', '  * a note\n    => Deadlock\n\n  * Standards-Version\n=> 3.9.8\n'],
    [
      'valgrind',
      '==7==    at 0x4848899: malloc (vg_replace_malloc.c:381)\n==7==    by 0x48A1BF3: f_open (xcb_io.c:335)\n',
    ],
  ])('has no stack: %s', async (_, text) => {
    expect(await told(text)).toEqual([]);
  });
});

describe('the output of tracers', () => {
  it.each<[string, string, readonly string[]]>([
    [
      'offwaketime: the stack of the task that waited, not of the one that woke it',
      `    waker:           swapper/2 0\n${each(['do_idle', 'handle_irq_event', 'blk_mq_complete_request'], "    b'", "'")}` +
        `    --               --\n${each(SLEEP, "    b'", "'")}    target:          mysqld 2093\n        1234\n\n`,
      [`mysqld 2093: ${SLEEP.join(' ')}`],
    ],
    [
      'offwaketime, folded',
      `mysqld;${SLEEP.toReversed().join(';')};--;blk_mq_complete_request;handle_irq_event;swapper/2 1234\n`,
      [`mysqld: ${SLEEP.join(' ')}`],
    ],
    ['stackcount by process', `${each(SLEEP, '  ')}    dd [5301]\n    12\n\n`, [`dd 5301: ${SLEEP.join(' ')}`]],
    [
      'bpftrace, with an empty line before each stack',
      'tar 811\n\n        io_schedule+70\n        submit_bio+179\n\ncp 812\n\n        schedule+51\n        vfs_fsync+24\n\n',
      ['tar 811: io_schedule submit_bio', 'cp 812: schedule vfs_fsync'],
    ],
    [
      'perf report of tasks on CPUs, which begins with the outermost function',
      '    45.10%  find  [kernel.kallsyms]  [k] native_queued_spin_lock_slowpath\n            |\n' +
        '            ---entry_SYSCALL_64_after_hwframe\n' +
        each(['do_syscall_64', 'iterate_dir', '_raw_spin_lock', 'native_queued_spin_lock_slowpath'], ' '.repeat(15)),
      [
        'find R: native_queued_spin_lock_slowpath _raw_spin_lock iterate_dir do_syscall_64 entry_SYSCALL_64_after_hwframe',
      ],
    ],
    [
      'perf lock contention',
      '         5    216.99 us     86.39 us     43.40 us     spinlock   load_balance+0x13\n' +
        each(['_raw_spin_lock', 'load_balance'], `${' '.repeat(24)}0xffffffff81234567  `) +
        '         3     31.22 us     12.00 us     10.41 us        mutex   ext4_orphan_add+0x9c\n' +
        each(['ext4_orphan_add', 'ext4_truncate'], `${' '.repeat(24)}0xffffffffc0123456  `),
      [': _raw_spin_lock load_balance', ': ext4_orphan_add ext4_truncate'],
    ],
    [
      'function_graph',
      ` 3)    dd-5301    |               |  /* <stack trace>\n${each(['__schedule', 'io_schedule'], ' 3)    dd-5301    |               |  => ')} 3)    dd-5301    |               |  */\n`,
      ['dd 5301: __schedule io_schedule'],
    ],
    [
      'ps -m of crash',
      'crash> ps -m | grep UN\n[0 00:02:01.123] [UN]  PID: 4401     TASK: ffff9a5df7a5a100  CPU: 3    COMMAND: "a b"\n' +
        '[0 00:00:01.123] [IN]  PID: 4402     TASK: ffff9a5df7a5b180  CPU: 1    COMMAND: "c"\n',
      ['a b 4401 D: notTold'],
    ],
    [
      'a loop over processes',
      '$ for p in 7 8; do echo "$p $(cat /proc/$p/comm)"; cat /proc/$p/stack; done\n7 dd\n[<0>] f_wait+0x1/0x2\n8 cp\n[<0>] g_wait+0x1/0x2\n',
      ['dd 7: f_wait', 'cp 8: g_wait'],
    ],
  ])('%s', async (_, text, expected) => expect(await told(text)).toEqual(expected));

  it.each([[['    --', '    __write', '    [unknown]']], [['    --', '    [unknown]']], [['    [Missed User Stack]']]])(
    'name the task behind functions of its program that bcc does not know: %j',
    async (program) => {
      const kernel = ['    schedule', '    io_schedule', '    blk_mq_get_tag', '    entry_SYSCALL_64_after_hwframe'];
      const text = lines(...kernel, ...program, '    -                writer (7)', '        203075', '');
      expect(await told(text)).toEqual([
        'writer 7: schedule io_schedule blk_mq_get_tag entry_SYSCALL_64_after_hwframe',
      ]);
    },
  );

  it('print the module behind functions without offsets, and older ones the task as another line', async () => {
    const functions = ['schedule', 'io_schedule', 'blk_mq_get_tag'];
    const behind = ['    -                writer (7)', '        203075', ''];
    const named = functions.map((each) => `    ${each} [kernel]`);
    expect(await told(lines(...named, ...behind))).toEqual([`writer 7: ${functions.join(' ')}`]);
    const plain = functions.map((each) => `    ${each}`);
    expect(await told(lines(...plain, '    writer', '        203075', ''))).toEqual([`writer: ${functions.join(' ')}`]);
  });
});
