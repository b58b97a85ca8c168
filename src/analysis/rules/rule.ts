import type { Kind } from '../../model/finding.ts';
import type { LockKind } from '../explain/lock-kinds.ts';
import type { Sleep } from '../explain/sleeping-primitives.ts';
import type { Resource } from './commands.ts';

/** The name of a function, normalized (see functionName), or an expression that the whole name matches. */
export type Pattern = string | RegExp;

/** One function of a stack; a list says that any of them will do. */
export type Step = Pattern | readonly Pattern[];

/** What is known about the stacks that hold certain functions. */
export interface Rule {
  readonly id: string;
  readonly kind: Kind;
  /** Functions that occur in this order, innermost first, with any others between them. */
  readonly match: readonly Step[];
  /**
   * The first function must be in one of these modules; absent: anywhere. Where a stack does not tell modules, a rule
   * of names matches all the same; a rule with an expression, which is too wide for that, does not.
   */
  readonly module?: readonly string[];
  /** Those of the first functions whose names drivers give to functions of their own, too: in no module. */
  readonly builtIn?: readonly string[];
  /**
   * The first function that is no sleeping primitive must be the innermost such function of the stack; absent: it may
   * call others. Always so for idle rules: a task that does something in a function below an idle loop is not idle.
   */
  readonly innermost?: true;
  /**
   * The rule knows the kind of sleep only: any other rule, also one about a function far from the inner end, says more.
   * Absent: the rule knows what is waited for.
   */
  readonly fallback?: true;
  /**
   * The functions call those of any driver, file system or the like: in an unknown function inside of them a task may
   * wait for anything, and the rule only tells what for. Absent: so if there are several unknown ones.
   */
  readonly outer?: true;
  /** The rule only tells what the functions do: what they wait for depends on how they sleep. */
  readonly purpose?: true;
  /** The functions have something done for any caller: the sentence goes on with what for, by the rules further out. */
  readonly serves?: true;
  /** The rule is about these kinds of sleep only; absent: about any, and idle rules about no lock, page or I/O. */
  readonly sleeps?: readonly Sleep[];
  /** Of an idle rule: new work completes a completion. Absent: who waits for one there has something to do. */
  readonly completion?: true;
  /** The rule is about locks of this kind only, where a stack tells the kind; absent: about any. */
  readonly lock?: LockKind;
  /** With `sleeps`: so it is most likely, too, where a stack lacks the functions of locks and completions. */
  readonly likely?: true;
  /** With the kind `running`: a running task, too, is best told by what the rule says, and not by its function. */
  readonly spins?: true;
  /** The rule holds in every state: the idle task of a CPU is shown in R, S or D. */
  readonly anyState?: true;
  /** One line that completes "waits for"; `{caller}` is the innermost function that is not a sleeping primitive. */
  readonly waitsFor: string;
  /**
   * Completes "in order to": what the task does in these functions. Where it waits there for a lock, an RCU grace
   * period or the like, it waits for that, and not for what `waitsFor` says. Absent: the rule is about these as well.
   */
  readonly inOrderTo?: string;
  /** `waitsFor` says all: what functions further out are for is not added. */
  readonly complete?: true;
  /** What usually brings this about. */
  readonly causes: string;
  /** What hangs, too, for whoever needs it while a task waits like this: no command of `next` may. */
  readonly stuck?: readonly Resource[];
  /** Commands to look with, all of them listed in COMMANDS. They change nothing. */
  readonly next: readonly string[];
  /** Commands that may end the wait. They change the host. */
  readonly undo?: readonly string[];
  /** The kernel file and the function in it that waits. */
  readonly source: string;
  /** The kernels whose names the rule knows; absent: all from 4.14 on. */
  readonly kernels?: string;
}

export function patternsOf(step: Step): readonly Pattern[] {
  return typeof step === 'string' || step instanceof RegExp ? [step] : step;
}

/** The names of a step; undefined if there is an expression among them. */
export function namesOf(step: Step): readonly string[] | undefined {
  const patterns = patternsOf(step);
  return patterns.every((pattern) => typeof pattern === 'string') ? patterns : undefined;
}

/** Whether a rule only knows the subsystem of an unknown function. */
export function isVague({ waitsFor, innermost, purpose }: Rule): boolean {
  return innermost === true && purpose !== true && waitsFor.includes('{caller}');
}
