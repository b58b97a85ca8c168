import { createCipheriv } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteWindow } from './byte-window.ts';

/** Bytes that look like chance, and are the same for the same seed. */
function noise(length: number, seed: number): Buffer {
  return createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16, `${seed}`)).update(Buffer.alloc(length));
}

describe('a window on a stream of bytes', () => {
  it('has what is kept, whatever came before', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(600_000), { maxLength: 12 }), fc.nat(2 ** 31), (lengths, seed) => {
        const window = new ByteWindow();
        const chunks = lengths.map((length, at) => noise(length, seed + at));
        const all = Buffer.concat(chunks);
        for (const chunk of chunks) {
          window.append(chunk);
          const kept = Math.max(0, window.end - 100_000);
          window.forget(kept);
          expect(window.slice(kept, window.end).equals(all.subarray(kept, window.end))).toBe(true);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('tells how far two places are the same, also in bytes that are no number', () => {
    const text = fc.array(fc.constantFrom(0x20, 0x41, 0x7f, 0xf0, 0xff), { maxLength: 200 });
    fc.assert(
      fc.property(text, fc.nat(199), fc.nat(7), (same, at, gap) => {
        const one = Buffer.from(same);
        const other = Buffer.from(same);
        if (at < other.length) other[at] = 0x42;
        const window = new ByteWindow();
        window.append(Buffer.concat([one, Buffer.alloc(gap, 0x43), other]));
        expect(window.same(0, one.length + gap, one.length)).toBe(Math.min(at, one.length));
      }),
    );
  });

  it('tells that of long texts, too', () => {
    const length = 300_000;
    const one = Buffer.alloc(length, 'a text of some length\n');
    fc.assert(
      fc.property(fc.nat(length), fc.integer({ min: 1, max: length }), fc.nat(9), (at, most, gap) => {
        const other = Buffer.from(one);
        if (at < length) other[at] = 0x42;
        const window = new ByteWindow();
        window.append(Buffer.concat([one, Buffer.alloc(gap), other]));
        expect(window.same(0, length + gap, most)).toBe(Math.min(at, most));
      }),
      { numRuns: 30 },
    );
  });
});
