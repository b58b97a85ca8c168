import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../harness.ts';

const root = join(import.meta.dirname, '../..');

it.each([
  ['src/model/new.ts', '../sinks/text.ts'],
  ['src/native/new.ts', '../sources/live/procfs/index.ts'],
  ['src/files/new.ts', '../terminal/output.ts'],
  ['src/clickhouse/new.ts', '../sinks/clickhouse.ts'],
  ['src/sinks/new.ts', '../clickhouse/connection.ts'],
  ['src/terminal/new.ts', '../sinks/text.ts'],
  ['src/sources/live/procfs/new.ts', '../../../analysis/group.ts'],
  ['src/sources/text/new.ts', '../../sinks/text.ts'],
  ['src/analysis/new.ts', '../sources/text/index.ts'],
  ['src/recording/new.ts', '../analysis/group.ts'],
  ['src/sinks/new.ts', '../sources/text/index.ts'],
  ['src/sinks/new.ts', '../native/write.ts'],
  ['src/background/new.ts', '../cli/arguments.ts'],
  ['src/tui/new.ts', '../sources/text/index.ts'],
  ['src/web/new.ts', '../sources/text/index.ts'],
  ['src/server/new.ts', '../cli/arguments.ts'],
  ['src/shipping/new.ts', '../cli/arguments.ts'],
  ['src/background/new.ts', '../shipping/sender.ts'],
  ['src/cli/new.ts', '../commands/status.ts'],
  ['src/commands/new.ts', '../main.ts'],
])('the linter lets no arrow point from %s to %s', (from, to) => {
  const folder = temporaryFolder();
  const file = join(folder, from);
  for (const name of ['biome.json', 'no-spread-arguments.grit']) copyFileSync(join(root, name), join(folder, name));
  mkdirSync(dirname(file), { recursive: true });
  const lint = (target: string) => {
    writeFileSync(file, `import '${target}';\n`);
    return spawnSync(join(root, 'node_modules/.bin/biome'), ['lint', '--vcs-enabled=false', from], {
      cwd: folder,
    }).stderr.toString();
  };
  expect(lint(to)).toContain('Arrows go one way');
  expect(lint('./beside.ts')).not.toContain('Arrows go one way');
});

it.each(['model', 'analysis', 'web'])('the linter keeps src/%s free of what a browser lacks', (layer) => {
  const folder = temporaryFolder();
  for (const name of ['biome.json', 'no-spread-arguments.grit']) copyFileSync(join(root, name), join(folder, name));
  mkdirSync(join(folder, 'src', layer), { recursive: true });
  const lint = (text: string) => {
    writeFileSync(join(folder, 'src', layer, 'new.ts'), text);
    return spawnSync(join(root, 'node_modules/.bin/biome'), ['lint', '--vcs-enabled=false', 'src'], {
      cwd: folder,
    }).stderr.toString();
  };
  for (const wrong of ["import 'node:fs';\n", "Buffer.from('');\n", 'process.exit();\n'])
    expect(lint(wrong)).toContain('A browser imports this too');
  expect(lint('new Uint8Array(8);\n')).not.toContain('A browser imports this too');
});

it.each(['list.push(...list);', 'export const most = [Math.max(0, ...list)];', 'new Date(\n  ...list,\n);'])(
  'the linter lets no call take a list as its arguments: %s',
  (call) => {
    const folder = temporaryFolder();
    for (const name of ['biome.json', 'no-spread-arguments.grit']) copyFileSync(join(root, name), join(folder, name));
    mkdirSync(join(folder, 'src'));
    const lint = (text: string) => {
      writeFileSync(join(folder, 'src/new.ts'), text);
      return spawnSync(join(root, 'node_modules/.bin/biome'), ['lint', '--vcs-enabled=false', 'src'], {
        cwd: folder,
      }).stderr.toString();
    };
    expect(lint(call)).toContain('go through it in a loop');
    expect(lint('export const union = new Set([...list, ...list.map((each) => [...each])]);')).not.toContain(
      'go through it in a loop',
    );
  },
);
