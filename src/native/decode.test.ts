import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBytes } from './decode.ts';

/** The inverse: lone surrogates U+DC80 to U+DCFF back to their byte. */
function encode(text: string): Buffer {
  return Buffer.concat(
    Array.from(text, (character) => {
      const code = character.charCodeAt(0);
      return character.length === 1 && code >= 0xdc80 && code <= 0xdcff
        ? Buffer.of(code - 0xdc00)
        : Buffer.from(character);
    }),
  );
}

describe('decodeBytes', () => {
  it('decodes UTF-8 as such', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(decodeBytes(Buffer.from(text))).toBe(text);
      }),
    );
  });

  it('loses no byte of anything', () => {
    const bytes = fc.array(
      fc.oneof(
        fc.uint8Array({ maxLength: 8 }),
        fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
      ),
    );
    fc.assert(
      fc.property(bytes, (parts) => {
        const whole = Buffer.concat(parts);
        expect(encode(decodeBytes(whole))).toEqual(whole);
      }),
    );
  });

  it.each([
    ['an overlong form', [0xc0, 0xaf], '\udcc0\udcaf'],
    ['a surrogate', [0xed, 0xa0, 0x80], '\udced\udca0\udc80'],
    ['beyond Unicode', [0xf4, 0x90, 0x80, 0x80], '\udcf4\udc90\udc80\udc80'],
    ['a sequence cut short', [0x61, 0xe2, 0x82], 'a\udce2\udc82'],
    ['an invalid byte before a valid sequence', [0xff, 0xe2, 0x82, 0xac], '\udcff€'],
  ])('keeps the bytes of %s apart', (_, bytes, text) => {
    expect(decodeBytes(Buffer.from(bytes))).toBe(text);
  });
});
