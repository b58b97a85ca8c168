import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { contentIn, TAR_END, tarFile } from './tar.ts';

async function contentOf(archive: Buffer): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of contentIn(Readable.from([archive]), (name) => name === 'a')) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

/** The entry with another type, and the sum that is right for it. */
function asType(entry: Buffer, type: string): Buffer {
  const changed = Buffer.from(entry);
  changed.write(type, 156);
  changed.fill(' ', 148, 156);
  const sum = changed.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  changed.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return changed;
}

it('an archive has the content of files, and of nothing else that has a name', async () => {
  const entry = tarFile('a', Buffer.from('content'), 0);
  expect(await contentOf(Buffer.concat([tarFile('b', Buffer.from('other'), 0), entry, TAR_END]))).toBe('content');
  expect(await contentOf(Buffer.concat([asType(entry, '\0'), TAR_END]))).toBe('content');
  for (const type of ['1', '2', '5']) expect(await contentOf(Buffer.concat([asType(entry, type), TAR_END]))).toBe('');
});
