import type { Doing } from '../../../model/system-call.ts';

/** The number is negative where a task asked for a call that there is not. */
const CALL = /^(-?\d{1,10})((?: 0x[0-9a-f]{1,16}){8})\n?$/;
const NONE = /^-1 0x[0-9a-f]{1,16} 0x[0-9a-f]{1,16}\n?$/;

/**
 * Parses /proc/PID/syscall (fs/proc/base.c, proc_pid_syscall; proc_pid_syscall(5)). Undefined when it is not in that
 * form.
 */
export function parseSystemCall(text: string): Doing | undefined {
  if (/^running\n?$/.test(text)) return 'running';
  if (NONE.test(text)) return 'none';
  const [, number, values] = CALL.exec(text) ?? [];
  if (number === undefined || values === undefined) return undefined;
  const [a = 0n, b = 0n, c = 0n, d = 0n, e = 0n, f = 0n, stackPointer = 0n, programCounter = 0n] = values
    .trim()
    .split(' ')
    .map(BigInt);
  return { number: Number(number), arguments: [a, b, c, d, e, f], stackPointer, programCounter };
}
