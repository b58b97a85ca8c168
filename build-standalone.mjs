// Makes dist/standalone/kstack-linux-x64 and -arm64: executables with runtime, BPF program and koffi's native part inside. npm run build:standalone [-- x64|arm64]
// Bun comes from its own packages in the npm registry, for this build alone. Two builds of one commit are identical.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { lazyChildProcess, smallMatcher } from './build-plugins.mjs';

const BUN = '1.4.5';
const KOFFI = JSON.parse(await readFile('node_modules/koffi/package.json', 'utf8')).version;

/** The packages that an executable is made of; sha512 of their archives in hexadecimal. */
const TARGETS = {
  x64: {
    bun: {
      name: '@oven/bun-linux-x64',
      sha512:
        '2165fd0442e8187014b4ca2791e49a35a6705f3464fa80f0e8c93e1c115777728760804d06c20646ea4c64f7203680db2692eeea00098c8a0854f66db75689d6',
    },
    koffi: '@koromix/koffi-linux-x64',
    addon: 'linux_x64/koffi.node',
  },
  arm64: {
    bun: {
      name: '@oven/bun-linux-aarch64',
      sha512:
        'e015e6b122a78ceae5196a99578c7fa166bb015a11f81ea509775d3333805c1226dede747ac960f706faea09ad5b501a984435975083be69abbb2b0486a39632',
    },
    koffi: '@koromix/koffi-linux-arm64',
    addon: 'linux_arm64/koffi.node',
  },
};

/** Where archives are kept between builds. */
const cache = resolve('node_modules/.cache/kstack-standalone');
const folder = await mkdtemp(join(tmpdir(), 'kstack-standalone-'));
const { version } = JSON.parse(await readFile('package.json', 'utf8'));

try {
  const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(TARGETS);
  const bundle = await bundleFor(folder);
  const ownBun = join(await fetchPackage(TARGETS[process.arch].bun.name, BUN, TARGETS[process.arch].bun.sha512), 'bin/bun');
  await mkdir('dist/standalone', { recursive: true });
  for (const arch of wanted) {
    const { bun, koffi, addon } = TARGETS[arch];
    const runtime = join(await fetchPackage(bun.name, BUN, bun.sha512), 'bin/bun');
    await copyFile(join(await fetchPackage(koffi, KOFFI), addon), join(folder, 'koffi.bin'));
    const outfile = resolve('dist/standalone', `kstack-linux-${arch}`);
    execFileSync(
      ownBun,
      [
        'build',
        bundle,
        '--compile',
        '--bytecode',
        `--target=bun-linux-${arch}`,
        `--compile-executable-path=${runtime}`,
        '--loader=.bin:file',
        // A tool for root must not take settings from the folder it is started in.
        '--no-compile-autoload-dotenv',
        '--no-compile-autoload-bunfig',
        `--outfile=${outfile}`,
      ],
      { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] },
    );
    console.log(outfile);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** The command as one file, in which koffi is what it loads: its native part, from bytes that lie in the executable. */
async function bundleFor(folder) {
  const outfile = join(folder, 'kstack.cjs');
  await build({
    entryPoints: ['src/main.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20.19',
    minifyWhitespace: true,
    define: { KSTACK_VERSION: JSON.stringify(version), KSTACK_STANDALONE: 'true' },
    logLevel: 'warning',
    plugins: [
      lazyChildProcess,
      smallMatcher,
      {
        name: 'koffi',
        setup({ onResolve }) {
          onResolve({ filter: /^koffi$/ }, () => ({ path: resolve('src/native/embedded-koffi.cjs') }));
          onResolve({ filter: /\.bin$/ }, ({ path }) => ({ path, external: true }));
        },
      },
    ],
  });
  return outfile;
}

/** The folder of a package in that version, whose archive must have the sum; where none is given, package-lock.json has vouched for its sibling of the same version. */
async function fetchPackage(name, version, sha512) {
  const archive = `${name.replace('@', '').replace('/', '-')}-${version}.tgz`;
  await mkdir(cache, { recursive: true });
  const file = join(cache, archive);
  let bytes = await readFile(file).catch(() => undefined);
  if (bytes === undefined) {
    execFileSync('npm', ['pack', '--silent', `${name}@${version}`, '--pack-destination', folder], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    await copyFile(join(folder, archive), `${file}.part`);
    await rename(`${file}.part`, file);
    bytes = await readFile(file);
  }
  const sum = createHash('sha512').update(bytes).digest('hex');
  if (sha512 !== undefined && sum !== sha512) {
    await rm(file);
    throw new Error(`${archive}: its sha512 is ${sum}, not ${sha512}`);
  }
  const unpacked = join(folder, archive.replace('.tgz', ''));
  await mkdir(unpacked, { recursive: true });
  execFileSync('tar', ['-xzf', file, '-C', unpacked, '--strip-components=1']);
  return unpacked;
}
