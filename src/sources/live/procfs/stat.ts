import type { State } from '../../../model/task.ts';
import { STATES } from '../../../model/task.ts';
import { decodeBytes } from '../../../native/decode.ts';
import { Malformed } from './malformed.ts';

/** What kstack takes from /proc/PID/stat. */
export interface Stat {
  readonly comm: string;
  readonly state: State;
  readonly ppid: number;
  readonly kernelThread: boolean;
  /** Whether it has executed no program since it was forked. Absent if this is not from the stat file. */
  readonly runsParentsProgram?: boolean;
  readonly threads: number;
  /** These two are undefined if only the status could be read, which has neither. */
  readonly startTicks: number | undefined;
  readonly cpu: number | undefined;
}

const OPENING = 40;
const CLOSING = 41;
const SPACE = 32;

/** The states, indexed by the character codes of their letters. */
const STATE_OF_CODE: (State | undefined)[] = [];
for (const state of STATES) STATE_OF_CODE[state.charCodeAt(0)] = state;

/** PF_KTHREAD of include/linux/sched.h. */
const KERNEL_THREAD = 0x00200000;
/** PF_FORKNOEXEC, the same. */
const FORKED = 0x00000040;

/** Field numbers in proc_pid_stat(5). */
const FIELD = { ppid: 4, flags: 9, threads: 20, startTicks: 22, cpu: 39 } as const;

/**
 * The state letter, which follows the last `)`: a comm may contain anything, even parentheses and spaces. Undefined if
 * `stat` is not a stat file or the letter is not a known state.
 */
export function parseState(stat: Buffer): State | undefined {
  return STATE_OF_CODE[stat[stat.lastIndexOf(CLOSING) + 2] ?? 0];
}

/**
 * Parses /proc/PID/stat (fs/proc/array.c, do_task_stat; proc_pid_stat(5)).
 * @throws Malformed naming the field that does not have the documented format
 */
export function parseStat(stat: Buffer): Stat {
  const opening = stat.indexOf(OPENING);
  const closing = stat.lastIndexOf(CLOSING);
  const state = parseState(stat);
  if (opening < 0 || closing < opening) throw new Malformed('field 2', undefined, 'no name in parentheses');
  if (state === undefined)
    throw new Malformed('field 3', stat.toString('latin1', closing + 2, closing + 3), 'no state');
  const fields: number[] = [];
  // The numbers start after `) S `, with field 4.
  let value = 0;
  let sign = 1;
  for (let at = closing + 4; at < stat.length && fields.length <= FIELD.cpu - 4; at++) {
    const byte = stat[at] ?? SPACE;
    if (byte >= 48 && byte <= 57) value = value * 10 + byte - 48;
    else if (byte === 45) sign = -1;
    else {
      fields.push(value * sign);
      value = 0;
      sign = 1;
    }
  }
  const field = (number: number) => {
    const found = fields[number - 4];
    if (found === undefined) throw new Malformed(`field ${number}`, undefined, 'no number');
    return found;
  };
  const comm = decodeBytes(stat.subarray(opening + 1, closing));
  return {
    comm,
    state,
    ppid: field(FIELD.ppid),
    kernelThread: (field(FIELD.flags) & KERNEL_THREAD) !== 0,
    runsParentsProgram: (field(FIELD.flags) & FORKED) !== 0,
    threads: field(FIELD.threads),
    startTicks: field(FIELD.startTicks),
    cpu: field(FIELD.cpu),
  };
}
