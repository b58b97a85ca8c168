import type { SystemCallState } from '../../../model/system-call.ts';
import { Malformed } from './malformed.ts';

/** The number may be negative: a task can ask for a call that does not exist. */
const CALL = /^(-?\d{1,10})((?: 0x[0-9a-f]{1,16}){8})\n?$/;
const NONE = /^-1 0x[0-9a-f]{1,16} 0x[0-9a-f]{1,16}\n?$/;
const ARGUMENTS = 6;

/**
 * Parses /proc/PID/syscall (fs/proc/base.c, proc_pid_syscall; proc_pid_syscall(5)).
 * @throws Malformed if the text does not have that format
 */
export function parseSystemCall(text: string): SystemCallState {
  if (/^running\n?$/.test(text)) return 'running';
  if (NONE.test(text)) return 'none';
  const [, number, values] = CALL.exec(text) ?? [];
  if (number === undefined || values === undefined)
    throw new Malformed('line 1', text, "neither 'running' nor a number and eight addresses");
  const words = values.slice(1).split(' ');
  const [stackPointer = '', programCounter = ''] = words.slice(ARGUMENTS);
  return { number: Number(number), arguments: words.slice(0, ARGUMENTS), stackPointer, programCounter };
}
