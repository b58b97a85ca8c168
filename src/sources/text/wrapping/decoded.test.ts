import { spawnSync } from 'node:child_process';
import * as zlib from 'node:zlib';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decoded, type InputNotes, PackedInput } from './decoded.ts';

async function read(...chunks: Uint8Array[]): Promise<{ text: string; notes: InputNotes }> {
  const notes: InputNotes = {};
  const pieces: Buffer[] = [];
  for await (const piece of decoded(chunks, notes)) pieces.push(piece);
  return { text: Buffer.concat(pieces).toString(), notes };
}

const LINES = Array.from({ length: 5000 }, (_, at) => `line ${at} of a log, in Zürich\n`).join('');

/** In pieces, as a pipe gives them. */
function pieces(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size));
}

describe('gzip', () => {
  it.each([1, 7, 1000, 1 << 20])('is unpacked, in pieces of %d bytes', async (size) => {
    expect(await read(...pieces(gzipSync(LINES.slice(0, size * 200)), size))).toEqual({
      text: LINES.slice(0, size * 200),
      notes: {},
    });
  });

  it('of several members is all of them', async () => {
    const bytes = Buffer.concat([gzipSync('first\n'), gzipSync(''), gzipSync(LINES), gzipSync('last\n')]);
    expect(await read(bytes)).toEqual({ text: `first\n${LINES}last\n`, notes: {} });
  });

  it('that is cut off is read up to there, and that is said', async () => {
    const bytes = gzipSync(LINES);
    const { text, notes } = await read(...pieces(bytes.subarray(0, bytes.length / 2), 100));
    expect(text.length).toBeGreaterThan(LINES.length / 3);
    expect(LINES.startsWith(text)).toBe(true);
    expect(notes.cut).toBe('the gzip data ends early: what comes before its end was read');
  });

  it('that is damaged is read up to there, and that is said', async () => {
    const bytes = Buffer.concat([gzipSync(LINES), gzipSync(LINES)]);
    bytes.fill(0xff, bytes.length / 2 + 3000, bytes.length / 2 + 3100);
    const { text, notes } = await read(...pieces(bytes, 100));
    expect(text.length).toBeGreaterThanOrEqual(LINES.length);
    expect(notes.cut).toBe('the gzip data is damaged: what comes before that was read');
  });

  it('twice is unpacked twice, but not forever', async () => {
    expect((await read(gzipSync(gzipSync(LINES)))).text).toBe(LINES);
    let bytes: Buffer = Buffer.from(LINES);
    for (let layer = 0; layer < 10; layer++) bytes = gzipSync(bytes);
    expect((await read(bytes)).text).not.toBe(LINES);
  });

  it('may be followed by zeros', async () => {
    expect(await read(Buffer.concat([gzipSync(LINES), Buffer.alloc(5000)]))).toEqual({ text: LINES, notes: {} });
  });
});

describe('other archives', () => {
  it.each([
    ['xz', Buffer.from('\xfd7zXZ\0\0\x04', 'latin1'), 'xz -dc'],
    ['bzip2', Buffer.from('BZh91AY&SY'), 'bzip2 -dc'],
    ['zip', Buffer.from('PK\x03\x04'), 'unzip -p'],
  ])('are refused with the command to unpack them: %s', async (format, bytes, command) => {
    const refused = { message: `it is packed with ${format}`, command };
    await expect(read(bytes, Buffer.alloc(1000))).rejects.toMatchObject(refused);
    await expect(read(gzipSync(bytes))).rejects.toMatchObject(refused);
  });

  it('zstd is unpacked where the runtime can, or refused with the command', async () => {
    const made = spawnSync('zstd', ['-c'], { input: LINES });
    const bytes = made.status === 0 ? made.stdout : Buffer.from('\x28\xb5\x2f\xfd', 'latin1');
    if ('createZstdDecompress' in zlib) expect((await read(bytes)).text).toBe(made.status === 0 ? LINES : '');
    else await expect(read(bytes)).rejects.toMatchObject({ command: 'zstd -dc' });
  });

  it('what is no text is noted', async () => {
    expect((await read(Buffer.from('\x7fELF....'))).notes.kind).toEqual({ what: 'dump' });
    expect((await read(gzipSync('KDUMP   ....'))).notes.kind).toEqual({ what: 'dump' });
    expect((await read(Buffer.from('\x89PNG....', 'latin1'))).notes.kind).toMatchObject({ what: 'other' });
    expect((await read(Buffer.from('BUG: unable'))).notes.kind).toBeUndefined();
  });
});

describe('UTF-16', () => {
  const little = (text: string) => Buffer.from(text, 'utf16le');
  const big = (text: string) => little(text).swap16();
  const RUSSIAN = 'задача заблокирована';
  const LOG = '[ 1.0] Call Trace:\r\n é 😀\r\n';

  it.each([
    ['little endian, with a mark', little(`\ufeff${LOG}`), `\ufeff${LOG}`],
    ['big endian, with a mark', big(`\ufeff${LOG}`), `\ufeff${LOG}`],
    ['little endian, not English', little(`\ufeff${RUSSIAN}`), `\ufeff${RUSSIAN}`],
    ['big endian, not English', big(`\ufeff${RUSSIAN}`), `\ufeff${RUSSIAN}`],
    ['little endian', little(LOG), LOG],
    ['big endian', big(LOG), LOG],
    ['packed', gzipSync(little(LOG)), LOG],
  ])('is read: %s', async (_, bytes, text) => {
    expect((await read(bytes)).text).toBe(text);
    expect((await read(...pieces(bytes, 1))).text).toBe(text);
    expect((await read(...pieces(bytes, 3))).text).toBe(text);
  });
});

it('any other bytes are passed on as they are', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 700 })), async (chunks) => {
      const all = Buffer.concat(chunks);
      // Not UTF-16, nor packed.
      const bytes = [Buffer.from('log:'), ...chunks];
      const text: Buffer[] = [];
      for await (const piece of decoded(bytes, {})) text.push(piece);
      expect(Buffer.concat(text).equals(Buffer.concat([Buffer.from('log:'), all]))).toBe(true);
    }),
  );
});

it('any bytes are read without an exception, but for the one that names a command', async () => {
  const magic = fc.constantFrom('\x1f\x8b\x08\0\0\0\0\0\0\x03', '\x28\xb5\x2f\xfd', '\xff\xfe', '\xfe\xff', 'BZh', '');
  await fc.assert(
    fc.asyncProperty(magic, fc.uint8Array({ maxLength: 2000 }), async (start, rest) => {
      await read(Buffer.from(start, 'latin1'), rest).catch((error) => expect(error).toBeInstanceOf(PackedInput));
    }),
  );
});
