import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ended, parseClassic, requires, run } from '../harness.ts';
import { filesMatching, instructionsOf, readDaemonSet } from './container.ts';
import { DebianRoot } from './debian-root.ts';
import { ARCHITECTURE, builtPackage, rebuilt, VERSION } from './packages.ts';

const NEXT = '9.0.0';
const CONFIGURATION = '/etc/default/kstack';
const RECORDING = '/var/log/kstack/kept.kstack';
const KEPT = `the recordings in /var/log/kstack are kept; to remove them: rm -r /var/log/kstack`;

/** What installs packages of a kind into a root. */
interface Installer {
  readonly kind: 'deb' | 'rpm';
  install(root: DebianRoot, file: string): Promise<Ended>;
  upgrade(root: DebianRoot, file: string): Promise<Ended>;
  remove(root: DebianRoot): Promise<Ended>;
  /** The version that is installed. */
  version(root: DebianRoot): Promise<string>;
  /** What differs from the package. */
  verify(root: DebianRoot): Promise<string>;
}

/** dpkg in the root, with a copy of the package. */
async function dpkg(root: DebianRoot, file: string): Promise<Ended> {
  cpSync(file, root.path('/kstack.deb'));
  const ended = await root.run('dpkg', '--install', '/kstack.deb');
  rmSync(root.path('/kstack.deb'));
  return ended;
}

/** rpm of this machine. */
const rpm = (root: DebianRoot, ...args: readonly string[]) => run('rpm', ['--root', root.folder, ...args]);
/** The database in that root is empty, and so does not know the C library that is there. */
const WITHOUT_C_LIBRARY = '--nodeps';

const INSTALLERS: readonly Installer[] = [
  {
    kind: 'deb',
    install: dpkg,
    upgrade: dpkg,
    remove: (root) => root.run('dpkg', '--purge', 'kstack'),
    version: async (root) => (await root.run('dpkg-query', '-W', '-f', '${Version}', 'kstack')).stdout,
    verify: async (root) => (await root.run('dpkg', '--verify', 'kstack')).stdout,
  },
  {
    kind: 'rpm',
    install: (root, file) => rpm(root, '--install', WITHOUT_C_LIBRARY, file),
    upgrade: (root, file) => rpm(root, '--upgrade', WITHOUT_C_LIBRARY, file),
    remove: (root) => rpm(root, '--erase', 'kstack'),
    version: async (root) => (await rpm(root, '--query', '--queryformat', '%{VERSION}', 'kstack')).stdout,
    verify: async (root) => (await rpm(root, '--verify', WITHOUT_C_LIBRARY, 'kstack')).stdout,
  },
];

const linesOf = (text: string) => text.trim().split('\n').sort();

/** Writes down what is asked of systemd, in a root where it seems to run. */
function fakeSystemd(root: DebianRoot): () => string {
  const log = root.path('/systemctl.log');
  mkdirSync(root.path('/run/systemd/system'), { recursive: true });
  writeFileSync(root.path('/usr/bin/systemctl'), '#!/bin/sh\necho "$*" >> /systemctl.log\n');
  chmodSync(root.path('/usr/bin/systemctl'), 0o755);
  return () => {
    const asked = existsSync(log) ? readFileSync(log, 'utf8') : '';
    rmSync(log, { force: true });
    return asked;
  };
}

describe('a package', () => {
  let root: DebianRoot;
  const folder = mkdtempSync(join(tmpdir(), 'kstack-packages-'));
  let next: Readonly<Record<'deb' | 'rpm', string>>;

  beforeAll(async () => {
    [root, next] = await Promise.all([DebianRoot.make(join(folder, 'root')), rebuilt(folder, NEXT)]);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  describe.each(INSTALLERS)('($kind)', ({ kind, ...installer }) => {
    it('is installed, used, upgraded and removed, and leaves the recordings and nothing else', async (context) => {
      requires(context, 'root');
      const asked = fakeSystemd(root);
      const before = await everyPath(root);

      expect(await installer.install(root, builtPackage(kind))).toMatchObject({ code: 0 });
      expect(await installer.version(root)).toBe(VERSION);
      expect(await installer.verify(root)).toBe('');
      // Neither enabled nor started.
      expect(asked()).toBe('daemon-reload\n');

      expect(await root.run('kstack', '--version')).toMatchObject({ code: 0, stdout: `kstack ${VERSION}\n` });
      const all = await root.run('oled-kstack', '-a');
      expect(all.code).toBe(0);
      expect(parseClassic(all.stdout).lines.map(({ pid }) => pid)).toContain(process.pid);
      const why = await root.run('kstack', 'why');
      expect(why.code).toBe(0);
      expect(why.stdout).toMatch(/^(?:pressure .*; )?load .* in D$/m);
      expect((await root.run('kstack', 'completion', 'bash')).stdout).toBe(
        readFileSync(root.path('/usr/share/bash-completion/completions/kstack'), 'utf8'),
      );

      mkdirSync(root.path('/var/log/kstack'), { recursive: true });
      expect(await root.run('kstack', 'record', '-p', '1', '-i', '1', '--for', '1', '-o', RECORDING)).toMatchObject({
        code: 0,
      });
      const recording = readFileSync(root.path(RECORDING));
      writeFileSync(root.path(CONFIGURATION), 'RECORD_OPTIONS=-D\n');

      expect(await installer.upgrade(root, next[kind])).toMatchObject({ code: 0 });
      expect(await installer.version(root)).toBe(NEXT);
      expect(asked()).toBe('daemon-reload\ntry-restart kstack.service\n');
      expect(readFileSync(root.path(CONFIGURATION), 'utf8')).toBe('RECORD_OPTIONS=-D\n');
      expect(await root.run('kstack', 'report', RECORDING)).toMatchObject({ code: 0 });

      // 'oled kstack', which was made to start this one.
      const original = root.path('/usr/libexec/oled-tools/kstack');
      mkdirSync(root.path('/usr/libexec/oled-tools'), { recursive: true });
      writeFileSync(original, 'the original');
      expect(await root.run('/usr/share/kstack/oled-link.sh', 'install')).toMatchObject({ code: 0 });
      expect(lstatSync(original).isSymbolicLink()).toBe(true);

      const removed = await installer.remove(root);
      expect([removed.code, removed.stdout + removed.stderr]).toEqual([0, expect.stringContaining(KEPT)]);
      expect(asked()).toBe('disable --now kstack.service\ndaemon-reload\n');
      expect(readFileSync(root.path(RECORDING))).toEqual(recording);
      expect(readFileSync(original, 'utf8')).toBe('the original');
      for (const path of [RECORDING, '/usr/libexec/oled-tools/kstack', `${CONFIGURATION}.rpmsave`])
        rmSync(root.path(path), { force: true });
      const left = (await everyPath(root)).filter((path) => !before.includes(path) && /kstack/.test(path));
      expect(left).toEqual(['/var/log/kstack']);
      rmSync(root.path('/var/log/kstack'), { recursive: true });
    });
  });

  it('is put into an image by the Dockerfile, which shows the host and says where it cannot', async (context) => {
    requires(context, 'root');
    const instructions = instructionsOf('packaging/Dockerfile');
    expect(instructions.map(({ name }) => name)).toEqual(['FROM', 'ARG', 'COPY', 'RUN', 'ENTRYPOINT', 'CMD']);
    const textOf = (wanted: string) => instructions.find(({ name }) => name === wanted)?.text ?? '';
    const [source = '', target = ''] = textOf('COPY').split(' ');
    const sourceFor = (arch: string) => filesMatching(source.replace('${TARGETARCH}', arch));
    expect([sourceFor('amd64').length, sourceFor('arm64').length]).toEqual([1, 1]);

    // Images of Debian leave out documentation, but for the licences.
    const excluded = root.path('/etc/dpkg/dpkg.cfg.d/docker');
    writeFileSync(excluded, 'path-exclude /usr/share/doc/*\npath-include /usr/share/doc/*/copyright\n');
    cpSync(sourceFor(ARCHITECTURE === 'x64' ? 'amd64' : 'arm64')[0] ?? '', root.path(target));
    expect(await root.run('sh', '-c', textOf('RUN'))).toMatchObject({ code: 0 });
    rmSync(excluded);
    expect(existsSync(root.path(target))).toBe(false);
    expect(existsSync(root.path('/usr/share/doc/kstack/copyright'))).toBe(true);
    expect(existsSync(root.path('/usr/share/doc/kstack/README.md'))).toBe(false);

    const [entry = ''] = JSON.parse(textOf('ENTRYPOINT'));
    const [first = ''] = JSON.parse(textOf('CMD'));
    const shown = await root.run(entry, first);
    expect(shown.code).toBe(0);
    expect(shown.stdout).not.toContain('PID namespace');
    const apart = await root.runApart(entry, first);
    expect(apart.stdout).toContain('not known: tasks outside of this PID namespace not shown: ');
    expect(apart.stdout).toContain('--pid=host');
    expect((await root.runApart(entry, '-a')).stderr).toContain(
      'kstack: tasks outside of this PID namespace not shown: ',
    );
  });

  it('records a node as the DaemonSet says', async (context) => {
    requires(context, 'root');
    const { apiVersion, kind, spec } = await readDaemonSet('packaging/daemonset.yaml');
    expect([apiVersion, kind]).toEqual(['apps/v1', 'DaemonSet']);
    expect(spec.template.metadata.labels).toMatchObject(spec.selector.matchLabels);
    const { hostPID, volumes, containers } = spec.template.spec;
    expect([hostPID, containers.length]).toEqual([true, 1]);
    const { args = [], volumeMounts = [], securityContext } = containers[0] ?? {};
    expect(securityContext).toMatchObject({ privileged: true });
    expect(volumeMounts.map(({ name }) => name)).toEqual(volumes.map(({ name }) => name));
    const directory = args[args.indexOf('-d') + 1] ?? '';
    expect(volumeMounts.map(({ mountPath }) => mountPath)).toEqual([directory, '/run/kstack']);
    expect(volumes[0]?.hostPath?.path).toBe(directory);

    mkdirSync(root.path(directory), { recursive: true });
    expect(await root.run('kstack', ...args, '--for', '1')).toMatchObject({ code: 0 });
    const [recording = ''] = filesMatching(root.path(`${directory}/*.kstack`));
    const text = await root.run('kstack', 'convert', '-f', 'json', recording.slice(root.folder.length));
    expect(JSON.parse(text.stdout).tasks.map(({ pid }: { pid: number }) => pid)).toContain(process.pid);
  });

  /** All but /proc, and what package managers write down for themselves. */
  async function everyPath(root: DebianRoot): Promise<string[]> {
    const { stdout } = await run('find', [
      root.folder,
      '-path',
      root.path('/proc'),
      '-prune',
      '-o',
      '-printf',
      '/%P\\n',
    ]);
    return linesOf(stdout);
  }
});

it('the packages have what the sums say', async () => {
  const { code, stdout } = await run('sha256sum', ['--check', 'SHA256SUMS'], { cwd: 'dist/packages' });
  expect([code, linesOf(stdout).length]).toEqual([0, 4]);
});
