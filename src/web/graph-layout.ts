import type { Edge, EdgeKind, NodeKey, WaitGraph } from '../model/edge.ts';
import { edgesByEnd } from '../model/edge.ts';

/** Tasks that wait for the same in the same way, or a root. */
export interface GraphNode {
  readonly id: string;
  readonly keys: readonly NodeKey[];
  readonly column: number;
  row: number;
  readonly isDeadlocked: boolean;
}

export interface GraphLink {
  readonly from: GraphNode;
  readonly to: GraphNode;
  readonly by: EdgeKind;
  readonly inferred: boolean;
}

export interface GraphLayout {
  readonly nodes: readonly GraphNode[];
  readonly links: readonly GraphLink[];
  readonly columns: number;
  readonly rows: number;
  /** How many tasks and resources have no room. */
  readonly undrawn: number;
}

/** More would be no drawing. */
const MOST_NODES = 400;

/**
 * Places a wait-for graph: roots in the first column, the largest first, and right of each what waits for it. Those
 * that wait for the same thing in the same way, and that nobody waits for, are one node. A node that waits for several
 * stands with the first of them.
 */
export function layoutGraph({ edges, roots, cycles }: WaitGraph): GraphLayout {
  const into = edgesByEnd(edges);
  const nodes: GraphNode[] = [];
  const links: GraphLink[] = [];
  const placed = new Map<NodeKey, GraphNode>();
  const inCycle = new Set<NodeKey>(cycles.flatMap(({ edges: some }) => some.map(({ from }) => from)));
  let [rows, columns] = [0, 0];
  const place = (keys: readonly NodeKey[], column: number): GraphNode => {
    const isDeadlocked = keys.some((key) => inCycle.has(key));
    const node = { id: `${nodes.length}`, keys, column, row: rows, isDeadlocked };
    nodes.push(node);
    for (const key of keys) placed.set(key, node);
    columns = Math.max(columns, column + 1);
    return node;
  };
  const grow = (node: GraphNode): void => {
    const groups = new Map<string, { readonly edges: Edge[]; readonly isLeaf: boolean }>();
    for (const key of node.keys)
      for (const edge of into.get(key) ?? []) {
        const known = placed.get(edge.from);
        if (known !== undefined) {
          links.push({ from: known, to: node, by: edge.by, inferred: edge.inferred === true });
          continue;
        }
        const isLeaf = !into.has(edge.from);
        const name = isLeaf ? `${edge.by} ${edge.inferred === true}` : `${edge.from}`;
        const group = groups.get(name);
        if (group === undefined) groups.set(name, { edges: [edge], isLeaf });
        else group.edges.push(edge);
      }
    const sorted = [...groups.values()].sort((a, b) => b.edges.length - a.edges.length);
    const first = rows;
    for (const [at, { edges: some, isLeaf }] of sorted.entries()) {
      const [edge] = some;
      if (edge === undefined || nodes.length >= MOST_NODES) break;
      if (at > 0) rows++;
      const child = place([...new Set(some.map(({ from }) => from))], node.column + 1);
      links.push({ from: child, to: node, by: edge.by, inferred: edge.inferred === true });
      if (!isLeaf) grow(child);
    }
    node.row = (first + rows) / 2;
  };
  const start = (key: NodeKey): void => {
    if (placed.has(key) || nodes.length >= MOST_NODES) return;
    if (nodes.length > 0) rows++;
    grow(place([key], 0));
  };
  for (const { edges: some } of cycles) for (const { from } of some) start(from);
  for (const { key } of roots) start(key);
  const all = new Set(edges.flatMap(({ from, to }) => [from, to]));
  const undrawn = [...all].filter((key) => !placed.has(key)).length;
  return { nodes, links, columns, rows: rows + 1, undrawn };
}
