import { expect, it } from 'vitest';
import { parseKallsyms } from './kallsyms.ts';

const KALLSYMS = `0000000000000000 A fixed_percpu_data
0000000000021000 A pcpu_hot
ffffffff81000000 T _stext
ffffffff81000000 T _text
ffffffff81000040 t first
ffffffff81000100 W alias_a
ffffffff81000100 T alias_b
ffffffff81000180 D last_of_the_kernel
ffffffffc0002200 t second\t[driver]
ffffffffc0002000 t first\t[driver]
ffffffffc0002100 t .Lmark\t[driver]
ffffffffc0004010 t init\t[other]
ffffffffc0006000 t bpf_prog_6deef7357e7b4530_probe\t[bpf]
`;

function addressOf(address: bigint): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(address);
  return bytes.toString('latin1');
}

it.each([
  ['inside a function', 0xffffffff81000050n, 'first+0x10/0xc0'],
  [
    'at the end of a function that does not return: what was called before the next one begins',
    0xffffffff81000100n,
    'first+0xc0/0xc0',
  ],
  ['the first of two names', 0xffffffff81000101n, 'alias_a+0x1/0x80'],
  ['of a module, whose symbols come in any order', 0xffffffffc0002200n, 'first+0x200/0x200 [driver]'],
  ['of a module, past a mark between code and data', 0xffffffffc0002110n, 'first+0x110/0x200 [driver]'],
  ['the last function of a module, which ends with its page', 0xffffffffc0002210n, 'second+0x10/0xe00 [driver]'],
  ['of another module', 0xffffffffc0004020n, 'init+0x10/0xff0 [other]'],
  ['what has no size', 0xffffffffc0006010n, '0xffffffffc0006010'],
  ['what lies below the kernel', 0xffffffff80000000n, '0xffffffff80000000'],
])('prints %s', (_, address, text) => {
  expect(parseKallsyms(Buffer.from(KALLSYMS))?.([addressOf(address)])).toEqual([text]);
});

it('returns no printer if addresses are hidden', () => {
  expect(parseKallsyms(Buffer.from(KALLSYMS.replace(/^[0-9a-f]{16}/gm, '0'.repeat(16))))).toBeUndefined();
  expect(parseKallsyms(Buffer.alloc(0))).toBeUndefined();
});
