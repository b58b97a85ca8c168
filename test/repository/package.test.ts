import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { parseClassic, requires, run } from '../harness.ts';

const root = join(import.meta.dirname, '../..');

describe('the packed package, installed into an empty folder', () => {
  let folder = '';

  const npm = (cwd: string, ...args: string[]) =>
    execFileSync('npm', [...args, '--no-audit', '--no-fund'], { cwd, stdio: ['ignore', 'pipe', 'pipe'] }).toString();

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'kstack-package-'));
    const [packed = ''] = npm(root, 'pack', '--silent', '--ignore-scripts', '--pack-destination', folder)
      .trim()
      .split('\n')
      .slice(-1);
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    npm(folder, 'install', '--ignore-scripts', '--prefer-offline', `./${packed}`);
  }, 120_000);

  it.each(['kstack', 'oled-kstack'])('runs as %s', async (name) => {
    const { code, stdout } = await run(join(folder, 'node_modules/.bin', name), ['-h']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Usage: kstack /);
  });

  it('shows the stacks of this machine', async (context: TestContext) => {
    requires(context, 'root');
    const { code, stdout } = await run(join(folder, 'node_modules/.bin/oled-kstack'), ['-a']);
    expect(code).toBe(0);
    expect(parseClassic(stdout).lines.map(({ pid }) => pid)).toContain(process.pid);
  });

  it('gives another package the objects of the model, and their types', async (context: TestContext) => {
    requires(context, 'root');
    writeFileSync(
      join(folder, 'use.ts'),
      `import { explainGroups, type Finding, type Frame, groupByStack, type Sample, sample } from 'kstack';
const taken: Sample = await sample({ pids: [2] }, { fields: ['uid'] });
const finding: Finding | undefined = explainGroups(taken)[0]?.finding;
const frames: readonly Frame[] = groupByStack(taken)[0]?.stack?.frames ?? [];
console.log(taken.observations[0]?.task.comm, frames[0]?.symbol, taken.bootId, typeof taken.timeMs, finding?.kind, taken.observations[0]?.task.uid);
`,
    );
    const typescript = join(root, 'node_modules/.bin/tsc');
    const options = ['--strict', '--module', 'nodenext', '--target', 'es2023', '--types', ''];
    const checked = await run(typescript, [...options, 'use.ts', '--noCheck', 'false'], { cwd: folder });
    const compiled = readdirSync(folder).includes('use.js');
    expect({ compiled, output: checked.stdout.replaceAll(/.*'(console|node:.*)'.*\n/g, '') }).toEqual({
      compiled: true,
      output: '',
    });
    const { code, stdout } = await run('node', ['use.js'], { cwd: folder });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^kthreadd kthreadd \{ value: '[0-9a-f-]{36}' \} number idle \{ value: 0 \}\n$/);
  });

  it('carries the types of the library, and no others', () => {
    const types = readdirSync(join(folder, 'node_modules/kstack/dist/types'), { recursive: true }).map(String);
    const folders = new Set(types.filter((path) => path.endsWith('.d.ts')).map((path) => path.split('/')[0]));
    expect(folders).toEqual(new Set(['index.d.ts', 'analysis', 'model', 'sinks', 'sources']));
    expect(types).not.toContain('sources/live/bpf/tasks.d.ts');
  });

  it('carries no executable and no package of another kind, wherever they were built', () => {
    const tree = mkdtempSync(join(folder, 'tree-'));
    cpSync(join(root, 'package.json'), join(tree, 'package.json'));
    const built = ['standalone/kstack-linux-x64', 'packages/kstack_0.1.0_amd64.deb', 'kstack.cjs'];
    for (const path of built) {
      mkdirSync(join(tree, 'dist', dirname(path)), { recursive: true });
      writeFileSync(join(tree, 'dist', path), '');
    }
    const [{ files = [] } = {}] = JSON.parse(npm(tree, 'pack', '--dry-run', '--json', '--ignore-scripts'));
    expect(files.map(({ path }: { path: string }) => path).sort()).toEqual(['dist/kstack.cjs', 'package.json']);
  });

  it('loads nothing to show its help but the file that is started', () => {
    const started = readFileSync(join(folder, 'node_modules/kstack/dist/kstack.cjs'), 'utf8');
    expect(started).toContain('./sample.cjs');
    expect(started).not.toMatch(/koffi|FinalizationRegistry|memfd_create/);
  });

  it('loads no streams of the runtime to show stacks: in Bun these take as long as all of its own code', async (context: TestContext) => {
    requires(context, 'root');
    const probe = join(folder, 'probe.cjs');
    const told = "require('node:fs').writeSync(2, process.moduleLoadList.join('\\n'))";
    writeFileSync(probe, `process.on('exit', () => ${told});`);
    const command = join(folder, 'node_modules/kstack/dist/kstack.cjs');
    const { stdout, stderr } = await run(process.execPath, ['-r', probe, command, '-p', '2']);
    expect(stdout).toMatch(/^PID: {5}2 /m);
    expect(stderr).toContain('NativeModule fs\n');
    expect(stderr).not.toMatch(/^NativeModule (?:stream|zlib|tty)$/m);
  });

  it('carries nothing but what it needs to run', () => {
    const installed = readdirSync(join(folder, 'node_modules/kstack'), { recursive: true }).map(String);
    expect(installed.filter((path) => /(^|\/)(src|test|bench)(\/|$)|\.test\.|\.map$/.test(path))).toEqual([]);
    for (const file of [
      'README.md',
      'LICENSE',
      'CHANGELOG.md',
      'schema/kstack-sample-1.schema.json',
      'schema/kstack-report-1.schema.json',
      'schema/kstack-diff-1.schema.json',
      'schema/kstack-why-1.schema.json',
      'schema/kstack-bundle-1.schema.json',
      'dist/kstack.cjs',
      'dist/more.cjs',
      'dist/names.cjs',
      'dist/page.cjs',
      'dist/clickhouse.cjs',
      'dist/classic-reader.cjs',
      'dist/parquet.cjs',
      'dist/patterns.cjs',
      'dist/rules.cjs',
      'dist/sample.cjs',
      'packaging/oled-link.sh',
      'packaging/sos/kstack.py',
      'dist/THIRD-PARTY-LICENSES.txt',
    ])
      expect(existsSync(join(folder, 'node_modules/kstack', file))).toBe(true);
  });
});
