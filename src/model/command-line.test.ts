import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { decodeBytes } from '../native/decode.ts';
import { commandLineText } from './command-line.ts';

/** Every character that Python's str.strip removes, and its neighbours: what it leaves. */
const CODES = [
  ...Array.from({ length: 0x22 }, (_, code) => code),
  ...[0x7f, 0x80, 0x84, 0x85, 0x86, 0x9f, 0xa0, 0xa1, 0x167f, 0x1680, 0x1681, 0x180e, 0x1fff],
  ...Array.from({ length: 0x0e }, (_, code) => 0x2000 + code),
  ...[0x2027, 0x2028, 0x2029, 0x202a, 0x202e, 0x202f, 0x2030, 0x205e, 0x205f, 0x2060, 0x2fff, 0x3000, 0x3001, 0xfeff],
];

const SHAPES: readonly Buffer[] = [
  ...[
    '',
    '\0',
    '\0\0',
    ' ',
    ' \0',
    '\0 ',
    ' \0 ',
    '\0 \0',
    '-bash\0',
    'a\0b\0',
    'a\0\0b\0',
    'a\0b',
    ' a \0 b \0',
    'a\n\0',
    'a\0\n\0\n',
  ],
  ...[
    'nginx: worker process',
    'nginx: worker process   ',
    'a\0 ',
    '\t\na\0b\t\n',
    `${' '.repeat(5000)}a${' '.repeat(5000)}\0`,
  ],
  ...CODES.map((code) => `${String.fromCodePoint(code)}a\0b${String.fromCodePoint(code)}`),
].map((text) => Buffer.from(text));

const INVALID = [
  [0xff],
  [0x20, 0x85, 0x20],
  [0xa0, 0x00],
  [0xe2, 0x80, 0x20],
  [0x20, 0xc2, 0x85],
  [0xc2, 0x85, 0xc2],
  [0xed, 0xa0, 0x80, 0x00],
];

/** The rule in the words of the language whose str.strip it names. */
const RULE = `
import json, sys
for line in json.load(sys.stdin):
    print(json.dumps(bytes.fromhex(line).decode('utf-8', 'surrogateescape').strip().replace('\\0', ' ')))
`;

describe('commandLineText', () => {
  it('gives what Python gives by the rule, on every shape', () => {
    const all = [...SHAPES, ...INVALID.map((bytes) => Buffer.from(bytes))];
    const input = JSON.stringify(all.map((bytes) => bytes.toString('hex')));
    const lines = execFileSync('python3', ['-c', RULE], { input }).toString().trim().split('\n');
    const wanted: unknown[] = lines.map((line) => JSON.parse(line));
    expect(all.map((bytes) => commandLineText(decodeBytes(bytes)))).toEqual(wanted);
  });

  it('takes time in proportion to the length, whatever stands in the middle', () => {
    const blanks = Buffer.from(`a${' '.repeat(6 << 20)}b\0`);
    const started = performance.now();
    expect(commandLineText(decodeBytes(blanks))).toHaveLength(blanks.length);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
