import { readFileSync, readlinkSync } from 'node:fs';
import { errnoOf } from './files.ts';

/** CAP_SYS_PTRACE of include/uapi/linux/capability.h. */
const SYS_PTRACE = 19n;

/** How a procfs keeps other users' tasks from this process (proc(5), hidepid). */
export interface Hiding {
  /** As in the mount options. */
  readonly option: string;
  /** Whether it does not even list them. Otherwise it denies their files. */
  readonly isTotal: boolean;
}

interface Setting {
  readonly isTotal: boolean;
  /** The kernel does not ask for the group with every setting (fs/proc/base.c, has_pid_permissions). */
  readonly obeysGroup: boolean;
}

const NO_ACCESS: Setting = { isTotal: false, obeysGroup: true };
const INVISIBLE: Setting = { isTotal: true, obeysGroup: true };
const PTRACEABLE: Setting = { isTotal: true, obeysGroup: false };
/** By their names since Linux 5.8, and their numbers before. */
const SETTINGS: ReadonlyMap<string, Setting> = new Map([
  ['noaccess', NO_ACCESS],
  ['1', NO_ACCESS],
  ['invisible', INVISIBLE],
  ['2', INVISIBLE],
  ['ptraceable', PTRACEABLE],
  ['4', PTRACEABLE],
]);

/**
 * @param mountinfo /proc/self/mountinfo, see proc_pid_mountinfo(5)
 * @param status /proc/self/status
 */
export function hidingBy(root: string, mountinfo: string, status: string): Hiding | undefined {
  if (mayTrace(status)) return undefined;
  let options: string[] = [];
  // The last mount covers earlier ones.
  for (const line of mountinfo.split('\n')) {
    const [mount = '', filesystem = ''] = line.split(' - ');
    if (mount.split(' ')[4] === root && filesystem.startsWith('proc '))
      options = (filesystem.split(' ')[2] ?? '').split(',');
  }
  const settingOf = (name: string) => options.find((text) => text.startsWith(`${name}=`))?.slice(name.length + 1);
  const value = settingOf('hidepid') ?? '';
  const setting = SETTINGS.get(value);
  if (setting === undefined) return undefined;
  const groups = [...(/^Groups:\t(.*)$/m.exec(status)?.[1] ?? '').split(' '), /^Gid:\t\d+\t(\d+)\t/m.exec(status)?.[1]];
  if (setting.obeysGroup && groups.includes(settingOf('gid') ?? '0')) return undefined;
  return { option: `hidepid=${value}`, isTotal: setting.isTotal };
}

function mayTrace(status: string): boolean {
  const capabilities = BigInt(`0x${/^CapEff:\t([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  return (capabilities & (1n << SYS_PTRACE)) !== 0n;
}

/** hidingBy for this process; undefined also if its mountinfo or status cannot be read. */
export function hidingFromUs(root: string): Hiding | undefined {
  return ofThisProcess((status) => hidingBy(root, readFileSync('/proc/self/mountinfo', 'latin1'), status));
}

/** Whether this process has the capability to read what belongs to other processes. */
export function mayTraceAll(): boolean {
  return ofThisProcess(mayTrace) === true;
}

/** What hides tasks, and the way out. */
export function describeHiding(root: string, { option }: Hiding): string {
  return `${root} is mounted with ${option}, and CAP_SYS_PTRACE is missing; run kstack with it, or remount ${root} with hidepid=0`;
}

/** Undefined without a /proc of our own. */
function ofThisProcess<Found>(find: (status: string) => Found): Found | undefined {
  try {
    return find(readFileSync('/proc/self/status', 'latin1'));
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined;
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
