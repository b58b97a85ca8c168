import type { Finding } from '../../model/finding.ts';
import type { Frame } from '../../model/stack.ts';
import { functionName } from '../function-name.ts';
import { COMMANDS, type Resource } from '../rules/commands.ts';
import { WAITS_FOR_UNKNOWN } from '../rules/general.ts';
import { isVague, namesOf, type Rule } from '../rules/rule.ts';
import {
  byName,
  callerIn,
  callerWithModule,
  likelyOf,
  takenBy,
  unnamed,
  unnamedInWords,
  withCaller,
} from './caller.ts';
import { type InnerEnd, isTelling, waits } from './inner-end.ts';
import { isIdleIn, type Match } from './match.ts';
import { causesAt } from './mounted.ts';
import { undoAt } from './mounting.ts';
import { operationOf } from './operation.ts';
import { OWN_LOCK_CAUSES, withOwnLock } from './own-locks.ts';
import { hostLock, type Sleep } from './sleeping-primitives.ts';

/** Sleeps in which all callers wait for the same kind of thing, which is seldom what the caller is about. */
const SHARED_SLEEPS: ReadonlySet<Sleep> = new Set(['lock', 'spin', 'rcu', 'work', 'delay', 'pool']);
/** From so many unknown functions inside of a rule's on, what it says may not be what is waited for. */
const FAR = 2;

/** What the best of the rules that fit says of a stack, in its words and those of the others. */
export function explained(frames: readonly Frame[], best: Match, others: readonly Match[], inner: InnerEnd): Finding {
  const { rule } = best;
  const isByPrimitives = !Number.isInteger(best.depth);
  const frame = isByPrimitives ? (frames[inner.depth] ?? best.frame) : best.frame;
  const { primitive } = inner;
  const { sleep = 'schedule', waitsFor: held } = primitive ?? {};
  const caller = callerIn(frames, inner);
  const { id, source, kernels, inOrderTo } = rule;
  const isAtWork =
    rule.kind === 'idle'
      ? rule.sleeps === undefined && !isIdleIn(rule, sleep)
      : rule.kind === 'running' && waits(inner);
  const isShared = isAtWork || (rule.fallback !== true && rule.sleeps === undefined && SHARED_SLEEPS.has(sleep));
  const likely = likelyOf(frames);
  const base = {
    rule: id,
    within: undefined,
    source,
    kernels,
    frame,
    innermost: frames[inner.depth],
    others: others.map((other) => ({ rule: other.rule.id, frame: other.frame })),
  };
  const purpose = inOrderTo === undefined ? '' : `, in order to ${inOrderTo}`;
  if (sleep === 'spin' && caller !== undefined) {
    const waitsFor = `nothing: it spins on a lock that ${caller} takes${purpose}${likely}`;
    const { causes, next } = others.find((other) => other.rule.sleeps?.includes('spin'))?.rule ?? rule;
    return { ...base, kind: 'running', waitsFor, causes, next, undo: [] };
  }
  const isFar =
    rule.purpose === true || (rule.kind === 'blocked' && rule.sleeps === undefined && isFarOut(frames, best, inner));
  if ((isShared || isFar) && held !== undefined && inOrderTo !== undefined) {
    const general = others.find((other) => other.rule.fallback === true || other.rule.sleeps?.includes(sleep))?.rule;
    // Who holds a lock of the whole host may do anything else.
    const isOfHost = general !== undefined && hostLock(primitive) !== undefined;
    const own = isOfHost ? [] : rule.next.filter((command) => !mayHang(command, general?.stuck));
    const next = [...new Set([...(general?.next ?? []), ...own])];
    const itself = withOwnLock(unnamedInWords(held, frames, inner) ?? held, frames, inner.depth);
    const causes = itself === undefined ? (general?.causes ?? rule.causes) : OWN_LOCK_CAUSES;
    const place = isVague(rule)
      ? `, in ${callerWithModule(frames, inner)}, in order to ${farther(best, others)}`
      : purpose;
    const name = unnamed(held, frames, inner);
    const isTold = isVague(rule) || frame === frames[inner.depth];
    const taken = isTold ? held : takenBy(held, callerWithModule(frames, inner));
    const lock = unnamedInWords(held, frames, inner) ?? `${taken}${name === undefined ? '' : ` (${name})`}`;
    const waitsFor = `${itself ?? lock}${place}${likely}`;
    return { ...base, kind: 'blocked', waitsFor, causes, next, undo: [] };
  }
  const { kind, next, undo = [] } = rule;
  if (isAtWork && caller !== undefined && inOrderTo !== undefined) {
    const general = others.find((other) => other.rule.kind === 'blocked' && other.rule.sleeps?.includes(sleep))?.rule;
    const { causes = '', next: looks = WAITS_FOR_UNKNOWN } = general ?? {};
    const waitsFor = `${unknownIn(callerWithModule(frames, inner) ?? caller, inner)}${purpose}${likely}`;
    return { ...base, kind: 'blocked', waitsFor, causes, next: looks, undo: [] };
  }
  if (isFar && caller !== undefined && inOrderTo !== undefined) {
    const waitsFor = `${unknownIn(callerWithModule(frames, inner) ?? caller, inner)}${purpose}${likely}`;
    return { ...base, kind, waitsFor, causes: rule.causes, next, undo: [] };
  }
  const isUnknown = rule.fallback === true && caller !== undefined;
  const name = unnamed(rule.waitsFor, frames, inner);
  const inWords = unnamedInWords(rule.waitsFor, frames, inner);
  const inCaller = callerWithModule(frames, inner);
  const told = isUnknown
    ? inWords === undefined
      ? `${withCaller(rule.waitsFor, inCaller)}${byName(frames[inner.depth], name)}`
      : `${inWords}, in ${inCaller}${byName(frames[inner.depth])}`
    : `${withCaller(rule.waitsFor, caller)}${isVague(rule) && isByExpression(rule) ? ' (by its name)' : ''}`;
  const itself = kind === 'blocked' ? withOwnLock(told, frames, inner.depth) : undefined;
  const operation = operationOf(frames, best, others, inner);
  const causes = itself === undefined ? causesAt(frames, rule.causes) : OWN_LOCK_CAUSES;
  return {
    ...base,
    kind,
    waitsFor: `${itself ?? told}${operation}${likely}`,
    causes,
    next,
    undo: undoAt(frames, undo),
  };
}

/** Whether a rule takes its functions by their look, as those of a subsystem. */
function isByExpression({ match: [first = []] }: Rule): boolean {
  return namesOf(first) === undefined;
}

/**
 * What a task does in an unknown function of a subsystem: by the nearest rule further out that knows more than that.
 */
function farther({ rule, depth }: Match, others: readonly Match[]): string | undefined {
  const known = others.find(
    (other) => other.depth > depth && other.rule.inOrderTo !== undefined && !isVague(other.rule),
  );
  return (known?.rule ?? rule).inOrderTo;
}

/** What a task waits for in an unknown function. */
function unknownIn(caller: string, { primitive }: InnerEnd): string {
  if (primitive?.sleep === 'completion') return `the completion of something that ${caller} started`;
  return primitive?.sleep === 'bit' ? `a flag to be cleared in ${caller}` : `something that ${caller} waits for`;
}

/** Whether a rule is about functions that call unknown ones, which may wait for anything. */
export function isFarOut(frames: readonly Frame[], { rule, frame, depth }: Match, inner: InnerEnd): boolean {
  if (!Number.isInteger(depth)) return false;
  const between = frames.slice(inner.depth, frames.indexOf(frame));
  const unknown = between.filter(({ symbol }) => isTelling(functionName(symbol))).length;
  return unknown >= (rule.outer === true ? 1 : FAR);
}

/**
 * What may hang for whoever needs it on behalf of a blocked task: that may hold its own mmap lock, and does not stop.
 */
const OF_BLOCKED_TASK: readonly Resource[] = ['processes', 'mmapLock', 'ptrace'];

function mayHang(command: string, stuck: readonly Resource[] = []): boolean {
  const taken = COMMANDS[command] ?? [];
  return taken.some((resource) => OF_BLOCKED_TASK.includes(resource) || stuck.includes(resource));
}
