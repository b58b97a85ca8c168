import type { Frame } from '../../model/stack.ts';
import { functionName } from '../function-name.ts';
import { namesOf, patternsOf, type Rule, type Step } from '../rules/rule.ts';
import { type InnerEnd, isTelling } from './inner-end.ts';
import type { LockKind } from './lock-kinds.ts';
import { wholeName } from './pattern.ts';
import { IDLE_SLEEPS, isOfOtherLock, type Sleep, type SleepingPrimitive } from './sleeping-primitives.ts';

/** A rule that fits a stack. */
export interface Match {
  readonly rule: Rule;
  /** The innermost of the matched frames that is not a sleeping primitive; the innermost of all where all are. */
  readonly frame: Frame;
  /**
   * How many frames are inside that frame. If only sleeping primitives matched: half a frame outside the innermost
   * other frame, so that a rule about that one wins and a rule about frames further out loses. Infinite for fallbacks.
   */
  readonly depth: number;
}

type Test = (name: string) => boolean;

interface Compiled {
  readonly rule: Rule;
  readonly order: number;
  readonly tests: readonly Test[];
  readonly expressions: number;
}

/** Rules, compiled. */
export class Matcher {
  readonly #byFirstName = new Map<string, Compiled[]>();
  readonly #byExpression: Compiled[] = [];
  readonly #known = new Map<string, readonly Compiled[]>();

  constructor(rules: readonly Rule[]) {
    for (const [order, rule] of rules.entries()) {
      const steps = rule.match.map(namesOf);
      const expressions = steps.filter((names) => names === undefined).length;
      const compiled = { rule, order, tests: rule.match.map((step, at) => compile(step, steps[at])), expressions };
      const [names] = steps;
      if (names === undefined) this.#byExpression.push(compiled);
      else for (const name of names) this.#addFirst(name, compiled);
    }
  }

  #addFirst(name: string, compiled: Compiled): void {
    const others = this.#byFirstName.get(name);
    if (others === undefined) this.#byFirstName.set(name, [compiled]);
    else others.push(compiled);
  }

  /**
   * The rules that fit, the most specific first. A rule is more specific than another when
   * 1. its innermost frame that is not a sleeping primitive is nearer to the inner end, see {@link Match.depth}: that
   *    is nearer to what is waited for;
   * 2. else, when it tells what is waited for, and not only what for;
   * 3. else, when it has more steps: it knows more of the way there;
   * 4. else, when it is about this kind of sleep, or, where that is not known, about a likely one, or else about any;
   * 5. else, when fewer of them are expressions (before 4, where the kind of sleep is not known);
   * 6. else, when it names a module;
   * 7. else, when it comes first in the list of rules.
   */
  matches(frames: readonly Frame[], { depth, primitive, lock, isHidden }: InnerEnd): Match[] {
    const names = frames.map(({ symbol }) => functionName(symbol));
    const sleep = isHidden ? undefined : (primitive?.sleep ?? 'schedule');
    const telling = names.map((name, at) => at === depth || (at > depth && isTelling(name)));
    const candidates = new Set<Compiled>();
    for (const name of names) for (const compiled of this.#beginningWith(name)) candidates.add(compiled);
    const found: Found[] = [];
    for (const compiled of candidates) {
      if (!isPossible(compiled.rule, sleep) || !isOfLock(compiled.rule, lock, primitive)) continue;
      const match = matchOne(compiled, frames, names, telling);
      if (match !== undefined) found.push({ match, compiled });
    }
    return found.sort((a, b) => bySpecificity(a, b, sleep, lock)).map(({ match }) => match);
  }

  /** Whether a rule begins with this function, by its name. */
  knows(name: string): boolean {
    return this.#byFirstName.has(name);
  }

  /** The rules whose first step is this function. Most functions are in many stacks. */
  #beginningWith(name: string): readonly Compiled[] {
    let known = this.#known.get(name);
    if (known !== undefined) return known;
    known = [
      ...(this.#byFirstName.get(name) ?? []),
      ...this.#byExpression.filter(({ tests: [first] }) => first?.(name) ?? true),
    ];
    if (this.#known.size >= MOST_NAMES) this.#known.clear();
    this.#known.set(name, known);
    return known;
  }
}

/** Bounds memory: names may come from anyone. */
const MOST_NAMES = 10_000;

/** Compiled on first use: a run meets the first functions of only a few rules. */
function compile(step: Step, names: readonly string[] | undefined): Test {
  let test: Test | undefined;
  return (name) => {
    test ??= testOf(step, names);
    return test(name);
  };
}

function testOf(step: Step, names: readonly string[] | undefined): Test {
  if (names === undefined) {
    const expression = wholeName(patternsOf(step));
    return (name) => expression.test(name);
  }
  const set = new Set(names);
  return (name) => set.has(name);
}

/**
 * Whether a rule may be about a stack with this kind of sleep; undefined: /proc/PID/stack lacks the functions of locks
 * and completions. A task that waits for a lock in a function where others idle is at work: the rule only tells what
 * for.
 */
function isPossible(rule: Rule, sleep: Sleep | undefined): boolean {
  const { kind, sleeps, inOrderTo } = rule;
  if (sleep === undefined) return true;
  if (sleeps !== undefined) return sleeps.includes(sleep);
  // Who waits for a lock or for I/O does not run, whatever function is further out: the rule only tells what for.
  if (kind === 'running') return sleep === 'schedule' || sleep === 'spin' || inOrderTo !== undefined;
  return kind !== 'idle' || isIdleIn(rule, sleep) || inOrderTo !== undefined;
}

/** Whether who sleeps so in the functions of an idle rule has nothing to do there. */
export function isIdleIn({ completion }: Rule, sleep: Sleep): boolean {
  return IDLE_SLEEPS.has(sleep) || (completion === true && sleep === 'completion');
}

function isOfLock(rule: Rule, lock: LockKind | undefined, primitive: SleepingPrimitive | undefined): boolean {
  const isOnlyOfLocks = rule.sleeps?.every((sleep) => sleep === 'lock') === true && rule.fallback !== true;
  if (isOnlyOfLocks && primitive !== undefined && isOfOtherLock(rule.waitsFor, primitive)) return false;
  return rule.lock === undefined || lock === undefined || rule.lock === lock;
}

function matchOne(
  { rule, tests, expressions }: Compiled,
  frames: readonly Frame[],
  names: readonly string[],
  telling: readonly boolean[],
) {
  const matched: number[] = [];
  let at = 0;
  for (const [index, test] of tests.entries()) {
    const fits = (name: string) => test(name) && (index > 0 || isInModule(frames[at], rule, expressions > 0));
    while (at < names.length && !fits(names[at] ?? '')) at++;
    if (at === names.length) return undefined;
    matched.push(at++);
  }
  const [first = 0] = matched;
  const innermost = telling.indexOf(true);
  const depth = matched.find((index) => telling[index] === true);
  const needsInnermost = rule.innermost === true || rule.kind === 'idle';
  if (needsInnermost && innermost !== -1 && innermost < (depth ?? first)) return undefined;
  const frame = frames[depth ?? first];
  const nextTo = rule.fallback === true ? Number.POSITIVE_INFINITY : innermost + 0.5;
  return frame === undefined ? undefined : { rule, frame, depth: depth ?? nextTo };
}

/** Not all stacks come with modules, and one kernel builds in what another loads: only `strict` insists on a module. */
function isInModule(frame: Frame | undefined, { module: modules, builtIn }: Rule, strict: boolean): boolean {
  if (frame?.module === undefined) return modules === undefined || !strict;
  return modules?.includes(frame.module) ?? builtIn?.includes(functionName(frame.symbol)) !== true;
}

type Found = { readonly match: Match; readonly compiled: Compiled };

/** How well a rule knows this kind of sleep, and of lock. */
function knowledgeOf({ sleeps, likely, lock }: Rule, sleep: Sleep | undefined, known: LockKind | undefined): number {
  if (lock !== undefined && lock === known) return 2;
  if (sleeps === undefined) return 0;
  return sleep !== undefined || likely === true ? 1 : -1;
}

/**
 * A rule about what functions do says less than one about what they wait for, and more than one that only names them.
 */
function vaguenessOf({ purpose, sleeps, waitsFor }: Rule): number {
  if (purpose === true) return 1;
  return sleeps === undefined && waitsFor.includes('{caller}') ? 2 : 0;
}

function bySpecificity(a: Found, b: Found, sleep: Sleep | undefined, lock: LockKind | undefined): number {
  if (a.match.depth !== b.match.depth) return a.match.depth - b.match.depth;
  const byPurpose = vaguenessOf(a.compiled.rule) - vaguenessOf(b.compiled.rule);
  if ((a.compiled.rule.purpose ?? b.compiled.rule.purpose) === true && byPurpose !== 0) return byPurpose;
  const byPatterns = b.compiled.tests.length - a.compiled.tests.length;
  if (byPatterns !== 0) return byPatterns;
  const byExpressions = a.compiled.expressions - b.compiled.expressions;
  if (sleep === undefined && byExpressions !== 0) return byExpressions;
  const bySleep = knowledgeOf(b.compiled.rule, sleep, lock) - knowledgeOf(a.compiled.rule, sleep, lock);
  if (bySleep !== 0) return bySleep;
  if (byExpressions !== 0) return byExpressions;
  const byModule = Number(b.compiled.rule.module !== undefined) - Number(a.compiled.rule.module !== undefined);
  return byModule || a.compiled.order - b.compiled.order;
}
