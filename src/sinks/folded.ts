import { Folds } from '../analysis/fold.ts';
import { escapeUnsafe } from '../terminal/escape.ts';
import type { Format, Samples, WriteContext } from './format.ts';

/**
 * Folded stacks, one per line: `NAME;OUTERMOST;...;INNERMOST COUNT`. FlameGraph's stackcollapse-*.pl print this text;
 * flamegraph.pl, inferno and speedscope read it. With threads, a thread whose name differs from its process's is
 * `PROCESS;THREAD`. A `;` in a name would split a frame, so it is written `\x3b`. `annotate` appends `_[k]` to each
 * function, by which flamegraph.pl colours kernel functions.
 */
export const format: Format = { fields: [], facts: false, binary: false, write: formatFolded };

async function* formatFolded(samples: Samples, { annotate }: WriteContext): AsyncGenerator<string> {
  const folds = new Folds();
  for await (const sample of samples) folds.add(sample);
  const mark = annotate ? '_[k]' : '';
  for (const { names, frames, count } of folds.all()) {
    const functions = frames.map(({ symbol }) => (symbol.startsWith('[') ? symbol : `${symbol}${mark}`)).toReversed();
    const line = [...names, ...functions].map((name) => escapeUnsafe(name).replaceAll(';', '\\x3b'));
    yield `${line.join(';')} ${count}\n`;
  }
}
