import type { Edge, NodeKey, Resource } from '../../../model/edge.ts';
import { edgesOf } from '../../../model/edge.ts';
import type { Observation, Sample } from '../../../model/sample.ts';
import type { EdgeContext, EdgeSource, FoundEdges } from './edge-source.ts';
import { EDGE_SOURCES } from './edge-sources.ts';
import { FileSystems } from './file-systems.ts';
import { withCalls } from './with-calls.ts';

/** How far waits are followed: a loop device on a file on a FUSE mount, whose daemon waits for a lock, is five. */
const MAX_ROUNDS = 16;
/** Bounds the work: a host may have tens of thousands of waiters, but what they wait for is little. */
const MAX_HOLDERS = 1000;
/** For all of it. */
const DEADLINE_MS = 1200;

type Followed = Pick<Sample, 'holders'> & FoundEdges;

/**
 * Who waits for whom, from these tasks on, and the tasks on the way that are not among them. Each source fails alone:
 * what it could not read is told.
 * @param observe sees the tasks of these TIDs, as far as they still exist
 */
export async function findEdges(
  observations: readonly Observation[],
  told: Omit<EdgeContext, 'tasks' | 'fileSystems' | 'untilMs'>,
  observe: (tids: readonly number[]) => Promise<readonly Observation[]>,
): Promise<Followed> {
  const tasks = new Map<number, Observation>();
  const resources = new Map<string, Resource>();
  const edges: Edge[] = [];
  const holders: Observation[] = [];
  const missed = new Set<number>();
  const fileSystems = new FileSystems(told);
  const context = { ...told, tasks, fileSystems, untilMs: told.clock.monotonicMs() + DEADLINE_MS };
  let newTasks = observations;
  let newResources: readonly Resource[] = [];
  for (let round = 0; round < MAX_ROUNDS && newTasks.length + newResources.length > 0; round++) {
    for (const observation of newTasks)
      if (observation.task.id.tid !== undefined) tasks.set(observation.task.id.tid, observation);
    const concerned = newTasks.filter(
      (task) => task.task.own !== true && EDGE_SOURCES.some((source) => source.concerns(task)),
    );
    const found = await askAll(await withCalls(concerned, told.reader), newResources, context);
    newResources = addResources(found.resources, resources);
    for (const edge of found.edges) edges.push(edge);
    const facts = newTasks.flatMap(edgesOf);
    const ends = [...facts, ...found.edges].flatMap(({ from, to }): NodeKey[] => [from, to]);
    const wanted = [...new Set(ends)].filter((key) => typeof key === 'number' && !tasks.has(key) && !missed.has(key));
    const tids = wanted.flatMap((key) => (typeof key === 'number' ? key : [])).slice(0, MAX_HOLDERS - holders.length);
    for (const tid of tids) missed.add(tid);
    newTasks = tids.length === 0 ? [] : await observe(tids);
    for (const holder of newTasks) holders.push(holder);
  }
  return { ...(await settleAll({ edges, resources: [...resources.values()] }, context)), holders };
}

/** In turn: each sees what the ones before it have left. */
async function settleAll(found: FoundEdges, context: EdgeContext): Promise<FoundEdges> {
  let settled = found;
  for (const source of EDGE_SOURCES) {
    const { settles, settle } = source;
    if (settle === undefined || !settled.resources.some((resource) => settles?.(resource) === true)) continue;
    const last = settled;
    settled = await answerOf(source, context, () => settle(last, context), last);
  }
  return settled;
}

/** Adds resources, and conditions of those that are there already. Returns the new ones. */
function addResources(found: readonly Resource[], all: Map<string, Resource>): Resource[] {
  const before = new Set(all.keys());
  for (const resource of found) {
    const known = all.get(resource.key);
    if (known === undefined || (known.condition === undefined && resource.condition !== undefined))
      all.set(resource.key, resource);
  }
  return [...all.values()].filter(({ key }) => !before.has(key));
}

/** Asks each source that something concerns. */
async function askAll(
  tasks: readonly Observation[],
  resources: readonly Resource[],
  context: EdgeContext,
): Promise<FoundEdges> {
  const asked = EDGE_SOURCES.flatMap((source) => {
    const waiters = tasks.filter((task) => source.concerns(task));
    const followed = resources.filter((resource) => source.follows?.(resource) === true);
    return [
      ...(waiters.length > 0 ? [answerOf(source, context, () => source.ofTasks(waiters, context))] : []),
      ...(followed.length > 0 && source.ofResources !== undefined
        ? [answerOf(source, context, () => source.ofResources?.(followed, context))]
        : []),
    ];
  });
  const answers = await Promise.all(asked);
  return {
    edges: answers.flatMap(({ edges }) => edges),
    resources: answers.flatMap(({ resources: found }) => found),
  };
}

const NOTHING: FoundEdges = { edges: [], resources: [] };

async function answerOf(
  { name }: EdgeSource,
  { tell }: EdgeContext,
  ask: () => Promise<FoundEdges> | undefined,
  otherwise = NOTHING,
): Promise<FoundEdges> {
  try {
    return (await ask()) ?? otherwise;
  } catch (error) {
    tell(`who holds up whom, ${name}: ${error instanceof Error ? error.message : String(error)}`);
    return otherwise;
  }
}
