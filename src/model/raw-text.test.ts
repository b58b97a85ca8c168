import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBytes } from '../native/decode.ts';
import { bytesAsHex, escapeInvalid, isUtf8Text } from './raw-text.ts';

/** Bytes of any kind: random ones, UTF-8, and beginnings and ends of UTF-8 that lack the rest. */
const bytes = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 8 }),
      fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
      fc.constantFrom([0xff], [0xc3], [0xf0, 0x9f, 0x98], [0xed, 0xa0, 0x80], [0xed, 0xb3, 0xbf], [0x00], [0x5c, 0x78]),
    ),
    { maxLength: 8 },
  )
  .map((parts) => Buffer.concat(parts.map((part) => Buffer.from(part))));

describe('bytesAsHex', () => {
  it('gives back the bytes that a text was decoded from', () => {
    fc.assert(
      fc.property(bytes, (bytes) => {
        expect(bytesAsHex(decodeBytes(bytes))).toBe(bytes.toString('hex'));
      }),
    );
  });
});

describe('escapeInvalid', () => {
  it('leaves UTF-8 as it is, and of all else makes UTF-8', () => {
    fc.assert(
      fc.property(bytes, (bytes) => {
        const text = decodeBytes(bytes);
        const escaped = escapeInvalid(text);
        expect(escaped.isWellFormed()).toBe(true);
        expect(escaped === text).toBe(isUtf8Text(text));
        expect(isUtf8Text(text)).toBe(Buffer.from(bytes.toString()).equals(bytes));
      }),
    );
  });

  it('shows each byte that is not UTF-8 with two digits', () => {
    const eachByte = Buffer.from(Array.from({ length: 128 }, (_, at) => [0x80 + at, 0x21]).flat());
    const shown = Array.from({ length: 128 }, (_, at) => `\\x${(0x80 + at).toString(16)}!`).join('');
    expect(escapeInvalid(decodeBytes(eachByte))).toBe(shown);
    expect(escapeInvalid(decodeBytes(Buffer.from([0x61, 0xff, 0xc3, 0xa9, 0xf0, 0x9f])))).toBe('a\\xffé\\xf0\\x9f');
  });
});
