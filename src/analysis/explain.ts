import type { Finding } from '../model/finding.ts';
import type { Frame, Stack } from '../model/stack.ts';
import type { State } from '../model/task.ts';
import { contextOf } from './context.ts';
import { type Crash, crashOf } from './crash.ts';
import { isDead } from './dead.ts';
import { ended, explainEmpty, NOTHING_KNOWN } from './empty-stack.ts';
import { functionName } from './function-name.ts';
import { inInterrupt } from './interrupt.ts';
import { withoutLeaves } from './leaves.ts';
import { type Match, Matcher } from './match.ts';
import { causesAt } from './mounted.ts';
import { OWN_LOCK_CAUSES, withOwnLock } from './own-locks.ts';
import { COMMANDS, type Resource } from './rules/commands.ts';
import { RULES } from './rules/index.ts';
import { namesOf, type Rule } from './rules/rule.ts';
import { IDLE_SLEEPS, type InnerEnd, innerEnd, isGuess, isTelling, type Sleep } from './sleep.ts';
import { inSoftirq } from './softirq.ts';
import { isUnsorted, withoutContradictions, withoutStale } from './stale.ts';
import { subsystemOf } from './subsystem.ts';
import { withinOf } from './within.ts';
import { tellsMore } from './wording.ts';

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

/** Sleeps in which all callers wait for the same kind of thing, which is seldom what the caller is about. */
const SHARED_SLEEPS: ReadonlySet<Sleep> = new Set(['lock', 'spin', 'rcu', 'work', 'delay', 'pool']);
/** From so many unknown functions inside of a rule's on, what it says may not be what is waited for. */
const FAR = 2;

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
  if (best !== undefined) return explained(frames, best, others, inner);
  if (inner.isPreempted && state !== 'D') return running(frames, inner, matches);
  return unexplained(frames, inner, { idles: matches.length > 0, state });
}

/** A tracer prints decimal offsets; behind the instruction that it puts at the start of a function, they are these. */
const PROBE = /\+(?:1|4|5|9)(?: \[[\w-]+\])?$/;

/** Whether this is the stack of each call of a function, taken where it begins: the task runs. */
function isProbed(innermost: Frame | undefined): boolean {
  return innermost !== undefined && PROBE.test(innermost.raw) && isTelling(functionName(innermost.symbol));
}

/** Whether a task at such an inner end waits, for a lock or for anything else. */
function waits({ primitive }: InnerEnd): boolean {
  return primitive !== undefined && primitive.sleep !== 'schedule' && primitive.sleep !== 'spin';
}

/** Whether a task in such a stack does not wait. One in D does, unless it was stopped in a lock that is spun on. */
function runs({ kind }: Rule, { primitive }: InnerEnd): boolean {
  return kind === 'running' && primitive?.sleep !== 'spin';
}

/** Whether a task in such a stack has nothing to do. */
function idles({ kind, sleeps }: Rule, { primitive }: InnerEnd): boolean {
  return kind === 'idle' && (sleeps !== undefined || IDLE_SLEEPS.has(primitive?.sleep ?? 'schedule'));
}

/** The innermost function that is no sleeping primitive; undefined if the stack has none. */
function callerIn(frames: readonly Frame[], { depth }: InnerEnd): string | undefined {
  const frame = frames[depth];
  return frame === undefined ? undefined : functionName(frame.symbol);
}

/** The same, and the module that it is in. */
function callerWithModule(frames: readonly Frame[], inner: InnerEnd): string | undefined {
  const caller = callerIn(frames, inner);
  const module = frames[inner.depth]?.module;
  return caller === undefined || module === undefined ? caller : `${caller} [${module}]`;
}

/** What an unknown function belongs to. */
function byName(frame: Frame | undefined): string {
  const subsystem = frame === undefined ? undefined : subsystemOf(frame);
  return subsystem === undefined ? '' : ` (by its name, a part of ${subsystem})`;
}

/** Outermost functions of whole stacks: they say nothing of what a task is about. */
const OF_NO_CALLER =
  /^(?:kthread\w*|ret_from_\w+|worker_thread|process_one_work|entry_\w+|do_syscall_\w+|el0\w*|invoke_syscall|\w*sys_\w+)$/;

const LIKELY = ' (likely: the kernel was not sure of any frame)';

function explained(frames: readonly Frame[], best: Match, others: readonly Match[], inner: InnerEnd): Finding {
  const { rule } = best;
  const isByPrimitives = !Number.isInteger(best.depth);
  const frame = isByPrimitives ? (frames[inner.depth] ?? best.frame) : best.frame;
  const { primitive } = inner;
  const { sleep = 'schedule', waitsFor: held } = primitive ?? {};
  const caller = callerIn(frames, inner);
  const { id, source, kernels, inOrderTo } = rule;
  const isAtWork = rule.kind === 'idle' ? !IDLE_SLEEPS.has(sleep) : rule.kind === 'running' && waits(inner);
  const isShared = isAtWork || (rule.fallback !== true && rule.sleeps === undefined && SHARED_SLEEPS.has(sleep));
  const likely = frames.every(isGuess) ? LIKELY : '';
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
    const own = rule.next.filter((command) => !mayHang(command, general?.stuck));
    const next = [...new Set([...(general?.next ?? []), ...own])];
    const itself = withOwnLock(held, frames, inner.depth);
    const causes = itself === undefined ? (general?.causes ?? rule.causes) : OWN_LOCK_CAUSES;
    const place = isVague(rule)
      ? `, in ${callerWithModule(frames, inner)}, in order to ${farther(best, others)}`
      : purpose;
    return { ...base, kind: 'blocked', waitsFor: `${itself ?? held}${place}${likely}`, causes, next, undo: [] };
  }
  const { kind, next, undo = [] } = rule;
  if (isFar && caller !== undefined && inOrderTo !== undefined) {
    const waitsFor = `${unknownIn(caller, inner)}${purpose}${likely}`;
    return { ...base, kind, waitsFor, causes: rule.causes, next, undo: [] };
  }
  const isUnknown = rule.fallback === true && caller !== undefined;
  const told = isUnknown
    ? `${withCaller(rule.waitsFor, callerWithModule(frames, inner))}${byName(frames[inner.depth])}`
    : `${withCaller(rule.waitsFor, caller)}${isVague(rule) && isByExpression(rule) ? ' (by its name)' : ''}`;
  const itself = kind === 'blocked' ? withOwnLock(told, frames, inner.depth) : undefined;
  const operation = operationOf(frames, best, others, inner);
  const causes = itself === undefined ? causesAt(frames, rule.causes) : OWN_LOCK_CAUSES;
  return { ...base, kind, waitsFor: `${itself ?? told}${operation}${likely}`, causes, next, undo };
}

/** Whether a rule only knows the subsystem of an unknown function. */
function isVague({ waitsFor, innermost, purpose }: Rule): boolean {
  return innermost === true && purpose !== true && waitsFor.includes('{caller}');
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
function isFarOut(frames: readonly Frame[], { rule, frame, depth }: Match, inner: InnerEnd): boolean {
  if (!Number.isInteger(depth)) return false;
  const between = frames.slice(inner.depth, frames.indexOf(frame));
  const unknown = between.filter(({ symbol }) => isTelling(functionName(symbol))).length;
  return unknown >= (rule.outer === true ? 1 : FAR);
}

/** Where a sentence names the file or device already. */
const ANY_FILE = / (?:from|to) a file, pipe or device$/;
const WITH_ANY_FILE = /, in order to \w+ (?:from|to) a file, pipe or device$/;
/** Sleeps that reads and writes of files end in. */
const IN_FILES: ReadonlySet<Sleep> = new Set(['lock', 'page', 'buffer', 'bit', 'io']);

/** Contexts that tell more than that a kernel thread or system call is further out. */
const TOLD = /^, in order to |\)$/;
const PURPOSE = /^, in order to /;

/**
 * What the task does there, where the rule does not say so: by the nearest rule further out that tells more than the
 * sentence, or else by the system call or file.
 */
function operationOf(frames: readonly Frame[], best: Match, others: readonly Match[], inner: InnerEnd): string {
  const { rule, depth } = best;
  if (rule.spins === true) {
    const spinner = others.find((other) => other.depth > depth && other.rule.inOrderTo !== undefined)?.rule;
    return spinner === undefined ? '' : `, in order to ${spinner.inOrderTo}`;
  }
  if (rule.kind !== 'blocked' || rule.complete === true || / (?:in order to|so that) /.test(rule.waitsFor)) return '';
  const context = contextOf(frames, inner.depth);
  if (rule.fallback === true) return context === '' ? callerOfAll(frames, inner) : context;
  const from = Number.isInteger(depth) ? depth : inner.depth;
  const isLock = rule.sleeps?.includes('lock') === true;
  const isNews = (purpose: string) => isLock || rule.serves === true || tellsMore(purpose, rule.waitsFor);
  for (const { rule: outer, depth: at } of others) {
    const { inOrderTo, kind } = outer;
    // At the same function, a rule about any sleep knows the operation that a rule about the lock there leaves out.
    const isHere = at === from && (outer.purpose === true || (isLock && outer.sleeps === undefined));
    if ((at <= from && !isHere) || kind === 'running' || isVague(outer)) continue;
    if (inOrderTo === undefined || inOrderTo === rule.inOrderTo) continue;
    if (!(rule.serves === true && outer.serves === true) && isNews(inOrderTo)) return `, in order to ${inOrderTo}`;
  }
  const isOpen = rule.waitsFor.includes('{caller}') || isLock;
  if (!(isOpen ? TOLD : PURPOSE).test(context) || !isNews(context)) return '';
  // "in order to write" tells something of a page or a lock, and nothing of a device that takes what is written.
  const sleeps = rule.sleeps ?? [inner.primitive?.sleep ?? 'schedule'];
  const isOfFile = isOpen || sleeps.some((sleep) => IN_FILES.has(sleep));
  return isOfFile ? context.replace(ANY_FILE, '') : context.replace(WITH_ANY_FILE, '');
}

/** The outermost function of a stack that is cut off, if it is another than the one that waits. */
function callerOfAll(frames: readonly Frame[], { depth }: InnerEnd): string {
  const outermost = frames.findLast(({ symbol }, at) => at > depth && isTelling(functionName(symbol)));
  if (outermost === undefined) return '';
  const name = functionName(outermost.symbol);
  return OF_NO_CALLER.test(name) ? '' : `, called by ${name}${byName(outermost)}`;
}

function crashed({ waitsFor, frame }: Crash): Finding {
  return { ...NOTHING_KNOWN, kind: 'running', waitsFor, frame, innermost: frame };
}

/**
 * What may hang for whoever needs it on behalf of a blocked task: that may hold its own mmap lock, and does not stop.
 */
const OF_BLOCKED_TASK: readonly Resource[] = ['processes', 'mmapLock', 'ptrace'];

function mayHang(command: string, stuck: readonly Resource[] = []): boolean {
  const taken = COMMANDS[command] ?? [];
  return taken.some((resource) => OF_BLOCKED_TASK.includes(resource) || stuck.includes(resource));
}

function withCaller(waitsFor: string, caller: string | undefined): string {
  if (caller !== undefined) return waitsFor.replaceAll('{caller}', () => caller);
  const alone = waitsFor.replace(/ (?:(?:that|which) |in )\{caller\}(?: [a-z]+)*/, '');
  return alone === waitsFor ? waitsFor : `${alone}${CALLER_UNKNOWN}`;
}

const CALLER_UNKNOWN = ' (the stack is cut off: its caller is not known)';
const OFF_CPU = /^(?:__schedule|context_switch|__switch_to)$/;

function running(frames: readonly Frame[], inner: InnerEnd, matches: readonly Match[]): Finding {
  const caller = callerIn(frames, inner);
  const frame = frames[inner.depth] ?? frames[0];
  const { inOrderTo } = matches.find(({ rule }) => rule.inOrderTo !== undefined)?.rule ?? {};
  const isSure = !frames.every(isGuess);
  const place = caller === undefined || !isSure ? '' : `, in ${caller}`;
  const purpose = inOrderTo === undefined ? contextOf(frames, inner.depth) : `, in order to ${inOrderTo}`;
  const likely = isSure ? '' : LIKELY;
  const [best] = matches;
  if (best?.rule.spins === true) {
    const waitsFor = `${best.rule.waitsFor}${purpose}${likely}`;
    return { ...NOTHING_KNOWN, kind: 'running', waitsFor, frame: best.frame, innermost: frame };
  }
  const spins = inner.primitive?.sleep === 'spin';
  // The scheduler had taken the CPU from it, or it had slept and was woken.
  const isOff = OFF_CPU.test(functionName(frames[0]?.symbol ?? ''));
  const where = isOff ? 'it is ready to run, and waits for a CPU' : 'it is on a CPU, or ready to run';
  const waitsFor = spins
    ? `nothing: it spins on a lock${caller === undefined ? CALLER_UNKNOWN : ` that ${caller} takes`}${purpose}`
    : `nothing: ${where}${place}${purpose}`;
  return { ...NOTHING_KNOWN, kind: 'running', waitsFor: `${waitsFor}${likely}`, frame, innermost: frame };
}

function cutInInterrupt({ doing, frame }: NonNullable<ReturnType<typeof inInterrupt>>): Finding {
  const waitsFor = `nothing: ${doing}; what that had interrupted is not told`;
  return { ...NOTHING_KNOWN, kind: 'running', waitsFor, frame, innermost: frame };
}

function handles({ doing, frame }: NonNullable<ReturnType<typeof inSoftirq>>): Finding {
  return { ...NOTHING_KNOWN, kind: 'running', waitsFor: `nothing: ${doing}`, frame, innermost: frame };
}

/** `idles`: whether rules fit that know tasks to idle in such a stack, which the state D contradicts. */
function unexplained(
  frames: readonly Frame[],
  inner: InnerEnd,
  { idles, state }: { readonly idles: boolean; readonly state: 'R' | 'S' | 'D' | undefined },
): Finding {
  const frame = frames[inner.depth] ?? frames[0];
  const caller = callerIn(frames, inner) ?? (frame && functionName(frame.symbol));
  const base = { ...NOTHING_KNOWN, frame, innermost: frame };
  const held = inner.primitive?.waitsFor;
  const context = contextOf(frames, inner.depth);
  const named = `${caller}${byName(frames[inner.depth])}`;
  if (held !== undefined) {
    const isCut = frames[inner.depth] === undefined;
    const waitsFor = isCut ? `${held}${CALLER_UNKNOWN}` : `${held}, in ${named}${context}`;
    return { ...base, kind: 'blocked', waitsFor };
  }
  if (frame === undefined) return { ...base, kind: 'unexplained', waitsFor: 'unknown: the stack has no function' };
  if (frames[inner.depth] === undefined && inner.primitive !== undefined) return cutOff(frames, base);
  if (idles) {
    const waitsFor = `something unknown in ${caller}: tasks usually idle there, but not in state D${context}`;
    return { ...base, kind: 'blocked', waitsFor };
  }
  if (state === 'D') return { ...base, kind: 'blocked', waitsFor: `something unknown in ${named}${context}` };
  return { ...base, kind: 'unexplained', waitsFor: `unknown: no rule knows ${named}${context}` };
}

/** Of a stack that has nothing but functions of the scheduler. Mutexes and rw-semaphores call one of them only. */
function cutOff(frames: readonly Frame[], base: Omit<Finding, 'kind' | 'waitsFor'>): Finding {
  const isLock = frames.some(({ symbol }) => functionName(symbol) === 'schedule_preempt_disabled');
  return isLock
    ? { ...base, kind: 'blocked', waitsFor: 'a mutex or rw-semaphore, most likely (the stack is cut off)' }
    : { ...base, kind: 'unexplained', waitsFor: 'unknown: the stack is cut off behind the scheduler' };
}
