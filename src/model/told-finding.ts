import type { Finding } from './finding.ts';
import type { State } from './task.ts';

/**
 * What explains stacks where there are no rules, as JSON Lines: a finding is told before the first stack that has it.
 * A browser gets these with the samples, since the rules are larger than all else that it needs.
 */
export type ToldLine = ToldFinding | ToldStack;

export interface ToldFinding {
  readonly finding: number;
  readonly is: Finding;
}

export interface ToldStack {
  /** The frames as the kernel printed them, one per line. */
  readonly stack: string;
  /** The kind of state, and the finding. */
  readonly means: readonly [StateKind, number];
}

/** What a stack means differs between these: R, D, an end (Z, X), and all other states. */
export const STATE_KINDS = ['R', 'D', 'Z', 'S'] as const;
export type StateKind = (typeof STATE_KINDS)[number];

export function stateKind(state: State | undefined): StateKind {
  if (state === 'R' || state === 'D') return state;
  return state === 'Z' || state === 'X' ? 'Z' : 'S';
}
