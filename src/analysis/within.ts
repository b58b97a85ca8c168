import type { Frame } from '../model/stack.ts';
import { KERNEL_THREAD, SYSTEM_CALL, WORK } from './context.ts';
import { functionName } from './function-name.ts';
import { wholeName } from './pattern.ts';
import { isPointer } from './stale.ts';

/** Threads and works of others run in these. */
const RUNNER = wholeName(['md_thread', 'kthread_worker_fn', 'rescuer_thread']);
const PAGE_FAULT = wholeName([
  /(?:asm_)?exc_page_fault/,
  'page_fault',
  /(?:__)?do_page_fault/,
  'do_user_addr_fault',
  'do_mem_abort',
  'do_translation_fault',
]);

/**
 * What the whole stack belongs to, to stand behind a sentence: "in write(2)", "in a page fault", "as it exits"; undefined
 * if the stack does not tell, or if the sentence already does.
 * @param innermost the function that waits
 */
export function withinOf(frames: readonly Frame[], sentence: string, innermost: Frame | undefined): string | undefined {
  const called = frames.filter((frame) => !isPointer(frame));
  const names = called.map(({ symbol }) => functionName(symbol));
  const waiting = innermost === undefined ? 1 : called.indexOf(innermost);
  const purpose = sentence.split(' in order to ').at(-1) ?? '';
  for (let at = names.length - 1; at > 0; at--) {
    const name = names[at] ?? '';
    const inside = names[at - 1] ?? '';
    const call = SYSTEM_CALL.exec(name)?.[1];
    if (call !== undefined)
      return tells(purpose, call) || sentence.includes(`its ${call} `) ? undefined : `in ${call}(2)`;
    if (PAGE_FAULT.test(name)) return /\bfault/.test(purpose) ? undefined : 'in a page fault';
    if (name === 'do_exit') return /\bexit/.test(purpose) ? undefined : 'as it exits';
    if (name === 'cleanup_mnt') return /\bunmount/.test(purpose) ? undefined : 'as it unmounts a file system';
    const isWork = WORK.test(name) || name === 'rescuer_thread';
    if (!isWork && !KERNEL_THREAD.test(name) && !RUNNER.test(name)) continue;
    if (WORK.test(inside) || RUNNER.test(inside)) continue;
    // The function of a work may be left out of the stack, if it ends with a call: so this one need not be it.
    if (at - 1 <= waiting || sentence.includes(inside)) return undefined;
    return `in a kernel ${isWork ? 'worker' : 'thread'} (${inside})`;
  }
  return undefined;
}

/** Whether a purpose names what a system call does: of pwrite64, "write to a file", and of fsync, "(fsync)". */
function tells(purpose: string, call: string): boolean {
  const word = call
    .replace(/^umount/, 'unmount')
    .replace(/^(?:p|new)(?=read|write|select|poll|stat|fstat|lstat)/, '')
    .replace(/(?:at|v)?\d*$/, '');
  const named = /\((\w+)\)$/.exec(purpose)?.[1];
  return named === undefined ? new RegExp(`^${word}`).test(purpose) : named === word;
}
