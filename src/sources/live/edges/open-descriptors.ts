import { DESCRIPTORS_BIT, WHAT } from '../../../native/reader/protocol.ts';
import { parseLinks } from '../procfs/descriptors.ts';
import type { TaskNumbers } from '../procfs/task-details.ts';
import type { EdgeContext } from './edge-source.ts';

/** Processes per request: after each, the time is looked at. */
export const AT_A_TIME = 256;
const ENOENT = 2;
const ESRCH = 3;

export interface Descriptor extends TaskNumbers {
  readonly fd: number;
}

export interface Descriptors {
  readonly open: readonly Descriptor[];
  /** Those without any descriptor, as far as can be seen. */
  readonly without: readonly number[];
  /** Of how many tasks not all could be read. */
  readonly missed: number;
}

/** The descriptors of these tasks whose link in /proc/PID/fd is wanted. */
export async function openDescriptors(
  tasks: readonly TaskNumbers[],
  { reader }: Pick<EdgeContext, 'reader'>,
  isWanted: (target: string) => boolean,
): Promise<Descriptors> {
  const open: Descriptor[] = [];
  const without: number[] = [];
  let missed = 0;
  if (tasks.length === 0) return { open, without, missed };
  await reader.get(
    tasks,
    () => DESCRIPTORS_BIT,
    { threads: true, commandLines: { allBytes: 0, leastBytes: 0 }, paths: true },
    ({ what, pid, tid, flags, result, bytes }) => {
      if (what !== WHAT.descriptors) return;
      if (flags !== 0 || (result < 0 && result !== -ENOENT && result !== -ESRCH)) missed++;
      if (result === 0) without.push(pid);
      for (const { fd, target } of parseLinks(bytes)) if (isWanted(target)) open.push({ pid, tid, fd });
    },
  );
  return { open, without, missed };
}
