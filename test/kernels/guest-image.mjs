// The initramfs of a guest: busybox, the executable with the libraries that it wants, and static fixtures.
import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SHARED = ['tasks', 'mmap-lock', 'user-locks', 'file-locks', 'streams'].map((name) => `../fixtures/${name}.c`);
const FIXTURES = [...SHARED, 'dm-suspended.c', 'look.c'];
const GLIBC = /^(ld-linux[-\w]*|lib(c|m|dl|rt|pthread|resolv|nss_\w+))\.so\.\d+$/;

/** Makes the initramfs that all guests of an architecture share: { file, libraries }, without glibc's own. */
export async function makeImage({ folder, architecture, busybox }) {
  const root = join(folder, 'root');
  const folders = ['bin', 'fixture', 'proc', 'sys', 'dev'];
  for (const path of folders) await mkdir(join(root, path), { recursive: true });
  await copyFile(busybox, join(root, 'bin/busybox'));
  // Names of the host's busybox, which runs here; it is the same program.
  for (const name of execFileSync('busybox', ['--list']).toString().trim().split('\n'))
    if (name !== 'busybox') await symlink('busybox', join(root, 'bin', name));
  await copyFile(join(import.meta.dirname, 'init.sh'), join(root, 'init'));
  await chmod(join(root, 'init'), 0o755);
  for (const source of FIXTURES) {
    const out = join(root, 'bin', basename(source, '.c'));
    await run(architecture.compiler, ['-O1', '-static', '-pthread', '-o', out, join(import.meta.dirname, source)]);
  }
  await run('truncate', ['-s', '16M', join(root, 'fixture/image')]);
  await run('mke2fs', ['-q', '-t', 'ext4', join(root, 'fixture/image')]);
  const executable = resolve(import.meta.dirname, '../../dist/standalone', `kstack-linux-${architecture.name}`);
  await copyFile(executable, join(root, 'bin/kstack'));
  const libraries = await copyLibraries(root, executable, architecture);
  const file = join(folder, 'initramfs');
  await pack(root, file);
  return { file, libraries: libraries.filter((name) => !GLIBC.test(name)) };
}

/** The path of an initramfs with the modules of a kernel besides: the kernel unpacks one archive behind another. */
export async function addModules(base, { folder, name, kernel }) {
  const root = join(folder, `modules-${name}`);
  await mkdir(join(root, 'modules'), { recursive: true });
  for (const module of kernel.modules) await copyFile(module, join(root, 'modules', basename(module)));
  const order = kernel.modules.map((module) => `${basename(module)}\n`).join('');
  await writeFile(join(root, 'modules/order'), order);
  const [modules, file] = [join(folder, `modules-${name}.cpio`), join(folder, `initramfs-${name}`)];
  await pack(root, modules);
  await run('sh', ['-c', 'cat "$0" "$1" >"$2"', base, modules, file]);
  return file;
}

async function pack(root, file) {
  await run('sh', ['-c', 'cd "$0" && find . | cpio -o -H newc -R 0:0 --quiet >"$1"', root, file]);
  await rm(root, { recursive: true });
}

/** Copies what the executable links to and, of its parts inside, what they name; then what those link to. */
async function copyLibraries(root, executable, { libraryFolders, loader }) {
  const bytes = await readFile(executable);
  const names = new Set(['libstdc++.so.6', 'libgcc_s.so.1'].filter((name) => bytes.includes(`\0${name}\0`)));
  const links = async (path) => {
    const { stdout } = await run('readelf', ['-dl', path]);
    for (const [, name] of stdout.matchAll(/\(NEEDED\).*\[(.*)\]/g)) names.add(name);
  };
  await links(executable);
  await mkdir(join(root, 'lib'), { recursive: true });
  await symlink('lib', join(root, 'lib64'));
  for (const name of names) {
    const path = libraryFolders.map((folder) => join(folder, name)).find(existsSync);
    if (path === undefined) throw new Error(`no ${name} in ${libraryFolders.join(', ')}`);
    await copyFile(path, join(root, 'lib', name));
    await links(path);
  }
  await copyFile(libraryFolders.map((folder) => join(folder, loader)).find(existsSync), join(root, 'lib', loader));
  return [...names];
}
