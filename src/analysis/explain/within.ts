import type { Frame } from '../../model/stack.ts';
import { functionName } from '../function-name.ts';
import { DUTIES } from '../rules/index.ts';
import { systemCallOf } from '../system-call-name.ts';
import { KERNEL_THREAD, RUNNER, WORK } from './context.ts';
import { dispatchedIn } from './dispatch.ts';
import { wholeName } from './pattern.ts';
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

/** What whole stacks are about that a system call, a worker or a sentence about the inner end may not tell. */
const OCCASIONS: readonly (readonly [occasion: string, told: RegExp, functions: RegExp])[] = [
  [
    'suspends or resumes the host',
    /suspends? the host/,
    wholeName(['pm_suspend', 'enter_state', 'suspend_devices_and_enter']),
  ],
  ['hibernates the host', /hibernat/, wholeName(['hibernate', 'hibernation_snapshot'])],
  [
    'restarts or powers off the host',
    /restart|shut the host down/,
    wholeName(['kernel_restart', 'kernel_power_off', 'kernel_halt']),
  ],
  ['dumps core', /core/, wholeName(['do_coredump', 'vfs_coredump'])],
  ['creates a file', /create/, /^(?!vfs_|do_|io_)\w+_create$/],
  [
    'takes a device from its driver',
    /remov|unb[io]|unload|shut down|from its driver/,
    wholeName([/_?_?device_release_driver(?:_internal)?/]),
  ],
  [
    'sets up a device',
    /probe|set up|configure|\badd /,
    wholeName(['really_probe', /_?_?pci_device_probe|local_pci_probe|platform_probe/]),
  ],
  ['suspends a device', /suspend/, wholeName(['rpm_suspend', 'device_suspend', '__device_suspend'])],
  ['resumes a device', /resum/, wholeName(['rpm_resume', 'device_resume'])],
  ['compacts memory', /compact|contiguous memory/, wholeName([/_?_?alloc_pages_direct_compact|try_to_compact_pages/])],
  [
    'reclaims memory',
    /reclaim|to free memory|memory can be freed|to get memory/,
    wholeName([/try_to_free_pages|try_to_free_mem_cgroup_pages|_?_?node_reclaim/]),
  ],
  ['closes a file', /clos|\bexit/, wholeName([/_*fput(?:_sync)?/])],
];
/** Functions of a kernel that looks a name up that it is to create. */
const CREATORS = wholeName(['lookup_open', 'vfs_create', 'open_last_lookups', 'path_openat']);

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
  const waiting = innermost === undefined ? 1 : called.indexOf(innermost);
  const place = together(placeOf(names, sentence, waiting), occasionOf(names, sentence, waiting));
  const purpose = / in order to (.*)$/.exec(sentence)?.[1];
  if (purpose !== undefined && !OPEN_PURPOSE.test(purpose)) return place;
  const told = `${sentence} ${place ?? ''}`;
  const functions = dispatchedIn(names).filter((name) => !told.includes(name));
  if (functions.length === 0) return place;
  return place === undefined ? `in ${functions.join(', ')}` : withFunctions(place, functions);
}

/** What all functions inside of the outermost of these do; undefined if the sentence tells. */
function occasionOf(names: readonly string[], sentence: string, waiting: number): string | undefined {
  for (let at = names.length - 1; at > waiting; at--) {
    const name = names[at] ?? '';
    const [found, told] = OCCASIONS.find(([, , functions]) => functions.test(name)) ?? [];
    if (
      found === undefined ||
      told === undefined ||
      (found === 'creates a file' && !CREATORS.test(names[at + 1] ?? ''))
    )
      continue;
    return told.test(sentence) ? undefined : `as it ${found}`;
  }
  return undefined;
}

function together(place: string | undefined, occasion: string | undefined): string | undefined {
  if (place === undefined || occasion === undefined) return place ?? occasion;
  return place.startsWith('as it ') || !tellsMore(occasion, place) ? place : `${place}, ${occasion}`;
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
    const call = systemCallOf(name);
    if (call !== undefined)
      return tells(purpose, call) || sentence.includes(`the system call ${call}`) || sentence.includes(`its ${call} `)
        ? undefined
        : `in ${call}(2)`;
    // Inside of a page fault there is no system call: crash(8) shows what is left over of the way back to the program.
    const isLeftOver = PAGE_FAULT.test(name) && names.slice(0, at).some((other) => systemCallOf(other) !== undefined);
    if (isLeftOver) continue;
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
