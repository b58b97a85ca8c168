import type { Finding } from '../model/finding.ts';
import type { Observation } from '../model/sample.ts';

/** Names of kernel threads that contain the device they work for: jbd2, XFS, md, dm-crypt, writeback and others. */
const DEVICE_THREADS = [
  /^jbd2\/([\w!-]{1,32}?)-\d{1,4}$/,
  /^(?:xfsaild|xfs-\w{1,16}|xfs_\w{1,16})\/([\w!-]{1,32})$/,
  /^(md\d{1,6})_\w{1,16}$/,
  /^(loop\d{1,6}|nbd\d{1,6}|drbd\d{1,6})$/,
  /\+(?:xfs-\w{1,16})\/([\w!-]{1,32})$/,
];
const NUMBERED_DEVICE = /(?:flush-|dmcrypt_write\/)(\d{1,4}:\d{1,7})$/;
/** Characters of a path that a shell does not act on. */
const SAFE = String.raw`[\w./+,:@-]`;
/** A descriptor with its path, which a relative path after it starts from. */
const DESCRIPTOR = new RegExp(`(?:\\d|AT_FDCWD)<(/${SAFE}{1,255})>(, ")?`);
const ARGUMENT = new RegExp(`"(${SAFE}{1,255})"(?: in <(/${SAFE}{1,255})>)?`);
/** What the commands leave to be filled in. */
const PLACES = /\b(?:PID|PPID|TID|DEVICE|FILE|TTY|PATH)\b|\/dev\/mdX/g;
const TERMINAL = /^\/dev\/(?:tty|pts\/)\w{1,16}$/;
const SAFE_GROUP = new RegExp(`^/(?!.*\\.\\.)(${SAFE}{1,255})$`);
const FROZEN = 'fsfreeze -u MOUNTPOINT';

/** What an advice takes of a task. */
type Advised = Pick<Observation, 'task' | 'systemCall'>;

/**
 * The commands of a finding, with the numbers of the group's first task in place of PID, TID and PPID, the device that
 * the name of a kernel thread contains in place of DEVICE, the path of its control group in place of PATH, and the file
 * of a system call in place of FILE, of TTY and of the mount point of a frozen file system. What the sample does not
 * tell keeps its name.
 */
export function filledAdvice({ next, undo }: Finding, observations: readonly Advised[]) {
  const values = valuesOf(observations);
  const fill = (command: string) =>
    values.get(command) ?? command.replaceAll(PLACES, (name) => values.get(name) ?? name);
  const isPossible = (command: string) => !isAbout0(command, values);
  return { next: next.filter(isPossible).map(fill), undo: undo.filter(isPossible).map(fill) };
}

/** A command that may end a wait, as people read it beside those that only look. */
export const changing = (command: string): string => `${command}   (changes the host)`;

/**
 * The same of a wait in a report.
 * @param several whether it has several hosts: numbers and names of one would be read as those of any of them
 */
export function adviceOnWait(
  { finding, tasks }: { readonly finding: Finding; readonly tasks: readonly Advised[] },
  several: boolean,
) {
  return several ? finding : filledAdvice(finding, tasks);
}

/** Whether a command is about task 0: the idle tasks of CPUs, and the parent of the first tasks, are not in /proc. */
function isAbout0(command: string, values: ReadonlyMap<string, string>): boolean {
  return ['PID', 'PPID', 'TID'].some((name) => values.get(name) === '0' && new RegExp(`\\b${name}\\b`).test(command));
}

function valuesOf(observations: readonly Advised[]): Map<string, string> {
  const values = new Map<string, string>();
  const { pid, ppid, id } = observations[0]?.task ?? {};
  const numbers = { PID: pid ?? id?.tid, PPID: ppid, TID: id?.tid };
  for (const [name, number] of Object.entries(numbers)) if (number !== undefined) values.set(name, String(number));
  for (const { task, systemCall } of observations) {
    const device = task.kernelThread === false ? undefined : deviceOf(task.comm ?? '');
    if (device !== undefined && !values.has('DEVICE')) values.set('DEVICE', device);
    if (device !== undefined && /^\/dev\/md\d/.test(device)) values.set('/dev/mdX', device);
    const { cgroup } = task;
    const group = cgroup !== undefined && 'value' in cgroup ? SAFE_GROUP.exec(cgroup.value)?.[1] : undefined;
    if (group !== undefined && !values.has('PATH')) values.set('PATH', group);
    const call = systemCall !== undefined && 'value' in systemCall ? systemCall.value : undefined;
    const text = typeof call === 'object' ? (call.text ?? '') : '';
    const file = fileIn(text);
    if (file !== undefined && !values.has('FILE')) values.set('FILE', file);
    if (file !== undefined && TERMINAL.test(file) && !values.has('TTY')) values.set('TTY', file);
    // Only fsfreeze gets this: finding the mount point of a path reads the path's file system.
    const place = file ?? folderIn(text);
    if (place !== undefined && !values.has(FROZEN))
      values.set(FROZEN, `fsfreeze -u "$(findmnt -nT ${place} -o TARGET)"`);
  }
  return values;
}

/** The file behind a descriptor that the call works on. */
function fileIn(call: string): string | undefined {
  const [, path, startsPath] = DESCRIPTOR.exec(call) ?? [];
  return startsPath === undefined ? path : undefined;
}

/** The folder of a path that is an argument: what it names may not exist yet. */
function folderIn(call: string): string | undefined {
  const [, path, current] = ARGUMENT.exec(call) ?? [];
  const from = current ?? DESCRIPTOR.exec(call)?.[1];
  if (path === undefined || (from === undefined && !path.startsWith('/'))) return undefined;
  const whole = path.startsWith('/') ? path : `${from}/${path}`;
  return whole.replace(/\/[^/]*$/, '') || '/';
}

function deviceOf(comm: string): string | undefined {
  for (const form of DEVICE_THREADS) {
    const name = form.exec(comm)?.[1];
    if (name !== undefined) return `/dev/${name.replaceAll('!', '/')}`;
  }
  const numbers = NUMBERED_DEVICE.exec(comm)?.[1];
  return numbers === undefined ? undefined : `/dev/block/${numbers}`;
}
