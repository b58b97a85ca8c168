// Builds dist/packages/: .deb and .rpm around the executables of dist/standalone, and SHA256SUMS:
// npm run build:packages [-- x64|arm64]
// Builds of one commit are identical. Needs dpkg-deb, and rpmbuild of Debian's package rpm.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeSums } from '../standalone/sums.mjs';
import { buildDeb } from './deb.mjs';
import { buildRpm } from './rpm.mjs';
import { layOut } from './tree.mjs';

const INTO = 'dist/packages';

/**
 * Builds a package of each kind. Returns the paths.
 * @param wanted arch: as Node.js names it; version; epoch: seconds, the time of all files; into: a folder
 */
export async function buildPackages({ arch, version, epoch, into }) {
  const built = [];
  for (const build of [buildDeb, buildRpm]) {
    const folder = await mkdtemp(join(tmpdir(), 'kstack-package-'));
    try {
      const tree = await layOut(join(folder, 'tree'), { arch, epoch, kind: build === buildDeb ? 'deb' : 'rpm' });
      built.push(await build(tree, { folder, arch, version, epoch, into }));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  return built;
}

/** When this commit was made, or SOURCE_DATE_EPOCH. */
export function sourceEpoch() {
  const given = process.env.SOURCE_DATE_EPOCH;
  return Number(given ?? execFileSync('git', ['log', '-1', '--format=%ct'], { stdio: ['ignore', 'pipe', 'inherit'] }));
}

if (import.meta.main ?? process.argv[1] === import.meta.filename) {
  const { version } = JSON.parse(await readFile('package.json', 'utf8'));
  await rm(INTO, { recursive: true, force: true });
  await mkdir(INTO, { recursive: true });
  const archs = process.argv.length > 2 ? process.argv.slice(2) : ['x64', 'arm64'];
  for (const arch of archs) {
    if (!existsSync(`dist/standalone/kstack-linux-${arch}`))
      throw new Error(`no executable for ${arch}: run npm run build:standalone first`);
  }
  const epoch = sourceEpoch();
  const built = await Promise.all(archs.map((arch) => buildPackages({ arch, version, epoch, into: INTO })));
  await writeSums(INTO, /\.(deb|rpm)$/);
  console.log(built.flat().join('\n'));
}
