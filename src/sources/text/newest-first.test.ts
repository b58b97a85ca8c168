import { describe, expect, it } from 'vitest';
import { told } from '../../../test/told.ts';

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
