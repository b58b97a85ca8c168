import type { Frame } from '../model/stack.ts';
import { functionName, isSleepingPrimitive } from './function-name.ts';
import type { Pattern, Rule } from './rules/rule.ts';

/** A rule that fits a stack. */
export interface Match {
  readonly rule: Rule;
  /** The innermost of the matched frames that is not a sleeping primitive; the innermost of all where all are. */
  readonly frame: Frame;
  /**
   * How many frames are inside of that frame. Where only sleeping primitives matched: next to the innermost other
   * frame, so that what knows this wins and what knows only those further out does not; infinite for fallbacks.
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

/** Rules made ready to be matched. */
export class Matcher {
  readonly #byFirstName = new Map<string, Compiled[]>();
  readonly #byExpression: Compiled[] = [];

  constructor(rules: readonly Rule[]) {
    for (const [order, rule] of rules.entries()) {
      const expressions = rule.match.filter((pattern) => typeof pattern !== 'string').length;
      const compiled = { rule, order, tests: rule.match.map(compile), expressions };
      const [first] = rule.match;
      if (typeof first !== 'string') this.#byExpression.push(compiled);
      else
        for (const name of first.split('|'))
          this.#byFirstName.set(name, [...(this.#byFirstName.get(name) ?? []), compiled]);
    }
  }

  /**
   * The rules that fit, the most specific first. A rule is more specific than another when
   * 1. its innermost frame that is not a sleeping primitive is nearer to the inner end, see {@link Match.depth}: that
   * is nearer to what is waited for; 2. else, when it names more functions: it knows more of the way there; 3. else,
   * when it has fewer expressions; 4. else, when it names a module; 5. else, when it stands first in the list of rules.
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

function compile(pattern: Pattern): Test {
  if (typeof pattern !== 'string') {
    const whole = new RegExp(`^(?:${pattern.source})$`);
    return (name) => whole.test(name);
  }
  const names = new Set(pattern.split('|'));
  return (name) => names.has(name);
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

/**
 * Not every printed stack has modules, and what is a module here is built in there: a name does without, an expression
 * is too wide for that.
 */
function isInModule(frame: Frame | undefined, modules: string | undefined, strict: boolean): boolean {
  if (modules === undefined) return true;
  return frame?.module === undefined ? !strict : modules.split('|').includes(frame.module);
}

function bySpecificity(a: { match: Match; compiled: Compiled }, b: { match: Match; compiled: Compiled }): number {
  if (a.match.depth !== b.match.depth) return a.match.depth - b.match.depth;
  const byPatterns = b.compiled.tests.length - a.compiled.tests.length;
  if (byPatterns !== 0) return byPatterns;
  if (a.compiled.expressions !== b.compiled.expressions) return a.compiled.expressions - b.compiled.expressions;
  const byModule = Number(b.compiled.rule.module !== undefined) - Number(a.compiled.rule.module !== undefined);
  return byModule || a.compiled.order - b.compiled.order;
}
