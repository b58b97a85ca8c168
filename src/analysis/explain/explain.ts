import type { Finding } from '../../model/finding.ts';
import type { Frame, Stack } from '../../model/stack.ts';
import type { State } from '../../model/task.ts';
import { functionName } from '../function-name.ts';
import { RULES } from '../rules/index.ts';
import type { Rule } from '../rules/rule.ts';
import { crashOf } from './crash.ts';
import { isDead } from './dead.ts';
import { ended, explainEmpty } from './empty-stack.ts';
import { explained, isFarOut } from './explained.ts';
import { type InnerEnd, innerEnd, isGuess, isTelling, waits } from './inner-end.ts';
import { inInterrupt } from './interrupt.ts';
import { withoutLeaves } from './leaves.ts';
import { isIdleIn, type Match, Matcher } from './match.ts';
import { crashed, cutInInterrupt, handles, running } from './running.ts';
import { inSoftirq } from './softirq.ts';
import { isUnsorted, withoutContradictions, withoutStale } from './stale.ts';
import { mixed, unexplained } from './unexplained.ts';
import { withinOf } from './within.ts';

const matcher = new Matcher(RULES);

/**
 * What a stack means for a task that has ended, for one in state R, for one in D, and for all others. In
 * S, a stack that also has leftovers of old calls may tell more.
 */
interface Findings {
  ended?: Finding;
  running?: Finding;
  uninterruptible?: Finding;
  interruptible?: Finding;
  other?: Finding;
}

const findings = new WeakMap<Stack, Findings>();

/** Explains a stack. Each stack object is matched only once for a kind of state. */
export function explain(stack: Stack, state?: State): Finding {
  if (stack.frames.length === 0) return explainEmpty(state);
  let known = findings.get(stack);
  if (known === undefined) {
    known = {};
    findings.set(stack, known);
  }
  if (stack.mixed === true) {
    known.other ??= mixed(stack.frames);
    return known.other;
  }
  if (state === 'Z' || state === 'X') {
    known.ended ??= ended(state, stack.frames[0]);
    return known.ended;
  }
  if (state === 'R') {
    known.running ??= withPlace(explainFrames(stack.frames, state), stack.frames);
    return known.running;
  }
  if (state === 'S' && isUnsorted(stack.frames)) {
    known.interruptible ??= withPlace(explainFrames(stack.frames, state), stack.frames);
    return known.interruptible;
  }
  known.other ??= withPlace(explainFrames(stack.frames, undefined), stack.frames);
  if (state !== 'D' || known.other.kind === 'blocked') return known.other;
  known.uninterruptible ??= withPlace(explainFrames(stack.frames, state), stack.frames);
  return known.uninterruptible;
}

/** Whoever idles is where it should be. */
function withPlace(finding: Finding, frames: readonly Frame[]): Finding {
  return finding.kind === 'idle'
    ? finding
    : { ...finding, within: withinOf(frames, finding.waitsFor, finding.innermost) };
}

/** The end mark in the stacks of kernels before 5.x. It is not a function. */
const END_MARK = /^0xf+$/;

function explainFrames(all: readonly Frame[], state: 'R' | 'S' | 'D' | undefined): Finding {
  const marked = all.filter(({ symbol }) => !END_MARK.test(symbol));
  const crash = crashOf(marked);
  if (crash !== undefined) return crashed(crash);
  const interrupt = state === 'D' ? undefined : inInterrupt(marked);
  if (interrupt !== undefined) return cutInInterrupt(interrupt);
  const softirq = state === 'D' ? undefined : inSoftirq(marked);
  if (softirq !== undefined) return handles(softirq);
  const sorted = state === 'S' ? withoutContradictions(marked, (name) => matcher.knows(name)) : marked;
  const frames = state === 'R' ? withoutLeaves(marked) : withoutStale(sorted);
  const inner = innerEnd(frames);
  const matches = matcher.matches(frames, inner);
  const [first, ...rest] = matches;
  if (first?.rule.anyState === true) return explained(frames, first, rest, inner);
  if (state === 'R' || (state === undefined && isProbed(frames[0]))) return running(frames, inner, matches);
  if (isDead(frames, inner, state)) return ended(undefined, frames[inner.depth]);
  // Where nothing tells what is waited for, a rule about what runs tells nothing.
  const told = matches.filter(
    ({ rule }) => rule.kind !== 'running' || !waits(inner) || inner.primitive?.waitsFor !== undefined,
  );
  const [best, ...others] = state === 'D' ? told.filter(({ rule }) => !idles(rule, inner) && !runs(rule, inner)) : told;
  if (inner.isPreempted && best?.rule.fallback !== undefined && state !== 'D') return running(frames, inner, matches);
  if (best !== undefined && state === undefined && isScrap(frames, best, inner))
    return unexplained(frames, inner, { idles: false, state });
  if (best !== undefined) return explained(frames, best, others, inner);
  if (inner.isPreempted && state !== 'D') return running(frames, inner, matches);
  return unexplained(frames, inner, { idles: matches.some(({ rule }) => rule.kind === 'idle'), state });
}

/** Whether these are guesses of which none is a function that sleeps, and that say little of the innermost one. */
function isScrap(frames: readonly Frame[], best: Match, inner: InnerEnd): boolean {
  return inner.primitive === undefined && frames.every(isGuess) && isFarOut(frames, best, inner);
}

/** A tracer prints decimal offsets; behind the instruction that it puts at the start of a function, they are these. */
const PROBE = /\+(?:1|4|5|9)(?: \[[\w-]+\])?$/;

/** Whether this is the stack of each call of a function, taken where it begins: the task runs. */
function isProbed(innermost: Frame | undefined): boolean {
  return innermost !== undefined && PROBE.test(innermost.raw) && isTelling(functionName(innermost.symbol));
}

/** Whether a task in such a stack does not wait. One in D does, unless it was stopped in a lock that is spun on. */
function runs({ kind }: Rule, { primitive }: InnerEnd): boolean {
  return kind === 'running' && primitive?.sleep !== 'spin';
}

/** Whether a task in such a stack has nothing to do. */
function idles(rule: Rule, { primitive }: InnerEnd): boolean {
  return rule.kind === 'idle' && (rule.sleeps !== undefined || isIdleIn(rule, primitive?.sleep ?? 'schedule'));
}
