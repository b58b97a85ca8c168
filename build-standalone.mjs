// Builds dist/standalone/kstack-linux-x64 and -arm64, executables that contain runtime and BPF programs, with the
// licences of what is inside, a CycloneDX bill of materials for each, and SHA256SUMS:
// npm run build:standalone [-- x64|arm64]
// Bun comes from its packages in the npm registry and is used for this build only. Builds of one commit are identical.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { transform } from 'esbuild';
import { callsByBun, lazyChildProcess, smallPackages } from './build-plugins.mjs';
import { buildCommand, LOADED, STARTED } from './command-build.mjs';
import { buildPage } from './page-build.mjs';
import { addEntry } from './standalone/add-entry.mjs';
import { billOf } from './standalone/bill.mjs';
import { partsOfBun } from './standalone/bun-parts.mjs';
import { bunLicences, packageLicences, packagesIn } from './standalone/licences.mjs';
import { writeSums } from './standalone/sums.mjs';

const BUN = '1.4.5';

/** Bun's packages, and the sha512 of their archives in hexadecimal, in two parts. */
const TARGETS = {
  x64: {
    bun: {
      name: '@oven/bun-linux-x64',
      sha512:
        '2165fd0442e8187014b4ca2791e49a35a6705f3464fa80f0e8c93e1c11577772' +
        '8760804d06c20646ea4c64f7203680db2692eeea00098c8a0854f66db75689d6',
    },
  },
  arm64: {
    bun: {
      name: '@oven/bun-linux-aarch64',
      sha512:
        'e015e6b122a78ceae5196a99578c7fa166bb015a11f81ea509775d3333805c12' +
        '26dede747ac960f706faea09ad5b501a984435975083be69abbb2b0486a39632',
    },
  },
};

/** Archives are cached here between builds. */
const cache = resolve('node_modules/.cache/kstack-standalone');
const folder = await mkdtemp(join(tmpdir(), 'kstack-standalone-'));
const { version } = JSON.parse(await readFile('package.json', 'utf8'));

try {
  const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(TARGETS);
  const { files, packages } = await bundleFor(folder);
  const ownBun = join(
    await fetchPackage(TARGETS[process.arch].bun.name, BUN, TARGETS[process.arch].bun.sha512),
    'bin/bun',
  );
  await mkdir('dist/standalone', { recursive: true });
  const versions = JSON.parse(execFileSync(ownBun, ['-p', 'JSON.stringify(process.versions)']).toString());
  const parts = partsOfBun(versions);
  await writeFile(
    'dist/standalone/THIRD-PARTY-LICENSES.txt',
    `${await packageLicences(packages)}\n\n${await bunLicences(versions, parts)}`,
  );
  const { packages: locked } = JSON.parse(await readFile('package-lock.json', 'utf8'));
  for (const arch of wanted) {
    const { bun } = TARGETS[arch];
    const runtime = join(await fetchPackage(bun.name, BUN, bun.sha512), 'bin/bun');
    const outfile = resolve('dist/standalone', `kstack-linux-${arch}`);
    execFileSync(
      ownBun,
      [
        'build',
        ...files,
        // They find each other by their names when they run.
        '--external=./*.cjs',
        '--compile',
        '--bytecode',
        `--target=bun-linux-${arch}`,
        `--compile-executable-path=${runtime}`,
        // A tool for root must not take settings from the folder it is started in.
        '--no-compile-autoload-dotenv',
        '--no-compile-autoload-bunfig',
        `--outfile=${outfile}`,
      ],
      { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] },
    );
    await addEntry(outfile, arch, await readerFor(arch));
    const contents = packages.map((name) => ({ name, ...locked[name] }));
    const executable = await readFile(outfile);
    const bill = billOf({ version, arch, executable, contents, bun: { ...bun, version: BUN }, parts });
    await writeFile(`${outfile}.cdx.json`, `${JSON.stringify(bill, null, 2)}\n`);
    console.log(outfile);
  }
  await writeSums('dist/standalone', /^kstack-linux-\w+$/);
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** The program that reads /proc, which the executable's entry starts. */
async function readerFor(arch) {
  const { code } = await transform(await readFile('src/native/reader/program.ts', 'utf8'), { loader: 'ts' });
  const { READER } = await import(`data:text/javascript,${encodeURIComponent(code)}`);
  return Buffer.from(READER[arch], 'base64');
}

/**
 * Bundles the command into files that call C through Bun. Returns these, first the one that is started, and the folders
 * of the packages in them.
 */
async function bundleFor(folder) {
  const { page, inputs } = await buildPage(version);
  const inputsOfCommand = await buildCommand({
    outdir: folder,
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    external: ['bun:ffi'],
    plugins: [lazyChildProcess, callsByBun, smallPackages],
    page,
    define: { KSTACK_VERSION: JSON.stringify(version), KSTACK_STANDALONE: 'true' },
    logLevel: 'warning',
  });
  // Bun gives the first file the executable's name, by which the others do not find it.
  const start = join(folder, 'start.cjs');
  await writeFile(start, `require('./${STARTED}');\n`);
  const files = [start, ...[STARTED, ...LOADED].map((file) => join(folder, file))];
  return { files, packages: packagesIn([...inputsOfCommand, ...inputs]) };
}

/** Unpacks a package and returns its folder. @throws Error if the archive's sha512 differs */
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
  if (sum !== sha512) {
    await rm(file);
    throw new Error(`${archive}: sha512 is ${sum}, expected ${sha512}`);
  }
  const unpacked = join(folder, archive.replace('.tgz', ''));
  await mkdir(unpacked, { recursive: true });
  execFileSync('tar', ['-xzf', file, '-C', unpacked, '--strip-components=1']);
  return unpacked;
}
