// Kernels out of Debian's packages, by apt and the mirrors that this machine is configured for.
// The configuration of the machine is left alone.
import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const SUITES = /^(bullseye|bookworm|trixie|forky|sid|oldoldstable|oldstable|stable|testing|unstable)$/;

/** The modules that the fixtures need, where the kernel has them not built in; crc32c is what ext4 asks for by name. */
const MODULES = ['crc32c_generic', 'loop', 'ext4', 'dm_mod'];

/** The configured mirror of Debian's releases and that of its security updates. */
export function mirrors() {
  const targets = execFileSync('apt-get', ['indextargets', '--no-release-info', '--format', '$(REPO_URI) $(RELEASE)'])
    .toString()
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
  const uriOf = (wanted) => targets.find(([, suite = '']) => wanted(suite))?.[0];
  const releases = uriOf((suite) => SUITES.test(suite));
  if (releases === undefined) throw new Error('apt on this machine is not configured for a mirror of Debian');
  return { releases, security: uriOf((suite) => suite.endsWith('-security')) };
}

/** One suite of one architecture: an apt of its own, with its lists in `folder`. */
async function openSuite({ folder, uri, suite, architecture }) {
  await mkdir(join(folder, 'lists/partial'), { recursive: true });
  await mkdir(join(folder, 'archives/partial'), { recursive: true });
  const signedBy = existsSync(KEYRING) ? ` [signed-by=${KEYRING}]` : '';
  await writeFile(join(folder, 'sources.list'), `deb${signedBy} ${uri} ${suite} main\n`);
  await writeFile(join(folder, 'status'), '');
  const options = Object.entries({
    'Dir::Etc::sourcelist': join(folder, 'sources.list'),
    'Dir::Etc::sourceparts': '-',
    'Dir::State': folder,
    'Dir::State::lists': join(folder, 'lists'),
    'Dir::State::status': join(folder, 'status'),
    'Dir::Cache': folder,
    'Dir::Cache::archives': join(folder, 'archives'),
    'APT::Architecture': architecture,
    'APT::Architectures': architecture,
    // The user _apt may not enter the folder.
    'APT::Sandbox::User': '',
    'Acquire::Languages': 'none',
    // The lists of a release that is no longer cared for are not signed anew.
    'Acquire::Check-Valid-Until': 'false',
    'Acquire::Retries': '3',
    'APT::Update::Error-Mode': 'any',
  }).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const apt = async (command, ...args) => {
    const { stdout } = await run(command, [...options, ...args], { cwd: folder, maxBuffer: 1 << 26 });
    return stdout;
  };
  await apt('apt-get', '-q', 'update');
  return {
    /** The packages that one depends on; undefined where the suite does not have it. */
    async dependsOf(name) {
      const shown = await apt('apt-cache', 'show', '--no-all-versions', name).catch(() => '');
      const depends = /^Depends: (.*)$/m.exec(shown)?.[1];
      return depends?.split(', ').map((dependency) => dependency.replace(/ .*/, ''));
    },
    /** The name of the package's file. */
    async fileOf(name) {
      const line = await apt('apt-get', 'download', '--print-uris', name);
      return /^'\S+' (\S+) /.exec(line)?.[1] ?? name;
    },
    /** Downloads a package; apt compares it with the signed list. */
    async download(name, into) {
      await run('apt-get', [...options, '-q', 'download', name], { cwd: into });
      const [file = ''] = await readdir(into);
      return join(into, file);
    },
  };
}

/** Takes files out of a package, by patterns of tar. */
async function extract(deb, into, ...patterns) {
  await mkdir(into, { recursive: true });
  const script = 'dpkg-deb --fsys-tarfile "$0" | tar -x -C "$1" --wildcards --no-anchored "${@:2}"';
  await run('bash', ['-o', 'pipefail', '-c', script, deb, into, ...patterns]);
}

/**
 * Finds, downloads and unpacks a package: `name`, or the kernel that the package `meta` depends on. What was taken out
 * of it is kept under the name of its file, and what was kept of other versions is removed. Without the mirror, what an
 * earlier run kept will do.
 */
async function packageFolder(cache, { name, meta, suite, architecture, takeOut, taken = '' }) {
  const kept = join(cache, `${suite}-${name ?? meta}-${architecture}${taken}`);
  await mkdir(kept, { recursive: true });
  const work = await mkdtemp(join(cache, 'download-'));
  try {
    const { releases, security } = mirrors();
    const places = [
      // The lists of the updates are short, and nearly always have the kernel.
      ...(security === undefined ? [] : [{ uri: security, suite: `${suite}-security` }]),
      { uri: releases, suite },
    ];
    for (const place of name === undefined ? places : places.slice(-1)) {
      const folder = join(cache, `apt-${place.suite}-${architecture}`);
      const apt = await openSuite({ folder, ...place, architecture });
      const wanted = name ?? (await apt.dependsOf(meta))?.find((dependency) => /^linux-image-\d/.test(dependency));
      if (wanted === undefined) continue;
      const file = await apt.fileOf(wanted);
      const found = join(kept, basename(file, '.deb'));
      if (!existsSync(found)) {
        await takeOut(await apt.download(wanted, work), join(work, 'out'));
        for (const other of await readdir(kept)) await rm(join(kept, other), { recursive: true });
        await rename(join(work, 'out'), found);
      }
      return found;
    }
    throw new Error(`no ${name ?? meta} in ${suite}`);
  } catch (error) {
    const [last] = await readdir(kept);
    if (last === undefined) throw new Error(String(error.stderr ?? '').trim() || error.message);
    return join(kept, last);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** A kernel of Debian: { release, image, modules }, the modules for the fixtures in the order in which they load. */
export async function fetchKernel(cache, { suite, meta, architecture }) {
  // What was kept when there were fewer modules will not do.
  const taken = `-${MODULES.join('+')}`;
  const folder = await packageFolder(cache, { meta, suite, architecture, takeOut: takeOutKernel, taken });
  const order = (await readFile(join(folder, 'order'), 'utf8')).split('\n').filter((line) => line !== '');
  const release = (await readFile(join(folder, 'release'), 'utf8')).trim();
  return { release, image: join(folder, 'vmlinuz'), modules: order.map((name) => join(folder, name)) };
}

async function takeOutKernel(deb, out) {
  const tree = `${out}-tree`;
  await extract(deb, tree, 'vmlinuz-*', '*.ko*');
  const image = (await readdir(join(tree, 'boot'))).find((name) => name.startsWith('vmlinuz-')) ?? '';
  const release = image.replace('vmlinuz-', '');
  const root = [join(tree, 'usr/lib/modules', release), join(tree, 'lib/modules', release)].find(existsSync);
  await mkdir(out, { recursive: true });
  await copyFile(join(tree, 'boot', image), join(out, 'vmlinuz'));
  const files = new Map();
  for (const path of await readdir(root, { recursive: true })) {
    const name = /([^/]+)\.ko(?:\.xz)?$/.exec(path)?.[1]?.replaceAll('-', '_');
    if (name !== undefined) files.set(name, join(root, path));
  }
  const order = [];
  const visit = async (name) => {
    const file = files.get(name);
    if (file === undefined || order.includes(`${name}.ko`)) return;
    const { stdout } = await run('xz', ['-dcf', file], { encoding: 'buffer', maxBuffer: 1 << 26 });
    // As modinfo(8) has it; the list that depmod makes is not in the package.
    const depends = /(?:^|\0)depends=([^\0]*)\0/.exec(stdout.toString('latin1'))?.[1] ?? '';
    for (const other of depends.split(',')) await visit(other.replaceAll('-', '_'));
    await writeFile(join(out, `${name}.ko`), stdout);
    order.push(`${name}.ko`);
  };
  for (const name of MODULES) await visit(name);
  await writeFile(join(out, 'order'), order.map((name) => `${name}\n`).join(''));
  await writeFile(join(out, 'release'), `${release}\n`);
}

/** The static busybox of another architecture. */
export async function fetchBusybox(cache, architecture) {
  const takeOut = (deb, out) => extract(deb, out, '*/busybox');
  const folder = await packageFolder(cache, { name: 'busybox-static', suite: 'bookworm', architecture, takeOut });
  return ['bin/busybox', 'usr/bin/busybox'].map((path) => resolve(folder, path)).find(existsSync);
}
