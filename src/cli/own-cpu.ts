import { readdirSync, readFileSync } from 'node:fs';
import { codeOf } from '../files/files.ts';

/** USER_HZ (include/asm-generic/param.h). */
const TICKS_PER_SECOND = 100;

/**
 * CPU seconds of this process and of those that it has started, ended ones among them; undefined if /proc does not tell
 * (fields 14 to 17 of proc_pid_stat(5), and proc_pid_task_children, which needs CONFIG_PROC_CHILDREN).
 */
export function ownCpuSeconds(): number | undefined {
  const ticks = ticksOf(process.pid);
  return ticks === undefined ? undefined : ticks / TICKS_PER_SECOND;
}

function ticksOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const own = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    return childrenOf(pid).reduce((sum, child) => sum + (ticksOf(child) ?? 0), own);
  } catch (error) {
    // It may have ended by now.
    if (codeOf(error) === undefined) throw error;
    return undefined;
  }
}

function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((tid) => {
    try {
      return readFileSync(`/proc/${pid}/task/${tid}/children`, 'latin1').split(' ').filter(Boolean).map(Number);
    } catch (error) {
      if (codeOf(error) === undefined) throw error;
      return [];
    }
  });
}
