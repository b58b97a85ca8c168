import { execFileSync } from 'node:child_process';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { beginsBundle, beginsPackedBundle, recordingIn } from './bundle.ts';
import { contentIn, firstNameIn, TAR_END, tarFile } from './tar.ts';

async function* inPieces(bytes: Buffer, length: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

async function joined(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

describe('a tar archive', () => {
  it('is listed and unpacked by tar, byte for byte', () => {
    const archive = Buffer.concat([
      tarFile('a/one', Buffer.from('1'), 1e12),
      tarFile('a/none', Buffer.alloc(0), 1e12),
      TAR_END,
    ]);
    const listed = execFileSync('tar', ['tvf', '-'], { input: archive, env: { ...process.env, TZ: 'UTC' } }).toString();
    expect(listed).toMatch(
      /^-rw------- 0\/0 +1 2001-09-09 01:46 a\/one\n-rw------- 0\/0 +0 2001-09-09 01:46 a\/none\n$/,
    );
    expect(execFileSync('tar', ['xOf', '-', 'a/one'], { input: archive }).toString()).toBe('1');
  });

  it('gives back each file, whatever it has, in pieces of any size', async () => {
    const file = fc.record({ name: fc.stringMatching(/^[\w.-]{1,50}$/), content: fc.uint8Array({ maxLength: 2000 }) });
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(file, { selector: ({ name }) => name }), fc.nat(1200), async (files, length) => {
        const archive = Buffer.concat([...files.map(({ name, content }) => tarFile(name, content, 0)), TAR_END]);
        for (const { name, content } of files)
          expect(await joined(contentIn(inPieces(archive, length + 1), (each) => each === name))).toEqual(
            Buffer.from(content),
          );
        expect(await joined(contentIn(inPieces(archive, length + 1), () => false))).toEqual(Buffer.alloc(0));
      }),
      { numRuns: 50 },
    );
  });

  it('is not what is only like one', () => {
    const header = tarFile('kstack/manifest.json', Buffer.alloc(0), 0);
    expect(firstNameIn(header)).toBe('kstack/manifest.json');
    for (const at of [0, 124, 148, 257]) {
      const other = Buffer.from(header);
      other.writeUInt8((other[at] ?? 0) ^ 1, at);
      expect(firstNameIn(other)).toBeUndefined();
    }
    expect(firstNameIn(header.subarray(0, 511))).toBeUndefined();
    expect(() => tarFile('x'.repeat(101), Buffer.alloc(0), 0)).toThrow(RangeError);
  });
});

describe('a bundle', () => {
  const bundle = [
    tarFile('kstack-host-1/manifest.json', Buffer.from('{}'), 0),
    tarFile('kstack-host-1/recording.kstack', Buffer.from('samples'), 0),
    TAR_END,
  ];
  const packed = Buffer.concat(bundle.map((part) => gzipSync(part)));

  it('is known by its beginning, packed and unpacked', () => {
    expect([beginsPackedBundle(packed), beginsBundle(gunzipSync(packed))]).toEqual([true, true]);
    expect([beginsPackedBundle(gunzipSync(packed)), beginsBundle(packed)]).toEqual([false, false]);
    const other = tarFile('etc/passwd', Buffer.from('x'), 0);
    expect([beginsPackedBundle(gzipSync(other)), beginsBundle(other)]).toEqual([false, false]);
    for (const bytes of [Buffer.alloc(0), Buffer.from([0x1f, 0x8b]), Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3])])
      expect([beginsPackedBundle(bytes), beginsBundle(bytes)]).toEqual([false, false]);
  });

  it('gives its recording', async () => {
    expect((await joined(recordingIn(inPieces(Buffer.concat(bundle), 100)))).toString()).toBe('samples');
    expect(await joined(recordingIn(inPieces(bundle[0] ?? TAR_END, 100)))).toEqual(Buffer.alloc(0));
  });
});
