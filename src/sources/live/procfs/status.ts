import { STATES, type State } from '../../../model/sample.ts';
import { decodeBytes } from '../../../native/decode.ts';

/** What kstack takes from /proc/PID/status, which unlike stat takes no lock that another task could hold for long. */
export interface Status {
  readonly name: string;
  readonly state: State;
  /** The process (Tgid). */
  readonly pid: number;
  /** The effective user id. */
  readonly uid: number;
  readonly ppid: number;
}

const ESCAPES: Record<string, string> = { n: '\n', t: '\t', '\\': '\\' };

/**
 * Parses /proc/PID/status (fs/proc/array.c, proc_pid_status; proc_pid_status(5)). Undefined when it is not in that
 * form.
 */
export function parseStatus(status: Buffer): Status | undefined {
  const text = decodeBytes(status);
  const name = /^Name:\t(.*)$/m.exec(text)?.[1];
  const letter = /^State:\t(.)/m.exec(text)?.[1];
  const pid = /^Tgid:\t(\d+)$/m.exec(text)?.[1];
  const uid = /^Uid:\t\d+\t(\d+)\t/m.exec(text)?.[1];
  const state = STATES.find((candidate) => candidate === letter);
  const ppid = /^PPid:\t(\d+)$/m.exec(text)?.[1];
  if (name === undefined || state === undefined || pid === undefined || uid === undefined) return undefined;
  // The kernel writes a newline in the name as \n and a backslash as \\, here but not in stat (proc_task_name).
  return {
    name: name.replaceAll(/\\([nt\\])/g, (_, character: string) => ESCAPES[character] ?? character),
    state,
    pid: Number(pid),
    uid: Number(uid),
    ppid: Number(ppid ?? 0),
  };
}
