import { Folds } from '../analysis/fold.ts';
import { escapeUnsafe } from '../terminal/escape.ts';
import type { Format, Samples, WriteContext } from './format.ts';

/**
 * Folded stacks, a line each: `NAME;OUTERMOST;...;INNERMOST COUNT`, the text that stackcollapse-*.pl of FlameGraph
 * print, and that flamegraph.pl, inferno and speedscope read. With threads, a thread of another name than its process
 * stands as `PROCESS;THREAD`. A `;` in a name would be a frame of its own and is written `\x3b`. `annotate` puts `_[k]`
 * behind each function, by which flamegraph.pl colours those of the kernel.
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
