import type { Unread } from '../model/sample.ts';
import { escapeUnsafe } from './escape.ts';

const NAMES = { task: 'process', stack: 'kernel stack', commandLine: 'command line' } as const;

/** What could not be read of one task and why, as a sentence without its end: `PID 4711 (nginx): command line not read in time, ...`. */
export function formatUnread({ tid, comm, state, what, why }: Unread): string {
  const known = [comm === undefined ? [] : escapeUnsafe(comm), state === undefined ? [] : `state ${state}`].flat();
  const task = known.length === 0 ? `PID ${tid}` : `PID ${tid} (${known.join(', ')})`;
  const name = NAMES[what];
  switch (why) {
    case 'gone':
      return `PID ${tid}: no such process`;
    case 'timeout':
      return what === 'commandLine'
        ? `${task}: ${name} could not be read in time; a thread that waits in the kernel probably holds the process's mmap lock`
        : `${task}: ${name} could not be read in time; the process is probably stuck in an exec`;
    case 'skipped':
      return `${task}: ${name} not read, since too many other reads already hang`;
    case 'denied':
      return `${task}: ${name} not readable: permission denied, CAP_SYS_PTRACE or a security module forbids it`;
    case 'malformed':
      return `${task}: ${name} not readable: /proc/${tid}/stat is not in the form of proc_pid_stat(5)`;
    default:
      return `${task}: ${name} not readable: ${why}`;
  }
}
