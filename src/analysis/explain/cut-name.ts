import type { Finding } from '../../model/finding.ts';
import type { Stack } from '../../model/stack.ts';
import { functionName } from '../function-name.ts';
import { explain } from './explain.ts';
import { knownFunctions } from './known-functions.ts';

const UNDERSCORES = ['_', '__', '___'] as const;
/** So many letters ps(1) shows of a function, unless told otherwise. Fewer are no beginning of a name. */
const LEAST_LETTERS = 6;
/** Unlike ps, it does not hang on a task that is stuck. */
const ASK_WHOLE = 'kstack -p PID -f long';

const findings = new WeakMap<Stack, Finding>();
const inD = new WeakMap<Stack, Finding>();

/**
 * Explains the one function that ps(1) shows of a task: without leading underscores, and cut to the width of its column
 * (procps, src/ps/output.c, pr_wchan; library/wchan.c). Where several functions begin so, they must mean the same.
 */
export function explainCutName(stack: Stack, state?: string): Finding {
  const known = of(findings, stack, undefined);
  return state === 'D' && known.kind === 'idle' ? of(inD, stack, 'D') : known;
}

function of(map: WeakMap<Stack, Finding>, stack: Stack, state: 'D' | undefined): Finding {
  let known = map.get(stack);
  if (known === undefined) {
    known = explainedName(stack, state);
    map.set(stack, known);
  }
  return known;
}

function explainedName(stack: Stack, state: 'D' | undefined): Finding {
  const asPrinted = explain(stack);
  const [frame] = stack.frames;
  if (frame === undefined || asPrinted.kind !== 'unexplained')
    return state === undefined ? asPrinted : explain(stack, state);
  const names = knownFunctions();
  const whole = UNDERSCORES.map((before) => functionName(before + frame.symbol)).filter((name) => names.has(name));
  const meant = whole.length > 0 ? whole : namesThatBegin(frame.symbol, names);
  const [first, ...others] = meant.map((symbol) => explain({ id: stack.id, frames: [{ symbol, raw: symbol }] }, state));
  if (first === undefined) return asPrinted;
  if (others.every(({ kind, waitsFor }) => kind === first.kind && waitsFor === first.waitsFor))
    return { ...first, frame, innermost: frame };
  const waitsFor = `unknown: ${meant.length} known functions begin with ${frame.symbol}: ps has cut off the rest`;
  return { ...asPrinted, waitsFor, next: [ASK_WHOLE] };
}

function namesThatBegin(cut: string, names: ReadonlySet<string>): string[] {
  if (cut.length < LEAST_LETTERS) return [];
  const begin = functionName(`__${cut}`).startsWith('sys_') ? functionName(`__${cut}`) : cut;
  return [...names].filter((name) => name.replace(/^_+/, '').startsWith(begin));
}
