import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../harness.ts';

const root = join(import.meta.dirname, '../..');

/** The files about which the linter says such a text; all of them are read in one run. */
function complainedOf(text: string, files: Readonly<Record<string, string>>): string[] {
  const folder = temporaryFolder();
  for (const name of ['biome.json', 'no-spread-arguments.grit']) copyFileSync(join(root, name), join(folder, name));
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), content);
  }
  const options = ['lint', '--vcs-enabled=false', '--max-diagnostics=none', 'src'];
  const { stderr } = spawnSync(join(root, 'node_modules/.bin/biome'), options, { cwd: folder });
  const complaints = String(stderr).split(/^(?=src\/)/m);
  return Object.keys(files).filter((file) =>
    complaints.some((complaint) => complaint.startsWith(`${file}:`) && complaint.includes(text)),
  );
}

const ARROWS: readonly (readonly [from: string, to: string])[] = [
  ['src/model', '../sinks/text.ts'],
  ['src/native', '../sources/live/procfs/index.ts'],
  ['src/files', '../terminal/output.ts'],
  ['src/clickhouse', '../sinks/clickhouse.ts'],
  ['src/sinks', '../clickhouse/connection.ts'],
  ['src/terminal', '../sinks/text.ts'],
  ['src/sources/live/procfs', '../../../analysis/group.ts'],
  ['src/sources/text', '../../sinks/text.ts'],
  ['src/analysis', '../sources/text/index.ts'],
  ['src/recording', '../analysis/group.ts'],
  ['src/sinks', '../sources/text/index.ts'],
  ['src/sinks', '../native/write.ts'],
  ['src/background', '../cli/arguments.ts'],
  ['src/tui', '../sources/text/index.ts'],
  ['src/web', '../sources/text/index.ts'],
  ['src/server', '../cli/arguments.ts'],
  ['src/shipping', '../cli/arguments.ts'],
  ['src/background', '../shipping/sender.ts'],
  ['src/cli', '../commands/status.ts'],
  ['src/commands', '../main.ts'],
];

describe('the linter', () => {
  it('lets no arrow point to where it must not, and any point beside it', () => {
    const wrong = ARROWS.map(([from, to], at) => [`${from}/new-${at}.ts`, `import '${to}';\n`] as const);
    const right = ARROWS.map(([from], at) => [`${from}/old-${at}.ts`, "import './beside.ts';\n"] as const);
    const complained = complainedOf('Arrows go one way', Object.fromEntries([...wrong, ...right]));
    expect(complained).toEqual(wrong.map(([file]) => file));
  });

  it('keeps model, analysis and web free of what a browser lacks', () => {
    const files = ['model', 'analysis', 'web'].flatMap((layer) => [
      [`src/${layer}/import.ts`, "import 'node:fs';\n"],
      [`src/${layer}/buffer.ts`, "Buffer.from('');\n"],
      [`src/${layer}/process.ts`, 'process.exit();\n'],
      [`src/${layer}/right.ts`, 'new Uint8Array(8);\n'],
    ]);
    const complained = complainedOf('A browser imports this too', Object.fromEntries(files));
    expect(complained).toEqual(files.map(([file]) => file).filter((file) => !file?.endsWith('right.ts')));
  });

  it('lets no call take a list as its arguments', () => {
    const complained = complainedOf('go through it in a loop', {
      'src/push.ts': 'list.push(...list);',
      'src/max.ts': 'export const most = [Math.max(0, ...list)];',
      'src/date.ts': 'new Date(\n  ...list,\n);',
      'src/right.ts': 'export const union = new Set([...list, ...list.map((each) => [...each])]);',
    });
    expect(complained).toEqual(['src/push.ts', 'src/max.ts', 'src/date.ts']);
  });
});
