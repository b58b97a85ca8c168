import type { Edge, EdgeKind, Evidence, Resource } from '../../../model/edge.ts';
import type { FoundEdges } from './edge-source.ts';
import type { FoundFiles, OpenFile, SharedFile } from './open-file.ts';
import type { OtherEnd, StreamAt } from './stream-ends.ts';

/** More processes at the other end are not told one by one: each may be waited for by as many tasks. */
const MOST_PROCESSES = 8;

/** The threads of a process that may be the ones waited for. */
export interface Threads {
  readonly tids: readonly number[];
  readonly areAll: boolean;
}

/** Who has the other end of a wait open, by PID. */
export interface Holders {
  readonly others: ReadonlyMap<number, OpenFile>;
  /** Set if the process of the waiter has it open itself. */
  readonly own: OpenFile | undefined;
  readonly ends: readonly OtherEnd[];
}

/** Undefined if nobody was found. */
export function holdersOf(stream: StreamAt, found: FoundFiles): Holders | undefined {
  const { wait, file } = stream;
  const others = new Map<number, OpenFile>();
  let own: OpenFile | undefined;
  const ends = endsOf(stream, found);
  const files = isSocket(file.target)
    ? ends.flatMap(({ target }) => found.files.get(target) ?? [])
    : (found.files.get(file.target) ?? []).filter((open) =>
        wait.does === 'write' ? open.reads : mayWrite(file, open),
      );
  for (const open of files) {
    if (open.pid === wait.pid) own = open;
    else if (!others.has(open.pid)) others.set(open.pid, open);
  }
  return others.size === 0 && own === undefined ? undefined : { others, own, ends };
}

/**
 * Whoever has a FIFO open for both keeps it from ending while its writers come and go (fifo(7)), and writes nothing
 * itself: its readers are idle.
 */
function mayWrite({ target }: SharedFile, { reads, writes }: OpenFile): boolean {
  return writes && !(reads && target.startsWith('/'));
}

/** The sockets at the other end: those that tables tell, else the one that the BPF program has found. */
export function endsOf({ file, others }: StreamAt, { peers, place }: FoundFiles): readonly OtherEnd[] {
  const peer = others.length > 0 ? undefined : peers.get(file.target);
  return peer === undefined ? others : [{ target: peer, place, text: `${file.target} is connected to ${peer}` }];
}

export interface KnownThreads {
  /** The threads of these processes, as far as they still exist. */
  readonly threads: ReadonlyMap<number, Threads>;
  /** PIDs whose program catches no signal: nothing can make it go on by itself. */
  readonly deaf: ReadonlySet<number>;
}

/** The edges from a task to those that have the other end open, or to a resource where there are none or too many. */
export function edgesAt(stream: StreamAt, found: FoundFiles, known: KnownThreads): FoundEdges {
  const { wait, file, server } = stream;
  const here = { place: `/proc/${wait.pid}/task/${wait.tid}/fd/${wait.fd}`, text: file.target };
  if (server !== undefined) return edgeToServer(stream, server, here);
  const holders = holdersOf(stream, found);
  if (holders === undefined) return NOTHING;
  const { others, own, ends } = holders;
  const by = kindOf(stream);
  if (others.size > MOST_PROCESSES) {
    const resource = resourceOf(stream, `is open at its other end in ${others.size} processes`);
    return { edges: [{ from: wait.tid, to: resource.key, by, evidence: [here] }], resources: [resource] };
  }
  const [end] = ends;
  const through = end === undefined ? [] : [{ place: end.place, text: end.text }];
  const isInferred = found.missing !== undefined || end?.inferred === true || isOnlyAPath(stream);
  const edges: Edge[] = [];
  for (const [pid, open] of own === undefined ? others : [...others, [wait.pid, own] as const]) {
    const { tids, areAll } = known.threads.get(pid) ?? { tids: [], areAll: false };
    const evidence = [here, ...through, openBy(open, found, by)];
    for (const tid of tids.filter((each) => each !== wait.tid))
      edges.push({ from: wait.tid, to: tid, by, ...(!(areAll && !isInferred) && { inferred: true }), evidence });
  }
  if (edges.length > 1) return { edges: edges.map((edge) => ({ ...edge, any: true })), resources: [] };
  const isAlone = others.size === 0 && known.threads.get(wait.pid)?.areAll === true;
  if (edges.length === 1 || !isAlone || isInferred || own === undefined) return { edges, resources: [] };
  return edgeToItself(stream, [here, ...through, openBy(own, found, by)], known);
}

/** A task that waits at a pipe or socket whose other end nobody else has open. */
function edgeToItself(stream: StreamAt, evidence: readonly Evidence[], { deaf }: KnownThreads): FoundEdges {
  const { wait, file } = stream;
  // A signal handler may write to the pipe (the self-pipe trick), and anybody may open a FIFO later.
  const hangs = deaf.has(wait.pid) && wait.polls !== true && !file.target.startsWith('/');
  const resource: Resource = {
    ...resourceOf(stream, 'has its other end open in no process but the one that waits for it'),
    ...(hangs && { hangs }),
    inferred: true,
    evidence,
  };
  return { edges: [{ from: wait.tid, to: resource.key, by: kindOf(stream), evidence }], resources: [resource] };
}

function edgeToServer({ wait }: StreamAt, server: string, here: Evidence): FoundEdges {
  const evidence = [here, { place: `/proc/${wait.pid}/net/tcp`, text: `connected to ${server}` }];
  const key = `server ${server}`;
  return {
    edges: [{ from: wait.tid, to: key, by: 'server', evidence }],
    resources: [{ key, kind: 'server', name: server, evidence: evidence.slice(1) }],
  };
}

/** A task that opens a FIFO which nobody has open at the other end. */
export function edgeToFifo({ wait }: Pick<StreamAt, 'wait'>, path: string): FoundEdges {
  const evidence = [{ place: `/proc/${wait.pid}/task/${wait.tid}/mem`, text: `it opens ${path}` }];
  const key = `fifo ${path}`;
  const by = wait.opensToWrite === true ? 'pipe-reader' : 'pipe-writer';
  return {
    edges: [{ from: wait.tid, to: key, by, inferred: true, evidence }],
    resources: [{ key, kind: 'pipe', name: path, condition: 'is not open at its other end', inferred: true, evidence }],
  };
}

const NOTHING: FoundEdges = { edges: [], resources: [] };

function isSocket(target: string): boolean {
  return target.startsWith('socket:');
}

/** Whether another file of the same path may have been taken for it. */
function isOnlyAPath({ file }: StreamAt): boolean {
  return file.target.startsWith('/') && file.fifo === undefined;
}

function kindOf({ wait, file }: StreamAt): EdgeKind {
  if (isSocket(file.target)) return 'socket-peer';
  return wait.does === 'write' ? 'pipe-reader' : 'pipe-writer';
}

function resourceOf({ file: { target, fifo } }: StreamAt, condition: string): Resource {
  const [, kind, inode] = /^(pipe|socket):\[(\d+)\]$/.exec(target) ?? [];
  const id = fifo === undefined ? target : `${fifo.major}:${fifo.minor} ${fifo.inode}`;
  return {
    key: inode === undefined ? `fifo ${id}` : `${kind} ${inode}`,
    kind: kind === 'socket' ? kind : 'pipe',
    name: target,
    condition,
    evidence: [],
  };
}

function openBy({ pid, fd }: OpenFile, { place }: FoundFiles, by: EdgeKind): Evidence {
  const use = by === 'pipe-writer' ? ' to write' : by === 'pipe-reader' ? ' to read' : '';
  return {
    place: place === LINKS ? `/proc/${pid}/fd/${fd}` : place,
    text: `${pid} has it open${use} as descriptor ${fd}`,
  };
}

const LINKS = '/proc/PID/fd';
