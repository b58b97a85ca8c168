// Leaves in dist/types/ the declarations that the library's own refers to, and removes those of all other modules:
// what a package declares, others come to rely on.
import { readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const FOLDER = 'dist/types';
const kept = new Set([join(FOLDER, 'index.d.ts')]);
// The set grows during the loop.
for (const file of kept)
  for (const [, path] of (await readFile(file, 'utf8')).matchAll(/(?:from |import\()['"](\.[^'"]+)\.[jt]s['"]/g))
    kept.add(join(dirname(file), `${path}.d.ts`));
for (const entry of await readdir(FOLDER, { recursive: true, withFileTypes: true })) {
  const file = join(entry.parentPath, entry.name);
  if (entry.isFile() && !kept.has(file)) await rm(file);
}
