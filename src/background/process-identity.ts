import { readFileSync } from 'node:fs';
import { codeOf, type Files } from '../files/files.ts';
import { parseStat } from '../sources/live/procfs/stat.ts';

const STAT_BYTES = 4096;

/** A process. Its start, in clock ticks since boot, distinguishes it from a later one with the same PID. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTicks: number;
}

export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, startTicks: parseStat(readFileSync('/proc/self/stat'))?.startTicks ?? 0 };
}

/** Whether that same process is still running. A zombie is not. */
export async function isAlive(files: Files, { pid, startTicks }: ProcessIdentity): Promise<boolean> {
  try {
    const fd = await files.open(undefined, `/proc/${pid}/stat`, 0);
    const stat = parseStat(await files.read(fd, 0, STAT_BYTES));
    await files.close(fd);
    return stat?.startTicks === startTicks && stat.state !== 'Z' && stat.state !== 'X';
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ESRCH') return false;
    throw error;
  }
}
