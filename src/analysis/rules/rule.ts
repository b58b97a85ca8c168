import type { Kind } from '../../model/finding.ts';

/**
 * Names of functions, normalized (see functionName), separated by `|`: one of them; or an expression that the whole
 * name matches.
 */
export type Pattern = string | RegExp;

/** What is known about the stacks that hold certain functions. */
export interface Rule {
  readonly id: string;
  /** Functions that occur in this order, innermost first, with any others between them. */
  readonly match: readonly Pattern[];
  /**
   * The modules, separated by `|`, one of which the first function must be in. A name matches also where no module is
   * known, an expression does not.
   */
  readonly module?: string;
  /**
   * The first pattern that is no sleeping primitive must be the innermost function that is none. Always so for idle
   * rules: a task that does something in a function below an idle loop is not idle.
   */
  readonly innermost?: true;
  /**
   * The rule knows the kind of sleep only: any other rule, also one about a function far from the inner end, says more.
   */
  readonly fallback?: true;
  /** One line that completes "waits for"; `{caller}` is the innermost function that is not a sleeping primitive. */
  readonly waitsFor: string;
  readonly kind: Kind;
  /** What usually brings this about. */
  readonly causes: string;
  /** Commands to look with. */
  readonly next: readonly string[];
  /** The kernel file and the function in it that waits. */
  readonly source: string;
  /** The kernels whose names the rule knows, where that is not all from 4.14 on. */
  readonly kernels?: string;
}

type RuleOf = (
  id: string,
  match: readonly Pattern[],
  waitsFor: string,
  causes: string,
  next: readonly string[],
  source: string,
  more?: Pick<Rule, 'module' | 'innermost' | 'kernels' | 'fallback'>,
) => Rule;

const ruleOf =
  (kind: Kind): RuleOf =>
  (id, match, waitsFor, causes, next, source, more = {}) => ({
    id,
    match,
    waitsFor,
    kind,
    causes,
    next,
    source,
    ...more,
  });

export const blocked = ruleOf('blocked');
export const idle = ruleOf('idle');
export const running = ruleOf('running');
/** For rules about a function that sleeps itself: true only where nothing is called in it. */
export const INNERMOST = { innermost: true } as const;
/** For rules about a way to sleep, of which the caller is to say what for. */
export const FALLBACK = { fallback: true } as const;
