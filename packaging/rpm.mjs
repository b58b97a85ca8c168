// A package for Fedora, RHEL, Oracle Linux, SUSE and their kin, by rpmbuild(8).
import { execFile } from 'node:child_process';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DESCRIPTION, GLIBC, MAINTAINER, SUMMARY } from './about.mjs';
import { CONFIGURATION, filesIn } from './tree.mjs';

const run = promisify(execFile);

const ARCHITECTURES = { x64: 'x86_64', arm64: 'aarch64' };

const LICENCE =
  'MIT AND LGPL-2.0-or-later AND LGPL-2.1-or-later AND Apache-2.0 AND BSD-3-Clause AND BSD-2-Clause AND Zlib AND IJG AND Unicode-3.0';

/** Returns the path of the package. */
export async function buildRpm(tree, { folder, arch, version, epoch, into }) {
  const architecture = ARCHITECTURES[arch];
  const script = async (name) => (await readFile(`packaging/scripts/${name}`, 'utf8')).trimEnd();
  const spec = join(folder, 'kstack.spec');
  await writeFile(
    spec,
    `# The executable is not to be stripped: what it runs stands behind its sections.
%global __os_install_post %{nil}
%global debug_package %{nil}
%global _build_id_links none
Name: kstack
Version: ${version}
Release: 1
Summary: ${SUMMARY}
License: ${LICENCE}
Packager: ${MAINTAINER}
AutoReqProv: no
Requires: libc.so.6(GLIBC_${GLIBC})(64bit)

%description
${DESCRIPTION}

%install
cp -a ${tree}/. %{buildroot}

%post
upgraded=
[ "$1" -lt 2 ] || upgraded=yes
${await script('installed.sh')}

%preun
[ "$1" -eq 0 ] || exit 0
${await script('removing.sh')}

%postun
[ "$1" -eq 0 ] || exit 0
${await script('removed.sh')}

%files
%defattr(-,root,root,-)
${entriesOf(await filesIn(tree)).join('\n')}
`,
  );
  const top = join(folder, 'rpmbuild');
  await mkdir(top);
  const macros = {
    _topdir: top,
    // As in deb.mjs. rpm of RHEL 7 reads no newer kind.
    _binary_payload: 'w0.xzdio',
    _buildhost: 'localhost',
    clamp_mtime_to_source_date_epoch: 1,
    use_source_date_epoch_as_buildtime: 1,
    source_date_epoch_from_changelog: 0,
    _rpmfilename: '%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm',
  };
  const defines = Object.entries(macros).flatMap(([name, value]) => ['--define', `${name} ${value}`]);
  await run('rpmbuild', ['-bb', '--quiet', '--target', `${architecture}-linux`, ...defines, spec], {
    env: { ...process.env, LC_ALL: 'C', SOURCE_DATE_EPOCH: String(epoch) },
  });
  const name = `kstack-${version}-1.${architecture}.rpm`;
  await copyFile(join(top, 'RPMS', name), join(into, name));
  return join(into, name);
}

/** The files, and the folders that are the package's own: rpm removes no others. */
function entriesOf(files) {
  const folders = files.flatMap((file) => /^.*\/kstack\/(?:.*\/)?/.exec(file)?.[0].slice(0, -1) ?? []);
  const own = new Set(folders.flatMap((folder) => [folder, /^.*?\/kstack(?=\/|$)/.exec(folder)?.[0]]));
  return [...[...own].map((folder) => `%dir ${folder}`), ...files.map(listed)];
}

function listed(path) {
  const kind = path === CONFIGURATION ? '%config(noreplace) ' : path.includes('/licenses/') ? '%license ' : '';
  return `${kind}${path.includes('/doc/') ? '%doc ' : ''}${path}`;
}
