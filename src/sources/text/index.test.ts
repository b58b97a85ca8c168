import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Sample } from '../../model/sample.ts';
import { textSamples } from './index.ts';

async function samplesOf(...chunks: string[]): Promise<Sample[]> {
  const samples: Sample[] = [];
  for await (const sample of textSamples(chunks)) samples.push(sample);
  return samples;
}

/** When, where and what: the tasks by name and the innermost function of each. */
async function toldBy(text: string) {
  const withTasks = (await samplesOf(text)).filter(({ observations }) => observations.length > 0);
  return withTasks.map(({ timeMs, uptimeSeconds, host, observations }) => ({
    ...(timeMs !== undefined && { time: new Date(timeMs).toISOString() }),
    ...(uptimeSeconds !== undefined && { uptimeSeconds }),
    ...(host !== undefined && { host }),
    tasks: observations.map(({ task, stack }) =>
      [task.comm, 'value' in stack ? stack.value.frames[0]?.symbol : stack.unread].filter((part) => part !== undefined),
    ),
  }));
}

/** What the kernel reports of a hung task, each line behind what `stamp` gives for the number of the line. */
function report(comm: string, tid: number, functions: readonly string[], stamp: (line: number) => string): string {
  const lines = [
    `INFO: task ${comm}:${tid} blocked for more than 120 seconds.`,
    `task:${comm} state:D stack:0 pid:${tid} tgid:${tid} ppid:2 flags:0x00004000`,
    'Call Trace:',
    ' <TASK>',
    ...functions.map((symbol) => ` ${symbol}+0x1/0x2`),
    ' </TASK>',
  ];
  return lines.map((line, at) => `${stamp(at)}${line}\n`).join('');
}

/** As journalctl -o short-iso-precise writes it. */
const journal = (time: string, host: string) => (line: number) =>
  `2026-11-25T${time}.00000${line}+0100 ${host} kernel: `;

it('a thousand empty lines mean no more than some', async () => {
  const classic = (stack: string) =>
    ['zzz <Wed Nov 25 03:12:00 UTC 2026 - db1', '', 'PID:     7   State:  D   Start Time: unknown   Cmd: tar', 'Stack:']
      .concat(stack, '', '')
      .join('\n');
  const text = (lines: number) => ['', '[<0>] f+0x1/0x2', ''].map(classic).join('\n'.repeat(lines));
  const few = await samplesOf(text(4));
  expect(few.length).toBe(3);
  expect(await samplesOf(text(1000))).toEqual(few);
});

describe('a day of a kernel log', () => {
  const day =
    report('tar', 11, ['f'], journal('03:12:00', 'db1')) +
    report('cp', 12, ['g'], journal('03:12:00', 'db1')) +
    '2026-11-25T08:00:00.000000+0100 db1 kernel: usb 1-1: new device\n' +
    report('tar', 11, ['h'], journal('09:30:00', 'db1')) +
    report('mv', 11, ['i'], journal('09:30:00', 'db2'));

  it('is a sample for each moment and host, with the tasks that were reported then', async () => {
    expect(await toldBy(day)).toEqual([
      {
        time: '2026-11-25T02:12:00.000Z',
        host: 'db1',
        tasks: [
          ['tar', 'f'],
          ['cp', 'g'],
        ],
      },
      { time: '2026-11-25T08:30:00.000Z', host: 'db1', tasks: [['tar', 'h']] },
      { time: '2026-11-25T08:30:00.000Z', host: 'db2', tasks: [['mv', 'i']] },
    ]);
  });

  it('says what it tells and nothing else', async () => {
    const [first] = await samplesOf(report('tar', 11, ['f'], journal('03:12:00', 'db1')));
    const stack = { value: { id: 0, frames: [{ symbol: 'f', offset: 1, size: 2, raw: 'f+0x1/0x2' }] } };
    const facts = { offCpuMs: 120_000, atLeast: true } as const;
    expect(first).toStrictEqual({
      timeMs: Date.UTC(2026, 10, 25, 2, 12),
      host: 'db1',
      source: { name: 'text', partial: true },
      threads: true,
      fields: [],
      observations: [
        {
          task: { id: { tid: 11 }, pid: 11, comm: 'tar', commandLine: { unread: 'notTold' } },
          state: 'D',
          stack,
          facts,
        },
      ],
      holders: [],
      leftOut: {},
      unread: [],
      events: [
        {
          timeMs: Date.UTC(2026, 10, 25, 2, 12),
          kind: 'hung-task',
          text: 'INFO: task tar:11 blocked for more than 120 seconds.',
        },
      ],
    });
  });

  it('says when it was by the clock since boot, where a line has no other', async () => {
    const at = (seconds: number) => (line: number) => `[${seconds}.00000${line}] `;
    expect(await toldBy(report('tar', 11, ['f'], at(4711)) + report('cp', 12, ['g'], at(90_000)))).toEqual([
      { uptimeSeconds: 4711, tasks: [['tar', 'f']] },
      { uptimeSeconds: 90_000, tasks: [['cp', 'g']] },
    ]);
  });

  it('has both clocks where both are there', async () => {
    const both = (line: number) => `2026-11-25T03:12:00.00000${line}Z db1 kernel: [ 4711.00000${line}] `;
    expect(await toldBy(report('tar', 11, ['f'], both))).toEqual([
      { time: '2026-11-25T03:12:00.000Z', uptimeSeconds: 4711, host: 'db1', tasks: [['tar', 'f']] },
    ]);
  });

  it.each([
    ['syslog', (time: string) => `Nov 25 ${time} db1 kernel: `, { host: 'db1' }],
    ['dmesg -T', (time: string) => `[Wed Nov 25 ${time} 2026] `, {}],
  ])('of a clock without a zone (%s) is a sample for each moment, without its time', async (_, stamp, place) => {
    const text = report('tar', 11, ['f'], () => stamp('03:12:00')) + report('tar', 11, ['g'], () => stamp('09:30:00'));
    expect(await toldBy(text)).toEqual([
      { ...place, tasks: [['tar', 'f']] },
      { ...place, tasks: [['tar', 'g']] },
    ]);
  });

  it('does not give a task the time of another that was named without a stack', async () => {
    const named = `${journal('03:12:00', 'db1')(0)}INFO: task tar:11 blocked for more than 120 seconds.\n`;
    const untold = { time: '2026-11-25T02:12:00.000Z', host: 'db1', tasks: [['tar', 'notTold']] };
    expect(await toldBy(named + report('cp', 12, ['g'], journal('09:30:00', 'db1')))).toEqual([
      untold,
      { time: '2026-11-25T08:30:00.000Z', host: 'db1', tasks: [['cp', 'g']] },
    ]);
    expect(await toldBy(named + report('tar', 11, ['g'], journal('09:30:00', 'db1')))).toEqual([
      untold,
      { time: '2026-11-25T08:30:00.000Z', host: 'db1', tasks: [['tar', 'g']] },
    ]);
    const mark = `${journal('03:12:00', 'db1')(0)}RIP: 0010:spin+0x1/0x2\n`;
    expect(await toldBy(`${mark}${journal('09:30:00', 'db1')(0)} f+0x1/0x2\n`)).toMatchObject([
      { time: '2026-11-25T08:30:00.000Z' },
    ]);
  });

  it('says of each sample how many frames marked ? it lacks', async () => {
    const guessed = (comm: string, time: string) => report(comm, 11, ['f', '? g', '? h'], journal(time, 'db1'));
    const text =
      report('a', 1, ['f'], journal('01:00:00', 'h')) +
      guessed('b', '02:00:00') +
      report('c', 3, ['f'], journal('03:00:00', 'h'));
    expect((await samplesOf(text)).map(({ observations, leftOut }) => [observations[0]?.task.comm, leftOut])).toEqual([
      ['a', {}],
      ['b', { guessedFrames: 2 }],
      ['c', {}],
    ]);
  });
});

describe('the classic text', () => {
  const line = (tid: number, state = 'D', time = '2026/11/25 03:09:00') =>
    `PID: ${String(tid).padStart(5)}   State:  ${state}   Start Time: ${time}   Cmd: t${tid}\n`;
  const sample = (zone: string, seconds: number, tid = 1) =>
    `zzz <Wed Nov 25 03:09:0${seconds} ${zone} 2026 - db1\n\n${line(tid)}Stack:\n[<0>] f+0x1/0x2\n\n`;

  it.each([
    ['UTC', '2026-11-25T03:09:00.000Z'],
    ['CET', '2026-11-25T02:09:00.000Z'],
    ['EST', '2026-11-25T08:09:00.000Z'],
    ['-03', '2026-11-25T06:09:00.000Z'],
    ['+0545', '2026-11-24T21:24:00.000Z'],
  ])('has the time of a zone that means one thing everywhere: %s', async (zone, time) => {
    expect(await toldBy(sample(zone, 0))).toEqual([{ time, host: 'db1', tasks: [['t1', 'f']] }]);
  });

  it('has no time of a zone that means several', async () => {
    expect(await toldBy(sample('IST', 0))).toEqual([{ host: 'db1', tasks: [['t1', 'f']] }]);
  });

  it.each(['UTC', 'IST', '-03'])('has a sample for each of its own, however near (%s)', async (zone) => {
    const tasks = (await toldBy(sample(zone, 0) + sample(zone, 1, 2) + sample(zone, 1, 3))).map((told) => told.tasks);
    expect(tasks).toEqual([[['t1', 'f']], [['t2', 'f']], [['t3', 'f']]]);
  });

  it('has those of which little could be read', async () => {
    const text = `zzz <unknown - unknown\n\n${line(1, 'D', 'unknown')}${line(2, '?')}Stack:\n\n\n`;
    const [first] = await samplesOf(text);
    expect(first?.observations).toMatchObject([
      { task: { id: { tid: 1 }, comm: 't1' }, state: 'D', stack: { value: { frames: [] } } },
      { task: { id: { tid: 2 }, comm: 't2' } },
    ]);
    expect(first).not.toHaveProperty('host');
    expect(first).not.toHaveProperty('timeMs');
    expect(first?.observations[1]).not.toHaveProperty('state');
  });

  it('has a task with a command line of any length, and says that it is cut', async () => {
    const long = `${line(1).trimEnd()}${' -cp'.repeat(2000)}\n`;
    const [first] = await samplesOf(`${long}Stack:\n[<0>] f+0x1/0x2\n\n`);
    expect(first?.observations).toMatchObject([
      { task: { id: { tid: 1 }, comm: expect.stringMatching(/^t1 -cp/) }, state: 'D' },
    ]);
    expect(first?.leftOut).toEqual({ lines: 1 });
  });

  it('goes on in a table behind rows that are torn, and counts those', async () => {
    const rows = ['7 D f_wait cp', '8 D 0xf%f mv', '9 D', '10 oops f_wait ls', '11 D g_wait tar', 'That is all.'];
    const samples = await samplesOf(['PID STAT WCHAN COMMAND', ...rows, '12 D h_wait no', ''].join('\n'));
    const names = samples.map(({ observations }) => observations.map(({ task }) => task.comm));
    expect([names, samples.map(({ leftOut }) => leftOut)]).toEqual([[['cp', 'tar']], [{ lines: 3 }]]);
  });

  it('has the process of each thread', async () => {
    const thread = 'PID:    12   TID:    34   State:  D   Start Time: 2026/11/25 03:09:00   Thread: a   Cmd: /bin/c\n';
    const [first] = await samplesOf(`${thread}Stack:\n[<0>] f+0x1/0x2\n\n`);
    expect(first?.observations).toMatchObject([{ task: { id: { tid: 34 }, pid: 12, comm: 'a' } }]);
  });
});

describe('a text', () => {
  it('in pieces of any size, with any line ends, is the same samples', async () => {
    const text =
      report('tar', 11, ['f'], journal('03:12:00', 'db1')) +
      report('cp', 12, ['g'], journal('09:30:00', 'é')) +
      '[<0>] h+0x1/0x2\n[<0>] i+0x1/0x2\n';
    const whole = await samplesOf(text);
    expect(whole).toHaveLength(2);
    const cuts = fc.array(fc.nat(text.length), { maxLength: 20 }).map((places) => places.sort((a, b) => a - b));
    await fc.assert(
      fc.asyncProperty(cuts, fc.boolean(), async (places, dos) => {
        const pieces = [...places, text.length].map((place, at) => text.slice(places[at - 1] ?? 0, place));
        expect(await samplesOf(...pieces.map((piece) => (dos ? piece.replaceAll('\n', '\r\n') : piece)))).toEqual(
          whole,
        );
      }),
    );
  });

  it('without a stack has no sample', async () => {
    expect(await samplesOf('total 12\ndrwxr-xr-x 2 root root\n', '# a title')).toEqual([]);
  });

  it('keeps equal stacks as one object, from sample to sample', async () => {
    const text = report('a', 1, ['f'], journal('01:00:00', 'h')) + report('b', 2, ['f'], journal('02:00:00', 'h'));
    const [first, second] = (await samplesOf(text)).map(({ observations }) => observations[0]?.stack);
    expect(first).toHaveProperty('value');
    expect((first as { value: unknown }).value).toBe((second as { value: unknown }).value);
  });

  it('with very many stacks at one moment has all of them, in several samples', async () => {
    const samples = await samplesOf(
      Array.from({ length: 120_000 }, (_, at) => `[<0>] f${at % 10}+0x1/0x2\n\n`).join(''),
    );
    const sizes = samples.map(({ observations }) => observations.length);
    expect([Math.max(...sizes), sizes.reduce((sum, size) => sum + size, 0)]).toEqual([50_000, 120_000]);
    expect(samples.map(({ leftOut }) => leftOut)).toEqual([{}, {}, {}]);
  });

  it('says how many lines of it are too long to be read', async () => {
    const long = `[<0>] ${'f'.repeat(5000)}+0x1/0x2\n`;
    expect((await samplesOf(`[<0>] f+0x1/0x2\n${long}[<0>] g+0x1/0x2\n`)).map(({ leftOut }) => leftOut)).toEqual([
      { lines: 1 },
    ]);
    expect((await samplesOf(long)).map(({ leftOut, observations }) => [leftOut, observations])).toEqual([
      [{ lines: 1 }, []],
    ]);
  });

  it('of a stack without a name has a task of which nothing is known', async () => {
    const [first] = await samplesOf('[<0>] f+0x1/0x2\n');
    expect(first?.observations[0]?.task).toStrictEqual({ id: {}, commandLine: { unread: 'notTold' } });
  });
});
