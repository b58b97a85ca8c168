import type { Finding } from '../../model/finding.ts';
import type { Frame } from '../../model/stack.ts';
import { functionName } from '../function-name.ts';
import { OTHERS_BLOCKED } from '../rules/commands.ts';
import { WAITS_FOR_UNKNOWN } from '../rules/general.ts';
import { HOLDER } from '../rules/lock-rule.ts';
import { byName, CALLER_UNKNOWN, callerIn, likelyOf, unnamed } from './caller.ts';
import { contextOf } from './context.ts';
import { NOTHING_KNOWN } from './empty-stack.ts';
import type { InnerEnd } from './inner-end.ts';

/**
 * What is known of a stack that no rule explains. `idles`: whether rules fit that know tasks to idle in such a stack,
 * which the state D contradicts.
 */
export function unexplained(
  frames: readonly Frame[],
  inner: InnerEnd,
  { idles, state }: { readonly idles: boolean; readonly state: 'R' | 'S' | 'D' | undefined },
): Finding {
  const frame = frames[inner.depth] ?? frames[0];
  const caller = callerIn(frames, inner) ?? (frame && functionName(frame.symbol));
  const base = { ...NOTHING_KNOWN, frame, innermost: frame, next: WAITS_FOR_UNKNOWN };
  const held = inner.primitive?.waitsFor;
  const context = contextOf(frames, inner.depth);
  const lock = held === undefined ? undefined : unnamed(held, frames, inner);
  const named = `${caller}${byName(frames[inner.depth], lock)}`;
  if (held !== undefined) {
    const isCut = frames[inner.depth] === undefined;
    const isLock = inner.primitive?.sleep === 'lock';
    const advice = isLock ? { causes: HOLDER, next: OTHERS_BLOCKED } : { next: [...OTHERS_BLOCKED, ...base.next] };
    const waitsFor = isCut ? `${held}${CALLER_UNKNOWN}` : `${held}, in ${named}${context}${likelyOf(frames)}`;
    return { ...base, ...advice, kind: 'blocked', waitsFor };
  }
  if (frame === undefined) return { ...base, kind: 'unexplained', waitsFor: 'unknown: the stack has no function' };
  if (frames[inner.depth] === undefined && inner.primitive !== undefined) return cutOff(frames, base, state);
  if (idles) {
    const waitsFor = `something unknown in ${caller}: tasks usually idle there, but not in state D${context}`;
    return { ...base, kind: 'blocked', waitsFor };
  }
  if (state === 'D')
    return { ...base, kind: 'blocked', waitsFor: `something unknown in ${named}${context}${likelyOf(frames)}` };
  return { ...base, kind: 'unexplained', waitsFor: `unknown: no rule knows ${named}${context}` };
}

/** What is known of frames of several stacks. */
export function mixed([frame]: readonly Frame[]): Finding {
  return {
    ...NOTHING_KNOWN,
    frame,
    innermost: frame,
    kind: 'unexplained',
    waitsFor: 'unknown: several CPUs or tasks wrote their stacks at once, and their lines cannot be told apart',
    causes:
      'A kernel with CONFIG_PRINTK_CALLER says who prints each line ([C1], [T42]): paste what dmesg prints there, ' +
      'or lines of /dev/kmsg.',
    next: ['grep CONFIG_PRINTK_CALLER /boot/config-*'],
  };
}

/** Of a stack that has nothing but functions of the scheduler. Mutexes and rw-semaphores call one of them only. */
function cutOff(
  frames: readonly Frame[],
  base: Omit<Finding, 'kind' | 'waitsFor'>,
  state: 'R' | 'S' | 'D' | undefined,
): Finding {
  const isLock = frames.some(({ symbol }) => functionName(symbol) === 'schedule_preempt_disabled');
  if (state === 'D' && !isLock)
    return { ...base, kind: 'blocked', waitsFor: 'something unknown (the stack is cut off behind the scheduler)' };
  return isLock
    ? { ...base, kind: 'blocked', waitsFor: 'a mutex or rw-semaphore, most likely (the stack is cut off)' }
    : { ...base, kind: 'unexplained', waitsFor: 'unknown: the stack is cut off behind the scheduler' };
}
