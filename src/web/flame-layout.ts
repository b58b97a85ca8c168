import { functionName } from '../analysis/function-name.ts';
import type { Stretch, TaskLife } from '../analysis/times/task-lives.ts';
import type { Span } from './state.ts';

export const GROUPINGS = { function: 'function', module: 'module', finding: 'wait', command: 'command' } as const;
export type Grouping = keyof typeof GROUPINGS;

/** A function, or whatever else tasks are grouped by, with what is called from it. */
export interface FlameNode {
  readonly name: string;
  /** What its width stands for: the seconds of all tasks together, or a number of tasks. */
  weight: number;
  readonly children: Map<string, this>;
}

/** The stacks of all tasks in a span, as a tree. Idle tasks are left out unless they are asked for. */
export function flameTree(
  lives: readonly TaskLife[],
  { fromMs, toMs }: Span,
  by: Grouping,
  withIdle: boolean,
): FlameNode {
  const root: FlameNode = { name: 'all', weight: 0, children: new Map() };
  for (const life of lives)
    for (const stretch of life.stretches) {
      const seconds = (Math.min(stretch.toMs, toMs) - Math.max(stretch.fromMs, fromMs)) / 1000;
      // A single sample has no length, but its tasks are there.
      const weight = toMs === fromMs && stretch.fromMs <= toMs && stretch.toMs >= fromMs ? 1 : seconds;
      if (weight <= 0 || (!withIdle && stretch.finding.kind === 'idle')) continue;
      let node = root;
      node.weight += weight;
      for (const name of namesOf(life, stretch, by)) {
        let child = node.children.get(name);
        if (child === undefined) {
          child = { name, weight: 0, children: new Map() };
          node.children.set(name, child);
        }
        child.weight += weight;
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

/** A node of two trees: how many tasks were in it on average, before and after. */
export interface ComparedNode extends FlameNode {
  readonly before: number;
  readonly after: number;
}

/** What the width of a box stands for in a comparison. */
export const WIDTHS = { larger: 'the larger of both', before: 'before', after: 'after' } as const;
export type Width = keyof typeof WIDTHS;

/** One side of a comparison: a tree, and how long the time is that it adds up. */
export interface ComparedTree {
  readonly tree: FlameNode;
  /** 1 for a single sample. */
  readonly seconds: number;
}

/** Both trees in one. With the larger of both as width, also what is new and what is gone is as wide as it was. */
export function comparedTree(before: ComparedTree, after: ComparedTree, width: Width): ComparedNode {
  const merge = (name: string, one: FlameNode | undefined, other: FlameNode | undefined): ComparedNode => {
    const names = new Set([...(one?.children.keys() ?? []), ...(other?.children.keys() ?? [])]);
    const children = new Map<string, ComparedNode>();
    for (const each of names) children.set(each, merge(each, one?.children.get(each), other?.children.get(each)));
    const amounts = { before: (one?.weight ?? 0) / before.seconds, after: (other?.weight ?? 0) / after.seconds };
    let weight = width === 'larger' ? 0 : amounts[width];
    if (width === 'larger') {
      let [ownBefore, ownAfter] = [amounts.before, amounts.after];
      for (const child of children.values()) {
        ownBefore -= child.before;
        ownAfter -= child.after;
        weight += child.weight;
      }
      weight += Math.max(0, ownBefore, ownAfter);
    }
    return { name, weight, ...amounts, children };
  };
  return merge('all', before.tree, after.tree);
}

/** From -1, which is gone, to 1, which is new. */
export function changeOf({ before, after }: Pick<ComparedNode, 'before' | 'after'>): number {
  return before + after === 0 ? 0 : (after - before) / (after + before);
}

/** A rectangle of the drawing: `from` and `to` are shares of the width. */
export interface FlameBox<Node extends FlameNode> {
  readonly node: Node;
  readonly depth: number;
  readonly from: number;
  readonly to: number;
  readonly parent: FlameBox<Node> | undefined;
}

/** Boxes that are narrower than `least` of the width are left out, with all that is in them. */
export function flameBoxes<Node extends FlameNode>(root: Node, least: number): FlameBox<Node>[] {
  const boxes: FlameBox<Node>[] = [{ node: root, depth: 0, from: 0, to: 1, parent: undefined }];
  // The list grows during the loop.
  for (const parent of boxes) {
    let from = parent.from;
    const scale = (parent.to - parent.from) / Math.max(parent.node.weight, Number.MIN_VALUE);
    const children = [...parent.node.children.values()].sort((a, b) => b.weight - a.weight);
    for (const node of children) {
      const to = from + node.weight * scale;
      if (to - from < least) break;
      boxes.push({ node, depth: parent.depth + 1, from, to, parent });
      from = to;
    }
  }
  return boxes;
}

/** How much of the weight is in functions that match, each part counted once. */
export function matchedWeight(node: FlameNode, matches: (name: string) => boolean): number {
  if (matches(node.name)) return node.weight;
  let sum = 0;
  for (const child of node.children.values()) sum += matchedWeight(child, matches);
  return sum;
}
