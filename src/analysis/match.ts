import type { Frame } from '../model/stack.ts';
import { functionName, isSleepingPrimitive, wholeName } from './function-name.ts';
import { namesOf, patternsOf, type Rule, type Step } from './rules/rule.ts';

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

/** The innermost frame that is not a sleeping primitive. */
export function tellingFrame(frames: readonly Frame[]): Frame | undefined {
  return frames.find(({ symbol }) => !isSleepingPrimitive(functionName(symbol)));
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

  constructor(rules: readonly Rule[]) {
    for (const [order, rule] of rules.entries()) {
      const expressions = rule.match.filter((step) => namesOf(step) === undefined).length;
      const compiled = { rule, order, tests: rule.match.map(compile), expressions };
      const [first = []] = rule.match;
      const names = namesOf(first);
      if (names === undefined) this.#byExpression.push(compiled);
      else for (const name of names) this.#byFirstName.set(name, [...(this.#byFirstName.get(name) ?? []), compiled]);
    }
  }

  /**
   * The rules that fit, the most specific first. A rule is more specific than another when
   * 1. its innermost frame that is not a sleeping primitive is nearer to the inner end, see {@link Match.depth}: that
   *    is nearer to what is waited for;
   * 2. else, when it has more steps: it knows more of the way there;
   * 3. else, when fewer of them are expressions;
   * 4. else, when it names a module;
   * 5. else, when it comes first in the list of rules.
   */
  matches(frames: readonly Frame[]): Match[] {
    const names = frames.map(({ symbol }) => functionName(symbol));
    const telling = names.map((name) => !isSleepingPrimitive(name));
    const candidates = new Set(this.#byExpression);
    for (const name of names) for (const compiled of this.#byFirstName.get(name) ?? []) candidates.add(compiled);
    const found: { match: Match; compiled: Compiled }[] = [];
    for (const compiled of candidates) {
      const match = matchOne(compiled, frames, names, telling);
      if (match !== undefined) found.push({ match, compiled });
    }
    return found.sort((a, b) => bySpecificity(a, b)).map(({ match }) => match);
  }
}

function compile(step: Step): Test {
  const names = namesOf(step);
  if (names === undefined) {
    const expression = wholeName(patternsOf(step));
    return (name) => expression.test(name);
  }
  // Built on first use: a run meets the first functions of only a few rules.
  let set: ReadonlySet<string> | undefined;
  return (name) => {
    set ??= new Set(names);
    return set.has(name);
  };
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
    const fits = (name: string) => test(name) && (index > 0 || isInModule(frames[at], rule.module, expressions > 0));
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
function isInModule(frame: Frame | undefined, modules: readonly string[] | undefined, strict: boolean): boolean {
  if (modules === undefined) return true;
  return frame?.module === undefined ? !strict : modules.includes(frame.module);
}

function bySpecificity(a: { match: Match; compiled: Compiled }, b: { match: Match; compiled: Compiled }): number {
  if (a.match.depth !== b.match.depth) return a.match.depth - b.match.depth;
  const byPatterns = b.compiled.tests.length - a.compiled.tests.length;
  if (byPatterns !== 0) return byPatterns;
  if (a.compiled.expressions !== b.compiled.expressions) return a.compiled.expressions - b.compiled.expressions;
  const byModule = Number(b.compiled.rule.module !== undefined) - Number(a.compiled.rule.module !== undefined);
  return byModule || a.compiled.order - b.compiled.order;
}
