import { explainGroups } from '../analysis/explain/explain-sample.ts';
import { holdersIn } from '../analysis/holders/holding.ts';
import { waitGraph } from '../analysis/holders/wait-graph.ts';
import { edgesByStart, type NodeKey, type WaitGraph } from '../model/edge.ts';
import type { Sample } from '../model/sample.ts';
import { edgePhrase } from './edge-phrases.ts';
import { namesOf, waitLines } from './long-waits.ts';

/** Above the lines of those that wait in a normal way. */
export const NORMALLY = 'who waits for whom, where nobody is known to be stuck:';

/** Who holds up whom, as lines. */
export interface HolderLines {
  readonly stuck: readonly string[];
  /** Of those that wait for what is not stuck: a shell for its child, or idle workers for the next request. */
  readonly normal: readonly string[];
  /** What a task waits for, by who holds it. */
  readonly behind: (tid: NodeKey) => readonly string[];
}

/** Who holds up whom, if the text tells. */
export function holderLines(sample: Sample): HolderLines {
  const graph = waitGraph(sample);
  const { roots, cycles } = graph;
  if (roots.length + cycles.length === 0) return { stuck: [], normal: [], behind: () => [] };
  const groups = explainGroups({ ...sample, observations: [...sample.observations, ...sample.holders] });
  const names = namesOf(groups, sample.resources);
  const held = new Set(holdersIn(sample, graph).map(({ key }) => key));
  const out = edgesByStart(graph.edges);
  const linesFor = (some: Pick<WaitGraph, 'roots' | 'cycles'>) => waitLines({ ...graph, ...some }, groups, names);
  return {
    stuck: linesFor({ cycles, roots: roots.filter(({ key }) => held.has(key)) }),
    normal: linesFor({ cycles: [], roots: roots.filter(({ key }) => !held.has(key)) }),
    behind: (tid) => (out.get(tid) ?? []).map((edge) => edgePhrase(edge, names)),
  };
}
