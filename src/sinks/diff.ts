import type { Diff, DiffedWait } from '../analysis/times/diff.ts';
import { escapeUnsafe } from '../terminal/escape.ts';
import { meanTasks } from './counted.ts';
import { whatFor } from './long-waits.ts';
import { functionsOf } from './report.ts';

/** The kinds of change, with their words for people, those first that matter most. */
export const KINDS = [
  ['appeared', 'new'],
  ['grown', 'grown'],
  ['shrunk', 'shrunk'],
  ['disappeared', 'gone'],
] as const;

/** What changed, for people: the waits by how much they changed, at most `top` of each kind. */
export function* formatDiff(diff: Diff, top: number): Generator<string> {
  const [before, after] = diff.sides;
  yield `blocked tasks on average, in ${before.samples} and ${after.samples} samples:\n\n`;
  let found = false;
  for (const [kind, title] of KINDS) {
    const waits = diff[kind];
    if (waits.length === 0) continue;
    found = true;
    const lines = waits.slice(0, top).flatMap(linesOf);
    const more = waits.length > top ? [`  ... ${waits.length - top} more: --top ${waits.length}`] : [];
    yield `${[`${title}:`, ...lines, ...more].map(escapeUnsafe).join('\n')}\n\n`;
  }
  if (diff.unchanged > 0)
    yield `${diff.unchanged} ${diff.unchanged === 1 ? 'wait is' : 'waits are'} about as before.\n`;
  else if (!found) yield 'No task was blocked in either.\n';
}

function linesOf({ before, after, finding, stack }: DiffedWait): string[] {
  return [
    `  ${meanTasks(before)} -> ${meanTasks(after)}  ${whatFor(finding)}`,
    ...(stack === undefined ? [] : [`    ${functionsOf(stack)}`]),
  ];
}
