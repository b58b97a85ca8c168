import { headerOf, type LineParser } from '../line.ts';

const FIELD = /^(?:(Name):\s{1,8}(\S.{0,63})|(State):\s{1,8}([RSDTtXZI]) \(|(Tgid|Pid):\s{1,8}(\d{1,10})\s{0,4}$)/;

/** /proc/PID/stat: the number, the name, the state, and numbers without end. */
const STAT = /^\s{0,8}(\d{1,10}) \((.{1,64})\) ([RSDTtXZIP])(?: -?\d{1,20}){6}/;

/** /proc/PID/status and /proc/PID/stat, which people print before the stack (proc_pid_status(5)). */
export const procStatus: LineParser = (line) => {
  const [, pid, called, shown] = line.includes(') ') ? (STAT.exec(line) ?? []) : [];
  if (pid !== undefined)
    return { kind: 'label', isTitle: true, header: headerOf({ tid: pid, name: called, state: shown }) };
  const [, name, comm, state, letter, number, digits] = FIELD.exec(line) ?? [];
  if (name !== undefined) return { kind: 'label', isTitle: true, header: headerOf({ name: comm }) };
  if (state !== undefined) return { kind: 'about', header: headerOf({ state: letter }) };
  if (number === undefined) return undefined;
  return { kind: 'about', header: headerOf(number === 'Pid' ? { tid: digits } : { pid: digits }) };
};
