import { escapeUnsafe } from '../terminal/escape.ts';

/** Tasks that share their name and the functions they are in, innermost first. */
export interface FoldedStack {
  readonly comm: string;
  readonly frames: readonly { readonly symbol: string }[];
  readonly count: number;
}

/**
 * Folded stacks, a line each: `COMM;OUTERMOST;...;INNERMOST COUNT`, the text that stackcollapse-*.pl of FlameGraph
 * print, and that flamegraph.pl, inferno and speedscope read. A `;` in a name would be a frame of its own and is
 * written `\x3b`.
 */
export function* formatFolded(folds: readonly FoldedStack[]): Generator<string> {
  for (const { comm, frames, count } of folds) {
    const names = [comm, ...frames.map(({ symbol }) => symbol).toReversed()];
    yield `${names.map((name) => escapeUnsafe(name).replaceAll(';', '\\x3b')).join(';')} ${count}\n`;
  }
}
