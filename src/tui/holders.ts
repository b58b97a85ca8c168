import { waitGraph } from '../analysis/holders/wait-graph.ts';
import { edgesByStart, edgesIn, type NodeKey, tasksByTid } from '../model/edge.ts';
import type { Observation, Sample } from '../model/sample.ts';

/** Who holds up the tasks of a sample. */
export interface Holders {
  /** What a task waits for at last: a root, or one of those in a deadlock. Undefined if nothing is known. */
  of(observation: Observation): NodeKey | undefined;
  /** Not escaped. */
  name(key: NodeKey): string;
}

export function holdersIn(sample: Sample): Holders {
  const edges = edgesIn(sample);
  const next = edgesByStart(edges);
  let tasks: ReadonlyMap<number, Observation> | undefined;
  let deadlocked: ReadonlySet<NodeKey> | undefined;
  const resources = new Map(sample.resources?.map(({ key, name }) => [key, name]));
  return {
    of: ({ task: { id } }) => {
      let end = id.tid === undefined ? undefined : next.get(id.tid)?.[0]?.to;
      const passed = new Set<NodeKey>();
      while (end !== undefined && !passed.has(end)) {
        passed.add(end);
        const to: NodeKey | undefined = next.get(end)?.[0]?.to;
        if (to === undefined) return end;
        end = to;
      }
      if (end === undefined) return undefined;
      // Whether a ring is a deadlock takes all edges to say.
      deadlocked ??= new Set(waitGraph(sample).cycles.flatMap((cycle) => cycle.edges.map(({ from }) => from)));
      return [...passed].find((key) => deadlocked?.has(key)) ?? end;
    },
    name: (key) => {
      tasks ??= tasksByTid(sample);
      const { comm } = tasks.get(typeof key === 'number' ? key : -1)?.task ?? {};
      const name = comm === undefined ? (resources.get(`${key}`) ?? `${key}`) : `${key} ${comm}`;
      return deadlocked?.has(key) === true ? `${name} (deadlock)` : name;
    },
  };
}
