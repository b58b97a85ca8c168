import { listPids, listTids } from '../procfs/files.ts';
import type { Mount } from '../procfs/mountinfo.ts';
import type { TaskNumbers } from '../procfs/task-details.ts';
import type { EdgeContext } from './edge-source.ts';
import { commOf, connectionOf, subtypeOf } from './fuse-daemons.ts';
import { AT_A_TIME, type Descriptor, openDescriptors } from './open-descriptors.ts';

const FDINFO_BYTES = 4096;

/** A descriptor of /dev/fuse. */
export interface FuseDescriptor extends TaskNumbers {
  readonly fd: number;
  /** Undefined before Linux 6.17, which does not tell (fs/fuse/dev.c, fuse_dev_show_fdinfo). */
  readonly connection: number | undefined;
}

export interface FuseDescriptors {
  readonly found: readonly FuseDescriptor[];
  /** Whether no process of the host can have others. */
  readonly areAll: boolean;
}

interface Looked {
  readonly found: FuseDescriptor[];
  /** Those without any descriptor, as far as can be seen. */
  readonly without: number[];
  missed: number;
}

/**
 * The descriptors of /dev/fuse. Processes that are stopped or stuck, or have the name of a mount's subtype, come first.
 * Ends as soon as there is one for each mount.
 */
export async function findFuseDescriptors(mounts: readonly Mount[], context: EdgeContext): Promise<FuseDescriptors> {
  const { root, clock, untilMs } = context;
  const wanted = new Set(mounts.map(({ device }) => connectionOf(device)));
  const pids = likelyFirst(listPids(root), mounts, context);
  const looked: Looked = { found: [], without: [], missed: 0 };
  for (let from = 0; from < pids.length && wanted.size > 0; from += AT_A_TIME) {
    if (clock.monotonicMs() > untilMs) {
      context.tell('not all processes were asked whether they serve a FUSE file system: no time left');
      return { found: looked.found, areAll: false };
    }
    await lookAt(
      pids.slice(from, from + AT_A_TIME).map((pid) => ({ pid, tid: pid })),
      looked,
      context,
    );
    for (const { connection } of looked.found) if (connection !== undefined) wanted.delete(connection);
  }
  if (wanted.size > 0) {
    // A process whose main thread has ended shows its descriptors only with another thread.
    const others = looked.without.flatMap((pid) => otherThreadOf(pid, root));
    await lookAt(others, looked, context);
  }
  return { found: looked.found, areAll: looked.missed === 0 && (await isInitialNamespace(context)) };
}

async function lookAt(tasks: readonly TaskNumbers[], looked: Looked, context: EdgeContext): Promise<void> {
  const { open, without, missed } = await openDescriptors(tasks, context, (target) => target.endsWith('/dev/fuse'));
  looked.missed += missed;
  for (const pid of without) looked.without.push(pid);
  for (const each of await Promise.all(open.map((descriptor) => withConnection(descriptor, context))))
    looked.found.push(each);
}

async function withConnection({ pid, tid, fd }: Descriptor, { root, files }: EdgeContext): Promise<FuseDescriptor> {
  const read = await files.bytes(`${root}/${pid}/task/${tid}/fdinfo/${fd}`, 0n, FDINFO_BYTES);
  const text = 'value' in read ? read.value.toString('latin1') : '';
  const connection = /^fuse_connection:\s*(\d+)$/m.exec(text)?.[1];
  return { pid, tid, fd, connection: connection === undefined ? undefined : Number(connection) };
}

function likelyFirst(pids: readonly number[], mounts: readonly Mount[], { tasks, root }: EdgeContext): number[] {
  const subtypes = new Set(mounts.filter(({ type }) => type.includes('.')).map(subtypeOf));
  const isLikely = (pid: number) =>
    'TtD'.includes(tasks.get(pid)?.state ?? 'S') || (subtypes.size > 0 && subtypes.has(commOf(pid, root)));
  const likely = new Set(pids.filter(isLikely));
  return [...likely, ...pids.filter((pid) => !likely.has(pid))];
}

function otherThreadOf(pid: number, root: string): TaskNumbers[] {
  const tids = listTids(root, pid);
  const tid = 'value' in tids ? tids.value.find((each) => each !== pid) : undefined;
  return tid === undefined ? [] : [{ pid, tid }];
}

/** PROC_PID_INIT_INO of include/linux/proc_ns.h. In another namespace, /proc does not show all processes. */
const INITIAL = 'pid:[4026531836]';

async function isInitialNamespace({ root, files }: EdgeContext): Promise<boolean> {
  const read = await files.link(`${root}/self/ns/pid`);
  return 'value' in read && read.value.toString('latin1') === INITIAL;
}
