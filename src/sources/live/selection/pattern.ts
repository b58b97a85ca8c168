import type { RE2JS } from 're2js';
import type { Pattern } from '../../../model/selection.ts';
import type { TextTest } from './compiled.ts';

/** Why a text is no regular expression, with a line that shows where. */
export class PatternError extends Error {}

/** So many answers are kept: a host has few functions and names, and thousands of tasks that share them. */
const MOST_KNOWN = 4096;
/** In a longer expression the place of an error is not looked for. */
const LONGEST_MARKED = 1000;

/** What other engines have and none can match in linear time, by how it begins. */
const BACKTRACKING: readonly (readonly [RegExp, string])[] = [
  [/^\(\?<?[=!]/, 'lookaround'],
  [/^\\[1-9k]/, 'backreferences'],
];

/**
 * Compiles a regular expression in the syntax of RE2 (github.com/google/re2/wiki/Syntax). It takes time linear in the
 * text, whatever both are: the engines of Node.js and Bun backtrack, the one without end, the other until it gives up
 * and says "no match". The matcher is loaded with the first expression.
 * @throws PatternError
 */
export async function compilePattern({ source, flags = '' }: Pattern): Promise<TextTest> {
  const { RE2JS: engine } = await import('re2js');
  const unknown = /[^ims]/.exec(flags)?.[0];
  if (unknown !== undefined) throw new PatternError(`the flag '${unknown}' is not known here.`);
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
  /** What is wrong, or all from there on. */
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

/** Where an expression goes wrong: behind the longest beginning of it that does not, or not in the same way. */
function wrongAt(engine: typeof RE2JS, source: string, error: string): number {
  for (let length = source.length - 1; length > 0; length--) {
    const compiled = compile(engine, source.slice(0, length));
    if (!('error' in compiled && compiled.error === error)) return length;
  }
  return 0;
}
