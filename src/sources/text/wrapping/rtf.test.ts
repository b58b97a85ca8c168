import { describe, expect, it } from 'vitest';
import { told } from '../../../../test/told.ts';

const LINES = [
  'INFO: task günter:4901 blocked for more than 120 seconds.',
  'task:günter          state:D stack:0     pid:4901  ppid:1      flags:0x00000000',
  'Call Trace:',
  ' <TASK>',
  ' __schedule+0x2b2/0x8a0',
  ' native{code}+0x1/0x2',
  ' nfs4_proc_getattr+0xf7/0x3a0 [nfsv4]',
  ' </TASK>',
];
const TOLD = ['günter 4901 D: __schedule nfs4_proc_getattr'];
const FONTS =
  '{\\fonttbl\\f0\\fmodern\\fcharset0 CourierNew;\\f1 task:font state:D;}\n{\\colortbl;\\red255\\green2;}\n';
const escaped = (line: string) => line.replaceAll(/[{}\\]/g, '\\$&').replaceAll('ü', "\\'fc");

describe('a document in RTF', () => {
  it.each([
    ['TextEdit', `{\\rtf1\\ansi\\cocoartf2639\n${FONTS}\\f0\\fs24 \\cf0 ${LINES.map(escaped).join('\\\n')}}`],
    [
      'WordPad',
      `{\\rtf1\\ansi\\deff0${FONTS}{\\*\\generator Riched20 10.0}\\uc1 \r\n\\pard\\f0 ${LINES.map(escaped).join('\\par\r\n')}\\par\r\n}\r\n\0`,
    ],
    [
      'a word processor',
      `{\\rtf1\\ansi${FONTS}${LINES.map((line) => `{\\rtlch \\f2\\fs20 ${escaped(line).replaceAll('  ', '\\~ ')}\n\\par }`).join('')}}`,
    ],
    [
      'with Unicode',
      `{\\rtf1\\ansi\\uc1 ${LINES.map((line) => escaped(line).replaceAll("\\'fc", '\\u252?')).join('\\line\n')}}`,
    ],
  ])('of %s', async (_, text) => {
    expect(await told(text)).toEqual(TOLD);
  });

  it('is read to where it is cut off', async () => {
    expect(await told('{\\rtf1 [<0>] f_wait+0x1/0x2\\par [<0>] g_wait+0x1/0x2\n')).toEqual([': f_wait g_wait']);
  });

  it('may have a character that has no substitute', async () => {
    const text = '{\\rtf1 so:\\u8230\\line f_wait+0x1/0x2\\line g_wait+0x1/0x2\\line}\n';
    expect(await told(text)).toEqual([': f_wait g_wait']);
  });

  it('may have a line of any length', async () => {
    const words = `${'words '.repeat(168)}\n`.repeat(65);
    expect(await told(`{\\rtf1 ${words}[<0>] f_wait+0x1/0x2\\par}\n`)).toEqual([': f_wait']);
  });

  it('is followed by other text', async () => {
    const text = '{\\rtf1 [<0>] f_wait+0x1/0x2\\par}\n\n[<0>] g_wait+0x1/0x2\n[<0>] h_wait+0x1/0x2\n';
    expect(await told(text)).toEqual([': f_wait', ': g_wait h_wait']);
  });
});
