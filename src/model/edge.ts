import type { Observation, Sample } from './sample.ts';

/** What waits, or is waited for: a task by its TID, or a resource by its key. */
export type NodeKey = number | string;

export const RESOURCE_KINDS = ['lock', 'file', 'pipe', 'socket', 'mount', 'device', 'server', 'cgroup'] as const;

/** What tasks wait for that is not a task. */
export type ResourceKind = (typeof RESOURCE_KINDS)[number];

/** Where something was read, and what it said. */
export interface Evidence {
  /** A file, or a field of the kernel: `/proc/locks`, `task_struct.blocker`. */
  readonly place: string;
  readonly text: string;
  /** When it was read, Unix milliseconds, if not with its sample. */
  readonly timeMs?: number;
}

export interface Resource {
  /** Unique in the sample, and the same in the next one: `mount 45`, `device 7:0`. */
  readonly key: string;
  readonly kind: ResourceKind;
  /** `/mnt/share`, `loop0`, `nfs.example.com`. Not escaped. */
  readonly name: string;
  /** What is unusual about it, as a sentence without its subject: `is suspended`. */
  readonly condition?: string;
  /** Set if whoever waits for it will wait until somebody does something about it. */
  readonly hangs?: true;
  /** Set if `condition` is inferred. */
  readonly inferred?: true;
  /** What shows `condition`. */
  readonly evidence: readonly Evidence[];
}

/** How one waits for another. */
export const EDGE_KINDS = [
  'mutex',
  'semaphore',
  'rwsem-read',
  'rwsem-write',
  'vfork',
  'ptrace',
  'mmap-lock',
  'page-fault',
  'futex',
  'thread-end',
  'child',
  'flock',
  'posix-lock',
  'lease',
  'pipe-writer',
  'pipe-reader',
  'socket-peer',
  'terminal',
  'mount',
  'served-by',
  'server',
  'device',
  'beneath',
  'backing-file',
  'frozen',
  'commit',
  'transaction',
  'work',
] as const;

export type EdgeKind = (typeof EDGE_KINDS)[number];

/** Locks that a program may hold for as long as it waits for something else. */
export const LOCKS_OF_PROGRAMS: ReadonlySet<EdgeKind> = new Set(['futex', 'flock', 'posix-lock']);

/** One waits for another. */
export interface Edge {
  readonly from: NodeKey;
  readonly to: NodeKey;
  readonly by: EdgeKind;
  /** Set if the waiter goes on as soon as one of its edges with this mark ends: one of several writers of a pipe. */
  readonly any?: true;
  /** Set if the kernel does not say so itself. */
  readonly inferred?: true;
  readonly evidence: readonly Evidence[];
}

/** What others wait for, and that itself waits for nothing. */
export interface Root {
  readonly key: NodeKey;
  /** Undefined for a resource, and for a task of which only the number is known. */
  readonly observation: Observation | undefined;
  /** Undefined for a task. */
  readonly resource: Resource | undefined;
  /** How many tasks wait for it, directly or through others. */
  readonly tasks: number;
  /** Those that lead to it, nearest first. */
  readonly edges: readonly Edge[];
  /** Set if the graph is so large that only those that wait for it directly are counted and listed. */
  readonly isAtLeast?: true;
}

/** Nodes that wait for each other, and that nothing else can free, as far as the edges tell. */
export interface Cycle {
  /** Those among its nodes. */
  readonly edges: readonly Edge[];
  /** Whether the kernel itself says every one of them. */
  readonly isCertain: boolean;
}

export interface WaitGraph {
  /** All of them. */
  readonly edges: readonly Edge[];
  /** Sorted by how many tasks they hold up, most first. */
  readonly roots: readonly Root[];
  readonly cycles: readonly Cycle[];
}

/** Whether the kernel itself says all of these edges. */
export function isCertain(edges: readonly Edge[]): boolean {
  return edges.every(({ inferred }) => inferred !== true);
}

/** Edges by the node they start from. */
export function edgesByStart(edges: Iterable<Edge>): Map<NodeKey, Edge[]> {
  return listed(edges, ({ from }) => from);
}

/** Edges by the node they lead to. */
export function edgesByEnd(edges: Iterable<Edge>): Map<NodeKey, Edge[]> {
  return listed(edges, ({ to }) => to);
}

function listed(edges: Iterable<Edge>, keyOf: (edge: Edge) => NodeKey): Map<NodeKey, Edge[]> {
  const lists = new Map<NodeKey, Edge[]>();
  for (const edge of edges) {
    const key = keyOf(edge);
    const list = lists.get(key);
    if (list === undefined) lists.set(key, [edge]);
    else list.push(edge);
  }
  return lists;
}

/** All tasks of a sample, by TID. */
export function tasksByTid({
  observations,
  holders,
}: Pick<Sample, 'observations' | 'holders'>): Map<number, Observation> {
  const tasks = new Map<number, Observation>();
  for (const some of [observations, holders])
    for (const observation of some) {
      const { tid } = observation.task.id;
      if (tid !== undefined) tasks.set(tid, observation);
    }
  return tasks;
}

/** The edges that follow from the facts about one task: what it waits for, and who waits for it to leave its memory. */
export function edgesOf({ task, state, facts }: Pick<Observation, 'task' | 'state' | 'facts'>): Edge[] {
  const { tid } = task.id;
  // Each CPU has an idle task of number 0.
  return tid === undefined || tid === 0 || facts === undefined ? [] : edgesOfFacts(tid, state, facts);
}

export function edgesOfFacts(
  tid: number,
  state: string | undefined,
  { lock, vforkParent, tracer }: NonNullable<Observation['facts']>,
): Edge[] {
  const edges: Edge[] = [];
  if (lock?.owner !== undefined && lock.owner !== tid) {
    const { owner, kind, inferred, address, place = inferred === true ? KERNEL_LOG : BLOCKER } = lock;
    const at = address === undefined ? '' : ` at ${address}`;
    const evidence = [{ place, text: `${kind}${at}, owner ${owner}` }];
    edges.push({ from: tid, to: owner, by: kind, ...(inferred === true && { inferred }), evidence });
  }
  if (vforkParent !== undefined)
    edges.push({
      from: vforkParent,
      to: tid,
      by: 'vfork',
      evidence: [{ place: 'task_struct.vfork_done', text: `${tid} is a vfork child of ${vforkParent}` }],
    });
  if (tracer !== undefined && state === 't')
    edges.push({
      from: tid,
      to: tracer,
      by: 'ptrace',
      evidence: [{ place: 'task_struct.ptrace', text: `${tid} is stopped, its tracer is ${tracer}` }],
    });
  return edges;
}

const BLOCKER = 'task_struct.blocker';
const KERNEL_LOG = 'the kernel log';

/** Equal for edges that say the same. A task and a resource of the same name differ. */
export function edgeKey({ from, to, by }: Edge): string {
  return `${by} ${nodeText(from)} ${nodeText(to)}`;
}

function nodeText(key: NodeKey): string {
  return typeof key === 'number' ? `${key}` : JSON.stringify(key);
}

/** All edges of a sample, each once. What facts tell comes first. */
export function edgesIn(sample: Pick<Sample, 'observations' | 'holders' | 'edges'>): Edge[] {
  const edges: Edge[] = [];
  const firsts = new Map<NodeKey, Edge>();
  const others = new Set<string>();
  const add = (edge: Edge) => {
    const first = firsts.get(edge.from);
    // Nearly every task waits for one thing, and there may be a hundred thousand.
    if (first === undefined) firsts.set(edge.from, edge);
    else {
      const key = edgeKey(edge);
      if ((first.to === edge.to && first.by === edge.by) || others.has(key)) return;
      others.add(key);
    }
    edges.push(edge);
  };
  for (const observations of [sample.observations, sample.holders])
    for (const observation of observations) if (observation.facts !== undefined) edgesOf(observation).forEach(add);
  sample.edges?.forEach(add);
  return edges;
}
