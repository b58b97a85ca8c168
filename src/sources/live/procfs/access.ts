import { existsSync, statfsSync } from 'node:fs';
import { errnoOf, readSmall } from './files.ts';

/** PROC_SUPER_MAGIC of include/uapi/linux/magic.h. */
const PROC_SUPER_MAGIC = 0x9fa0;

/**
 * Why the kernel would show this process no stacks, and what to do about it; undefined when it would. Reading its own
 * is a fair trial: the kernel asks for CAP_SYS_ADMIN in the initial user namespace whatever the task (fs/proc/base.c,
 * proc_pid_stack), and a task that reads always has a stack. `command` is what was typed.
 */
export function whyNoStacks(root: string, command: string): string | undefined {
  // First of all: opening a FIFO would wait for its writer, and reading some devices never ends.
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

/** False where another file system is. What cannot be looked at is left to the reads, which say why. */
function mayBeProcfs(root: string): boolean {
  try {
    return statfsSync(root).type === PROC_SUPER_MAGIC;
  } catch (error) {
    // What is no errno is thrown on.
    errnoOf(error);
    return true;
  }
}
