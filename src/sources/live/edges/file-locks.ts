import type { Edge, EdgeKind, Evidence, Resource } from '../../../model/edge.ts';
import type { Observation } from '../../../model/sample.ts';
import { decodeBytes } from '../../../native/decode.ts';
import { nameOfCall } from '../system-calls/decode.ts';
import { type EdgeContext, type EdgeSource, type FoundEdges, waitsIn } from './edge-source.ts';
import { type FileLock, type FileLockKind, FileLockTable, type HeldLock, type LockEntry } from './file-lock-table.ts';
import { type LockDescriptor, LockDescriptors } from './lock-descriptors.ts';
import { statusOf } from './thread-numbers.ts';

/** fs/locks.c. What waits on behalf of a network file system has the first of these, too, but is not in the table. */
const FUNCTIONS = new Set([
  'fcntl_setlk',
  'fcntl_setlk64',
  'do_lock_file_wait',
  'locks_lock_inode_wait',
  'locks_lock_file_wait',
  'posix_lock_inode_wait',
  'posix_lock_file_wait',
  'flock_lock_inode_wait',
  'flock_lock_file_wait',
  '__break_lease',
  'locks_mandatory_area',
]);

/** Each waiter stands one further to the right than the one before: 5,000 for one lock take 12 MiB. */
const TABLE_BYTES = 16 << 20;
const FDINFO_BYTES = 4096;
/** F_OFD_SETLKW (include/uapi/asm-generic/fcntl.h) */
const WAIT_FOR_OFD_LOCK = 38n;

const KINDS: Readonly<Record<FileLockKind, EdgeKind>> = {
  flock: 'flock',
  posix: 'posix-lock',
  ofd: 'posix-lock',
  lease: 'lease',
  delegation: 'lease',
};

/** Locks and leases on files. The kernel's table has waiters behind the locks that they wait for. */
export const fileLocks: EdgeSource = {
  name: 'file locks',
  concerns: (observation) => waitsIn(observation, FUNCTIONS),
  async ofTasks(tasks, context): Promise<FoundEdges> {
    const { files, root, tell } = context;
    const read = await files.bytes(`${root}/locks`, 0n, TABLE_BYTES);
    if ('unread' in read) {
      tell(`who holds file locks: ${root}/locks: ${read.unread}`);
      return { edges: [], resources: [] };
    }
    if (read.value.length === TABLE_BYTES) tell(`who holds file locks: only ${TABLE_BYTES >> 20} MiB of ${root}/locks`);
    return edgesFrom(tasks, new FileLockTable(read.value.toString('latin1')), context);
  },
};

interface Waiter {
  readonly tid: number;
  readonly pid: number;
  readonly comm: string;
  /** What it waits for, and which locks keep it from that. */
  readonly blocked: readonly { readonly wanted: FileLock; readonly by: readonly HeldLock[] }[];
  /** The link of the descriptor that it locks. */
  readonly link: string | undefined;
}

async function edgesFrom(
  tasks: readonly Observation[],
  table: FileLockTable,
  context: EdgeContext,
): Promise<FoundEdges> {
  const waiters: Waiter[] = [];
  for (const task of tasks) {
    if (context.clock.monotonicMs() > context.untilMs) {
      context.tell('who holds file locks: no time for all that wait for one');
      break;
    }
    const waiter = await waiterOf(task, table, context);
    if (waiter !== undefined) waiters.push(waiter);
  }
  const locks = new Set(waiters.flatMap(({ blocked }) => blocked.flatMap(({ by }) => by)));
  const holders = new Holders(context);
  await holders.find([...locks], waiters);
  const edges: Edge[] = [];
  const resources = new Map<string, Resource>();
  const gotTheirs = whoGotLock(context.tasks.values(), table);
  for (const waiter of waiters) {
    // Of several waits of one process it is not known which one is this thread's.
    const isUnclear = new Set(waiter.blocked.map(({ wanted }) => wanted.text)).size > 1;
    for (const { wanted, by } of waiter.blocked)
      for (const lock of by)
        for (const end of await holders.endsOf(lock, waiter)) {
          const inferred = isUnclear || end.inferred || !lock.waiters.includes(wanted);
          if (typeof end.to === 'object') resources.set(end.to.key, end.to);
          else if (gotTheirs.has(end.to)) continue;
          edges.push({
            from: waiter.tid,
            to: typeof end.to === 'object' ? end.to.key : end.to,
            by: KINDS[lock.kind],
            ...(isUnclear && { any: true }),
            ...(inferred && { inferred }),
            evidence: end.evidence,
          });
        }
  }
  return { edges, resources: [...resources.values()] };
}

/**
 * PIDs of those that waited when they were seen, and that the table, which was read later, does not have waiting: what
 * others have waited for until now is not their fault.
 */
export function whoGotLock(tasks: Iterable<Observation>, table: Pick<FileLockTable, 'waitsOf'>): Set<number> {
  const pids = new Set<number>();
  for (const observation of tasks) {
    const { pid } = observation.task;
    if (pid !== undefined && waitsIn(observation, FUNCTIONS) && table.waitsOf(pid).length === 0) pids.add(pid);
  }
  return pids;
}

/** Undefined if the table does not have it waiting (any more). */
async function waiterOf(
  { task, systemCall }: Observation,
  table: FileLockTable,
  context: EdgeContext,
): Promise<Waiter | undefined> {
  const { tid } = task.id;
  const call = systemCall !== undefined && 'value' in systemCall ? systemCall.value : undefined;
  if (tid === undefined || task.pid === undefined) return undefined;
  const { pid } = task;
  const { kinds, fd } =
    typeof call === 'object' ? waitIn(call.name ?? nameOfCall(call, process.arch), call.arguments) : ANY;
  const entries = table.waitsOf(pid).filter(({ wanted }) => kinds.has(wanted.kind));
  const folder = `${context.root}/${pid}/task/${tid}`;
  const fits = await fitting(entries, fd === undefined ? undefined : `${folder}/fdinfo/${fd}`, context);
  if (fits.length === 0) return undefined;
  const blocked = fits.map(({ held, wanted }) => ({ wanted, by: [held, ...table.othersInTheWay(held, wanted)] }));
  return { tid, pid, comm: task.comm ?? '', blocked, link: fd === undefined ? undefined : `${folder}/fd/${fd}` };
}

/** Those on the file of a descriptor, where more than one is possible: a process waits with several threads. */
async function fitting(entries: readonly LockEntry[], fdinfo: string | undefined, { files }: EdgeContext) {
  const isClear = entries.length === 1 && entries[0]?.wanted.kind !== 'ofd';
  if (fdinfo === undefined || entries.length === 0 || isClear) return entries;
  const read = await files.bytes(fdinfo, 0n, FDINFO_BYTES);
  // Not told before Linux 5.14.
  const inode = 'value' in read ? /^ino:\s+(\d+)$/m.exec(read.value.toString('latin1'))?.[1] : undefined;
  return inode === undefined
    ? entries.filter(({ wanted }) => wanted.kind !== 'ofd')
    : entries.filter(({ wanted }) => wanted.file?.endsWith(`:${inode}`) === true);
}

const LOCKS_OF_FCNTL: ReadonlySet<FileLockKind> = new Set(['posix']);
const LOCKS_OF_OFD: ReadonlySet<FileLockKind> = new Set(['ofd']);
const LOCKS_OF_FLOCK: ReadonlySet<FileLockKind> = new Set(['flock']);
const LEASES: ReadonlySet<FileLockKind> = new Set(['lease', 'delegation']);
const ANY = { kinds: new Set<FileLockKind>(['flock', 'posix', 'lease', 'delegation']), fd: undefined };

/** Which locks a system call waits for, and of which descriptor. */
function waitIn(name: string | undefined, [first = '0', second = '0']: readonly string[]) {
  const fd = Number(BigInt.asIntN(32, BigInt(first)));
  if (name === 'flock') return { kinds: LOCKS_OF_FLOCK, fd };
  if (name === 'fcntl')
    return { kinds: BigInt.asUintN(32, BigInt(second)) === WAIT_FOR_OFD_LOCK ? LOCKS_OF_OFD : LOCKS_OF_FCNTL, fd };
  return { kinds: LEASES, fd: undefined };
}

interface End {
  readonly to: number | Resource;
  readonly inferred: boolean;
  readonly evidence: readonly Evidence[];
}

/** Who holds file locks. */
class Holders {
  readonly #context: EdgeContext;
  #descriptors: ReadonlyMap<FileLock, LockDescriptor[]> = new Map();
  readonly #threads = new Map<number, number | undefined>();
  readonly #resources = new Map<string, Resource>();

  constructor(context: EdgeContext) {
    this.#context = context;
  }

  /** The locks of a file description belong to whoever has it open; of those of a process, the table names that. */
  async find(locks: readonly HeldLock[], waiters: readonly Waiter[]): Promise<void> {
    const ofFiles = locks.filter(({ kind }) => kind !== 'posix' && kind !== 'delegation');
    const comms = new Set(waiters.map(({ comm }) => comm));
    const alike = [...this.#context.tasks.values()].filter(({ task }) => comms.has(task.comm ?? ''));
    const near = [...waiters.map(({ pid }) => pid), ...alike.flatMap(({ task }) => task.pid ?? [])];
    this.#descriptors = await new LockDescriptors(this.#context).find(ofFiles, [...new Set(near)]);
  }

  async endsOf(lock: HeldLock, waiter: Waiter): Promise<End[]> {
    const table = { place: `${this.#context.root}/locks`, text: lock.text };
    const owners: LockDescriptor[] =
      lock.kind === 'posix' && lock.pid > 0 ? [{ pid: lock.pid, place: '' }] : (this.#descriptors.get(lock) ?? []);
    const ends: End[] = [];
    for (const { pid, place } of owners) {
      const threads = await this.#threadsOf(pid);
      if (threads === undefined) continue;
      const evidence = place === '' ? [table] : [table, { place, text: `lock: ${lock.text}` }];
      // Any of its threads may release it.
      const inferred = threads > 1;
      const isOwn = pid === waiter.pid && inferred;
      const condition = `is held by process ${pid} itself`;
      const to = isOwn ? await this.#resource(lock, waiter, { condition, evidence }) : pid;
      ends.push({ to, inferred, evidence });
    }
    if (ends.length > 0) return ends;
    const evidence = [table];
    const to = await this.#resource(lock, waiter, { condition: conditionOf(lock), evidence });
    return [{ to, inferred: true, evidence }];
  }

  async #resource(lock: HeldLock, { link }: Waiter, said: Pick<Resource, 'condition' | 'evidence'>): Promise<Resource> {
    const key = `lock ${lock.kind} ${lock.file ?? ''}`;
    const known = this.#resources.get(key);
    if (known !== undefined) return known;
    const read = link === undefined ? undefined : await this.#context.files.link(link);
    const name = read !== undefined && 'value' in read ? decodeBytes(read.value) : (lock.file ?? 'unknown file');
    const resource: Resource = { key, kind: 'lock', name, ...said, inferred: true };
    this.#resources.set(key, resource);
    return resource;
  }

  /** How many threads a process has; undefined if it is gone. */
  async #threadsOf(pid: number): Promise<number | undefined> {
    if (!this.#threads.has(pid)) {
      const status = await statusOf(`${pid}`, this.#context);
      this.#threads.set(pid, status === undefined ? undefined : Number(/^Threads:\s+(\d+)$/m.exec(status)?.[1] ?? 1));
    }
    return this.#threads.get(pid);
  }
}

function conditionOf({ kind, pid }: FileLock): string {
  if (kind === 'delegation') return 'is delegated to a client by the NFS server';
  if (kind === 'posix' && pid <= 0) return 'is held for another host';
  return 'is held by no process that could be found';
}
