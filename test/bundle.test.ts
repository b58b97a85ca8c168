import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { beforeEach, describe, expect, it } from 'vitest';
import { ended, expectWithin, fixture, KSTACK, kstack, needs, run, temporaryFolder, testRequires } from './harness.ts';

const ROOT = join(import.meta.dirname, '..');
const FILES = [
  'manifest.json',
  'why.txt',
  'why.json',
  'recording.kstack',
  'kernel.log',
  'host.json',
  'report.txt',
  'report.html',
];

interface Manifest {
  readonly host: string | null;
  readonly redacted: boolean;
  readonly interrupted: boolean;
  readonly files: readonly { readonly name: string; readonly bytes: number; readonly notes: readonly string[] }[];
  readonly leftOut: readonly { readonly name: string; readonly why: string }[];
}

/** Unpacks a bundle with tar(1). */
function unpacked(file: string) {
  const folder = temporaryFolder();
  const names = execFileSync('tar', ['xvzf', file, '-C', folder]).toString().trim().split('\n');
  const [inside = ''] = readdirSync(folder);
  const path = (name: string) => join(folder, inside, name);
  const text = (name: string) => readFileSync(path(name), 'utf8');
  return { inside, names, path, text, manifest: JSON.parse(text('manifest.json')) as Manifest };
}

/** Until the verdict has such a text: what has just begun to wait holds up nobody yet. */
async function whyHas(text: string, ...args: string[]): Promise<void> {
  while (!(await kstack(['why', ...args])).stdout.includes(text)) await pause(200);
}

const schema = (name: string) => JSON.parse(readFileSync(join(ROOT, 'schema', name), 'utf8')) as object;

describe('kstack bundle', () => {
  beforeEach(needs('root', 'compiler'));

  it('is one file with a recording, the verdict, reports, the kernel log and versions, and says so', async () => {
    const [parent = 0, child = 0] = await fixture('tasks', ['vfork']);
    await whyHas('vfork', '-p', `${parent},${child}`);
    const mark = `kstack-test ${process.pid} was here`;
    writeFileSync('/dev/kmsg', `${mark}\n`);
    const file = join(temporaryFolder(), 'bundle.tar.gz');
    const args = ['-o', file, '-p', `${parent},${child}`, '--for', '1s', '-i', '0.2'];
    const { code, stdout, stderr } = await kstack(['bundle', ...args]);
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toMatch(new RegExp(`^kstack: ${file}: 8 files, \\d+ bytes$`, 'm'));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const bundle = unpacked(file);
    expect(bundle.names).toEqual(FILES.map((name) => `${bundle.inside}/${name}`));
    expect(new Ajv2020().validate(schema('kstack-bundle-1.schema.json'), bundle.manifest)).toBe(true);
    expect(bundle.manifest).toMatchObject({ redacted: false, interrupted: false, leftOut: [] });
    for (const { name, bytes } of bundle.manifest.files)
      expect([name, statSync(bundle.path(name)).size]).toEqual([name, bytes]);
    expect(bundle.text('why.txt')).toContain('evidence');
    expect(JSON.parse(bundle.text('why.json'))).toMatchObject({ format: 'kstack-why' });
    expect(bundle.text('kernel.log')).toMatch(new RegExp(`^<\\d+>\\[ *\\d+\\.\\d{6}\\] ${mark}$`, 'm'));
    expect(JSON.parse(bundle.text('host.json'))).toMatchObject({
      kernel: execFileSync('uname', ['-r']).toString().trim(),
      // Of a kernel without loadable modules, there are none: that is nothing to complain about.
      modules: expect.any(Array),
    });
    expect(stderr).not.toMatch(/^kstack: host\.json: .*ENOENT/m);
    expect(bundle.text('report.txt')).toContain('waits for its vfork child');
    const own = await kstack(['report', bundle.path('recording.kstack')]);
    expect([own.code, own.stdout]).toEqual([0, expect.stringContaining('waits for its vfork child')]);
    // Commands read the recording in the bundle as it is.
    for (const [name, input] of [
      [file, undefined],
      ['-', readFileSync(file)],
    ] as const)
      expect(execFileSync(KSTACK, ['report', name], { ...(input && { input }) }).toString()).toBe(own.stdout);
    const log = await kstack(['report', bundle.path('kernel.log')]);
    expect(log.stderr).not.toContain('nothing in');
  });

  it('names its file after host and time, and redacted after the time only', async () => {
    const folder = temporaryFolder();
    const short = ['--for', '0.1s', '-i', '0.1', '-p', String(process.pid)];
    expect((await kstack(['bundle', ...short], { cwd: folder })).code).toBe(0);
    expect(readdirSync(folder)).toEqual([expect.stringMatching(/^kstack-[\w.-]+-\d{8}T\d{6}Z\.tar\.gz$/)]);
    const other = temporaryFolder();
    expect((await kstack(['bundle', '--redact', ...short], { cwd: other })).code).toBe(0);
    expect(readdirSync(other)).toEqual([expect.stringMatching(/^kstack-\d{8}T\d{6}Z\.tar\.gz$/)]);
  });

  it('redacts everything that is in it, the kernel log too', async () => {
    const secret = 'Secret-Customer';
    const child = spawn('sh', ['-c', 'read line; exit', secret], { argv0: `/srv/${secret}/sh` });
    try {
      writeFileSync('/dev/kmsg', `${secret} was here\n`);
      const file = join(temporaryFolder(), 'bundle.tar.gz');
      const started = ['--uts', 'sh', '-c', `hostname ${secret}-host && exec "$@"`, 'sh', KSTACK];
      const args = ['bundle', '--redact', '-o', file, '--for', '1s', '-i', '1'];
      const { code, stderr } = await run('unshare', [...started, ...args]);
      expect(code).toBe(0);
      const bundle = unpacked(file);
      expect(bundle.manifest).toMatchObject({ redacted: true, host: null });
      expect(stderr).toMatch(/kernel\.log: \d+ lines? (?:is|are) missing: redacted/);
      // What a line is about stays, a frame of a stack above all.
      expect(bundle.text('kernel.log')).not.toMatch(/\]\s+(?:\? )?path-\d+$/m);
      const recorded = await kstack(['convert', file, '-f', 'json', '--full']);
      expect(recorded.stdout).toContain('"comm":"sh"');
      const page = [...bundle.text('report.html').matchAll(/<script type="text\/plain" id="\w+">\n([^<]*)/g)];
      const data = page.map(([, base64 = '']) => gunzipSync(Buffer.from(base64, 'base64')).toString());
      expect(data.join('')).toContain('"sh"');
      for (const text of [recorded.stdout, ...data, ...FILES.map(bundle.text)]) expect(text).not.toContain(secret);
      expect(bundle.inside).not.toContain(secret);
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('ends its recording with Ctrl-C, and has what was there until then', async () => {
    const file = join(temporaryFolder(), 'bundle.tar.gz');
    const child = spawn(KSTACK, ['bundle', '-o', file, '--for', '1h', '-p', String(process.pid)]);
    const end = ended(child);
    await new Promise<void>((resolve) =>
      child.stderr.on('data', (text) => String(text).includes('recording') && resolve()),
    );
    child.kill('SIGINT');
    const { code } = await end;
    expect(code).toBe(130);
    const bundle = unpacked(file);
    expect(bundle.manifest.interrupted).toBe(true);
    expect(bundle.manifest.files.length + bundle.manifest.leftOut.length).toBe(FILES.length - 1);
  });

  it('leaves nothing behind where a second Ctrl-C ends it', async () => {
    const folder = temporaryFolder();
    const child = spawn(KSTACK, ['bundle', '-o', join(folder, 'bundle.tar.gz'), '--for', '1h']);
    const end = ended(child);
    await new Promise<void>((resolve) =>
      child.stderr.on('data', (text) => String(text).includes('recording') && resolve()),
    );
    // Both are there before the command gets to see the first one.
    child.kill('SIGSTOP');
    child.kill('SIGINT');
    child.kill('SIGTERM');
    child.kill('SIGCONT');
    const { code, stderr } = await end;
    expect(stderr).toMatch(/ended without a bundle\n$/);
    expect([130, 143]).toContain(code);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('goes to standard output, and to no link, and replaces only once it is complete', async () => {
    const short = ['--for', '0.1s', '-i', '0.1', '-p', String(process.pid)];
    const packed = execFileSync(KSTACK, ['bundle', '-o', '-', ...short], { stdio: ['ignore', 'pipe', 'ignore'] });
    const folder = temporaryFolder();
    const file = join(folder, 'b.tar.gz');
    writeFileSync(file, packed);
    expect(unpacked(file).names).toHaveLength(FILES.length);
    symlinkSync(file, join(folder, 'link'));
    const linked = await kstack(['bundle', '-o', join(folder, 'link'), ...short]);
    expect([linked.code, linked.stderr]).toEqual([1, expect.stringContaining('a symbolic link')]);
    const missing = await kstack(['bundle', '-o', join(folder, 'none/b.tar.gz'), '--for', '1h']);
    expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining('no such file or directory')]);
    const owned = join(folder, 'of-nobody.tar.gz');
    await kstack(['bundle', '-o', owned, ...short], { env: { ...process.env, SUDO_UID: '65534', SUDO_GID: '65534' } });
    expect([statSync(owned).uid, statSync(owned).gid]).toEqual([65534, 65534]);
    expect(readdirSync(folder).sort()).toEqual(['b.tar.gz', 'link', 'of-nobody.tar.gz']);
  });

  it('ends on a host with a frozen file system and a process that hangs, and says what it could not read', async () => {
    const [pid = 0] = await fixture('mmap-lock', [temporaryFolder(), '1']);
    await whyHas('frozen', '--source', 'procfs');
    const file = join(temporaryFolder(), 'bundle.tar.gz');
    const { code, milliseconds } = await kstack(['bundle', '-o', file, '--for', '2s', '--source', 'procfs']);
    expect(code).toBe(0);
    expectWithin(milliseconds, 30_000);
    const { text } = unpacked(file);
    expect(text('why.txt')).toContain('frozen');
    expect(text('report.txt')).toContain(`mmap-stuck ${pid}`);
  });
});

describe('the plugin for sos', () => {
  const plugins = join(ROOT, 'packaging/sos');

  it('asks for a bundle no larger than sos takes, and redacted where sos masks', () => {
    testRequires('sos');
    const command = (options: string) =>
      execFileSync(
        'python3',
        [
          '-c',
          `import sys, sos.report.plugins
sys.dont_write_bytecode = True
sos.report.plugins.__path__.append('${plugins}')
[plugin] = sos.report.plugins.import_plugin('kstack', (sos.report.plugins.DebianPlugin,))
class Taken(plugin):
    def __init__(self, clean, log_size):
        self.commons = {'cmdlineopts': type('Options', (), {'clean': clean})}
        self.log_size = log_size
    def get_option(self, name): return self.log_size
    def add_cmd_output(self, command, **how): print(command, sorted(how.items()))
Taken(${options}).setup()`,
        ],
        { env: { ...process.env, PYTHONPATH: '/usr/lib/python3/dist-packages' } },
      ).toString();
    const how = "[('binary', True), ('stderr', False), ('suggest_filename', 'kstack-bundle.tar.gz')]\n";
    expect(command('False, 25')).toBe(`kstack bundle -o - --max-size 20M ${how}`);
    expect(command('True, 10')).toBe(`kstack bundle -o - --max-size 10M --redact ${how}`);
  });

  it('puts a bundle into the archive of sos', async () => {
    testRequires('root', 'sos');
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'bin'));
    // That of a bundle takes 30 s.
    writeFileSync(join(folder, 'bin/kstack'), `#!/bin/sh\nexec '${KSTACK}' "$@" --for 1s\n`, { mode: 0o755 });
    const script = `import os, sys, sos.report.plugins, sos.policies
sys.dont_write_bytecode = True
sos.report.plugins.__path__.append('${plugins}')
def set_exec_path(policy): os.environ['PATH'] = '${folder}/bin:' + os.environ['PATH']
sos.policies.Policy.set_exec_path = sos.policies.LinuxPolicy.set_exec_path = set_exec_path
from sos import SoS
SoS(['report', '--batch', '-o', 'kstack', '--tmp-dir', '${folder}', '--compression-type', 'gzip']).execute()`;
    const env = { ...process.env, PYTHONPATH: '/usr/lib/python3/dist-packages' };
    execFileSync('/usr/bin/python3', ['-c', script], { env, stdio: ['ignore', 'ignore', 'pipe'], timeout: 60_000 });
    const [archive = ''] = readdirSync(folder).filter((name) => name.endsWith('.tar.gz'));
    execFileSync('tar', ['xzf', join(folder, archive), '-C', folder, '--wildcards', '*/sos_commands/kstack/*']);
    const found = execFileSync('find', [folder, '-name', 'kstack-bundle.tar.gz']).toString().trim();
    expect(existsSync(found)).toBe(true);
    expect(unpacked(found).names).toHaveLength(FILES.length);
  });
});
