import { Folds } from '../analysis/fold.ts';
import { escapeUnsafe } from '../terminal/escape.ts';
import type { Format, Samples } from './format.ts';

/** A sampled profile for https://www.speedscope.app (file-format-schema.json). Weights are numbers of tasks. */
export const format: Format = { fields: [], facts: false, binary: false, write: formatSpeedscope };

async function* formatSpeedscope(samples: Samples): AsyncGenerator<string> {
  const folds = new Folds();
  let name: string | undefined;
  for await (const sample of samples) {
    const time = sample.timeMs === undefined ? '' : ` ${new Date(sample.timeMs).toISOString()}`;
    name ??= `${escapeUnsafe(sample.host ?? 'stacks')}${time}`;
    folds.add(sample);
  }
  const indexOf = new Map<string, number>();
  const index = (frame: string) => {
    const known = indexOf.get(frame) ?? indexOf.size;
    indexOf.set(frame, known);
    return known;
  };
  const all = folds.all();
  const indices = all.map(({ names, frames }) =>
    [...names, ...frames.map(({ symbol }) => symbol).toReversed()].map((each) => index(escapeUnsafe(each))),
  );
  const weights = all.map(({ count }) => count);
  const endValue = weights.reduce((sum, weight) => sum + weight, 0);
  const profile = { type: 'sampled', name, unit: 'none', startValue: 0, endValue, samples: indices, weights };
  const file = {
    $schema: 'https://www.speedscope.app/file-format-schema.json',
    exporter: 'kstack',
    name,
    activeProfileIndex: 0,
    shared: { frames: Array.from(indexOf.keys(), (frame) => ({ name: frame })) },
    profiles: [profile],
  };
  yield `${JSON.stringify(file)}\n`;
}
