// SHA256SUMS, for sha256sum -c.
import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Writes SHA256SUMS of the files in a folder whose names match. */
export async function writeSums(folder, pattern) {
  const names = (await readdir(folder)).filter((name) => pattern.test(name)).sort();
  const lines = [];
  for (const name of names) lines.push(`${sha256(await readFile(join(folder, name)))}  ${name}\n`);
  await writeFile(join(folder, 'SHA256SUMS'), lines.join(''));
}

/** In hexadecimal. */
export const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
