import { existsSync, readlinkSync, statfsSync } from 'node:fs';
import { isOnlyPids, type Selection } from '../../../model/selection.ts';
import { errnoOf, readSmall } from './files.ts';
import { describeHiding, hidingFromUs } from './hiding.ts';

/** PROC_SUPER_MAGIC of include/uapi/linux/magic.h. */
const PROC_SUPER_MAGIC = 0x9fa0;

/**
 * Why this process cannot read kernel stacks, and what to do about it; undefined if it can. Reading its own stack is a
 * fair test: the kernel requires CAP_SYS_ADMIN in the initial user namespace for any task (fs/proc/base.c,
 * proc_pid_stack), and a task that is reading always has a stack. `command` is the command as typed.
 */
export function whyNoStacks(root: string, command: string): string | undefined {
  // Check the file system before opening: a FIFO would wait for its writer, and reading some devices never ends.
  const path = `${root === '/' ? '' : root}/self/stack`;
  const missing = `cannot read kernel stacks: there is no ${path}; either no procfs is mounted at ${root}, or the kernel is built without CONFIG_STACKTRACE`;
  if (!mayBeProcfs(root))
    return existsSync(path) ? `${root} is not a procfs; give --proc a directory where one is mounted` : missing;
  const read = readSmall(path);
  const container = 'in a container, start it with --privileged and --pid=host';
  if ('value' in read) {
    if (read.value.length > 0) return undefined;
    return `kernel stacks are masked here: ${path} is empty; run '${command}' on the host, or ${container}`;
  }
  switch (read.unread) {
    case 'denied':
      return `cannot read kernel stacks (${path}: permission denied): this needs root with CAP_SYS_ADMIN; run 'sudo ${command}', or ${container}`;
    case 'gone':
      return missing;
    default:
      return `cannot read kernel stacks: ${path}: ${read.unread}`;
  }
}

/** PROC_PID_INIT_INO of include/linux/proc_ns.h. */
const INITIAL_PID_NAMESPACE = 'pid:[4026531836]';

/** Why a procfs does not show all tasks of the host; undefined if it does, or if that cannot be found out. */
export function whyNotAllTasks(root: string): string | undefined {
  try {
    // That of the first task that it shows: this process may be in another one.
    if (readlinkSync(`${root}/1/ns/pid`) === INITIAL_PID_NAMESPACE) return undefined;
  } catch (error) {
    errnoOf(error);
    return undefined;
  }
  return `${root} is not of the host's PID namespace; run it on the host, or in a container with --pid=host`;
}

/** The same as a line for the user; undefined also if only tasks are selected whose numbers were given. */
export function describeMissingTasks(root: string, selection: Selection): string | undefined {
  const why = isOnlyPids(selection) ? undefined : whyNotAllTasks(root);
  return why && `tasks outside of this PID namespace not shown: ${why}`;
}

/** What hides files of other users' processes, even where BPF shows these processes; undefined if nothing does. */
export function whyNotAllFiles(root: string): string | undefined {
  const hiding = hidingFromUs(root);
  return (
    hiding && `what other users' processes have open, and what else only /proc tells: ${describeHiding(root, hiding)}`
  );
}

/** False if another file system is there. If that cannot be tested, reading will report why. */
function mayBeProcfs(root: string): boolean {
  try {
    return statfsSync(root).type === PROC_SUPER_MAGIC;
  } catch (error) {
    // Rethrows anything without an errno.
    errnoOf(error);
    return true;
  }
}
