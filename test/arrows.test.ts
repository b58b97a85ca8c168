import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from './harness.ts';

const root = join(import.meta.dirname, '..');

it.each([
  ['src/model/new.ts', '../sinks/text.ts'],
  ['src/native/new.ts', '../sources/procfs/index.ts'],
  ['src/sources/procfs/new.ts', '../../analysis/group.ts'],
  ['src/sources/procfs/new.ts', '../../sinks/text.ts'],
  ['src/analysis/new.ts', '../sources/procfs/index.ts'],
  ['src/sinks/new.ts', '../analysis/group.ts'],
  ['src/commands/new.ts', '../main.ts'],
])('the linter lets no arrow point from %s to %s', (from, to) => {
  const folder = temporaryFolder();
  const file = join(folder, from);
  copyFileSync(join(root, 'biome.json'), join(folder, 'biome.json'));
  mkdirSync(dirname(file), { recursive: true });
  const lint = (target: string) => {
    writeFileSync(file, `import '${target}';\n`);
    return spawnSync(join(root, 'node_modules/.bin/biome'), ['lint', '--vcs-enabled=false', from], { cwd: folder }).stderr.toString();
  };
  expect(lint(to)).toContain('Arrows go one way');
  expect(lint('node:fs')).not.toContain('Arrows go one way');
});
