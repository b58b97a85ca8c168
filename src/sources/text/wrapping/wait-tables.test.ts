import { describe, expect, it } from 'vitest';
import { told } from '../../../../test/told.ts';

const ROWS = [
  ['PID', 'STAT', 'WCHAN', 'COMMAND'],
  ['5401', 'D', 'rpc_wait_bit_killable', 'archiver'],
  ['5402', 'Ds', 'jbd2_log_wait_commit', 'writer'],
  ['5404', 'R+', '-', 'ps'],
];
const TOLD = ['archiver 5401 D: rpc_wait_bit_killable', 'writer 5402 D: jbd2_log_wait_commit', 'ps 5404 R: notTold'];
const ORDERS = [
  [0, 1, 2, 3],
  [3, 2, 1, 0],
  [2, 3, 0, 1],
  [3, 0, 1, 2],
];

type Row = readonly string[];
const table = (form: (row: Row, at: number) => string) => (rows: readonly Row[]) => `${rows.map(form).join('\n')}\n`;
const cells = (row: Row) => `| ${row.join(' | ')} |`;

describe('a table of wait channels', () => {
  it.each([
    ['CSV', table((row) => row.join(','))],
    ['CSV in quotes', table((row) => row.map((cell) => `"${cell}"`).join(','))],
    ['CSV with semicolons', table((row) => row.join(';'))],
    ['CSV with other titles', table((row, at) => (at === 0 ? row.join(',').toLowerCase() : row.join(',')))],
    ['tabs', table((row) => row.join('\t'))],
    ['Markdown', table((row, at) => (at === 0 ? `${cells(row)}\n|:--|---|--:|---|` : cells(row)))],
    ['Markdown without borders', table((row, at) => row.join(' | ') + (at === 0 ? '\n--- | --- | --- | ---' : ''))],
    ['a database', table((row, at) => (at === 0 ? `+---+--+\n${cells(row)}\n+---+--+` : cells(row)))],
    ['a drawing', table((row) => `├──┼──┤\n${cells(row).replaceAll('|', '│')}`)],
    ['Jira', table((row, at) => (at === 0 ? `||${row.join('||')}||` : `|${row.join('|')}|`))],
    ['HTML', table((row) => `<tr><td class="a">${row.join('</td><td class="a">')}</td></tr>`)],
    ['reStructuredText', table((row, at) => row.join('  ') + (at === 0 ? '\n===  ===  ===  ===' : ''))],
    [
      'JSON',
      ([titles = [], ...rows]: readonly Row[]) =>
        JSON.stringify(rows.map((row) => Object.fromEntries(row.map((cell, at) => [titles[at]?.toLowerCase(), cell])))),
    ],
  ])('is read from %s, its columns in any order', async (_, form) => {
    for (const order of ORDERS)
      expect(await told(form(ROWS.map((row) => order.map((at) => row[at] ?? ''))))).toEqual(TOLD);
  });

  it.each([
    ['a delimiter in quotes', ['PID,ARGS,STAT,WCHAN', '7,"java -Da,b",D,f_wait', '8,"say ""a""",D,g_wait']],
    ['an empty last cell', ['PID,ARGS,STAT,WCHAN,TTY', '7,java,D,f_wait,', '8,say,D,g_wait,pts/0']],
    ['an empty first cell', ['TTY;PID;ARGS;STAT;WCHAN', ';7;java;D;f_wait', 'pts/0;8;say;D;g_wait']],
    ['an empty cell of Markdown', ['|PID|TTY|ARGS|STAT|WCHAN|', '|7||java|D|f_wait|', '|8|pts/0|say|D|g_wait|']],
    [
      'an empty cell of HTML',
      [
        '<tr><th>PID</th><th>TTY</th><th>ARGS</th><th>STAT</th><th>WCHAN</th></tr>',
        '<tr><td>7</td><td></td><td>java</td><td>D</td><td>f_wait</td></tr>',
        '<tr><td>8</td> <td>pts/0</td><td>say</td><td>D</td><td>g_wait</td></tr>',
      ],
    ],
  ])('has %s', async (_, lines) => {
    const found = await told(`${lines.join('\n')}\n`);
    expect(found).toEqual([expect.stringMatching(/^java 7 D: f_wait$/), expect.stringMatching(/^say.* 8 D: g_wait$/)]);
  });

  it('ends with the next text', async () => {
    const text = `${ROWS.map((row) => row.join(',')).join('\n')}\n\n[<0>] f_wait+0x1/0x2\n[<0>] g_wait+0x1/0x2\n`;
    expect(await told(text)).toEqual([...TOLD, ': f_wait g_wait']);
  });

  it('has its titles from the command, where another one takes them away', async () => {
    const rows = ['  881   881 D    nfs_wait_bit_killable   find', '  881   902 D    folio_wait_bit_common   find'];
    const command = "$ ps -eLo pid,tid,stat,wchan:32,comm | awk '$3 ~ /D/'";
    expect(await told(`${[command, ...rows].join('\n')}\n`)).toEqual([
      'find 881 D: nfs_wait_bit_killable',
      'find 902 D: folio_wait_bit_common',
    ]);
  });
});
