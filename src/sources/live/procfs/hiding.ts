import { readFileSync, readlinkSync } from 'node:fs';
import { errnoOf } from './files.ts';

/** CAP_SYS_PTRACE of include/uapi/linux/capability.h. */
const SYS_PTRACE = 19n;

/** What procfs names its settings since Linux 5.8, and what before. */
const HIDING: ReadonlySet<string> = new Set(['invisible', '2', 'ptraceable', '4']);

/**
 * Whether a procfs does not list the processes of others (proc(5), hidepid), and this process is among those it does
 * not list them for.
 * @param mountinfo /proc/self/mountinfo, see proc_pid_mountinfo(5)
 * @param status /proc/self/status
 */
export function hidesProcesses(root: string, mountinfo: string, status: string): boolean {
  const capabilities = BigInt(`0x${/^CapEff:\t([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  if ((capabilities & (1n << SYS_PTRACE)) !== 0n) return false;
  let settings: string[] = [];
  // What is mounted last covers what is below.
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

/** The same of this process, where the files that tell can be read. */
export function hidesFromUs(root: string): boolean {
  try {
    return hidesProcesses(
      root,
      readFileSync('/proc/self/mountinfo', 'latin1'),
      readFileSync('/proc/self/status', 'latin1'),
    );
  } catch (error) {
    // Without a /proc of our own nobody tells; then it says nothing.
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}

/** Whether tasks have the numbers in that procfs that they have for this process. */
export function isOwnNamespace(root: string): boolean {
  try {
    return Number(readlinkSync(`${root}/self`)) === process.pid;
  } catch (error) {
    // A procfs of another namespace, in which this process is not.
    errnoOf(error);
    return false;
  }
}
