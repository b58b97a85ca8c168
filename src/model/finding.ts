import type { Group } from './sample.ts';
import type { Frame } from './stack.ts';

/** `idle`: waits for work or a request. `blocked`: waits for a resource. `running`: uses a CPU. */
export type Kind = 'idle' | 'blocked' | 'running';

/** What the analysis has to say about the tasks that share a stack. */
export interface Finding {
  /** The most specific matching rule; undefined if none matches, and for empty stacks. */
  readonly rule: string | undefined;
  readonly kind: Kind | 'unexplained';
  /** One line. */
  readonly waitsFor: string;
  /** What the whole stack belongs to, as far as `waitsFor` does not say it: `in write(2)`. */
  readonly within: string | undefined;
  /** The usual causes; empty if none are known. */
  readonly causes: string;
  /** Commands to investigate with. They change nothing, and do not wait for what the task waits for. */
  readonly next: readonly string[];
  /** Commands that may end the wait. They change the host. */
  readonly undo: readonly string[];
  /** Kernel file and function; undefined without a rule. */
  readonly source: string | undefined;
  /** The kernel versions whose function names the rule knows; undefined for all. */
  readonly kernels: string | undefined;
  /** The frame that the rule is about; without a rule, the innermost that is not a sleeping primitive. */
  readonly frame: Frame | undefined;
  /**
   * The innermost frame that is not a sleeping primitive. If it differs from `frame`, no rule knows what happens in it.
   */
  readonly innermost: Frame | undefined;
  /** The other matching rules, most specific first. */
  readonly others: readonly { readonly rule: string; readonly frame: Frame }[];
}

/** A group and its finding. */
export interface ExplainedGroup extends Group {
  readonly finding: Finding;
}

/** How many tasks are of each kind. */
export type KindCounts = Readonly<Record<Finding['kind'], number>>;
