import { Buffer } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import { textSamples } from '../index.ts';

const REPORT = [
  'INFO: task xfsaild/dm-3:1189 blocked for more than 120 seconds.',
  '"echo 0 > /proc/sys/kernel/hung_task_timeout_secs" disables this message.',
  'xfsaild/dm-3    D ffff9a5df7a5a100     0  1189      2 0x00000000',
  'Call Trace:',
  ' [<ffffffff9a16c5a9>] schedule+0x29/0x70',
  ' [<ffffffffc0574a27>] xfs_log_force+0x157/0x2e0 [xfs]',
  ' [<ffffffff99ac61f1>] kthread+0xd1/0xe0',
  ' [<ffffffff9a178c37>] ret_from_fork_nospec_begin+0x21/0x21',
  'java            D ffff9a5df7a5b180     0 30121  29877 0x00000080',
  'Call Trace:',
  ' [<ffffffff9a16c5a9>] schedule+0x29/0x70',
  ' [<ffffffff9a16de5d>] rwsem_down_read_failed+0x10d/0x1a0',
  ' [<ffffffff9a16e778>] page_fault+0x28/0x30',
];
const TOLD = [
  'xfsaild/dm-3 1189 D: schedule xfs_log_force kthread ret_from_fork_nospec_begin',
  'java 30121 D: schedule rwsem_down_read_failed page_fault',
];
const TITLED = [
  '== 4101 (kworker/u8:2) ==',
  '[<0>] rescuer_thread+0x2a2/0x3c0',
  '== 4102 (dd) ==',
  '[<0>] f_wait+0x1/0x2',
];
const TITLED_TOLD = ['kworker/u8:2 4101: rescuer_thread', 'dd 4102: f_wait'];

const LOCKUP = [
  'watchdog: BUG: soft lockup - CPU#5 stuck for 26s! [containerd-shim:88121]',
  'CPU: 5 PID: 88121 Comm: containerd-shim Not tainted 5.14.0-362.el9.x86_64 #1',
  'RIP: 0010:native_queued_spin_lock_slowpath+0x1c5/0x1d0',
  'Call Trace:',
  ' <TASK>',
  ' _raw_spin_lock+0x25/0x30',
  ' do_exit+0x2bc/0x4a0',
  ' </TASK>',
];

const LOCKUP_TOLD = ['containerd-shim 88121 R: native_queued_spin_lock_slowpath _raw_spin_lock do_exit'];
const TRACED = [
  'dd 5301 [003] 1.5: sched:sched_switch: prev_comm=dd',
  '\t ffffffff8d5a94e3 schedule+0x33 ([kernel.kallsyms])',
];

async function tellAll(text: string): Promise<string[]> {
  const told: string[] = [];
  for await (const { observations } of textSamples([Buffer.from(text)]))
    for (const { task, state, stack } of observations) {
      const frames = 'value' in stack ? stack.value.frames.map(({ symbol }) => symbol).join(' ') : stack.unread;
      told.push(`${[task.comm, task.id.tid, state].filter((each) => each !== undefined).join(' ')}: ${frames}`);
    }
  return told;
}

const html = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const single = (text: string) => `'${text.replaceAll("'", "''")}'`;
const each = (lines: readonly string[], form: (line: string, at: number) => string) =>
  `${lines.map(form).join('\n')}\n`;

describe('what stands at the end of all lines', () => {
  it.each([
    ['cat -A', (line: string) => `${line.replaceAll('\t', '^I')}$`],
    ['cat -A of a text with CR LF', (line: string) => `${line}^M$`],
    ['cat -v of a text with CR LF', (line: string) => `${line}^M`],
    ['cat -A of colours', (line: string) => `^[[31m${line}^[[0m$`],
    ['an escaped line end', (line: string) => `${line}\\r\\n`],
    ['a backslash', (line: string) => `${line} \\`],
    ['a border', (line: string) => `${line.padEnd(100)}│`],
    ['borders', (line: string) => `║ ${line.padEnd(100)} ║`],
    ['a frame of stars', (line: string) => `* ${line.padEnd(100)} *`],
    ['blanks', (line: string) => line.padEnd(100)],
    ['a visible line end', (line: string) => `${line}¶`],
    ['a comma', (line: string) => `${line},`],
  ])('takes off %s', async (_, form) => {
    expect(await tellAll(each(REPORT, form))).toEqual(TOLD);
    expect(await tellAll(each(TITLED, form))).toEqual(TITLED_TOLD);
  });

  it('is taken off the rows of a table of ps', async () => {
    const rows = [
      '  PID STAT WCHAN          COMMAND',
      '    7 D    f_wait         archiver',
      '    8 S    g_poll         b',
    ];
    for (const mark of ['$', '\\', ' |'])
      expect(await tellAll(each(rows, (line) => line + mark))).toEqual(['archiver 7 D: f_wait', 'b 8 S: g_poll']);
  });

  it('reads bytes as cat -A shows them', async () => {
    const lines = [
      'INFO: task gM-CM-<nter:12 blocked for more than 120 seconds.$',
      ' f_wait+0x1/0x2$',
      ' g_wait+0x1/0x2$',
    ];
    expect(await tellAll(each([...lines, ...lines.slice(1)], (line) => line))).toEqual([
      expect.stringMatching(/^günter 12 D/),
    ]);
  });

  it('makes no stack of code whose lines end with a comma or a backslash', async () => {
    const code = ['\t.read_iter = ext4_file_read,', '\tvfs_read,', '\tvfs_write,', '\tdo_sys_open,', '\tksys_read,'];
    expect(await tellAll(each(code, (line) => line))).toEqual([]);
    expect(await tellAll(each(code, (line) => `${line.slice(0, -1)} \\`))).toEqual([]);
  });
});

describe('records with a field on each line', () => {
  it.each([
    ['YAML in double quotes', (line: string) => `- dt: '2025-11-25T03:12:07'\n  msg: ${JSON.stringify(line)}`],
    ['YAML in single quotes', (line: string) => `- dt: '2025-11-25T03:12:07'\n  lvl: target\n  msg: ${single(line)}`],
    [
      'documents of YAML',
      (line: string, at: number) => `---\ninsertId: a${at}\ntextPayload: ${JSON.stringify(line)}\ntimestamp: 'x'`,
    ],
    [
      'nested YAML',
      (line: string) => `---\njsonPayload:\n  host: a\n  message: ${JSON.stringify(line)}\nresource:\n  type: b`,
    ],
    ['items of YAML', (line: string) => `  - >-\n    ${line}`],
    ['Ruby', (line: string) => `{\n    "host" => "a",\n    "message" => ${JSON.stringify(line)}\n}`],
    ['Ruby, the text first', (line: string) => `{\n    "message" => ${JSON.stringify(line)},\n    "host" => "a"\n}`],
    [
      'Splunk',
      (line: string) =>
        `<result>\n<field k='_raw'><v trim='0'>${html(line)}</v></field>\n<field k='host'>\n</field>\n</result>`,
    ],
    ['XML', (line: string) => `<row>\n<host>a</host>\n<message>${html(line)}</message>\n</row>`],
    [
      'OpenTelemetry',
      (line: string, at: number) => `LogRecord #${at}\nSeverityText: \nBody: Str(${line})\nTrace ID: \nFlags: 0`,
    ],
    ['rows of HTML', (line: string, at: number) => `  <tr>\n    <td>${at}</td>\n    <td>${html(line)}</td>\n  </tr>`],
  ])('reads %s', async (_, form) => {
    expect(await tellAll(each(REPORT, form))).toEqual(TOLD);
  });

  it('loses no line behind records, and none of a text that only begins like one', async () => {
    const records = each(REPORT.slice(0, 8), (line) => `- msg: ${single(line)}\n  host: a`);
    expect(await tellAll(records + each(REPORT.slice(8), (line) => line))).toEqual(TOLD);
    expect(await tellAll(`message: seen today\nhost: a\n${each(REPORT, (line) => line)}`)).toEqual(TOLD);
    expect(await tellAll(`log: >-\n${each(REPORT, (line) => `  ${line}`)}`)).toEqual(TOLD);
  });
});

describe('strings of several lines', () => {
  it('folds them as YAML does', async () => {
    const broken = JSON.stringify(REPORT.join('\n')).replaceAll(/(?<=[\w>]) (?=[\w\\[])/g, ' \\\n  ');
    expect(await tellAll(`log: ${broken}\nhost: a\n`)).toEqual(TOLD);
    const inTwo = each(REPORT, (line) => `- ${single(line).replace(' ', '\n  ')}`);
    expect(await tellAll(`lines:\n${inTwo}`)).toEqual(TOLD);
  });

  it('leaves a quote that never ends as it is', async () => {
    expect(await tellAll(`note: 'tis broken\n${each(REPORT, (line) => `  ${line}`)}`)).toEqual(TOLD);
  });
});

describe('diffs', () => {
  const OTHER = [
    'task:fsfreeze        state:D stack:0 pid:  993 ppid:   877 flags:0x00000000',
    'Call Trace:',
    ' schedule+0x5b/0xd0',
    ' freeze_super+0xbb/0x1b0',
  ];

  it.each(['+', '-'])('reads the names of tasks in a file that is all %s', async (sign) => {
    const head = '--- a/log\n+++ b/log\n@@ -0,0 +1,4 @@\n';
    expect(await tellAll(head + each(OTHER, (line) => sign + line))).toEqual(['fsfreeze 993 D: schedule freeze_super']);
  });

  it('leaves the items of a list to their reader', async () => {
    expect(await tellAll(each(OTHER, (line) => `- ${line}`))).toEqual(['fsfreeze 993 D: schedule freeze_super']);
  });
});

describe('lists, strings and tables', () => {
  const python = `[${REPORT.map((line) => `'${line}'`).join(', ')}]`;
  it.each([
    ['a named list of Python', `lines = ${python}\n`],
    ['a list in a dictionary', `{'host': 'a', 'stdout_lines': ${python}, 'rc': 0}\n`],
    ['a list of Go', `[]string{${REPORT.map((line) => JSON.stringify(line)).join(', ')}}\n`],
    [
      'what ansible tells twice',
      `a | CHANGED => ${JSON.stringify({ stdout: REPORT.join('\n'), stdout_lines: REPORT })}\n`,
    ],
    [
      'the same over several lines',
      `ok: [a] => ${JSON.stringify({ stdout: REPORT.join('\n'), stdout_lines: REPORT }, undefined, 4)}\n`,
    ],
    ['rows in JSON', JSON.stringify({ rows: REPORT.map((line, at) => [at, `t${at}`, line]) })],
    ['base64 in JSON', JSON.stringify({ Data: Buffer.from(REPORT.join('\n')).toString('base64') })],
    [
      'base64 without the head of a mail',
      `so:\n${Buffer.from(REPORT.join('\r\n')).toString('base64').replaceAll(/.{64}/g, '$&\n')}\n\nand now?\n`,
    ],
    ['typographic quotes', each(REPORT, (line) => `“${line}”`)],
    ['single ones', each(REPORT, (line) => `‘${line}’`)],
    ['low ones', each(REPORT, (line) => `„${line}“`)],
    ['corner brackets', each(REPORT, (line) => `「${line}」`)],
    [
      'an array of the shell',
      `declare -a L=(${REPORT.map((line, at) => `[${at}]="${line.replaceAll('"', '')}"`).join(' ')})\n`,
    ],
    ['a list of Erlang', `[${REPORT.map((line) => `<<"${line.replaceAll('"', '')}">>`).join(',')}]\n`],
  ])('reads %s', async (_, text) => {
    expect(await tellAll(text)).toEqual(TOLD);
  });
});

describe('titles of stacks', () => {
  it.each([
    ['a cell of a table with unknown names', `Ticket,Description\n12,"${TITLED.join('\n').replaceAll('"', '""')}"\n`],
    ['a column of Markdown', `| host | log |\n|--|--|\n${each(TITLED, (line) => `| host1 | ${line} |`)}`],
    ['numbered code', each(TITLED, (line, at) => `${at + 1}. \`${line}\``)],
    ['a list of awesome_print', each(TITLED, (line, at) => `    [ ${at}] "${line}",`)],
    ['a tuple of Python', `(0, '${TITLED.join('\\n')}', '')\n`],
    [
      'CSV of Azure',
      `"TimeGenerated [UTC]",Computer,SyslogMessage\n${each(TITLED, (line) => `"11/25/2025, 3:12:07",a,${line}`)}`,
    ],
    ['objects of Ruby', each(TITLED, (line) => `{"host"=>"a", "message"=>${JSON.stringify(line)}}`)],
    ['logfmt', each(TITLED, (line) => `ts=1 host=a msg="${line.replaceAll('"', '\\"')}" n=1`)],
    ['unknown elements', each(TITLED, (line) => `<entry n="1">${html(line)}</entry>`)],
  ])('reads %s', async (_, text) => {
    expect(await tellAll(text)).toEqual(TITLED_TOLD);
  });
});

describe('names of values before a report', () => {
  it.each([
    ['CEF', each(LOCKUP, (line) => `CEF:0|Linux|kernel|5.14|100|a message|5|dvchost=a msg=${line}`)],
    ['names and values', each(LOCKUP, (line) => `line=${line}`)],
  ])('takes off %s', async (_, text) => {
    expect(await tellAll(text)).toEqual(LOCKUP_TOLD);
  });
});

it('makes no stack of numbers and arrows in prose', async () => {
  const numbers = ['$ seq 1e6', '     1e+06', '     1e+06', 'done'];
  expect(await tellAll(each(numbers, (line) => line))).toEqual([]);
  const arrows = [
    '   guest is a-linux          ==> 0',
    '   guest is other            ==> inapplicable',
    '',
    '   guest is b ==> True',
  ];
  expect(await tellAll(each([...arrows, ...arrows], (line) => line))).toEqual([]);
});

describe('a time before any line', () => {
  it.each(['Nov 25 03:12:07 ', '1764040327.123456 ', '1764040327 ', '1764040327123 '])('takes %j off', async (time) => {
    const told = await tellAll(each(LOCKUP, (line) => `${time}${line}`));
    expect(told).toEqual(LOCKUP_TOLD);
    expect(await tellAll(each(TRACED, (line) => `${time}${line}`))).toEqual(['dd 5301: schedule']);
    const wide = 'rcu_torture_wri D c02d8f9c     0    52      2 0x00000000';
    expect(await tellAll(each([wide, '[<0>] f_wait+0x1/0x2'], (line) => `${time}${line}`))).toEqual([
      'rcu_torture_wri 52 D: f_wait',
    ]);
  });
});
