// The files of a package, as they are installed.
import { execFile } from 'node:child_process';
import { chmod, copyFile, lutimes, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';

const run = promisify(execFile);

/** Where zsh looks for completions of packages. */
const ZSH = { deb: 'usr/share/zsh/vendor-completions', rpm: 'usr/share/zsh/site-functions' };

/** The configuration file, which upgrades keep as it was changed. */
export const CONFIGURATION = '/etc/default/kstack';

/**
 * Puts all files of a package into a folder, with modes and times that depend on the source only. Returns the folder.
 * @param wanted arch: as Node.js names it; kind: deb or rpm; epoch: seconds, the time of all files
 */
export async function layOut(folder, { arch, kind, epoch }) {
  const put = async (path, content, mode = 0o644) => {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
    await chmod(file, mode);
  };
  const link = async (path, target) => {
    await mkdir(join(folder, dirname(path)), { recursive: true });
    await symlink(target, join(folder, path));
  };
  const source = (path) => readFile(path);
  const executable = `dist/standalone/kstack-linux-${arch}`;
  await mkdir(join(folder, 'usr/bin'), { recursive: true });
  await copyFile(executable, join(folder, 'usr/bin/kstack'));
  await chmod(join(folder, 'usr/bin/kstack'), 0o755);
  await link('usr/bin/oled-kstack', 'kstack');

  for (const page of ['kstack.8', 'oled-kstack.8'])
    await put(`usr/share/man/man8/${page}.gz`, gzipSync(await source(`man/${page}`), { level: 9 }));

  // The executable of this machine prints the same completions as any other.
  const printed = async (shell) =>
    (await run(`dist/standalone/kstack-linux-${process.arch}`, ['completion', shell])).stdout;
  const bash = 'usr/share/bash-completion/completions';
  await put(`${bash}/kstack`, await printed('bash'));
  await link(`${bash}/oled-kstack`, 'kstack');
  await put(`${ZSH[kind]}/_kstack`, await printed('zsh'));
  const fish = 'usr/share/fish/vendor_completions.d';
  await put(`${fish}/kstack.fish`, await printed('fish'));
  await link(`${fish}/oled-kstack.fish`, 'kstack.fish');

  await put('usr/lib/systemd/system/kstack.service', await source('systemd/kstack.service'));
  await put(CONFIGURATION, await source('packaging/default'));
  await put('usr/share/kstack/oled-link.sh', await source('packaging/oled-link.sh'), 0o755);

  const documents = 'usr/share/doc/kstack';
  for (const name of ['README.md', 'CHANGELOG.md']) await put(`${documents}/${name}`, await source(name));
  for (const name of (await readdir('docs')).filter((each) => each.endsWith('.md')))
    await put(`${documents}/docs/${name}`, await source(`docs/${name}`));
  await put(`${documents}/kstack.cdx.json`, await source(`${executable}.cdx.json`));
  const licences = [await source('LICENSE'), await source('dist/standalone/THIRD-PARTY-LICENSES.txt')];
  // Images of Debian leave out /usr/share/doc, but for this file.
  if (kind === 'deb') await put(`${documents}/copyright`, Buffer.concat([licences[0], Buffer.from('\n'), licences[1]]));
  else
    for (const [index, name] of ['LICENSE', 'THIRD-PARTY-LICENSES.txt'].entries())
      await put(`usr/share/licenses/kstack/${name}`, licences[index]);

  await setTimes(folder, epoch);
  return folder;
}

/** Sets times, and the modes of folders, whatever the umask was. */
export async function setTimes(folder, epoch) {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    if (entry.isDirectory()) await chmod(path, 0o755);
    await lutimes(path, epoch, epoch);
  }
  await chmod(folder, 0o755);
  await lutimes(folder, epoch, epoch);
}

/** The paths of all files and links in a tree, as installed, in order. */
export async function filesIn(tree) {
  const entries = await readdir(tree, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(tree.length))
    .sort();
}
