import { constants } from 'node:os';
import type { NativeFunction } from '../ffi.ts';
import { libcFunction } from '../libc.ts';
import { pause } from '../pause.ts';

/** waitpid(2). WUNTRACED: also of a process that was stopped. */
const WNOHANG = 1;
const WUNTRACED = 2;
const STOPPED = 0x7f;
/** Exit codes of reader/reader.c. */
const NO_MEMORY = 4;
const NO_PROCESS = 5;
const NO_WORKER = 6;

let wait: NativeFunction<number> | undefined;

/** The status of a child that has ended or was stopped; undefined while it runs. */
export function waitStatus(pid: number): number | undefined {
  const status = new Int32Array(1);
  wait ??= libcFunction('int waitpid(int pid, void *status, int options)');
  return wait(pid, status, WNOHANG | WUNTRACED) === pid ? status[0] : undefined;
}

/** The status of a child that ends: it closes its pipes a moment before. */
export function waitBriefly(pid: number): number | undefined {
  let status = waitStatus(pid);
  for (let tries = 1; tries < 40 && (status === undefined || isStopped(status)); tries++) {
    pause(0.5);
    status = waitStatus(pid);
  }
  return status;
}

export function isStopped(status: number): boolean {
  return (status & 0xff) === STOPPED;
}

/** @param status undefined if there is none */
export function howItEnded(status: number | undefined): string {
  if (status === undefined) return 'unknown reason';
  const code = status >> 8;
  if (isStopped(status)) return `it was stopped by ${signalName(code)}`;
  if (code === NO_PROCESS) return 'it cannot start a worker process (raise ulimit -u or pids.max of its control group)';
  if (code === NO_MEMORY) return 'out of memory';
  if (code === NO_WORKER) return 'one of its worker processes was killed or stopped';
  const signal = status & 0x7f;
  return signal === 0 ? `exit code ${code}` : `it was killed by ${signalName(signal)}`;
}

function signalName(signal: number): string {
  const name = Object.entries(constants.signals).find(([, number]) => number === signal)?.[0];
  return name ?? `signal ${signal}`;
}
