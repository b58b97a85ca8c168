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
  readonly threads: number;
  /** Undefined where only the status could be read, which has neither. */
  readonly startTicks: number | undefined;
  readonly cpu: number | undefined;
}

const OPENING = 40;
const CLOSING = 41;
const SPACE = 32;

/** The states, at the places that are the codes of their letters. */
const STATE_OF_CODE: (State | undefined)[] = [];
for (const state of STATES) STATE_OF_CODE[state.charCodeAt(0)] = state;

/** PF_KTHREAD of include/linux/sched.h. */
const KERNEL_THREAD = 0x00200000;

/** Numbers of proc_pid_stat(5). */
const FIELD = { ppid: 4, flags: 9, threads: 20, startTicks: 22, cpu: 39 } as const;

/**
 * The state letter, which stands behind the last `)`: a comm may hold anything, closing parentheses and spaces too.
 * Undefined when `stat` is no stat file or the letter is not one the kernel has.
 */
export function parseState(stat: Buffer): State | undefined {
  return STATE_OF_CODE[stat[stat.lastIndexOf(CLOSING) + 2] ?? 0];
}

/**
 * Parses /proc/PID/stat (fs/proc/array.c, do_task_stat; proc_pid_stat(5)).
 * @throws Malformed naming the field that is not as documented
 */
export function parseStat(stat: Buffer): Stat {
  const opening = stat.indexOf(OPENING);
  const closing = stat.lastIndexOf(CLOSING);
  const state = parseState(stat);
  if (opening < 0 || closing < opening) throw new Malformed('field 2', undefined, 'no name in parentheses');
  if (state === undefined)
    throw new Malformed('field 3', stat.toString('latin1', closing + 2, closing + 3), 'no state');
  const fields: number[] = [];
  // The numbers begin behind `) S `; number `fields.length` of them is field 4 and on.
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
    threads: field(FIELD.threads),
    startTicks: field(FIELD.startTicks),
    cpu: field(FIELD.cpu),
  };
}
