import { readFileSync, readlinkSync } from 'node:fs';
import { errnoOf } from './files.ts';

/** CAP_SYS_PTRACE of include/uapi/linux/capability.h. */
const SYS_PTRACE = 19n;

/** The settings of hidepid that hide processes: their names since Linux 5.8, and their numbers before. */
const HIDING: ReadonlySet<string> = new Set(['invisible', '2', 'ptraceable', '4']);

/**
 * Whether a procfs hides other users' processes from this process (proc(5), hidepid).
 * @param mountinfo /proc/self/mountinfo, see proc_pid_mountinfo(5)
 * @param status /proc/self/status
 */
export function hidesProcesses(root: string, mountinfo: string, status: string): boolean {
  const capabilities = BigInt(`0x${/^CapEff:\t([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  if ((capabilities & (1n << SYS_PTRACE)) !== 0n) return false;
  let settings: string[] = [];
  // The last mount covers earlier ones.
  for (const line of mountinfo.split('\n')) {
    const [mount = '', filesystem = ''] = line.split(' - ');
    if (mount.split(' ')[4] === root && filesystem.startsWith('proc '))
      settings = (filesystem.split(' ')[2] ?? '').split(',');
  }
  const setting = (name: string) => settings.find((text) => text.startsWith(`${name}=`))?.slice(name.length + 1);
  if (!HIDING.has(setting('hidepid') ?? '')) return false;
  const groups = [...(/^Groups:\t(.*)$/m.exec(status)?.[1] ?? '').split(' '), /^Gid:\t\d+\t(\d+)\t/m.exec(status)?.[1]];
  return !groups.includes(setting('gid') ?? '0');
}

/** hidesProcesses for this process; false if its mountinfo or status cannot be read. */
export function hidesFromUs(root: string): boolean {
  try {
    return hidesProcesses(
      root,
      readFileSync('/proc/self/mountinfo', 'latin1'),
      readFileSync('/proc/self/status', 'latin1'),
    );
  } catch (error) {
    // Without a /proc of our own this cannot be found out.
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}

/** Whether tasks have the same numbers in that procfs as for this process. */
export function isOwnNamespace(root: string): boolean {
  try {
    return Number(readlinkSync(`${root}/self`)) === process.pid;
  } catch (error) {
    // The procfs belongs to another namespace, which this process is not in.
    errnoOf(error);
    return false;
  }
}
