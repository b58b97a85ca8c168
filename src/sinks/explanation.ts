import { explainObservation, KINDS } from '../analysis/explain-sample.ts';
import type { Finding } from '../model/finding.ts';
import type { Observation } from '../model/sample.ts';
import type { Frame } from '../model/stack.ts';
import { escapeUnsafe } from '../terminal/escape.ts';
import type { Format, Samples, WriteContext } from './format.ts';

/** The output of kstack explain: a paragraph for each different stack, and a summary line. */
export const format: Format = { fields: [], facts: false, binary: false, write: formatExplanations };

/** A finding, and the tasks that share it. */
interface Explanation {
  readonly finding: Finding;
  /** One displayable text per task. */
  readonly tasks: string[];
  /** How often the stack was found. */
  count: number;
}

const MOST_TASKS = 8;

/** Blocked stacks first, idle ones last, the most frequent first within a kind. `full` adds the rules behind it. */
async function* formatExplanations(samples: Samples, { full }: WriteContext): AsyncGenerator<string> {
  const found = new Map<string, Explanation>();
  for await (const { observations } of samples) for (const observation of observations) add(found, observation);
  const explanations = [...found.values()].sort(
    (a, b) => KINDS.indexOf(a.finding.kind) - KINDS.indexOf(b.finding.kind) || b.count - a.count,
  );
  for (const explanation of explanations) yield `${linesOf(explanation, full).map(escapeUnsafe).join('\n')}\n\n`;
  yield `${summary(explanations)}\n`;
}

function add(found: Map<string, Explanation>, observation: Observation): void {
  const { stack, state, task } = observation;
  const hasFrames = 'value' in stack && stack.value.frames.length > 0;
  const key = hasFrames ? `${stack.value.id}` : `${'unread' in stack ? stack.unread : ''} ${state ?? ''}`;
  let explanation = found.get(key);
  if (explanation === undefined) {
    explanation = { finding: explainObservation(observation), tasks: [], count: 0 };
    found.set(key, explanation);
  }
  explanation.count++;
  const parts = [task.comm, task.id.tid, state === undefined ? undefined : `(${state})`];
  const name = parts.filter((part) => part !== undefined).join(' ');
  if (name !== '') explanation.tasks.push(name);
}

function linesOf({ finding, tasks, count }: Explanation, full: boolean): string[] {
  const { kind, waitsFor, causes, next, frame, innermost } = finding;
  const at = frame === undefined ? 'no frames' : place(frame);
  const inside = innermost === undefined || innermost === frame ? '' : ` (in it: ${place(innermost)})`;
  return [
    `${count} x ${at}${inside}`,
    ...(tasks.length === 0 ? [] : [`  tasks:  ${someOf(tasks)}`]),
    `  ${`${kind}:`.padEnd(7)} ${kind === 'unexplained' ? '' : 'waits for '}${waitsFor}`,
    ...(causes === '' ? [] : [`  causes: ${causes}`]),
    ...next.map((command, at) => `  ${at === 0 ? 'next:  ' : '       '} ${command}`),
    ...(full ? reasons(finding) : []),
  ];
}

function reasons({ rule, source, kernels, others }: Finding): string[] {
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
    const alike = explanations.filter(({ finding }) => finding.kind === kind);
    return `${alike.reduce((sum, { count }) => sum + count, 0)} ${kind}`;
  });
  const total = explanations.reduce((sum, { count }) => sum + count, 0);
  return `${total} stack${total === 1 ? '' : 's'}, ${explanations.length} different: ${counts.join(', ')}.`;
}
