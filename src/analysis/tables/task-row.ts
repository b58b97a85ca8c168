import { commandLineText } from '../../model/command-line.ts';
import { containerOf } from '../../model/container.ts';
import { escapeInvalid } from '../../model/raw-text.ts';
import type { Reading } from '../../model/reading.ts';
import { type Sample, startTimeSeconds } from '../../model/sample.ts';
import type { Task } from '../../model/task.ts';
import { hashOf } from './hash.ts';
import type { Row } from './tables.ts';

export function valueIn<T>(reading: Reading<T> | undefined): T | null {
  return reading !== undefined && 'value' in reading ? reading.value : null;
}

/** Valid UTF-8, with other bytes as `\xff`. */
export function safe(text: string | undefined | null): string | null {
  return text === undefined || text === null ? null : escapeInvalid(text);
}

/** @param host as the rows of its samples name it */
export function taskRow(task: Task, sample: Sample, host: string | null): Row<'tasks'> {
  const { id, pid, ppid, comm, processName, commandLine, kernelThread, user } = task;
  const line = valueIn(commandLine);
  const cgroup = safe(valueIn(task.cgroup));
  const { runtime, id: container, pod } = (cgroup === null ? undefined : containerOf(cgroup)) ?? {};
  const startSeconds = startTimeSeconds(task, sample);
  const row = {
    host,
    boot_id: safe(id.bootId),
    tid: id.tid ?? null,
    start_ticks: id.startTicks ?? null,
    start_time: startSeconds === undefined ? null : 1000 * startSeconds,
    start_local: id.startLocal ?? null,
    pid: pid ?? null,
    ppid: ppid ?? null,
    namespace_pid: valueIn(task.namespacePid),
    comm: safe(comm),
    process: safe(processName ?? (id.tid === pid ? comm : undefined)),
    command_line: line === null ? null : escapeInvalid(commandLineText(line).trim()),
    kernel_thread: kernelThread ?? null,
    uid: valueIn(task.uid),
    user_name: safe(user),
    cgroup,
    runtime: safe(runtime),
    container: safe(container),
    pod: safe(pod),
  };
  return { task: hashOf(Object.values(row)), ...row };
}
