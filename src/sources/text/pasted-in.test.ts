import { Buffer } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import { told } from '../../../test/told.ts';
import type { Sample } from '../../model/sample.ts';
import { textSamples } from './index.ts';

const LOG = [
  'INFO: task tar:7 blocked for more than 120 seconds.',
  '"echo 0 > /proc/sys/kernel/hung_task_timeout_secs" disables this message.',
  'task:tar             state:D stack:0     pid:7     tgid:7     ppid:1      flags:0x00000002',
  'Call Trace:',
  ' <TASK>',
  ' __schedule+0x27c/0x6b0',
  ' ext4_wait+0x1/0x2',
  ' el0_svc_common.constprop.0+0x80/0x1d0 [my-mod]',
  ' </TASK>',
  'CPU: 5 PID: 8 Comm: spinner Tainted: G           OE      6.8.0 #1',
  'RIP: 0010:native_queued_spin_lock_slowpath+0x1c5/0x1d0',
  'Call Trace:',
  ' _raw_spin_lock+0x25/0x30',
  ' do_exit+0x2bc/0x4a0',
];
const ARM = ['task:ubi_bgt0d state:D stack:0 pid:77 flags:0x0', 'Call trace: ', ' __schedule from schedule+0x54/0xc4'];
const EXPECTED = [
  'tar 7 D: __schedule ext4_wait el0_svc_common.constprop.0',
  'spinner 8 R: native_queued_spin_lock_slowpath _raw_spin_lock do_exit',
  'ubi_bgt0d 77 D: __schedule schedule',
];
const LINES = [...LOG, ...ARM];
const ALL = LINES.join('\n');
const json = JSON.stringify;
const html = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
/** As Go writes it. */
const go = (value: unknown) => json(value).replaceAll('<', '\\u003c').replaceAll('>', '\\u003e');
const csv = (text: string) => `"${text.replaceAll('"', '""')}"`;
const each = (shape: (line: string, at: number) => string) => LINES.map(shape).join('\n');
const base64 = (text: string) => Buffer.from(text).toString('base64').replace(/.{76}/g, '$&\n');
const TIME = '2025-11-25T03:12:07.123456789Z';

describe('a text within another is read as by itself', () => {
  it.each<[string, string]>([
    ['nothing around it', ALL],
    // JSON
    ['a JSON string', json(ALL)],
    ['a JSON string as Go writes it', go(ALL)],
    ['a member that no log store has', go({ id: 12, kernel_log: ALL })],
    ['a member of an object laid out over lines', JSON.stringify({ host: 'a', dmesg: ALL }, null, 2)],
    ['a list of lines', json({ dmesg: LINES })],
    ['a list of lines, laid out', JSON.stringify(LINES, null, 2)],
    ['the API of a tracker', json({ bugs: { 12: { comments: [{ text: 'hi' }, { text: ALL }] } } })],
    ['the API of a chat', json({ blocks: [{ elements: [{ type: 'text', text: ALL }] }] })],
    ['JSON in a string in JSON', json({ payload: json({ data: ALL }) })],
    ['JSON behind words', `12:13 event=${json({ kind: 'hung', log_text: ALL })}`],
    [
      'hits of Elasticsearch',
      json({ hits: { hits: LINES.map((message) => ({ _source: { message, event: { original: message } } })) } }),
    ],
    [
      'results of Loki',
      json({
        data: { result: [{ stream: { host: 'a' }, values: LINES.map((line) => ['1764040327123000000', line]) }] },
      }),
    ],
    ['results of Datadog', json({ data: LINES.map((message) => ({ attributes: { host: 'a', message } })) })],
    [
      'records of OpenTelemetry',
      json({ resourceLogs: [{ scopeLogs: [{ logRecords: LINES.map((line) => ({ body: { stringValue: line } })) }] }] }),
    ],
    [
      'records behind the name of a pod',
      each((line) => `[pod/a-b/c] ${json({ MESSAGE: line, _TRANSPORT: 'kernel' })}`),
    ],
    ['records behind a time', each((line) => `${TIME} ${go({ level: 'warn', msg: line })}`)],
    // Strings
    ['escaped line ends', ALL.replaceAll('\n', '\\n')],
    ['a string with a name', `dmesg = ${json(ALL)}`],
    ['bytes of Python', `b'${ALL.replaceAll('\n', '\\n')}\\n'`],
    ['a list of Python', `[${LINES.map((line) => `'${line}'`).join(', ')}]`],
    ['quoted items of YAML', `lines:\n${each((line) => `- ${json(line)}`)}`],
    ['single-quoted items of YAML', each((line) => `  - '${line}'`)],
    ['a block of YAML', `a:\n  dmesg: |-\n${each((line) => `    ${line}`)}\n  b: c`],
    [
      'lines of Ansible',
      `"dmesg.stdout_lines": [\n${each((line) => `        ${json(line)}`)}\n]`.replaceAll('"\n', '",\n'),
    ],
    ['strings of C', each((line) => `\t${json(`${line}\n`)}`)],
    [
      'strings as PHP dumps them',
      `array(2) {\n${each((line, at) => `  [${at}]=>\n  string(${line.length}) "${line}"`)}\n}`,
    ],
    ['two equal texts side by side, by diff(1)', each((line) => `${line.padEnd(90)}\t${line}`)],
    [
      'CEF, with a value behind the message',
      each((line) => `<134>Nov 25 03:12:07 a CEF:0|Linux|kernel|5|1|m|5|msg=${line.replaceAll('=', '\\=')} dvchost=a`),
    ],
    ['logfmt', each((line) => `ts=${TIME} level=info msg=${json(line)}`)],
    // Tables
    ['CSV with a title', `@timestamp,@message\n${each((line) => `2025-11-25 03:12:07.123,${csv(line)}`)}`],
    [
      'CSV with the text in the middle',
      `"_time","_raw","host"\n${each((line) => `"2025-11-25T03:12:07Z",${csv(line)},"a"`)}`,
    ],
    [
      'CSV without quotes',
      `Date,Host,Service,Message\n${each((line) => `${TIME},a,kernel,${line.includes('"') ? csv(line) : line}`)}`,
    ],
    ['CSV with several lines in a cell', `id,host,dmesg\n12,a,${csv(ALL)}`],
    ['a table in Markdown', `| n | log |\n|---|-----|\n${each((line, at) => `| ${at} | ${line} |`)}`],
    ['a table in Markdown with code', each((line, at) => `| ${at} | \`${line}\` |`)],
    ['a table with borders', each((line, at) => `│ ${at} │ ${line.padEnd(90)} │`)],
    [
      'a table in HTML',
      `<table>${each((line, at) => `<tr><td>${at}</td><td>${html(line)}</td></tr>`).replaceAll('\n', '')}</table>`,
    ],
    // Markup
    ['noformat of Jira', `{noformat:title=dmesg}${ALL}{noformat}`],
    ['code of a forum', `[CODE]${ALL}[/CODE]`],
    ['code of Markdown in one line with it', `\`\`\`${ALL}\`\`\``],
    ['each line as code', each((line) => `\`${line}\``)],
    ['XML', `<system-out><![CDATA[${ALL}]]></system-out>`],
    ['an attribute in XML', `<failure message="${html(ALL).replaceAll('"', '&quot;').replaceAll('\n', '&#10;')}"/>`],
    // Mails
    ['base64', `MIME-Version: 1.0\nContent-Transfer-Encoding: base64\nContent-Type: text/plain\n\n${base64(ALL)}\n`],
    ['an attachment', `See below.\n\n--x\nContent-Transfer-Encoding: BASE64\n\n${base64(ALL)}\n--x--\n`],
  ])('%s', async (_, text) => expect(await told(text)).toEqual(EXPECTED));

  it('is in Windows-1252, with blanks that a page has kept from breaking', async () => {
    const bytes = Buffer.from(`H\xe4ngt:\r\n${ALL.replaceAll(' ', '\xa0').replaceAll('\n', '\r\n')}`, 'latin1');
    expect(await told(bytes)).toEqual(EXPECTED);
  });

  it('keeps the module of each frame behind a name that a record may have', async () => {
    const perf = [
      'tar 7/8 [001] 12.345678: sched:sched_switch: prev_comm=tar prev_pid=8 prev_prio=120 prev_state=D ==> x',
      '\tffffffff81a5d5d1 f+0x29 ([kernel.kallsyms])',
      '\tffffffffc0a5d5d1 g+0x2 ([m])',
    ];
    const [sample] = await samplesOf(perf.map((line) => `line: ${line}\n`).join(''));
    const { stack } = sample?.observations[0] ?? {};
    expect(stack !== undefined && 'value' in stack && stack.value.frames.map(({ module }) => module)).toEqual([
      undefined,
      'm',
    ]);
  });
});

async function samplesOf(text: string): Promise<Sample[]> {
  const all: Sample[] = [];
  for await (const sample of textSamples([text])) all.push(sample);
  return all;
}

describe('what programs make of lines', () => {
  const FRAMES = ['__schedule', 'schedule', 'io_schedule', 'f_sync'];

  it('is a frame of gdb in two lines', async () => {
    const frames = FRAMES.map((name, at) => `#${at}  ${name} (x=<optimized out>)\n    at kernel/sched/core.c:${at}1\n`);
    expect(await told(frames.join(''))).toEqual([`: ${FRAMES.join(' ')}`]);
    const titled = `(gdb) bt\n${frames.join('').replaceAll('at kernel/', 'at /build/linux-6.1/kernel/')}(gdb)\n`;
    expect(await told(titled)).toEqual([`: ${FRAMES.join(' ')}`]);
  });

  it('is a log with a level in the place of the host', async () => {
    const line = (level: string, text: string) =>
      `2026-11-28T03:12:07.123456Z ${level} kernel: [ 1234.567890] ${text}\n`;
    const rest = ['task:tar state:D stack:0 pid:7', 'Call Trace:', ...FRAMES.map((name) => ` ${name}+0x1/0x2`)];
    const log = `${line('ERR', 'INFO: task tar:7 blocked for more than 120 seconds.')}${rest.map((text) => line('INFO', text)).join('')}`;
    expect(await told(log)).toEqual([`tar 7 D: ${FRAMES.join(' ')}`]);
  });

  it('is a record of the audit between two frames', async () => {
    const audit = 'type=SYSCALL msg=audit(1764299527.123:4): arch=c000003e syscall=2 pid=811 comm="cron"';
    const [first = '', ...others] = FRAMES.map((name) => `[ 1234.567890]  ${name}+0x1/0x2`);
    expect(await told([first, audit, ...others].join('\n'))).toEqual([`: ${FRAMES.join(' ')}`]);
  });

  it('is a title in words alone', async () => {
    const drgn = FRAMES.map((name, at) => `#${at}  ${name} (fs/f.c:${at}2:3)`);
    expect(await told(['PID 7 COMM tar STATE D', ...drgn].join('\n'))).toEqual([`tar 7 D: ${FRAMES.join(' ')}`]);
  });

  it('is a line that the width of a terminal has broken within a word', async () => {
    const lines = [
      'Nov 28 03:12:07 web-1 kernel: [ 1234.567800] INFO: task archiver:5001 blocked for more than 122 seconds.',
      'Nov 28 03:12:07 web-1 kernel: [ 1234.567800] usb 1-1: new device',
    ];
    const broken = lines.flatMap((line) => line.match(/.{1,80}/g) ?? []);
    const facts: unknown[] = [];
    for await (const sample of textSamples([broken.join('\n')])) facts.push(sample.observations[0]?.facts);
    expect(facts).toEqual([{ offCpuMs: 122_000, atLeast: true }]);
  });
});
