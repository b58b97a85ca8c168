import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseFrame, parseFrames, printFrames, StackTable } from './stack.ts';

describe('parseFrame', () => {
  it.each([
    ['[<0>] do_wait+0x15c/0x2e0', { symbol: 'do_wait', offset: 0x15c, size: 0x2e0 }],
    ['[<ffffffffc04d6bcd>] f+0x95d/0xaf0 [btrfs]', { symbol: 'f', offset: 0x95d, size: 0xaf0, module: 'btrfs' }],
    ['[<ffffff80080851dc>] __switch_to+0x9c/0xc0', { symbol: '__switch_to', offset: 0x9c, size: 0xc0 }],
    ['[<0>] el0t_64_sync+0x1a0/0x1a4', { symbol: 'el0t_64_sync', offset: 0x1a0, size: 0x1a4 }],
    ['[<0>] read.isra.0+0x0/0x10 [nfs 8a1b2c3d4e5f]', { symbol: 'read.isra.0', offset: 0, size: 0x10, module: 'nfs' }],
    [
      '[<0>] bpf_prog_6deef7357e7b4530_probe+0x2b/0x30 [bpf]',
      { symbol: 'bpf_prog_6deef7357e7b4530_probe', offset: 0x2b, size: 0x30, module: 'bpf' },
    ],
    ['[<0>] 0xffffffffc0', { symbol: '0xffffffffc0' }],
    ['[<ffffffffffffffff>] 0xffffffffffffffff', { symbol: '0xffffffffffffffff' }],
    ['  [<0>] f+0x1/0x2  ', { symbol: 'f', offset: 1, size: 2 }],
    ['anything else ', { symbol: 'anything else' }],
    ['[<0>] f+0x1', { symbol: '[<0>] f+0x1' }],
    ['', { symbol: '' }],
  ])('reads %j', (raw, frame) => {
    expect(parseFrame(raw)).toEqual({ ...frame, raw });
  });
});

describe('parseFrames and printFrames', () => {
  it('give back any text unchanged', () => {
    const line = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('[<0>] f+0x1/0x2 [m]', '[<ff>] 0xffff', '\r', ' '),
    );
    const text = fc.array(line, { maxLength: 70 }).map((lines) => lines.join('\n'));
    fc.assert(
      fc.property(text, (text) => {
        expect(printFrames(parseFrames(text))).toBe(text);
      }),
    );
  });
});

describe('StackTable', () => {
  it('gives equal stacks as one object', () => {
    const table = new StackTable();
    const first = table.intern('[<0>] f+0x1/0x2\n[<0>] g+0x1/0x2');
    expect(table.intern('[<0>] f+0x1/0x2\n[<0>] g+0x1/0x2')).toBe(first);
    expect(table.intern('[<0>] f+0x1/0x2').id).not.toBe(first.id);
    expect(first.frames.map(({ symbol }) => symbol)).toEqual(['f', 'g']);
  });

  it('forgets between samples when there are too many, and only then', () => {
    const table = new StackTable(2);
    const first = table.intern('a');
    table.intern('b');
    table.trim();
    expect(table.intern('a')).toBe(first);
    table.intern('c');
    expect(table.intern('a')).toBe(first);
    table.trim();
    expect(table.intern('a')).not.toBe(first);
  });
});
