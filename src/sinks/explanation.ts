import type { Finding } from '../model/finding.ts';
import type { Frame, Stack } from '../model/stack.ts';
import { escapeUnsafe } from '../terminal/escape.ts';

/** A finding, and the tasks it is of. */
export interface Explanation extends Finding {
  readonly stack: Stack;
  /** One text a task, as it is to be shown. */
  readonly tasks: readonly string[];
  /** How often the stack was found. */
  readonly count: number;
}

const MOST_TASKS = 8;

/** Explanations for people, a paragraph each; `why` adds the rules behind them. Ends with a line that sums up. */
export function formatExplanations(explanations: readonly Explanation[], why: boolean): string {
  const paragraphs = explanations.map((explanation) =>
    lines(explanation, why)
      .map((line) => `${escapeUnsafe(line)}\n`)
      .join(''),
  );
  return `${paragraphs.join('\n')}\n${summary(explanations)}\n`;
}

function lines(explanation: Explanation, why: boolean): string[] {
  const { count, tasks, kind, waitsFor, causes, next, frame, innermost } = explanation;
  const at = frame === undefined ? 'no frames' : place(frame);
  const inside = innermost === undefined || innermost === frame ? '' : ` (in it: ${place(innermost)})`;
  return [
    `${count} x ${at}${inside}`,
    ...(tasks.length === 0 ? [] : [`  tasks:  ${someOf(tasks)}`]),
    `  ${`${kind}:`.padEnd(7)} ${kind === 'unexplained' ? '' : 'waits for '}${waitsFor}`,
    ...(causes === '' ? [] : [`  causes: ${causes}`]),
    ...next.map((command, at) => `  ${at === 0 ? 'next:  ' : '       '} ${command}`),
    ...(why ? reasons(explanation) : []),
  ];
}

function reasons({ rule, source, kernels, others }: Explanation): string[] {
  if (rule === undefined) return ['  why:    no rule fits'];
  return [
    `  why:    rule ${rule}, see ${source}${kernels === undefined ? '' : ` (kernels: ${kernels})`}`,
    ...others.map((other) => `          less specific: ${other.rule}, by ${place(other.frame)}`),
  ];
}

function place({ symbol, module }: Frame): string {
  return module === undefined ? symbol : `${symbol} [${module}]`;
}

function someOf(tasks: readonly string[]): string {
  const more = tasks.length - MOST_TASKS;
  return `${tasks.slice(0, MOST_TASKS).join(', ')}${more > 0 ? ` (+${more})` : ''}`;
}

function summary(explanations: readonly Explanation[]): string {
  const counts = ['blocked', 'idle', 'running', 'unexplained'].map((kind) => {
    const total = explanations
      .filter((explanation) => explanation.kind === kind)
      .reduce((sum, { count }) => sum + count, 0);
    return `${total} ${kind}`;
  });
  const total = explanations.reduce((sum, { count }) => sum + count, 0);
  return `${total} stack${total === 1 ? '' : 's'}, ${explanations.length} different: ${counts.join(', ')}.`;
}
