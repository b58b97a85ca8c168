import { STATES, type State } from '../../../model/task.ts';
import { decodeBytes } from '../../../native/decode.ts';
import { Malformed } from './malformed.ts';

/** What kstack takes from /proc/PID/status. Unlike stat, it needs no lock that another task could hold for long. */
export interface Status {
  readonly name: string;
  readonly state: State;
  /** The process (Tgid). */
  readonly pid: number;
  /** The effective user id. */
  readonly uid: number;
  readonly ppid: number;
  /** The PID in the namespace of the process (the last one of NStgid). */
  readonly namespacePid: number;
}

const ESCAPES: Record<string, string> = { n: '\n', t: '\t', '\\': '\\' };

/**
 * Parses /proc/PID/status (fs/proc/array.c, proc_pid_status; proc_pid_status(5)).
 * @throws Malformed naming the line that does not have the documented format
 */
export function parseStatus(status: Buffer): Status {
  const text = decodeBytes(status);
  const name = valueIn(text, 'Name', /^Name:\t(.*)$/m);
  const letter = valueIn(text, 'State', /^State:\t(.)/m);
  const state = STATES.find((candidate) => candidate === letter);
  if (state === undefined) throw new Malformed('State', letter, 'no state');
  const pid = Number(valueIn(text, 'Tgid', /^Tgid:\t(\d+)$/m));
  return {
    // Unlike in stat, the kernel escapes a newline in the name as \n and a backslash as \\ (proc_task_name).
    name: name.replaceAll(/\\([nt\\])/g, (_, character: string) => ESCAPES[character] ?? character),
    state,
    pid,
    uid: Number(valueIn(text, 'Uid', /^Uid:\t\d+\t(\d+)\t/m)),
    ppid: Number(/^PPid:\t(\d+)$/m.exec(text)?.[1] ?? 0),
    // A kernel without PID namespaces has no such line.
    namespacePid: Number(/^NStgid:.*\t(\d+)$/m.exec(text)?.[1] ?? pid),
  };
}

function valueIn(text: string, line: string, expression: RegExp): string {
  const value = expression.exec(text)?.[1];
  if (value === undefined) throw new Malformed(line, undefined, '');
  return value;
}
