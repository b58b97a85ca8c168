import type { Unread } from '../model/sample.ts';
import { escapeUnsafe } from './escape.ts';

const NAMES: Record<Unread['what'], string> = {
  task: 'process',
  threads: 'threads',
  stack: 'kernel stack',
  commandLine: 'command line',
  uid: 'user id',
  cgroup: 'control group',
  systemCall: 'system call',
};

/** How many tasks are named that the same thing happened to. */
const MOST_NAMED = 20;

/** What could not be read and why, a line each: `PID 4711 (nginx): command line could not be read in time; ...`. Of very many alike, the first ones and a count. */
export function formatUnread(unread: readonly Unread[]): string[] {
  const lines: string[] = [];
  const counts = new Map<string, number>();
  const stackReasons = new Map(unread.filter(({ what }) => what === 'stack').map(({ tid, why }) => [tid, why]));
  for (const each of unread) {
    // The kernel guards both alike (fs/proc/base.c, lock_trace): said once.
    if (each.what === 'systemCall' && stackReasons.get(each.tid) === each.why) continue;
    const reason = formatReason(each);
    const count = (counts.get(reason) ?? 0) + 1;
    counts.set(reason, count);
    if (count <= MOST_NAMED) lines.push(`${formatTask(each)}: ${reason}`);
  }
  for (const [reason, count] of counts) {
    if (count > MOST_NAMED) lines.push(`${count - MOST_NAMED} processes more: ${reason}`);
  }
  return lines;
}

function formatTask({ tid, comm, state }: Unread): string {
  const known = [comm === undefined ? [] : escapeUnsafe(comm), state === undefined ? [] : `state ${state}`].flat();
  return known.length === 0 ? `PID ${tid}` : `PID ${tid} (${known.join(', ')})`;
}

function formatReason({ what, why }: Unread): string {
  const name = NAMES[what];
  switch (why) {
    case 'gone':
      return 'no such process';
    case 'timeout':
      return what === 'commandLine'
        ? `${name} could not be read in time; a thread that waits in the kernel probably holds the process's mmap lock`
        : `${name} could not be read in time; it is probably stuck in an execve that waits for the mmap lock of its parent`;
    case 'skipped':
      return `${name} not read, since too many other reads already hang`;
    case 'locked':
      return `${name} not read: a thread holds the process's mmap lock for writing, and reading would wait for it`;
    case 'denied':
      return `${name} not readable: permission denied; CAP_SYS_PTRACE or CAP_DAC_READ_SEARCH is missing, or a security module forbids it`;
    case 'malformed':
      return `${name} not readable: its file is not in the form that proc(5) gives`;
    case 'EAGAIN':
      return `${name} not read: the host has no thread left to read it with`;
    case 'cut':
      return `${name} is longer than what is shown of it`;
    default:
      return `${name} not readable: ${why}`;
  }
}
