import type { Reading } from '../../model/reading.ts';
import type { Stack } from '../../model/stack.ts';
import type { Doing } from '../../model/system-call.ts';
import type { Cgroups } from './cgroup.ts';
import type { KnownTask } from './first-look.ts';
import type { Stat } from './stat.ts';

/** A candidate while its files are being read. */
export interface Draft {
  /** What a first look found; undefined for those that only /proc knows. */
  readonly known: KnownTask | undefined;
  readonly pid: number;
  readonly tid: number;
  /** Undefined for those that are not selected. */
  stat: Stat | undefined;
  uid: Reading<number> | undefined;
  cgroups: Reading<Cgroups> | undefined;
  systemCall: Reading<Doing> | undefined;
  stack: Reading<Stack> | undefined;
  /** Of a process with several threads, one has the command line read, and the others point to it. */
  commandLine: Reading<string> | Draft | undefined;
}

export function emptyDraft(pid: number, tid: number, known: KnownTask | undefined): Draft {
  return {
    known,
    pid,
    tid,
    stat: undefined,
    uid: undefined,
    cgroups: undefined,
    systemCall: undefined,
    stack: undefined,
    commandLine: undefined,
  };
}

/** The command line that was read for it, or for the thread that it points to. */
export function commandLineOf({ commandLine }: Draft): Reading<string> | undefined {
  return commandLine !== undefined && 'tid' in commandLine ? commandLineOf(commandLine) : commandLine;
}

/** Kernel threads and zombies have no memory that could hold a command line (fs/proc/base.c, get_task_cmdline), and are in no system call. */
export function hasNoMemory(stat: Stat): boolean {
  return stat.kernelThread || stat.state === 'Z' || stat.state === 'X';
}
