import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeUnsafe } from './escape.ts';

describe('escapeUnsafe', () => {
  it.each([
    ['\x00\x09\x0a\x1b[2J\x7f', '\\x00\\x09\\x0a\\x1b[2J\\x7f'],
    ['\x80\x9b\x9f\xa0', '\\x80\\x9b\\x9f\xa0'],
    ['\u2028\u2029\x85', '\\u2028\\u2029\\x85'],
    ['\u061c\u200e\u200f\u202a\u202e\u2066\u2069', '\\u061c\\u200e\\u200f\\u202a\\u202e\\u2066\\u2069'],
    ['\udc80\udcff', '\\x80\\xff'],
    ['\ud800 \udfff', '\\ud800 \\udfff'],
    ['naïve Ελλάδα 日本 👩‍💻 \\x1b', 'naïve Ελλάδα 日本 👩‍💻 \\x1b'],
  ])('turns %j into %j', (text, safe) => {
    expect(escapeUnsafe(text)).toBe(safe);
  });

  it('leaves nothing that controls a terminal, and no text that UTF-8 cannot encode', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) }),
        (text) => {
          const safe = escapeUnsafe(text);
          // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
          expect(safe).not.toMatch(/[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/);
          expect(safe.isWellFormed()).toBe(true);
          expect(escapeUnsafe(safe)).toBe(safe);
        },
      ),
    );
  });
});
