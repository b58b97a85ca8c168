import { explainEmpty, NOTHING_KNOWN } from '../analysis/explain/empty-stack.ts';
import type { Finding } from '../model/finding.ts';
import { printFrames, type Stack } from '../model/stack.ts';
import type { State } from '../model/task.ts';
import { type StateKind, stateKind, type ToldLine } from '../model/told-finding.ts';

type Meanings = Partial<Record<StateKind, Finding>>;

const findings: Finding[] = [];
const byText = new Map<string, Meanings>();
const byStack = new WeakMap<Stack, Meanings>();
const UNTOLD: Finding = {
  ...NOTHING_KNOWN,
  kind: 'unexplained',
  waitsFor: 'unknown: the page does not tell what this stack means',
  frame: undefined,
  innermost: undefined,
};

/** Takes a line of the page's data: see model/told-finding.ts. */
export function takeFinding(line: ToldLine): void {
  if ('finding' in line) {
    findings[line.finding] = { ...UNTOLD, ...line.is };
    return;
  }
  const [kind, number] = line.means;
  const meanings = byText.get(line.stack) ?? {};
  meanings[kind] = findings[number] ?? UNTOLD;
  byText.set(line.stack, meanings);
}

/** What `explain` of analysis says, as told by whoever made the page. The build puts this in its place. */
export function explain(stack: Stack, state?: State): Finding {
  if (stack.frames.length === 0) return explainEmpty(state);
  let meanings = byStack.get(stack);
  if (meanings === undefined) {
    meanings = byText.get(printFrames(stack.frames)) ?? {};
    byStack.set(stack, meanings);
  }
  return meanings[stateKind(state)] ?? meanings.S ?? meanings.D ?? UNTOLD;
}
