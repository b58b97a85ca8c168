import type { Edge } from '../../../model/edge.ts';
import { bitsOf, TASK_FILES } from '../../../native/reader/protocol.ts';
import { listTids } from '../procfs/files.ts';
import { unlessMalformed } from '../procfs/malformed.ts';
import { parseStat, type Stat } from '../procfs/stat.ts';
import type { EdgeContext, EdgeSource, FoundEdges } from './edge-source.ts';
import type { FoundFiles, SearchContext, SharedFile } from './open-file.ts';
import { deafOf, parentsThatMayWrite } from './signal-handlers.ts';
import {
  edgesAt,
  edgeToFifo,
  endsOf,
  type Holders,
  holdersOf,
  type KnownThreads,
  type Threads,
} from './stream-edges.ts';
import { type StreamAt, StreamEnds } from './stream-ends.ts';
import { relevantStreams } from './stream-relevance.ts';
import { mayBeStreamWait, type StreamWait, streamWaitOf } from './stream-wait.ts';
import { stillIn } from './with-calls.ts';

/** How many waits are looked at in all, and at once: most are of idle tasks. */
const MOST_WAITS = 2000;
const AT_ONCE = 512;
/** Threads of a process that an edge leads to, where any of them may be the one waited for. */
const MOST_THREADS = 4;

/** Who is at the other end of a pipe, FIFO or socket: UNIX sockets, and TCP on this host. */
export const streams: EdgeSource = {
  name: 'pipes and sockets',
  concerns: mayBeStreamWait,
  isLast: true,
  async ofTasks(waiters, context, known): Promise<FoundEdges> {
    const waits = waiters.flatMap((waiter) => streamWaitOf(waiter) ?? []);
    if (waits.length > MOST_WAITS)
      context.tell(`pipes and sockets: of ${waits.length} tasks that wait there, ${MOST_WAITS} were looked at`);
    const ends = new StreamEnds(context);
    const chosen = waits.slice(0, MOST_WAITS);
    const opens = chosen.filter(({ does }) => does === 'open');
    const opened = await inSlices(opens, context, (some) =>
      Promise.all(some.map((wait) => ofOpen(wait, ends, context))),
    );
    const others = chosen.filter(({ does }) => does !== 'open');
    const at = await inSlices(others, context, (some) => ends.ofAll(some));
    return joined([...opened, ...(await ofStreams(at, known, context))]);
  },
};

async function ofOpen(wait: StreamWait, ends: StreamEnds, { details }: EdgeContext): Promise<FoundEdges> {
  const path = await ends.pathOf(wait);
  if (path === undefined || !(await details.isStillIn(wait, wait.call))) return { edges: [], resources: [] };
  return edgeToFifo({ wait }, path);
}

/** One search for all of them; a second one for what only the first has shown to be at the other end. */
async function ofStreams(
  streams: readonly StreamAt[],
  edges: readonly Edge[],
  context: EdgeContext,
): Promise<readonly FoundEdges[]> {
  const isHere = streams.some(({ server }) => server === undefined);
  const found = isHere ? await search(streams, context) : NO_FILES;
  if (found.missing !== undefined) context.tell(`pipes and sockets: left out ${found.missing}`);
  const some = context.forVerdict ? relevantStreams(streams, found, edges, context.tasks) : streams;
  const holders = some.flatMap((stream) => holdersOf(stream, found) ?? []);
  const known = await threadsOf(some, holders, context);
  const all = some.flatMap((stream): [StreamAt, FoundEdges][] => {
    const of = edgesAt(stream, found, known);
    return of.edges.length === 0 ? [] : [[stream, of]];
  });
  const mayWrite = await parentsThatMayWrite(
    all.flatMap(([, of]) => of.edges),
    edges,
    context,
  );
  const told = all.filter(([, of]) => !of.edges.some((edge) => mayWrite.has(edge)));
  const still = await stillIn(
    told.map(([{ wait }]) => wait),
    context.reader,
  );
  return told.flatMap(([{ wait }, of]) => (still.has(wait) ? of : []));
}

const NO_FILES: FoundFiles = { files: new Map(), peers: new Map(), missing: undefined, place: '' };

async function search(all: readonly StreamAt[], context: EdgeContext): Promise<FoundFiles> {
  const some = all.filter(({ server }) => server === undefined);
  const wanted = new Map<string, SharedFile>();
  for (const { file, others } of some) {
    wanted.set(file.target, file);
    for (const { target } of others) wanted.set(target, { target });
  }
  const { root, reader, clock, untilMs, tell, tasks } = context;
  const how: SearchContext = {
    root,
    reader,
    clock,
    untilMs,
    tell,
    near: some.map(({ wait }) => wait.pid),
    isKernelThread: (pid) => tasks.get(pid)?.task.kernelThread === true,
  };
  const found = await context.openFiles.find([...wanted.values()], how);
  const more = some.flatMap((stream) => endsOf(stream, found)).filter(({ target }) => !found.files.has(target));
  const unknown = more.flatMap(({ target }) => (wanted.has(target) ? [] : { target }));
  if (unknown.length === 0) return found;
  const again = await context.openFiles.find(unknown, how);
  return {
    ...found,
    files: new Map([...again.files, ...found.files]),
    missing: found.missing ?? again.missing,
  };
}

/** Which threads of the processes at other ends may be waited for. */
async function threadsOf(
  some: readonly StreamAt[],
  holders: readonly Holders[],
  context: EdgeContext,
): Promise<KnownThreads> {
  const pids = new Set(
    holders.flatMap(({ others, own }) => [...others.keys(), ...(own === undefined ? [] : [own.pid])]),
  );
  const stats = await readStats([...pids], context);
  const seen = new Map<number, number[]>();
  for (const [tid, { task }] of context.tasks) {
    if (task.pid === undefined || !pids.has(task.pid)) continue;
    seen.set(task.pid, [...(seen.get(task.pid) ?? []), tid]);
  }
  const atStreams = new Set(some.map(({ wait }) => wait.tid));
  const threads = new Map<number, Threads>();
  for (const [pid, stat] of stats)
    threads.set(pid, threadsFrom(pid, stat, seen.get(pid) ?? [], atStreams, context.root));
  const alone = holders.flatMap(({ others, own }) => (others.size === 0 && own !== undefined ? own.pid : []));
  return { threads, deaf: await deafOf(new Set(alone), context) };
}

/**
 * All threads of a process, or some: the main one, those that wait at a pipe or socket themselves, and others. The main
 * one stands for all where it is stopped, which all are then, or in D, which is likely what holds the others up.
 */
export function threadsFrom(
  pid: number,
  { threads, state }: Pick<Stat, 'threads' | 'state'>,
  seen: readonly number[],
  atStreams: ReadonlySet<number>,
  root: string,
): Threads {
  if (threads <= 1 || state === 'T') return { tids: [pid], areAll: true };
  if (state === 't' || state === 'D') return { tids: [pid], areAll: false };
  const listed = seen.length >= threads ? undefined : listTids(root, pid);
  const all = listed !== undefined && 'value' in listed ? listed.value : seen;
  const place = (tid: number) => (tid === pid ? 0 : atStreams.has(tid) ? 1 : 2);
  const living = all.filter((tid) => tid !== pid || state !== 'Z').toSorted((a, b) => place(a) - place(b) || a - b);
  return { tids: living.slice(0, MOST_THREADS), areAll: living.length <= MOST_THREADS && living.length > 0 };
}

async function readStats(pids: readonly number[], { reader }: EdgeContext): Promise<Map<number, Stat>> {
  const stats = new Map<number, Stat>();
  const options = { threads: false, commandLines: { allBytes: 0, leastBytes: 0 } };
  const processes = pids.map((pid) => ({ pid, tid: pid }));
  const stat = TASK_FILES.indexOf('stat');
  await reader.get(
    processes,
    () => bitsOf(['stat']),
    options,
    ({ what, pid, result, bytes }) => {
      if (what !== stat || result <= 0) return;
      const parsed = unlessMalformed(() => parseStat(bytes));
      if (parsed !== undefined) stats.set(pid, parsed);
    },
  );
  return stats;
}

/** Bounded in number at once, and in time. */
async function inSlices<To>(
  all: readonly StreamWait[],
  { clock, untilMs, tell }: EdgeContext,
  ask: (some: readonly StreamWait[]) => Promise<readonly To[]>,
): Promise<To[]> {
  const answers: To[] = [];
  for (let from = 0; from < all.length; from += AT_ONCE) {
    if (clock.monotonicMs() > untilMs) {
      tell(`pipes and sockets: ${all.length - from} waits were not looked at: no time left`);
      break;
    }
    for (const answer of await ask(all.slice(from, from + AT_ONCE))) answers.push(answer);
  }
  return answers;
}

function joined(found: readonly FoundEdges[]): FoundEdges {
  return { edges: found.flatMap(({ edges }) => edges), resources: found.flatMap(({ resources }) => resources) };
}
