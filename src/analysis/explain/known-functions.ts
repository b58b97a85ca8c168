import { RULES } from '../rules/index.ts';
import { patternsOf } from '../rules/rule.ts';

/** Rules do not change: found once, and only if a text is read. */
let known: ReadonlySet<string> | undefined;

/** The names of functions that rules know, as the kernel's sources have them. */
export function knownFunctions(): ReadonlySet<string> {
  known ??= namesInRules();
  return known;
}

function namesInRules(): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { match } of RULES)
    for (const step of match)
      for (const pattern of patternsOf(step)) if (typeof pattern === 'string') names.add(pattern);
  return names;
}
