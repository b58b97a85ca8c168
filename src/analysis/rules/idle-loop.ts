import { THIS_TASK } from './commands.ts';
import type { Rule } from './rule.ts';

/** An idle rule. Without causes, the thread has nothing to do; without commands, look at the thread itself. */
export type IdleLoop = Omit<Rule, 'kind' | 'causes' | 'next'> & Partial<Pick<Rule, 'causes' | 'next'>>;

export function idleLoops(loops: readonly IdleLoop[]): Rule[] {
  return loops.map((loop) => ({ kind: 'idle', causes: 'Normal: it has nothing to do.', next: THIS_TASK, ...loop }));
}
