import { EMPTY_NAME } from '../model/empty-name.ts';
import type { Observation, Sample } from '../model/sample.ts';
import type { Frame, Stack } from '../model/stack.ts';

/** Tasks with the same name and the same functions in their stack. */
export interface Fold {
  /** The name of the process, followed by the thread's if threads are tasks and it has a different one. */
  readonly names: readonly string[];
  /** Innermost first. If there are none, a single frame says why. */
  readonly frames: readonly Frame[];
  /** Number of tasks in all samples together. */
  count: number;
}

/** Counts the tasks of all added samples by name and functions, for flame graphs. Ignores offsets within functions. */
export class Folds {
  readonly #folds = new Map<string, Fold>();
  readonly #symbolsOf = new WeakMap<Stack, string>();

  add(sample: Sample): void {
    for (const observation of sample.observations) {
      const frames = framesOf(observation);
      const names = namesOf(observation, sample.threads);
      // A name may hold line ends, and what separates it from the functions.
      const key = `${JSON.stringify(names)}\n${this.#symbolsIn(observation, frames)}`;
      const fold = this.#folds.get(key);
      if (fold === undefined) this.#folds.set(key, { names, frames, count: 1 });
      else fold.count++;
    }
  }

  /** In the order first seen. */
  all(): readonly Fold[] {
    return [...this.#folds.values()];
  }

  #symbolsIn({ stack }: Observation, frames: readonly Frame[]): string {
    let symbols = 'value' in stack ? this.#symbolsOf.get(stack.value) : undefined;
    if (symbols === undefined) {
      symbols = frames.map(({ symbol }) => symbol).join('\n');
      if ('value' in stack && stack.value.frames.length > 0) this.#symbolsOf.set(stack.value, symbols);
    }
    return symbols;
  }
}

const NO_NAME = '[no name]';

function namesOf({ task: { id, pid, comm = NO_NAME, processName } }: Observation, threads: boolean): string[] {
  const isAlone = !threads || id.tid === pid || processName === undefined || processName === comm;
  return (isAlone ? [comm] : [processName, comm]).map((name) => (name === '' ? EMPTY_NAME : name));
}

/** The frames of a task. If there are none, a single frame says why. */
export function framesOf({ stack, state }: Observation): readonly Frame[] {
  if ('unread' in stack) return [placeholder(`[stack not read: ${stack.unread}]`)];
  if (stack.value.frames.length > 0) return stack.value.frames;
  if (state === 'R') return [placeholder('[user space]')];
  return [placeholder(state === 'Z' || state === 'X' ? '[zombie]' : '[no stack]')];
}

function placeholder(text: string): Frame {
  return { symbol: text, raw: text };
}
