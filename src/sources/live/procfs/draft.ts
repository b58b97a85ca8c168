import type { Field, FieldValues } from '../../../model/fields.ts';
import type { Reading, Unreadable } from '../../../model/reading.ts';
import type { Stack } from '../../../model/stack.ts';
import type { PrefetchedTask } from './prefetch.ts';
import type { Stat } from './stat.ts';

export type FieldReadings = { [F in Field]?: Reading<FieldValues[F]> };

/** A task that may be in the sample, while its files are being read. */
export interface Draft {
  /** What a prefetch found; undefined for tasks found in /proc. */
  readonly prefetched: PrefetchedTask | undefined;
  readonly pid: number;
  readonly tid: number;
  stat: Stat | undefined;
  /** Why its stat could not be read. */
  missed: { readonly unread: Unreadable; readonly detail?: string } | undefined;
  /** Whether it is known to be in the sample. */
  selected: boolean;
  /** Whether reading one of its files showed that it has ended. */
  ended: boolean;
  /** Undefined until the first field is read: with 50,000 tasks, most have none. */
  fields: FieldReadings | undefined;
  /** Whether its control group is known to be selected. */
  inCgroup: boolean;
  stack: Reading<Stack> | undefined;
  wchan: string | undefined;
}

export function emptyDraft(pid: number, tid: number, prefetched: PrefetchedTask | undefined): Draft {
  return {
    prefetched,
    pid,
    tid,
    stat: undefined,
    missed: undefined,
    selected: false,
    ended: false,
    fields: undefined,
    inCgroup: false,
    stack: undefined,
    wchan: undefined,
  };
}

/**
 * Kernel threads and zombies have no memory, and so no command line (fs/proc/base.c, get_task_cmdline). They are in no
 * system call either.
 */
export function hasNoMemory(stat: Stat): boolean {
  return stat.kernelThread || stat.state === 'Z' || stat.state === 'X';
}
