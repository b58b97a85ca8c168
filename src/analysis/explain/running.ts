import type { Finding } from '../../model/finding.ts';
import type { Frame } from '../../model/stack.ts';
import { functionName } from '../function-name.ts';
import { LOG } from '../rules/commands.ts';
import { RUNS_IN_KERNEL } from '../rules/general.ts';
import { CALLER_UNKNOWN, callerIn, likelyOf } from './caller.ts';
import { contextOf } from './context.ts';
import type { Crash } from './crash.ts';
import { NOTHING_KNOWN } from './empty-stack.ts';
import type { InnerEnd } from './inner-end.ts';
import type { inInterrupt } from './interrupt.ts';
import type { Match } from './match.ts';
import type { inSoftirq } from './softirq.ts';

const RUNNING = { ...NOTHING_KNOWN, kind: 'running', next: RUNS_IN_KERNEL } as const;

/** A task whose stack shows that the kernel crashed under it. */
export function crashed({ waitsFor, frame }: Crash): Finding {
  return { ...RUNNING, waitsFor, frame, innermost: frame, next: LOG };
}

const OFF_CPU = /^(?:__schedule|context_switch|__switch_to)$/;

/** A task that runs, or is ready to. */
export function running(frames: readonly Frame[], inner: InnerEnd, matches: readonly Match[]): Finding {
  const caller = callerIn(frames, inner);
  const frame = frames[inner.depth] ?? frames[0];
  const { inOrderTo } = matches.find(({ rule }) => rule.inOrderTo !== undefined)?.rule ?? {};
  const likely = likelyOf(frames);
  const place = caller === undefined || likely !== '' ? '' : `, in ${caller}`;
  const purpose = inOrderTo === undefined ? contextOf(frames, inner.depth) : `, in order to ${inOrderTo}`;
  const [best] = matches;
  if (best?.rule.spins === true) {
    const waitsFor = `${best.rule.waitsFor}${purpose}${likely}`;
    return { ...RUNNING, waitsFor, frame: best.frame, innermost: frame };
  }
  const spins = inner.primitive?.sleep === 'spin';
  // The scheduler had taken the CPU from it, or it had slept and was woken.
  const isOff = OFF_CPU.test(functionName(frames[0]?.symbol ?? ''));
  const where = isOff ? 'it is ready to run, and waits for a CPU' : 'it is on a CPU, or ready to run';
  const waitsFor = spins
    ? `nothing: it spins on a lock${caller === undefined ? CALLER_UNKNOWN : ` that ${caller} takes`}${purpose}`
    : `nothing: ${where}${place}${purpose}`;
  return { ...RUNNING, waitsFor: `${waitsFor}${likely}`, frame, innermost: frame };
}

/** A stack that has nothing but the frames of an interrupt. */
export function cutInInterrupt({ doing, frame }: NonNullable<ReturnType<typeof inInterrupt>>): Finding {
  const waitsFor = `nothing: ${doing}; what that had interrupted is not told`;
  return { ...RUNNING, waitsFor, frame, innermost: frame };
}

/** A stack of softirqs on top of any task. */
export function handles({ doing, frame }: NonNullable<ReturnType<typeof inSoftirq>>): Finding {
  return { ...RUNNING, waitsFor: `nothing: ${doing}`, frame, innermost: frame };
}
