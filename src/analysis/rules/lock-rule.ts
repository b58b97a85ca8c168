import { OTHERS_BLOCKED } from './commands.ts';
import type { Rule, Step } from './rule.ts';

export const HOLDER =
  'Another task holds it and is itself slow or stuck: look for a blocked task in the same subsystem.';

/** What a rule about a lock leaves to be told; absent `causes` and `next` point to the holder. */
type Lock = Pick<Rule, 'id' | 'waitsFor' | 'source'> & Partial<Rule> & { readonly takers: Step };

/** A rule about a lock: one of the takers is the innermost function, and the task waits for a lock there. */
export function lockRule({ takers, ...rule }: Lock): Rule {
  return {
    kind: 'blocked',
    match: [takers],
    innermost: true,
    sleeps: ['lock'],
    causes: HOLDER,
    next: OTHERS_BLOCKED,
    ...rule,
  };
}
