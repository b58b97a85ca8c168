import type { Reading, Unreadable } from '../../../model/reading.ts';
import type { Stack } from '../../../model/stack.ts';
import type { Doing } from '../../../model/system-call.ts';
import type { Cgroups } from './cgroup.ts';
import type { KnownTask } from './first-look.ts';
import type { Stat } from './stat.ts';

/** A task that may be in the sample, while its files are being read. */
export interface Draft {
  /** What a first look found; undefined for those that only /proc knows. */
  readonly known: KnownTask | undefined;
  readonly pid: number;
  readonly tid: number;
  stat: Stat | undefined;
  /** Why its stat could not be read. */
  missed: Unreadable | undefined;
  /** Whether it is in the sample, as far as that is decided. */
  selected: boolean;
  /** Whether one of its files said that it has ended. */
  ended: boolean;
  uid: Reading<number> | undefined;
  cgroups: Reading<Cgroups> | undefined;
  systemCall: Reading<Doing> | undefined;
  stack: Reading<Stack> | undefined;
  wchan: string | undefined;
}

export function emptyDraft(pid: number, tid: number, known: KnownTask | undefined): Draft {
  return {
    known,
    pid,
    tid,
    stat: undefined,
    missed: undefined,
    selected: false,
    ended: false,
    uid: undefined,
    cgroups: undefined,
    systemCall: undefined,
    stack: undefined,
    wchan: undefined,
  };
}

/**
 * Kernel threads and zombies have no memory that could hold a command line (fs/proc/base.c, get_task_cmdline), and are
 * in no system call.
 */
export function hasNoMemory(stat: Stat): boolean {
  return stat.kernelThread || stat.state === 'Z' || stat.state === 'X';
}
