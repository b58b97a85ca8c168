import type { Pattern } from '../rules/rule.ts';

/** An expression that matches a whole name by any of these patterns. */
export function wholeName(patterns: readonly Pattern[]): RegExp {
  const sources = patterns.map((pattern) => (typeof pattern === 'string' ? pattern : pattern.source));
  return new RegExp(`^(?:${sources.join('|')})$`);
}
