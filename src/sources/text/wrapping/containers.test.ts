import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { textSamples } from '../index.ts';
import { htmlText, momentOf } from './containers.ts';

/** When, where and what: the tasks by name and the innermost function of each. */
async function toldBy(text: string) {
  const told: unknown[] = [];
  for await (const { timeMs, uptimeSeconds, host, observations } of textSamples([text]))
    told.push({
      ...(timeMs !== undefined && { time: new Date(timeMs).toISOString() }),
      ...(uptimeSeconds !== undefined && { uptimeSeconds }),
      ...(host !== undefined && { host }),
      tasks: observations.map(({ task, stack }) => [
        task.comm,
        'value' in stack ? stack.value.frames.map(({ symbol }) => symbol).join(' ') : stack.unread,
      ]),
    });
  return told;
}

const REPORT = [
  'INFO: task tar:11 blocked for more than 120 seconds.',
  'task:tar state:D stack:0 pid:11 tgid:11 ppid:2 flags:0x00004000',
  'Call Trace:',
  ' <TASK>',
  ' f+0x1/0x2',
  ' g+0x1/0x2 ["m"]'.replace('"m"', 'm'),
  ' </TASK>',
];
const TASKS = [['tar', 'f g']];
const TIME = '2026-11-25T03:12:00.000Z';
const MICROSECONDS = `${Date.parse(TIME)}000`;
const KERNEL = { _HOSTNAME: 'db1', _TRANSPORT: 'kernel', _SOURCE_MONOTONIC_TIMESTAMP: '4711250000' };
const ENTRIES = REPORT.map((MESSAGE, at) => ({
  __CURSOR: `s=0123;i=${at}`,
  __REALTIME_TIMESTAMP: MICROSECONDS,
  PRIORITY: '6',
  MESSAGE,
  ...KERNEL,
}));
const BY_JOURNAL = [{ time: TIME, uptimeSeconds: 4711.25, host: 'db1', tasks: TASKS }];

describe('the journal', () => {
  const asExport = (entry: object) =>
    Object.entries(entry)
      .map(([name, value]) => `${name}=${value}\n`)
      .join('');

  it('as JSON has when and where', async () => {
    expect(await toldBy(ENTRIES.map((entry) => `${JSON.stringify(entry)}\n`).join(''))).toEqual(BY_JOURNAL);
  });

  it('as JSON has a message in bytes, or several', async () => {
    const bytes = ENTRIES.map((entry) => ({ ...entry, MESSAGE: [...Buffer.from(entry.MESSAGE)] }));
    expect(await toldBy(bytes.map((entry) => JSON.stringify(entry)).join('\n'))).toEqual(BY_JOURNAL);
    const all = { ...ENTRIES[0], MESSAGE: REPORT };
    expect(await toldBy(JSON.stringify(all))).toEqual(BY_JOURNAL);
  });

  it('as JSON for people is the same, also with bytes in it', async () => {
    expect(await toldBy(ENTRIES.map((entry) => `${JSON.stringify(entry, undefined, '\t')}\n`).join(''))).toEqual(
      BY_JOURNAL,
    );
    const bytes = ENTRIES.map((entry) => ({ ...entry, MESSAGE: [...Buffer.from(entry.MESSAGE)] }));
    expect(await toldBy(bytes.map((entry) => JSON.stringify(entry, undefined, 2)).join('\n'))).toEqual(BY_JOURNAL);
  });

  it('as a JSON sequence, events of a server or an array is the same', async () => {
    expect(await toldBy(JSON.stringify(ENTRIES))).toEqual(BY_JOURNAL);
    expect(await toldBy(JSON.stringify(ENTRIES, undefined, 2))).toEqual(BY_JOURNAL);
    expect(await toldBy(ENTRIES.map((entry) => `\x1e${JSON.stringify(entry)}\n`).join(''))).toEqual(BY_JOURNAL);
    expect(await toldBy(ENTRIES.map((entry) => `data: ${JSON.stringify(entry)}\n\n`).join(''))).toEqual(BY_JOURNAL);
  });

  it('for export has when and where, also with fields of several lines', async () => {
    expect(await toldBy(ENTRIES.map((entry) => `${asExport(entry)}\n`).join(''))).toEqual(BY_JOURNAL);
    const after = `${ENTRIES.map((entry) => `${asExport(entry)}\n`).join('')}\n[<0>] h+0x1/0x2\n`;
    expect(await toldBy(after)).toMatchObject([{ tasks: [...TASKS, [undefined, 'h']] }]);
    const message = REPORT.join('\n');
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(message.length));
    const { MESSAGE: _, ...entry } = ENTRIES[0] ?? {};
    const text = `${asExport(entry)}MESSAGE\n${length.toString('latin1')}${message}\n_PID=1\n\n`;
    expect(await toldBy(text)).toEqual(BY_JOURNAL);
  });

  it('verbose has when and where', async () => {
    const time = BigInt(MICROSECONDS).toString(16);
    const fields = (MESSAGE: string) =>
      Object.entries({ PRIORITY: '6', MESSAGE, ...KERNEL, _BOOT_ID: '0' }).map(
        ([name, value]) => `    ${name}=${value}\n`,
      );
    const entry = (message: string) =>
      `Wed 2026-11-25 04:12:00.000000 CET [s=0123;i=1;b=4;m=5;t=${time};x=6]\n${fields(message).join('')}`;
    expect(await toldBy(REPORT.map(entry).join(''))).toEqual(BY_JOURNAL);
    const beginning = entry(REPORT[0] ?? '');
    expect(await toldBy(`${beginning}${' '.repeat(12)}Call Trace:\n    PRIORITY=6\n[<0>] h+0x1/0x2\n`)).toMatchObject([
      { tasks: [['tar', 'h']] },
    ]);
  });

  it('verbose without the beginning of an entry has its texts', async () => {
    const text = REPORT.map((message) => `    PRIORITY=4\n    MESSAGE=${message}\n    _TRANSPORT=kernel\n`).join('');
    expect(await toldBy(text)).toEqual([{ tasks: TASKS }]);
  });
});

describe('the log of a container', () => {
  const BY_STORE = [{ time: TIME, tasks: TASKS }];

  it('of docker has when', async () => {
    const lines = REPORT.map((line) =>
      JSON.stringify({ log: `${line}\n`, stream: 'stdout', time: '2026-11-25T03:12:00.000000001Z' }),
    );
    expect(await toldBy(lines.join('\n'))).toEqual(BY_STORE);
  });

  it('of Kubernetes has when, and its parts of lines are one line', async () => {
    expect(await toldBy(REPORT.map((line) => `${TIME} stdout F ${line}\n`).join(''))).toEqual(BY_STORE);
    const parts = REPORT.map((line) => `${TIME} stdout P ${line.slice(0, 5)}\n${TIME} stdout F ${line.slice(5)}\n`);
    expect(await toldBy(parts.join(''))).toEqual(BY_STORE);
  });

  it('leaves a line its own time and host', async () => {
    const lines = REPORT.map((line) => `${TIME} stderr F 2026-11-24T01:00:00.000000+00:00 db7 kernel: ${line}\n`);
    expect(await toldBy(lines.join(''))).toEqual([{ time: '2026-11-24T01:00:00.000Z', host: 'db7', tasks: TASKS }]);
  });

  it('in the log of another is unwrapped twice', async () => {
    const lines = ENTRIES.map((entry) => `${TIME} stdout F ${JSON.stringify(entry)}\n`);
    expect(await toldBy(lines.join(''))).toEqual(BY_JOURNAL);
  });

  it('with more layers than anybody needs is not unwrapped forever', async () => {
    let line = ' f+0x1/0x2';
    for (let layer = 0; layer < 3; layer++) line = JSON.stringify({ log: line });
    expect(await toldBy(line)).toEqual([{ tasks: [[undefined, 'f']] }]);
    for (let layer = 0; layer < 5; layer++) line = JSON.stringify({ log: line });
    expect(await toldBy(line)).not.toEqual([{ tasks: [[undefined, 'f']] }]);
  });
});

describe('a log store', () => {
  const seconds = Date.parse(TIME) / 1000;

  it.each<[string, (text: string) => object]>([
    ['fluentd', (message: string) => ({ '@timestamp': TIME, message, kubernetes: { host: 'db1' } })],
    ['logcli', (line: string) => ({ labels: { host: 'db1' }, line, timestamp: TIME })],
    ['CloudWatch', (message: string) => ({ timestamp: seconds * 1000, message, host: 'db1' })],
    ['Cloud Logging', (textPayload: string) => ({ timestamp: TIME, textPayload, labels: { hostname: 'db1' } })],
    ['Cloud Logging, of JSON', (message: string) => ({ timestamp: TIME, jsonPayload: { message, _HOSTNAME: 'db1' } })],
    ['ECS', (message: string) => ({ '@timestamp': TIME, message, host: { name: 'db1' } })],
    ['zap', (msg: string) => ({ ts: seconds, msg, hostname: 'db1' })],
    ['nanoseconds', (msg: string) => ({ ts: `${seconds}000000000`, msg, hostname: 'db1' })],
  ])('has when and where: %s', async (_, record) => {
    const expected = [{ time: TIME, host: 'db1', tasks: TASKS }];
    const records = REPORT.map(record);
    expect(await toldBy(records.map((each) => JSON.stringify(each)).join('\n'))).toEqual(expected);
    expect(await toldBy(JSON.stringify(records, undefined, 2))).toEqual(expected);
    expect(await toldBy(JSON.stringify({ events: records, nextToken: 'x' }, undefined, 2))).toEqual(expected);
    // All in one record.
    expect(await toldBy(JSON.stringify(record(REPORT.join('\n'))))).toEqual(expected);
  });

  it.each([
    [
      'fluentd with its tag',
      (line: string) =>
        `2026-11-25 04:12:00.000000000 +0100 kern: ${JSON.stringify({ host: 'db1', message: line, time: TIME })}`,
    ],
    ['logcli', (line: string) => `${TIME} {host="db1", job="systemd-journal"} ${line}`],
  ])('that shows text has when and where: %s', async (_, line) => {
    expect(await toldBy(REPORT.map(line).join('\n'))).toEqual([{ time: TIME, host: 'db1', tasks: TASKS }]);
  });

  it('that writes CSV has when', async () => {
    const lines = REPORT.map((line) => line.replace('tar', 't"r'));
    const rows = lines.map((line) => `${seconds * 1000},"${line.replaceAll('"', '""')}"`);
    expect(await toldBy(`timestamp,message\n${rows.join('\n')}`)).toEqual([{ time: TIME, tasks: [['t"r', 'f g']] }]);
  });

  it('does not keep a brace in other text from being read', async () => {
    const code = 'static int f(void)\n{\n\tint x = {1};\n}\n{"a": 1\n';
    expect(await toldBy(`${code}[<0>] f+0x1/0x2\n[<0>] g+0x1/0x2\n\n{\n[\n[<0>] h+0x1/0x2`)).toEqual([
      {
        tasks: [
          [undefined, 'f g'],
          [undefined, 'h'],
        ],
      },
    ]);
  });
});

describe('a moment', () => {
  it.each([
    [1_795_576_320, TIME],
    [1_795_576_320.25, '2026-11-25T03:12:00.250Z'],
    ['1795576320000', TIME],
    [1_795_576_320_000_000, TIME],
    ['1795576320000000000', TIME],
    ['2026-11-25T04:12:00.123456789+0100', '2026-11-25T03:12:00.123Z'],
    ['2026-11-25 03:12:00,5Z', '2026-11-25T03:12:00.500Z'],
  ])('is known by its size: %s', (value, time) => {
    expect(new Date(momentOf(value) ?? 0).toISOString()).toBe(time);
  });

  it.each([0, -1, 12, Number.NaN, '', 'x', null, undefined, {}, [], '2026-11-25T03:12:00', '9'.repeat(400)])(
    'is not %s',
    (value) => {
      expect(momentOf(value)).toBeUndefined();
    },
  );
});

describe('the source of a web page', () => {
  it.each([
    ['[&lt;0&gt;] f+0x1/0x2', ['[<0>] f+0x1/0x2']],
    ['a &amp;lt;IRQ&amp;gt; &#39;b&#x27; &quot;&nbsp;', ["a <IRQ> 'b' \" "]],
    ['<pre class="log">Call Trace:<br/> f<br>', ['Call Trace:', ' f']],
    ['<br>', []],
    [' <TASK>', [' <TASK>']],
    [' </TASK>', [' </TASK>']],
    ['&unknown; &#0; &#x110000;', ['&unknown; &#0; &#x110000;']],
    ['<li>[&lt;0&gt;] f+0x1/0x2</li><li>[&lt;0&gt;] g+0x1/0x2</li>', ['[<0>] f+0x1/0x2', '[<0>] g+0x1/0x2']],
  ])('is text: %s', (line, text) => {
    expect(htmlText(line)).toEqual(text);
  });
});

it('JSON of another tool has tasks with their stacks', async () => {
  const tasks = [
    { pid: 812, comm: 'archiver', state: 'D', stack: ['f_wait+0x1/0x2', 'g_write+0x1/0x2'] },
    { tid: 813, name: 'cop\nier', kernel_stack: '[<0>] h_wait+0x1/0x2\n[<0>] g_write+0x1/0x2' },
  ];
  expect(await toldBy(JSON.stringify(tasks))).toEqual([
    {
      tasks: [
        ['archiver', 'f_wait g_write'],
        ['cop ier', 'h_wait g_write'],
      ],
    },
  ]);
});

it('any JSON and any wrapping is read without an exception', async () => {
  const value = fc.dictionary(
    fc.constantFrom('MESSAGE', 'log', 'message', 'time', 'host', 'jsonPayload', '__REALTIME_TIMESTAMP', 'type', 'tid'),
    fc.oneof(fc.jsonValue(), fc.constant('f+0x1/0x2'), fc.array(fc.nat(300))),
  );
  const line = fc.oneof(
    value.map((each) => JSON.stringify(each)),
    value.map((each) => JSON.stringify(each, undefined, 2)),
    value.map((each) => JSON.stringify(each).slice(0, -3)),
    fc.constantFrom(
      '__CURSOR=s=',
      'MESSAGE',
      'MESSAGE=x',
      '',
      '{',
      '[',
      ']',
      '},',
      `${TIME} stdout P `,
      '    MESSAGE=',
    ),
  );
  await fc.assert(fc.asyncProperty(fc.array(line), async (lines) => void (await toldBy(lines.join('\n')))));
});
