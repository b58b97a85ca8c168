import { constants } from 'node:fs';
import { release, version } from 'node:os';
import type { Redactor } from '../../analysis/redact.ts';
import { codeOf, type Files } from '../../files/files.ts';
import { withFiles } from '../../files/remote.ts';
import { reasonOf } from '../../native/reason.ts';
import { isStandalone } from '../../native/self.ts';
import { VERSION } from '../version.ts';

const MOST_BYTES = 64 << 10;

/** Settings that decide what the kernel reports of tasks that hang, and when it writes (proc_sys_kernel(5)). */
const SETTINGS = [
  'kernel/hung_task_timeout_secs',
  'kernel/hung_task_warnings',
  'kernel/hung_task_panic',
  'kernel/softlockup_panic',
  'kernel/watchdog_thresh',
  'kernel/panic_on_oops',
  'kernel/sysrq',
  'kernel/tainted',
  'kernel/printk',
  'kernel/dmesg_restrict',
  'kernel/pid_max',
  'kernel/threads-max',
  'vm/dirty_ratio',
  'vm/dirty_background_ratio',
  'vm/swappiness',
] as const;

/** What os-release(5) says of the system and not of this host. */
const RELEASE_NAMES: ReadonlySet<string> = new Set([
  'NAME',
  'PRETTY_NAME',
  'ID',
  'ID_LIKE',
  'VERSION',
  'VERSION_ID',
  'VERSION_CODENAME',
  'BUILD_ID',
  'VARIANT_ID',
]);

export interface HostFacts {
  readonly facts: Readonly<Record<string, unknown>>;
  /** What could not be read, and why. */
  readonly notes: readonly string[];
}

/**
 * Versions and settings of this host. Files are read by the reader: that of os-release may be on a file system that
 * hangs.
 * @param root the mount point of the procfs
 */
export async function hostFacts(root: string, redactor: Redactor | undefined): Promise<HostFacts> {
  const notes: string[] = [];
  const texts = await withFiles(async (files) => {
    const text = async (path: string, absent?: string) => {
      try {
        return await textOf(files, path);
      } catch (error) {
        if (absent !== undefined && codeOf(error) === 'ENOENT') return absent;
        notes.push(`${path} could not be read: ${reasonOf(error)}`);
        return undefined;
      }
    };
    const [osRelease, cmdline, uptime, meminfo, loadavg, cpus, modules, ...settings] = await Promise.all([
      text('/etc/os-release'),
      text(`${root}/cmdline`),
      text(`${root}/uptime`),
      text(`${root}/meminfo`),
      text(`${root}/loadavg`),
      text('/sys/devices/system/cpu/online'),
      // A kernel without what a file is about has no such file: modules, keys for SysRq.
      text(`${root}/modules`, ''),
      ...SETTINGS.map((name) => text(`${root}/sys/${name}`, '')),
    ]);
    return { osRelease, cmdline, uptime, meminfo, loadavg, cpus, modules, settings };
  });
  const { osRelease, cmdline, uptime, meminfo, loadavg, cpus, modules, settings } = texts;
  const trimmed = (value: string | undefined) => value?.trim() || null;
  const facts = {
    format: 'kstack-host',
    version: 1,
    kstack: VERSION,
    runtime: isStandalone ? 'executable' : `Node.js ${process.versions.node}`,
    kernel: release(),
    kernelVersion: version(),
    architecture: process.arch,
    osRelease: osRelease === undefined ? null : releaseIn(osRelease),
    bootParameters: cmdline === undefined ? null : parametersIn(cmdline.trim(), redactor),
    uptimeSeconds: uptime === undefined ? null : Number.parseFloat(uptime),
    cpusOnline: trimmed(cpus),
    loadavg: trimmed(loadavg),
    memoryKiB: meminfo === undefined ? null : numbersIn(meminfo),
    modules: modules === undefined ? null : modulesIn(modules),
    settings: Object.fromEntries(SETTINGS.map((name, at) => [name.replace('/', '.'), trimmed(settings[at])])),
  };
  return { facts, notes };
}

async function textOf(files: Files, path: string): Promise<string> {
  const fd = await files.open(undefined, path, constants.O_RDONLY);
  try {
    const pieces: Buffer[] = [];
    for (let bytes = 0; bytes < MOST_BYTES; ) {
      const piece = await files.read(fd, bytes, MOST_BYTES - bytes);
      if (piece.length === 0) break;
      // The next one may replace it.
      pieces.push(Buffer.from(piece));
      bytes += piece.length;
    }
    return Buffer.concat(pieces).toString();
  } finally {
    await files.close(fd);
  }
}

function releaseIn(text: string): Record<string, string> {
  const lines = text.split('\n').flatMap((line) => {
    const [, name = '', value = ''] = /^([A-Z_]{1,40})=["']?(.{0,200}?)["']?$/.exec(line.trim()) ?? [];
    return RELEASE_NAMES.has(name) ? [[name, value] as const] : [];
  });
  return Object.fromEntries(lines);
}

/** `MemTotal:  16384 kB` (proc_meminfo(5)). */
function numbersIn(text: string): Record<string, number> {
  const lines = [...text.matchAll(/^([\w()]{1,40}):\s+(\d{1,15}) kB$/gm)];
  return Object.fromEntries(lines.map(([, name = '', value]) => [name, Number(value)]));
}

/** Names, and what taints the kernel: `(POE)` (proc_modules(5)). */
function modulesIn(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => [line.split(' ', 1)[0], /\([A-Z+-]+\)$/.exec(line)?.[0]].filter(Boolean).join(' '));
}

/** A number, a size, a list or range of them, or a word that switches something. */
const PLAIN =
  /^(?:0x[\da-f]+|\d+[KMG]?(?:[,:@-]\d+[KMG]?)*|on|off|auto|yes|no|y|n|none|force|full|never|always|madvise|ro|rw|lazy|nosmt)$/i;
const WORD = /^[a-z_]{1,20}$/;

/** What the kernel was booted with: names, and redacted, of their values those that are plain. */
function parametersIn(text: string, redactor: Redactor | undefined): string[] {
  const words: string[] = text.match(/(?:"[^"]*"|\S)+/g) ?? [];
  if (redactor === undefined) return words;
  // What follows is for the first program, and not the kernel.
  const ends = words.indexOf('--');
  return words.map((word, at) => {
    if (ends !== -1 && at > ends) return redactor.value(word);
    const [, name, value] = /^([\w.-]{1,80})=(.*)$/s.exec(word) ?? [];
    if (name === undefined) return word === '--' || WORD.test(word) ? word : redactor.value(word);
    return PLAIN.test(value ?? '') ? word : `${name}=${redactor.value(value ?? '')}`;
  });
}
