import type { EdgeKind } from '../../model/edge.ts';
import type { Pressure } from '../../model/pressure.ts';
import type { Observation, Sample } from '../../model/sample.ts';
import { innerEnd } from '../explain/inner-end.ts';
import type { Sleep } from '../explain/sleeping-primitives.ts';

/** A tracer stops what it traces at each system call, for a moment. */
export const TRACED_MS = 1000;

/**
 * How long a task may wait before that counts as being held up, in milliseconds. Undefined: such waits are normal for
 * any time (a shell for its child, a client for its server), and count only if what they lead to is itself stuck.
 * Locks of the kernel are held for microseconds; a slow disk under load takes seconds for one request.
 */
export const PATIENCE_MS: Readonly<Record<EdgeKind, number | undefined>> = {
  mutex: 2000,
  semaphore: 2000,
  'rwsem-read': 2000,
  'rwsem-write': 2000,
  vfork: 1000,
  ptrace: TRACED_MS,
  'mmap-lock': 2000,
  'page-fault': 2000,
  futex: 3000,
  'thread-end': undefined,
  child: undefined,
  flock: 3000,
  'posix-lock': 3000,
  lease: 3000,
  'pipe-writer': undefined,
  'pipe-reader': undefined,
  'socket-peer': undefined,
  terminal: undefined,
  mount: 5000,
  'served-by': 5000,
  server: undefined,
  device: 5000,
  beneath: 5000,
  'backing-file': 5000,
  frozen: 0,
  commit: 5000,
  transaction: 5000,
  work: 5000,
};

/**
 * The same for whoever waits for a task that runs, or would if it got a CPU: on an overloaded host that takes seconds.
 */
export const RUNNING_MS = 5000;
const BLOCKED_MS = 2000;
const SLOW_MS = 5000;
/** How tasks sleep for a disk, or for a worker of the kernel that may write to one. */
const SLOW_SLEEPS: ReadonlySet<Sleep | undefined> = new Set<Sleep>(['bit', 'page', 'buffer', 'io', 'work']);
/**
 * Functions of journals, logs, network file systems and throttling, which wait for a disk or a server in other ways.
 */
const SLOW_FUNCTION = /^(?:jbd2_|xlog_|xfs_|btrfs_|f2fs_|nfs|rpc_|cifs_|ceph_|blk|wbt_|rq_qos_|balance_dirty_|sync_)/;
const INNERMOST = 8;

/** In per cent. */
const SHORT_OF_CPU = 60;

/** Whether there is so much pressure on CPUs that whoever holds a lock may have to wait for one. */
export function isShortOfCpu(pressure: Pressure | undefined): boolean {
  return (pressure?.cpu?.some ?? 0) >= SHORT_OF_CPU;
}

/** The same for a task in D of which nobody knows who holds it up. */
export function blockedPatienceMs({ stack }: Observation, { pressure }: Pick<Sample, 'pressure'>): number {
  if (isShortOfCpu(pressure)) return SLOW_MS;
  if ('unread' in stack) return BLOCKED_MS;
  const { frames } = stack.value;
  const { primitive } = innerEnd(frames);
  const isSlow =
    SLOW_SLEEPS.has(primitive?.sleep) || frames.slice(0, INNERMOST).some(({ symbol }) => SLOW_FUNCTION.test(symbol));
  return isSlow ? SLOW_MS : BLOCKED_MS;
}
