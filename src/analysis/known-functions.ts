import { RULES } from './rules/index.ts';
import { patternsOf } from './rules/rule.ts';

/** The names of functions that rules know, as the kernel's sources have them. */
export function knownFunctions(): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { match } of RULES)
    for (const step of match)
      for (const pattern of patternsOf(step)) if (typeof pattern === 'string') names.add(pattern);
  return names;
}
