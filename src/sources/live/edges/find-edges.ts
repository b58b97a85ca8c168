import { type Edge, edgeKey, edgesOf, type NodeKey, type Resource } from '../../../model/edge.ts';
import type { Observation, Sample, Unread } from '../../../model/sample.ts';
import type { EdgeContext, EdgeSource, FoundEdges } from './edge-source.ts';
import { EDGE_SOURCES } from './edge-sources.ts';
import { FileSystems } from './file-systems.ts';
import { withCalls } from './with-calls.ts';

/** How far waits are followed: a loop device on a file on a FUSE mount, whose daemon waits for a lock, is five. */
const MAX_ROUNDS = 16;
/** Bounds the work: a host may have tens of thousands of waiters, but what they wait for is little. */
const MAX_HOLDERS = 1000;

type Followed = Pick<Sample, 'holders' | 'unread'> & FoundEdges;

/** What is read with, and how long all of it may take. */
type Means = Omit<EdgeContext, 'tasks' | 'fileSystems' | 'untilMs'> & { readonly searchMs: number };

/**
 * Who waits for whom, from these tasks on, the tasks on the way that are not among them, and in `unread` whether the
 * search was cut short. Each source fails alone: what it could not read is told.
 * @param observe sees the tasks of these TIDs, as far as they still exist
 */
export async function findEdges(
  observations: readonly Observation[],
  means: Means,
  observe: (tids: readonly number[]) => Promise<readonly Observation[]>,
  sources: readonly EdgeSource[] = EDGE_SOURCES,
): Promise<Followed> {
  const { clock, reader, searchMs } = means;
  const tasks = new Map<number, Observation>();
  const resources = new Map<string, Resource>();
  const edges = new Map<string, Edge>();
  const holders: Observation[] = [];
  const observed = new Set<number>();
  const fileSystems = new FileSystems(means);
  const context = { ...means, tasks, fileSystems, untilMs: clock.monotonicMs() + searchMs };
  const isLate = () => clock.monotonicMs() > context.untilMs;
  let cut: Unread['why'] | undefined;
  let newTasks = observations;
  let newResources: readonly Resource[] = [];
  for (let round = 0; newTasks.length + newResources.length > 0; round++) {
    if (round === MAX_ROUNDS || (round > 0 && isLate())) {
      cut = round === MAX_ROUNDS ? 'cut' : 'timeout';
      break;
    }
    for (const observation of newTasks)
      if (observation.task.id.tid !== undefined) tasks.set(observation.task.id.tid, observation);
    const concerned = newTasks.filter(
      (task) => task.task.own !== true && sources.some((source) => source.concerns(task)),
    );
    const asked = { tasks: await withCalls(concerned, reader, isLate), resources: newResources };
    const known = [...edges.values(), ...newTasks.flatMap(edgesOf)];
    const found = await askInTurn(sources, asked, known, context);
    newResources = addResources(resources, found.resources);
    for (const edge of found.edges) if (!edges.has(edgeKey(edge))) edges.set(edgeKey(edge), edge);
    const ends = [...newTasks.flatMap(edgesOf), ...found.edges].flatMap(({ from, to }): NodeKey[] => [from, to]);
    const wanted = new Set(ends.flatMap((key) => (typeof key === 'number' && !tasks.has(key) ? key : [])));
    const unknown = [...wanted].filter((tid) => !observed.has(tid));
    const tids = unknown.slice(0, MAX_HOLDERS - holders.length);
    if (tids.length < unknown.length) cut = 'cut';
    for (const tid of unknown) observed.add(tid);
    newTasks = tids.length === 0 ? [] : await observe(tids);
    for (const holder of newTasks) holders.push(holder);
  }
  if (cut === undefined && isLate()) cut = 'timeout';
  const found = { edges: [...edges.values()], resources: [...resources.values()] };
  const unread: Unread[] = cut === undefined ? [] : [{ tid: 0, what: 'edges', why: cut }];
  return { ...(await settleAll(sources, found, context)), holders, unread };
}

/** In turn: each sees what the ones before it have left. */
async function settleAll(sources: readonly EdgeSource[], found: FoundEdges, context: EdgeContext): Promise<FoundEdges> {
  let settled = found;
  for (const source of sources) {
    const { settles, settle } = source;
    if (settle === undefined || !settled.resources.some((resource) => settles?.(resource) === true)) continue;
    const last = settled;
    settled = await answerOf(source, context, () => settle(last, context), last);
  }
  return settled;
}

/** Returns those that are new. Of two sources that found the same one, the one counts that knows more of it. */
function addResources(known: Map<string, Resource>, found: readonly Resource[]): Resource[] {
  const added = new Set<string>();
  for (const resource of found) {
    const before = known.get(resource.key);
    if (before === undefined) added.add(resource.key);
    if (before === undefined || wordsOf(resource) > wordsOf(before)) known.set(resource.key, resource);
  }
  return [...added].flatMap((key) => known.get(key) ?? []);
}

function wordsOf({ condition, hangs, inferred }: Resource): number {
  return (hangs === true ? 4 : 0) + (condition === undefined ? 0 : 2) + (inferred === true ? 0 : 1);
}

interface Asked {
  readonly tasks: readonly Observation[];
  readonly resources: readonly Resource[];
}

/** Asks each source that something concerns, and those last that want to be. */
async function askInTurn(
  sources: readonly EdgeSource[],
  asked: Asked,
  known: readonly Edge[],
  context: EdgeContext,
): Promise<FoundEdges> {
  const isLast = ({ isLast }: EdgeSource) => isLast === true;
  const first = await askAll(
    sources.filter((source) => !isLast(source)),
    asked,
    known,
    context,
  );
  const last = await askAll(sources.filter(isLast), asked, [...known, ...first.edges], context);
  return { edges: [...first.edges, ...last.edges], resources: [...first.resources, ...last.resources] };
}

async function askAll(
  sources: readonly EdgeSource[],
  { tasks, resources }: Asked,
  known: readonly Edge[],
  context: EdgeContext,
): Promise<FoundEdges> {
  const asked = sources.flatMap((source) => {
    const waiters = tasks.filter((task) => source.concerns(task));
    const followed = resources.filter((resource) => source.follows?.(resource) === true);
    return [
      ...(waiters.length > 0 ? [answerOf(source, context, () => source.ofTasks(waiters, context, known))] : []),
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
