import type { Group } from './sample.ts';
import type { Frame } from './stack.ts';

/** What a task does there: waits for work or for somebody to want it, waits for a resource, or uses a CPU. */
export type Kind = 'idle' | 'blocked' | 'running';

/** What there is to say about the tasks that share a stack. */
export interface Finding {
  /** The rule that won; undefined where none fits, and for empty stacks. */
  readonly rule: string | undefined;
  readonly kind: Kind | 'unexplained';
  /** One line. */
  readonly waitsFor: string;
  /** What usually brings this about; empty where nothing is known. */
  readonly causes: string;
  /** Commands to look with. */
  readonly next: readonly string[];
  /** Kernel file and function; undefined without a rule. */
  readonly source: string | undefined;
  /** The kernels whose names the rule knows; undefined for all. */
  readonly kernels: string | undefined;
  /** The frame that told; without a rule, the innermost that is not a sleeping primitive. */
  readonly frame: Frame | undefined;
  /**
   * The innermost frame that is not a sleeping primitive. Where it is not `frame`, no rule knows what happens in it.
   */
  readonly innermost: Frame | undefined;
  /** The other rules that fit, the most specific first. */
  readonly others: readonly { readonly rule: string; readonly frame: Frame }[];
}

/** A group, and what there is to say about its tasks. */
export interface ExplainedGroup extends Group {
  readonly finding: Finding;
}

/** How many tasks are of each kind. */
export type KindCounts = Readonly<Record<Finding['kind'], number>>;
