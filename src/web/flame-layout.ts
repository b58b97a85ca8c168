import { functionName } from '../analysis/function-name.ts';
import type { Stretch, TaskLife } from '../analysis/task-lives.ts';
import type { Span } from './state.ts';

export const GROUPINGS = { function: 'function', module: 'module', finding: 'wait', command: 'command' } as const;
export type Grouping = keyof typeof GROUPINGS;

/** A function, or whatever else tasks are grouped by, with what is called from it. */
export interface FlameNode {
  readonly name: string;
  /** Of all tasks together. */
  seconds: number;
  readonly children: Map<string, FlameNode>;
}

/** The stacks of all tasks in a span, as a tree. Idle tasks are left out unless they are asked for. */
export function flameTree(
  lives: readonly TaskLife[],
  { fromMs, toMs }: Span,
  by: Grouping,
  withIdle: boolean,
): FlameNode {
  const root: FlameNode = { name: 'all', seconds: 0, children: new Map() };
  for (const life of lives)
    for (const stretch of life.stretches) {
      const seconds = (Math.min(stretch.toMs, toMs) - Math.max(stretch.fromMs, fromMs)) / 1000;
      // A single sample has no length, but its tasks are there.
      const weight = toMs === fromMs && stretch.fromMs <= toMs && stretch.toMs >= fromMs ? 1 : seconds;
      if (weight <= 0 || (!withIdle && stretch.finding.kind === 'idle')) continue;
      let node = root;
      node.seconds += weight;
      for (const name of namesOf(life, stretch, by)) {
        let child = node.children.get(name);
        if (child === undefined) {
          child = { name, seconds: 0, children: new Map() };
          node.children.set(name, child);
        }
        child.seconds += weight;
        node = child;
      }
    }
  return root;
}

/** From the outermost to the innermost. */
function namesOf({ task }: TaskLife, { observation: { stack }, finding }: Stretch, by: Grouping): string[] {
  const frames = 'value' in stack ? stack.value.frames.toReversed() : [];
  const functions = frames.map(({ symbol }) => functionName(symbol));
  if (by === 'module') {
    const modules = frames.map(({ module }) => module ?? 'kernel');
    return modules.filter((module, at) => module !== modules[at - 1]);
  }
  if (by === 'finding') return [finding.waitsFor, task.comm ?? '?'];
  if (by === 'command') return [task.comm ?? '?', ...functions];
  return functions.length === 0 ? ['(no stack)'] : functions;
}

/** A rectangle of the drawing: `from` and `to` are shares of the width. */
export interface FlameBox {
  readonly node: FlameNode;
  readonly depth: number;
  readonly from: number;
  readonly to: number;
  readonly parent: FlameBox | undefined;
}

/** Boxes that are narrower than `least` of the width are left out, with all that is in them. */
export function flameBoxes(root: FlameNode, least: number): FlameBox[] {
  const boxes: FlameBox[] = [{ node: root, depth: 0, from: 0, to: 1, parent: undefined }];
  // The list grows during the loop.
  for (const parent of boxes) {
    let from = parent.from;
    const scale = (parent.to - parent.from) / Math.max(parent.node.seconds, Number.MIN_VALUE);
    const children = [...parent.node.children.values()].sort((a, b) => b.seconds - a.seconds);
    for (const node of children) {
      const to = from + node.seconds * scale;
      if (to - from < least) break;
      boxes.push({ node, depth: parent.depth + 1, from, to, parent });
      from = to;
    }
  }
  return boxes;
}

/** How much of the time is in functions that match, each part counted once. */
export function matchedSeconds(node: FlameNode, matches: (name: string) => boolean): number {
  if (matches(node.name)) return node.seconds;
  let sum = 0;
  for (const child of node.children.values()) sum += matchedSeconds(child, matches);
  return sum;
}
