import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBytes } from '../../../native/decode.ts';
import { encoded, type LinePart, Lines, LONGEST_PART } from './lines.ts';

function partsOf(...chunks: Uint8Array[]): LinePart[] {
  const parts: LinePart[] = [];
  const lines = new Lines((part) => parts.push(part));
  for (const chunk of chunks) lines.take(chunk);
  lines.end();
  return parts;
}

const linesIn = (text: string) => partsOf(Buffer.from(text)).map((part) => part.text);

describe('lines', () => {
  it.each([
    ['LF', 'a\nb\n\nc\n'],
    ['CR LF', 'a\r\nb\r\n\r\nc\r\n'],
    ['CR', 'a\rb\r\rc\r'],
    ['CR CR LF', 'a\r\r\nb\r\r\n\r\r\nc\r\r\n'],
    ['LF CR', 'a\n\rb\n\r\n\rc\n\r'],
    ['no end at the end', 'a\nb\n\nc'],
    ['the byte order mark before them', '\ufeffa\nb\n\nc\n'],
  ])('end with %s', (_, text) => {
    expect(linesIn(text)).toEqual(['a', 'b', '', 'c']);
    expect(partsOf(...[...Buffer.from(text)].map((byte) => Buffer.of(byte))).map((part) => part.text)).toEqual([
      'a',
      'b',
      '',
      'c',
    ]);
  });

  it('are the same, however the bytes are divided', () => {
    const piece = fc.constantFrom('a', 'é', '😀', '\n', '\r', '\r\n', '\0', 'Call Trace:', '\udcff', '\ufeff');
    fc.assert(
      fc.property(fc.array(piece), fc.array(fc.nat(100)), (pieces, places) => {
        const bytes = Buffer.from(encoded(pieces.join('')));
        const cuts = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
        const chunks = cuts.slice(1).map((to, at) => bytes.subarray(cuts[at], to));
        expect(partsOf(...chunks)).toEqual(partsOf(bytes));
      }),
    );
  });

  it('have the bytes that are not UTF-8', () => {
    expect(partsOf(Buffer.from('a\xffb\nc', 'latin1')).map((part) => part.text)).toEqual(['a\udcffb', 'c']);
  });

  it('that are long come in parts, which are whole characters', () => {
    const text = `${'é😀x'.repeat(50_000)}`;
    const parts = partsOf(Buffer.from(`${text}\nnext\n`));
    expect(parts.map((part) => part.text).join('')).toBe(`${text}next`);
    expect(parts.filter((part) => part.begins)).toHaveLength(2);
    expect(parts.filter((part) => part.ends)).toHaveLength(2);
    for (const part of parts) {
      expect(Buffer.byteLength(part.text)).toBeLessThanOrEqual(LONGEST_PART);
      expect(part.text.isWellFormed()).toBe(true);
    }
  });

  it('with NULs are what strings(1) finds', () => {
    const bytes = Buffer.concat([
      Buffer.alloc(5000),
      Buffer.from('Nov 25 kernel: Call Trace:\n'),
      Buffer.from('\x05\0\0\0\0\0\0\0 f+0x1/0x2 [é]\0\0\0\x81\x02\x03\0abc\0\x9c\xfe g+0x1/0x2\xff\0', 'latin1'),
    ]);
    expect(partsOf(bytes).map((part) => part.text)).toEqual([
      'Nov 25 kernel: Call Trace:',
      ' f+0x1/0x2 [',
      ' g+0x1/0x2',
    ]);
  });

  it('of any bytes take time linear in them', () => {
    const millisecondsFor = (text: string, size: number) => {
      const bytes = Buffer.alloc(size, text, 'latin1');
      const lines = new Lines(() => undefined);
      // A busy machine takes any time by the clock.
      const before = process.cpuUsage();
      for (let at = 0; at < bytes.length; at += 65536) lines.take(bytes.subarray(at, at + 65536));
      lines.end();
      return process.cpuUsage(before).user / 1000;
    };
    for (const text of ['\r', '\r\n', '\n\r', 'a', '\0', 'abcd\0', '\xff', '\xff\0']) {
      const [small = 0, large = 0] = [60_000, 480_000].map((size) =>
        Math.min(...[1, 2].map(() => millisecondsFor(text, size))),
      );
      // Eight times the bytes: far from the 64 times of quadratic time.
      expect(large).toBeLessThan(32 * Math.max(small, 5));
    }
  });
});

it('a text is encoded as the bytes that it was decoded from', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(Buffer.from(encoded(decodeBytes(Buffer.from(bytes)))).equals(bytes)).toBe(true);
    }),
  );
});
