import { describe, expect, it } from 'vitest';
import { told } from '../../../../test/told.ts';

const report = (name: string, tid: number, frames: readonly string[]) => [
  `task:${name} state:D stack:0 pid:${tid} ppid:1 flags:0x0`,
  'Call Trace:',
  ' <TASK>',
  ...frames.map((frame) => ` ${frame}+0x12/0x340`),
  ' </TASK>',
];
const LINES = [
  ...report('cp', 4102, ['__schedule', 'schedule', 'f_wait', 'do_syscall_64', 'entry_SYSCALL_64_after_hwframe']),
  ...report('kworker/1:2', 4103, ['__schedule', 'schedule', 'g_wait', 'kthread', 'ret_from_fork']),
];
const TOLD = [
  'cp 4102 D: __schedule schedule f_wait do_syscall_64 entry_SYSCALL_64_after_hwframe',
  'kworker/1:2 4103 D: __schedule schedule g_wait kthread ret_from_fork',
];
const time = (at: number) => `2026-11-28T03:12:${String(10 + at)}Z`;
const isoTimes = LINES.map((_, at) => time(at));
const sameTimes = LINES.map(() => time(0));

describe('records of a store that exports the newest one first', () => {
  const forms: readonly [string, (rows: readonly (readonly [string, string])[]) => string][] = [
    ['JSON', (rows) => JSON.stringify({ hits: rows.map(([timestamp, message]) => ({ timestamp, message })) })],
    ['JSON in lines', (rows) => rows.map(([ts, message]) => `${JSON.stringify({ ts, message })}\n`).join('')],
    [
      'indented JSON',
      (rows) =>
        JSON.stringify(
          rows.map(([time, log]) => ({ time, log })),
          null,
          2,
        ),
    ],
    ['CSV', (rows) => `Date,Message\n${rows.map(([when, text]) => `${when},"${text}"\n`).join('')}`],
    ['Loki', (rows) => JSON.stringify({ values: rows.map(([when, text]) => [`${Date.parse(when)}000000`, text]) })],
  ];

  it.each(forms)('are put back into order: %s', async (_, write) => {
    for (const times of [isoTimes, sameTimes]) {
      const rows = LINES.map((line, at) => [times[at] ?? '', line] as const);
      expect(await told(write(rows))).toEqual(TOLD);
      expect(await told(write(rows.toReversed()))).toEqual(TOLD);
    }
  });

  it('are left as they are, where times go back and stacks do not', async () => {
    const rows = LINES.map((message, at) => `${JSON.stringify({ ts: time(40 - at), message })}\n`);
    expect(await told(rows.join(''))).toEqual(TOLD);
  });

  it('end before a line that is no record', async () => {
    const rows = LINES.map((message, at) => `${JSON.stringify({ ts: time(at), message })}\n`);
    expect(await told(`${rows.toReversed().join('')}PID 4104 (mv):\n f_open+0x1/0x2\n`)).toEqual([
      ...TOLD,
      'mv 4104: f_open',
    ]);
  });
});

describe('a log whose newest line stands first', () => {
  const prefixes: readonly [string, (line: string, at: number) => string][] = [
    ['dmesg', (line, at) => `[ 5000.${String(100 + at)}] ${line}`],
    ['journalctl', (line) => `Nov 28 03:12:07 h1 kernel: ${line}`],
    ['journalctl -o short-iso', (line, at) => `${time(at)} h1 kernel: ${line}`],
    ['an unknown prefix', (line) => `n1: ${line}`],
    ['none', (line) => line],
  ];
  const tasksIn = async (lines: readonly string[]) =>
    (await told(lines.join('\n'))).map((task) => task.replace('h1 ', ''));

  it.each(prefixes)('is put back into order: %s', async (_, write) => {
    const lines = LINES.map(write);
    expect(await tasksIn(lines.toReversed())).toEqual(await tasksIn(lines));
  });

  it('may have another one behind it that is in order', async () => {
    const later = LINES.map((line) => line.replaceAll('410', '420'));
    const all = [...LINES.toReversed(), '', ...later];
    expect((await tasksIn(all)).map((task) => task.split(' ')[1])).toEqual(['4102', '4103', '4202', '4203']);
    const stamped = [...LINES.toReversed(), ...later].map((line, at) => {
      const seconds = at < LINES.length ? 900 - at : 1000 + at;
      return `[ ${seconds}.000000] ${line}`;
    });
    expect((await tasksIn(stamped)).map((task) => task.split(' ')[1])).toEqual(['4102', '4103', '4202', '4203']);
  });

  it('has the report of a CPU, too', async () => {
    const lines = [
      'watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [cp:4102]',
      'CPU: 0 PID: 4102 Comm: cp Not tainted 6.1.0',
      'Call Trace:',
      ' <IRQ>',
      ' watchdog_timer_fn+0x1a6/0x210',
      ' </IRQ>',
      ' <TASK>',
      ' asm_sysvec_apic_timer_interrupt+0x16/0x20',
      'RIP: 0010:f_spins+0x12/0x340',
      'RSP: 0018:ffffb5a0c8a57ca8 EFLAGS: 00000246',
      ' g_lock+0x12/0x340',
      ' do_syscall_64+0x12/0x340',
      ' entry_SYSCALL_64_after_hwframe+0x6e/0xd8',
      ' </TASK>',
    ];
    expect(await tasksIn(lines.toReversed())).toEqual(await tasksIn(lines));
  });
});

it('frames alone that are the wrong way round are turned, and keep their titles', async () => {
  const frames = ['__schedule', 'f_wait', 'do_syscall_64', 'entry_SYSCALL_64_after_hwframe'];
  const turned = [4102, 4103].flatMap((tid) => [
    `== ${tid} (cp) ==`,
    ...frames.map((frame) => `[<0>] ${frame}+0x12/0x340`).toReversed(),
    '',
  ]);
  expect(await told(turned.join('\n'))).toEqual([4102, 4103].map((tid) => `cp ${tid}: ${frames.join(' ')}`));
});
