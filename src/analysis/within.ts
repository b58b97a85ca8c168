import type { Frame } from '../model/stack.ts';
import { KERNEL_THREAD, RUNNER, SYSTEM_CALL, WORK } from './context.ts';
import { dispatchedIn } from './dispatch.ts';
import { functionName } from './function-name.ts';
import { wholeName } from './pattern.ts';
import { DUTIES } from './rules/index.ts';
import { isPointer } from './stale.ts';
import { tellsMore } from './wording.ts';

const PAGE_FAULT = wholeName([
  /(?:asm_)?exc_page_fault/,
  'page_fault',
  /(?:__)?do_page_fault/,
  'do_user_addr_fault',
  'do_mem_abort',
  'do_translation_fault',
]);

const DUTY_OF: ReadonlyMap<string, string> = new Map(
  DUTIES.flatMap(([duty, ...lists]) => lists.flatMap((list) => list.split(' ')).map((name) => [name, duty] as const)),
);

/** Purposes that do not tell what of, or for which kind of, file or device. */
const OPEN_PURPOSE = new RegExp(
  [
    /file, pipe or device$/,
    /^(?:open|close) a file$/,
    /an ioctl$/,
    /a file of (?:sysfs|\/proc|a cgroup|debugfs)$/,
    /setting of \/proc\/sys$/,
    /^(?:probe|remove|suspend|resume|add) a device$/,
    /device that was found$/,
    /from its driver$/,
    /a kernel module$/,
    /^(?:un)?mount a file system$/,
    /^tear down network namespaces$/,
    /^create a network namespace$/,
    /^handle an interrupt of a device$/,
    /^(?:send|receive) on a socket$/,
    /attributes of a file$/,
    /^(?:run|send|use) .*netlink/,
    /^carry out an io_uring request$/,
    /^use (?:a|an|the) /,
  ]
    .map(({ source }) => source)
    .join('|'),
);

/**
 * What the whole stack belongs to, to stand behind a sentence: "in write(2)", "in a page fault", "as it exits"; and, if
 * the sentence does not tell what the task is about there, the functions of the file or driver that it called.
 * Undefined if the stack does not tell, or if the sentence already does.
 * @param innermost the function that waits
 */
export function withinOf(frames: readonly Frame[], sentence: string, innermost: Frame | undefined): string | undefined {
  const called = frames.filter((frame) => !isPointer(frame));
  const names = called.map(({ symbol }) => functionName(symbol));
  const place = placeOf(names, sentence, innermost === undefined ? 1 : called.indexOf(innermost));
  const purpose = / in order to (.*)$/.exec(sentence)?.[1];
  if (purpose !== undefined && !OPEN_PURPOSE.test(purpose)) return place;
  const told = `${sentence} ${place ?? ''}`;
  const functions = dispatchedIn(names).filter((name) => !told.includes(name));
  if (functions.length === 0) return place;
  return place === undefined ? `in ${functions.join(', ')}` : withFunctions(place, functions);
}

/** "in a kernel worker (f)" becomes "in a kernel worker (f, g)", and "in write(2)" becomes "in write(2) (g)". */
function withFunctions(place: string, functions: readonly string[]): string {
  const list = functions.join(', ');
  return / \(\w+\)$/.test(place) ? `${place.slice(0, -1)}, ${list})` : `${place} (${list})`;
}

function placeOf(names: readonly string[], sentence: string, waiting: number): string | undefined {
  const purpose = sentence.split(' in order to ').at(-1) ?? '';
  let isWork = false;
  for (let at = names.length - 1; at > 0; at--) {
    const name = names[at] ?? '';
    const inside = names[at - 1] ?? '';
    const call = SYSTEM_CALL.exec(name)?.[1];
    if (call !== undefined)
      return tells(purpose, call) || sentence.includes(`the system call ${call}`) || sentence.includes(`its ${call} `)
        ? undefined
        : `in ${call}(2)`;
    if (PAGE_FAULT.test(name)) return /\bfault/.test(purpose) ? undefined : 'in a page fault';
    if (name === 'do_exit') return /\bexit/.test(purpose) ? undefined : 'as it exits';
    if (name === 'cleanup_mnt') return /\bunmount/.test(purpose) ? undefined : 'as it unmounts a file system';
    isWork ||= WORK.test(name) || name === 'rescuer_thread';
    if (!WORK.test(name) && !KERNEL_THREAD.test(name) && !RUNNER.test(name)) continue;
    if (WORK.test(inside) || RUNNER.test(inside)) continue;
    // The function of a work may be left out of the stack, if it ends with a call: so this one need not be it.
    if (at - 1 <= waiting || sentence.includes(inside)) return undefined;
    const duty = DUTY_OF.get(inside);
    const words = duty === undefined || !tellsMore(duty, sentence) ? '' : ` ${duty}`;
    return `in a kernel ${isWork ? 'worker' : 'thread'}${words} (${inside})`;
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
