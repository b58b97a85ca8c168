// A package for Debian and its kin: deb(5), deb-control(5).
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, lstat, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DESCRIPTION, GLIBC, MAINTAINER, SUMMARY } from './about.mjs';
import { CONFIGURATION, filesIn, setTimes } from './tree.mjs';

const run = promisify(execFile);

const ARCHITECTURES = { x64: 'amd64', arm64: 'arm64' };

/** Which script is run when, and what it begins with (deb-postinst(5), deb-prerm(5), deb-postrm(5)). */
const SCRIPTS = {
  postinst: ['installed.sh', '[ "$1" = configure ] || exit 0\nupgraded=$2'],
  prerm: ['removing.sh', '[ "$1" = remove ] || exit 0'],
  postrm: ['removed.sh', '[ "$1" = remove ] || exit 0'],
};

/** Returns the path of the package. */
export async function buildDeb(tree, { arch, version, epoch, into }) {
  const architecture = ARCHITECTURES[arch];
  const files = await filesIn(tree);
  const sizes = await Promise.all(files.map(async (file) => (await lstat(join(tree, file))).size));
  const kilobytes = Math.ceil(sizes.reduce((sum, size) => sum + Math.ceil(size / 1024), 0));
  const control = join(tree, 'DEBIAN');
  await mkdir(control);
  const put = async (name, text, mode = 0o644) => {
    await writeFile(join(control, name), text);
    await chmod(join(control, name), mode);
  };
  await put(
    'control',
    `Package: kstack
Version: ${version}
Architecture: ${architecture}
Maintainer: ${MAINTAINER}
Installed-Size: ${kilobytes}
Depends: libc6 (>= ${GLIBC})
Section: admin
Priority: optional
Description: ${SUMMARY}
${DESCRIPTION.replaceAll(/^/gm, ' ')}
`,
  );
  await put('conffiles', `${CONFIGURATION}\n`);
  await put('md5sums', await sumsOf(tree, files));
  for (const [name, [file, beginning]] of Object.entries(SCRIPTS)) {
    const body = await readFile(`packaging/scripts/${file}`, 'utf8');
    await put(name, `#!/bin/sh\nset -e\n${beginning}\n${body}`, 0o755);
  }
  await setTimes(control, epoch);
  const path = join(into, `kstack_${version}_${architecture}.deb`);
  // Level 0 of xz takes a ninth of the time of level 6, and a sixth more space. One thread: more write other bytes.
  await run('dpkg-deb', ['--root-owner-group', '-Zxz', '-z0', '--threads-max=1', '--build', tree, path], {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(epoch) },
  });
  return path;
}

/** For debsums; without the configuration, which may be changed. */
async function sumsOf(tree, files) {
  const lines = [];
  for (const file of files) {
    if (file === CONFIGURATION || (await lstat(join(tree, file))).isSymbolicLink()) continue;
    const sum = createHash('md5').update(await readFile(join(tree, file)));
    lines.push(`${sum.digest('hex')}  ${file.slice(1)}\n`);
  }
  return lines.join('');
}
