import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Ajv } from 'ajv';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run, temporaryFolder } from '../harness.ts';
import { ARCHITECTURE, type Architecture, builtPackage, type Kind, VERSION } from './packages.ts';

const ARCHITECTURES: readonly Architecture[] = ['x64', 'arm64'];
const EACH = (['deb', 'rpm'] as const).flatMap((kind) => ARCHITECTURES.map((arch) => [kind, arch] as const));
const SCHEMAS = join(
  dirname(createRequire(import.meta.url).resolve('@cyclonedx/cyclonedx-library/package.json')),
  'res/schema',
);

const executable = (arch: Architecture) => `dist/standalone/kstack-linux-${arch}`;
const sha256 = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
const billOf = (arch: Architecture) => JSON.parse(readFileSync(`${executable(arch)}.cdx.json`, 'utf8'));

/** A shell command that unpacks a package into its working directory, and one that lists its files. */
const UNPACK: Readonly<Record<Kind, string>> = {
  deb: 'dpkg-deb --extract "$0" .',
  rpm: 'rpm2cpio "$0" | cpio --quiet --extract --make-directories',
};
const LIST: Readonly<Record<Kind, readonly [string, ...string[]]>> = {
  deb: ['dpkg-deb', '--contents'],
  rpm: ['rpm', '--query', '--list', '--verbose', '--package'],
};

it('two builds are identical, whatever the umask, the time zone, the language and the folder', async () => {
  const folder = temporaryFolder();
  const script = `import { buildPackages, sourceEpoch } from './packaging/build.mjs';
await buildPackages({ arch: '${ARCHITECTURE}', version: '${VERSION}', epoch: sourceEpoch(), into: '${folder}' });`;
  const build = 'umask 077; exec node --input-type=module --eval "$0"';
  const env = { ...process.env, TZ: 'Asia/Tokyo', LC_ALL: 'C', TMPDIR: folder, HOSTNAME: 'elsewhere' };
  expect(await run('sh', ['-c', build, script], { env })).toMatchObject({ code: 0 });
  for (const kind of ['deb', 'rpm'] as const) {
    const path = builtPackage(kind);
    expect([kind, sha256(join(folder, path.replace(/.*\//, '')))]).toEqual([kind, sha256(path)]);
  }
});

it('the README tells how large an executable is', () => {
  const [, megabytes] = /It is (\d+) MB in size, for x64 or arm64/.exec(readFileSync('README.md', 'utf8')) ?? [];
  for (const arch of ARCHITECTURES)
    expect(Math.abs(statSync(executable(arch)).size / 1e6 - Number(megabytes))).toBeLessThan(2);
});

describe.each(EACH)('the %s for %s', (kind, arch) => {
  const folder = mkdtempSync(join(tmpdir(), 'kstack-test-'));
  const pathOf = (path: string) => join(folder, path);
  let list = '';
  beforeAll(async () => {
    const unpacked = await run('sh', ['-c', UNPACK[kind], builtPackage(kind, arch)], { cwd: folder });
    expect([unpacked.code, unpacked.stderr]).toEqual([0, '']);
    const [command, ...options] = LIST[kind];
    list = (await run(command, [...options, builtPackage(kind, arch)])).stdout;
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('has the executable as it was built, and its bill of materials', () => {
    expect(sha256(pathOf('/usr/bin/kstack'))).toBe(sha256(executable(arch)));
    expect(JSON.parse(readFileSync(pathOf('/usr/share/doc/kstack/kstack.cdx.json'), 'utf8'))).toEqual(billOf(arch));
  });

  it('belongs to root, and nobody else may write to it', () => {
    const lines = list.trim().split('\n');
    expect(lines.length).toBeGreaterThan(30);
    expect(lines.filter((line) => !/^(l|.{5}-..-.)\S* .*\broot\b[ /]+root\b/.test(line))).toEqual([]);
  });

  it('names the licence of all that is inside', () => {
    const path =
      kind === 'deb' ? '/usr/share/doc/kstack/copyright' : '/usr/share/licenses/kstack/THIRD-PARTY-LICENSES.txt';
    const text = readFileSync(pathOf(path), 'utf8');
    const firstWords = new Set(text.split('\n').map((line) => line.split(' ')[0]));
    const names: string[] = billOf(arch).components.map(({ name }: { name: string }) => name);
    expect(names.filter((name) => !name.startsWith('@oven/') && !firstWords.has(name))).toEqual([]);
    for (const words of [
      /^The executable contains Bun \d/m,
      /^ +GNU LIBRARY GENERAL PUBLIC LICENSE\n +Version 2,/m,
      /^ +GNU LESSER GENERAL PUBLIC LICENSE\n +Version 2.1,/m,
      /^To run kstack with changed ones, build Bun with them/m,
    ])
      expect(text).toMatch(words);
  });

  it('has the unit, the manual and the completions under both names', () => {
    expect(readFileSync(pathOf('/usr/lib/systemd/system/kstack.service'), 'utf8')).toBe(
      readFileSync('systemd/kstack.service', 'utf8'),
    );
    const zsh = kind === 'deb' ? 'vendor-completions' : 'site-functions';
    for (const path of [
      '/usr/bin/oled-kstack',
      '/usr/share/man/man8/kstack.8.gz',
      '/usr/share/man/man8/oled-kstack.8.gz',
      '/usr/share/bash-completion/completions/kstack',
      '/usr/share/bash-completion/completions/oled-kstack',
      `/usr/share/zsh/${zsh}/_kstack`,
      '/usr/share/fish/vendor_completions.d/kstack.fish',
      '/usr/share/fish/vendor_completions.d/oled-kstack.fish',
    ])
      expect(list).toContain(path);
  });

  it('asks for the C library that the executable needs, and for no newer one', async () => {
    const { stdout } = await run('readelf', ['--version-info', '--dynamic', executable(arch)]);
    const versions = [...stdout.matchAll(/GLIBC_2\.(\d+)/g)].map(([, minor]) => Number(minor));
    expect(Math.max(...versions)).toBe(17);
    const about =
      kind === 'deb'
        ? await run('dpkg-deb', ['--field', builtPackage(kind, arch), 'Depends'])
        : await run('rpm', ['--query', '--requires', '--package', builtPackage(kind, arch)]);
    expect(about.stdout).toMatch(kind === 'deb' ? /^libc6 \(>= 2\.17\)\n$/ : /^libc\.so\.6\(GLIBC_2\.17\)\(64bit\)$/m);
  });
});

describe.each(ARCHITECTURES)('the bill of materials for %s', (arch) => {
  it('is one by the schema of CycloneDX 1.6', () => {
    const schemaOf = (name: string) => JSON.parse(readFileSync(join(SCHEMAS, `${name}.SNAPSHOT.schema.json`), 'utf8'));
    const ajv = new Ajv({ strict: false, validateFormats: false });
    for (const name of ['spdx', 'jsf-0.82', 'cryptography-defs'])
      ajv.addSchema(schemaOf(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`);
    const isBill = ajv.compile(schemaOf('bom-1.6'));
    expect([isBill(billOf(arch)), isBill.errors]).toEqual([true, null]);
    expect(isBill({ ...billOf(arch), specVersion: 1.6 })).toBe(false);
  });

  it('is of this executable, and has the packages that were locked, and no koffi', () => {
    const { metadata, components } = billOf(arch);
    expect(metadata.component.hashes).toEqual([{ alg: 'SHA-256', content: sha256(executable(arch)) }]);
    const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
    const named = new Map<string, { version: string; hashes?: { content: string }[] }>(
      components.map((component: { name: string }) => [component.name, component]),
    );
    for (const name of ['commander', 'picomatch', 're2js', 'preact', 'uplot', 'pprof-format']) {
      const { version, integrity } = packages[`node_modules/${name}`];
      const content = Buffer.from(integrity.slice('sha512-'.length), 'base64').toString('hex');
      expect(named.get(name)).toMatchObject({ version, hashes: [{ alg: 'SHA-512', content }] });
    }
    expect([...named.keys()].filter((name) => name.includes('koffi'))).toEqual([]);
    expect(named.get('JavaScriptCore')?.version).toMatch(/^[0-9a-f]{40}$/);
  });
});
