import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { complaintOf } from '../../../../test/malformed.ts';
import { decodeBytes } from '../../../native/decode.ts';
import { parseStat, parseState } from './stat.ts';

const NUMBERS =
  '4243 4711 4711 0 -1 4194304 100 0 0 0 5 6 0 0 20 0 7 0 123456789 4096 10 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 3 0 0 0 0 0 0 0 0 0 0 0 0 0';

describe('parseStat', () => {
  it('reads the fields behind any comm whatever', () => {
    const comm = fc.oneof(
      fc.uint8Array({ maxLength: 63 }),
      fc.constantFrom('a) D 1 (', ') R 1 (', ')', '(', '\n', ' ').map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(comm, fc.constantFrom('R', 'S', 'D', 'I', 'T', 't', 'Z', 'X', 'P'), (comm, state) => {
        const bytes = Buffer.concat([Buffer.from('4711 ('), comm, Buffer.from(`) ${state} ${NUMBERS}\n`)]);
        const expected = {
          comm: decodeBytes(Buffer.from(comm)),
          state,
          ppid: 4243,
          kernelThread: false,
          runsParentsProgram: false,
          threads: 7,
          startTicks: 123456789,
          cpu: 3,
        };
        expect(parseStat(bytes)).toEqual(expected);
        expect(parseState(bytes)).toBe(state);
      }),
    );
  });

  it('tells a child that has executed no program yet by PF_FORKNOEXEC', () => {
    const stat = (flags: number) => Buffer.from(`1 (a) S ${NUMBERS.replace(' 4194304 ', ` ${flags} `)}\n`);
    expect(parseStat(stat(4194304 | 0x40)).runsParentsProgram).toBe(true);
    expect(parseStat(stat(0x1f_ff_bf)).runsParentsProgram).toBe(false);
  });

  it('reads the kernel that runs', () => {
    const own = parseStat(readFileSync('/proc/self/stat'));
    expect(own).toMatchObject({ state: 'R', ppid: process.ppid, kernelThread: false });
    expect(parseStat(readFileSync('/proc/2/stat'))).toMatchObject({
      comm: 'kthreadd',
      ppid: 0,
      kernelThread: true,
      threads: 1,
    });
  });

  it.each([
    ['', 'field 2: missing'],
    ['1', 'field 2: missing'],
    ['1 (a', 'field 2: missing'],
    ['1 a S 1', 'field 2: missing'],
    ['1 )a( S 1', 'field 2: missing'],
    ['1 (a)', 'field 3: "" is no state'],
    [`1 (a) ? ${NUMBERS}`, 'field 3: "?" is no state'],
    ['1 (a) S', 'field 4: missing'],
    ['1 (a) S 1 2 3\n', 'field 9: missing'],
    [`1 (a) S ${NUMBERS.split(' ').slice(0, 18).join(' ')}\n`, 'field 22: missing'],
    [`1 (a) S ${NUMBERS.split(' ').slice(0, 35).join(' ')}\n`, 'field 39: missing'],
  ])('says of %j which field is malformed', (text, message) => {
    expect(complaintOf(() => parseStat(Buffer.from(text)))).toBe(message);
  });
});
