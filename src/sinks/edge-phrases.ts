import type { Edge, EdgeKind, NodeKey, Resource } from '../model/edge.ts';

/** What is waited for, after `waits for`. `%` is the name of the edge's end. */
const PHRASES: Readonly<Record<EdgeKind, string>> = {
  mutex: 'the mutex that % holds',
  semaphore: 'the semaphore that % holds',
  'rwsem-read': 'the rw-semaphore, to read, that % holds',
  'rwsem-write': 'the rw-semaphore, to write, that % holds',
  vfork: 'its vfork child % to execute a program or end',
  ptrace: 'its tracer %',
  'mmap-lock': 'the mmap lock of a process that % holds',
  'page-fault': 'the page fault of %',
  futex: 'the user-space lock (futex) that % holds',
  'thread-end': 'its thread % to end',
  child: 'its child % to end or to change its state',
  flock: 'the file lock (flock) that % holds',
  'posix-lock': 'the file lock (fcntl) that % holds',
  lease: 'the lease of a file that % holds',
  'pipe-writer': '% to write to the pipe',
  'pipe-reader': '% to read from the pipe',
  'socket-peer': '%, at the other end of its socket',
  terminal: '% to read from its terminal',
  mount: 'the file system %',
  'served-by': '%, which serves it',
  server: 'the server %',
  device: 'the device %',
  beneath: '%, which it lies on',
  'backing-file': 'its backing file on %',
  frozen: '% to be thawed',
  commit: '%, which commits the transaction',
  transaction: '%, which has the transaction open',
  work: '%, which runs the work',
};

/** Where the end is not a task that does something but the lock, the pipe or the socket itself. */
const OF_RESOURCES: Partial<Record<EdgeKind, string>> = {
  futex: 'the user-space lock at %',
  flock: 'the file lock (flock) on %',
  'posix-lock': 'the file lock (fcntl) on %',
  lease: 'the lease on %',
  'pipe-writer': 'a writer of %',
  'pipe-reader': 'a reader of %',
  'socket-peer': 'the other end of %',
};

/**
 * What an edge says about its start: `waits for` and then this.
 * @param names safe to print
 */
export function edgePhrase(
  { by, to, inferred }: Pick<Edge, 'by' | 'to' | 'inferred'>,
  names: (key: NodeKey) => string,
) {
  const phrase = (typeof to === 'string' ? OF_RESOURCES[by] : undefined) ?? PHRASES[by];
  // Not as a replacement pattern: a name may contain `$&`.
  const said = phrase.replace('%', () => names(to));
  if (inferred !== true) return said;
  return phrase.endsWith('% holds') ? `${said.slice(0, -'holds'.length)}likely holds` : `${said} (inferred)`;
}

/** The TID or the name of what an edge leads to, for a property of a slice or a marker. Not escaped. */
export function holderText({ to, inferred }: Edge, resource: Resource | undefined): string {
  return `${resource?.name ?? to}${inferred === true ? ' (likely)' : ''}`;
}
