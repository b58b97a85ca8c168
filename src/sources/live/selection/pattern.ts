import type { RE2JS } from 're2js';
import type { TextTest } from '../../../model/compiled-selection.ts';
import type { Pattern } from '../../../model/selection.ts';

/** Why a regular expression is invalid, with a line that marks the place. */
export class PatternError extends Error {}

/** The most cached results: thousands of tasks share a few functions and names. */
const MOST_KNOWN = 4096;
/** Errors in longer expressions are reported without their place. */
const LONGEST_MARKED = 1000;

/** Features of other engines that cannot be matched in linear time, by how they begin. */
const BACKTRACKING: readonly (readonly [RegExp, string])[] = [
  [/^\(\?<?[=!]/, 'lookaround'],
  [/^\\[1-9k]/, 'backreferences'],
];

/**
 * Compiles a regular expression in RE2 syntax (github.com/google/re2/wiki/Syntax), which always matches in time linear
 * in the text. The built-in engines backtrack: Node.js's without end, Bun's until it gives up and reports no match.
 * Loads the matcher on first use.
 * @throws PatternError
 */
export async function compilePattern({ source, flags = '' }: Pattern): Promise<TextTest> {
  const { RE2JS: engine } = await import('re2js');
  const unknown = /[^ims]/.exec(flags)?.[0];
  if (unknown !== undefined) throw new PatternError(`the flag '${unknown}' is not supported.`);
  const compiled = compile(engine, flags === '' ? source : `(?${flags})${source}`);
  if ('error' in compiled) throw new PatternError(explain(engine, source, compiled));
  const known = new Map<string, boolean>();
  return {
    source,
    flags,
    test: (text) => {
      const answer = known.get(text) ?? compiled.test(text);
      if (known.size >= MOST_KNOWN) known.clear();
      known.set(text, answer);
      return answer;
    },
  };
}

interface Refusal {
  readonly error: string;
  /** The invalid part, or everything from there on. */
  readonly part: string;
}

function compile(engine: typeof RE2JS, source: string): RE2JS | Refusal {
  try {
    return engine.compile(source);
  } catch (error) {
    if (!(error instanceof Error && 'error' in error)) throw error;
    return { error: String(error.error), part: 'input' in error ? String(error.input ?? '') : '' };
  }
}

function explain(engine: typeof RE2JS, source: string, { error, part }: Refusal): string {
  if (source.length > LONGEST_MARKED) return `${error}.`;
  const feature = BACKTRACKING.find(([begins]) => begins.test(part))?.[1];
  const reason = feature === undefined ? error : `the RE2 syntax has no ${feature}`;
  const before = source.slice(0, wrongAt(engine, source, error));
  return `${reason}:\n  ${source}\n  ${' '.repeat([...before].length)}^`;
}

/** Where an expression becomes invalid: after its longest prefix that does not fail with the same error. */
function wrongAt(engine: typeof RE2JS, source: string, error: string): number {
  for (let length = source.length - 1; length > 0; length--) {
    const compiled = compile(engine, source.slice(0, length));
    if (!('error' in compiled && compiled.error === error)) return length;
  }
  return 0;
}
