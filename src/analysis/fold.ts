import type { Observation, Sample } from '../model/sample.ts';
import type { Frame, Stack } from '../model/stack.ts';

/** Tasks of one name with the same functions in their stack. */
export interface Fold {
  readonly comm: string;
  /** Innermost first. Where there are no frames, one that says why. */
  readonly frames: readonly Frame[];
  readonly count: number;
}

/**
 * Counts the tasks of a sample by their name and the functions they are in, as flame graphs want it. What differs in
 * offsets only is one.
 */
export function foldStacks(sample: Sample): Fold[] {
  const folds = new Map<string, { comm: string; frames: readonly Frame[]; count: number }>();
  const symbolsOf = new Map<Stack, string>();
  for (const observation of sample.observations) {
    const { stack, task } = observation;
    let symbols = 'value' in stack ? symbolsOf.get(stack.value) : undefined;
    const frames = framesOf(observation);
    if (symbols === undefined) {
      symbols = frames.map(({ symbol }) => symbol).join('\n');
      if ('value' in stack && stack.value.frames.length > 0) symbolsOf.set(stack.value, symbols);
    }
    const key = `${task.comm}\n${symbols}`;
    const fold = folds.get(key);
    if (fold === undefined) folds.set(key, { comm: task.comm, frames, count: 1 });
    else fold.count++;
  }
  return [...folds.values()];
}

/** The frames of a task; where there are none, one that says why. */
export function framesOf({ stack, state }: Observation): readonly Frame[] {
  if ('unread' in stack) return [placeholder(`[stack not read: ${stack.unread}]`)];
  if (stack.value.frames.length > 0) return stack.value.frames;
  if (state === 'R') return [placeholder('[user space]')];
  return [placeholder(state === 'Z' || state === 'X' ? '[zombie]' : '[no stack]')];
}

function placeholder(text: string): Frame {
  return { symbol: text, raw: text };
}
