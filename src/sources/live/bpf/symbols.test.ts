import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { testRequires } from '../../../../test/harness.ts';
import { openKallsymsPrinter } from './kallsyms.ts';
import { openRunPrinter, openTaskPrinter } from './symbol-programs.ts';
import { type SymbolSource, Symbols } from './symbols.ts';

const A = '\x01\x00\x00\x81\xff\xff\xff\xff';
const B = '\x02\x00\x00\x81\xff\xff\xff\xff';
const ZERO = '\0'.repeat(8);
const works = (name: string): SymbolSource => ({
  name,
  open: () => (all) => all.map((_, index) => `${name}${index}+0x1/0x2`),
});
const fails = (name: string, when: 'open' | 'print'): SymbolSource => ({
  name,
  open: () => {
    const fail = () => {
      throw new Error(`${name} refused`);
    };
    return when === 'open' ? fail() : fail;
  },
});
/** Like the kernel's iterator: a zero ends the lines of its batch. */
const endsAtZero: SymbolSource = {
  name: 'zero-ended',
  open: () => (all) =>
    all
      .slice(0, all.includes(ZERO) ? all.indexOf(ZERO) : all.length)
      .map((address) => `f${address.charCodeAt(0)}+0x1/0x2`),
};
const textOf = (symbols: Symbols, stack: string) => symbols.resolve(new Set([stack])).get(stack);

it.each(['open', 'print'] as const)(
  'if a source fails to %s, the next one prints, and the failure is reported',
  (when) => {
    const symbols = new Symbols([fails('a', when), works('b'), works('c')], () => 0);
    expect(symbols.missing).toEqual([]);
    expect(textOf(symbols, A + B)).toBe('[<0>] b0+0x1/0x2\n[<0>] b1+0x1/0x2');
    expect(symbols.missing).toEqual(['bpf: symbols from a unavailable: a refused; using b instead']);
  },
);

it('shows addresses if no source is left, and reports that once', () => {
  const symbols = new Symbols([fails('a', 'open')], () => 0);
  expect(textOf(symbols, A)).toBe('[<0>] 0xffffffff81000001');
  expect(textOf(symbols, B)).toBe('[<0>] 0xffffffff81000002');
  expect(symbols.missing).toEqual(['bpf: symbols from a unavailable: a refused; stacks show addresses']);
});

it('does not look up address zero, which would shift the lines', () => {
  const symbols = new Symbols([endsAtZero], () => 0);
  expect(textOf(symbols, A + ZERO + B)).toBe('[<0>] f1+0x1/0x2\n[<0>] 0x0\n[<0>] f2+0x1/0x2');
  expect(symbols.missing).toEqual([]);
});

it.each([
  ['too few', (all: readonly string[]) => all.slice(1)],
  ['too many', (all: readonly string[]) => [...all, 'more+0x1/0x2']],
])('a source that prints %s lines is not believed', (_, print) => {
  const symbols = new Symbols([{ name: 'a', open: () => print }, works('b')], () => 0);
  expect(textOf(symbols, A + B)).toBe('[<0>] b0+0x1/0x2\n[<0>] b1+0x1/0x2');
  expect(symbols.missing).toEqual([
    expect.stringMatching(/^bpf: symbols from a unavailable: 2 addresses gave [13] lines; using b instead$/),
  ]);
});

it('every source that this kernel has prints all functions alike', () => {
  testRequires('root');
  // The lookup is of address - 1: the last byte before every fiftieth function, and that function's first byte.
  const starts = readFileSync('/proc/kallsyms', 'latin1')
    .split('\n')
    .filter((line) => / [tT] [^\t]*$/.test(line))
    .map((line) => BigInt(`0x${line.slice(0, 16)}`));
  const addresses = starts.flatMap((start, index) => {
    if (index === 0 || index % 50 !== 0) return [];
    return [start, start + 1n].map((address) => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64LE(address);
      return bytes.toString('latin1');
    });
  });
  expect(addresses.length).toBeGreaterThan(100);
  const expected = openKallsymsPrinter('/proc/kallsyms')(addresses);
  expect(expected.every((line) => /^\S+\+0x[0-9a-f]+\/0x[0-9a-f]+$/.test(line))).toBe(true);
  const differing: string[] = [];
  for (const open of [openRunPrinter, openTaskPrinter]) {
    let print: ReturnType<typeof open>;
    try {
      print = open();
    } catch (error) {
      // This kernel refuses the source and says why.
      expect(String(error)).toMatch(/: E[A-Z]+/);
      continue;
    }
    const printed = print(addresses);
    for (const [index, line] of expected.entries())
      if (printed[index] !== line) differing.push(`${line} is ${printed[index]}`);
  }
  expect(differing).toEqual([]);
});
