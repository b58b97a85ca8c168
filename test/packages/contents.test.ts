import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
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

/** A shell command whose output is that file of a package. */
const UNPACKED: Readonly<Record<Kind, (path: string) => string>> = {
  deb: (path) => `dpkg-deb --fsys-tarfile "$0" | tar --extract --to-stdout --file - ".${path}"`,
  rpm: (path) => `rpm2cpio "$0" | cpio --quiet --extract --to-stdout ".${path}"`,
};

async function fileOf(kind: Kind, arch: Architecture, path: string): Promise<string> {
  const { code, stdout } = await run('sh', ['-c', UNPACKED[kind](path), builtPackage(kind, arch)]);
  expect(code).toBe(0);
  return stdout;
}

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
  it('has the executable as it was built, and its bill of materials', async () => {
    const command = `${UNPACKED[kind]('/usr/bin/kstack')} | sha256sum`;
    const { stdout } = await run('sh', ['-c', command, builtPackage(kind, arch)]);
    expect(stdout).toBe(`${sha256(executable(arch))}  -\n`);
    expect(JSON.parse(await fileOf(kind, arch, '/usr/share/doc/kstack/kstack.cdx.json'))).toEqual(billOf(arch));
  });

  it('belongs to root, and nobody else may write to it', async () => {
    const list = kind === 'deb' ? ['dpkg-deb', '--contents'] : ['rpm', '--query', '--list', '--verbose', '--package'];
    const [command = '', ...options] = list;
    const { stdout } = await run(command, [...options, builtPackage(kind, arch)]);
    const lines = stdout.trim().split('\n');
    expect(lines.length).toBeGreaterThan(30);
    expect(lines.filter((line) => !/^(l|.{5}-..-.)\S* .*\broot\b[ /]+root\b/.test(line))).toEqual([]);
  });

  it('names the licence of all that is inside', async () => {
    const path =
      kind === 'deb' ? '/usr/share/doc/kstack/copyright' : '/usr/share/licenses/kstack/THIRD-PARTY-LICENSES.txt';
    const text = await fileOf(kind, arch, path);
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

  it('has the unit, the manual and the completions under both names', async () => {
    expect(await fileOf(kind, arch, '/usr/lib/systemd/system/kstack.service')).toBe(
      readFileSync('systemd/kstack.service', 'utf8'),
    );
    const list = kind === 'deb' ? ['dpkg-deb', '--contents'] : ['rpm', '--query', '--list', '--package'];
    const [command = '', ...options] = list;
    const { stdout } = await run(command, [...options, builtPackage(kind, arch)]);
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
      expect(stdout).toContain(path);
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
