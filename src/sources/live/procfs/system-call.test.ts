import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { complaintOf } from '../../../../test/malformed.ts';
import { parseSystemCall } from './system-call.ts';

describe('parseSystemCall', () => {
  it('reads the number, six arguments, the stack pointer and the program counter', () => {
    const word = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map((value) => `0x${value.toString(16)}`);
    const call = fc.record({
      number: fc.integer(),
      arguments: fc.array(word, { minLength: 6, maxLength: 6 }),
      stackPointer: word,
      programCounter: word,
    });
    fc.assert(
      fc.property(call, (call) => {
        const words = [...call.arguments, call.stackPointer, call.programCounter];
        expect(parseSystemCall(`${call.number} ${words.join(' ')}\n`)).toEqual(call);
      }),
    );
  });

  it.each([
    ['running\n', 'running'],
    ['-1 0x7ffd1c3fd2a8 0x7f1df8a4f1ca\n', 'none'],
    ['-1 0x0 0x0', 'none'],
  ])('reads %j', (text, doing) => {
    expect(parseSystemCall(text)).toBe(doing);
  });

  it('reads the kernel that runs', () => {
    const doing = parseSystemCall(readFileSync('/proc/thread-self/syscall', 'latin1'));
    // To read the file, it is in read(2).
    expect(doing).toMatchObject({ number: process.arch === 'x64' ? 0 : 63 });
  });

  it.each([
    '',
    '0',
    '1 0x0 0x0',
    'running 0x0',
    '0 0x0 0x0 0x0 0x0 0x0 0x0 0x0',
    '0 0x0 0x0 0x0 0x0 0x0 0x0 0x0 0x0 0x0',
    '0 0 0 0 0 0 0 0 0',
    '0 0x0 0x0 0x0 0x0 0x0 0x0 0x0 0x10000000000000000',
    '99999999999 0x0 0x0 0x0 0x0 0x0 0x0 0x0 0x0',
  ])('says of %j that it is malformed, and what it holds', (text) => {
    expect(complaintOf(() => parseSystemCall(text))).toBe(
      `line 1: ${JSON.stringify(text.slice(0, 40))} is neither 'running' nor a number and eight addresses`,
    );
  });

  it('takes any text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(complaintOf(() => parseSystemCall(text))).toMatch(/^line 1: /);
      }),
    );
  });
});
