import { escapeUnsafe } from '../terminal/escape.ts';
import type { FoldedStack } from './folded.ts';

export interface SpeedscopeOptions {
  /** What the profile is called. */
  readonly name: string;
  /** The program that wrote it, with its version. */
  readonly exporter: string;
}

/**
 * A sampled profile for https://www.speedscope.app, in its file format (file-format-schema.json). A weight is a number
 * of tasks.
 */
export function* formatSpeedscope(
  folds: readonly FoldedStack[],
  { name, exporter }: SpeedscopeOptions,
): Generator<string> {
  const indexOf = new Map<string, number>();
  const index = (frame: string) => {
    const known = indexOf.get(frame) ?? indexOf.size;
    indexOf.set(frame, known);
    return known;
  };
  const samples = folds.map(({ comm, frames }) =>
    [comm, ...frames.map(({ symbol }) => symbol).toReversed()].map((each) => index(escapeUnsafe(each))),
  );
  const weights = folds.map(({ count }) => count);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const profile = { type: 'sampled', name, unit: 'none', startValue: 0, endValue: total, samples, weights };
  const shared = { frames: Array.from(indexOf.keys(), (frame) => ({ name: frame })) };
  const file = {
    $schema: 'https://www.speedscope.app/file-format-schema.json',
    exporter,
    name,
    activeProfileIndex: 0,
    shared,
    profiles: [profile],
  };
  yield `${JSON.stringify(file)}\n`;
}
