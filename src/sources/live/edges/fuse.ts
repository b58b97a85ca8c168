import type { Edge, Evidence, Resource } from '../../../model/edge.ts';
import type { Mount } from '../procfs/mountinfo.ts';
import type { EdgeContext, FoundEdges } from './edge-source.ts';
import { mountKey, mountResource } from './file-systems.ts';
import { connectionOf, describeProcess, likelyDaemon, servingThreads, threadsOf } from './fuse-daemons.ts';
import { type FuseDescriptor, type FuseDescriptors, findFuseDescriptors } from './fuse-descriptors.ts';

const COUNT_BYTES = 64;

interface Daemon {
  readonly pid: number;
  readonly inferred?: true;
  readonly evidence: Evidence;
}

/** From FUSE mounts to the threads of the daemons that serve them. */
export async function edgesToDaemons(mounts: readonly Mount[], context: EdgeContext): Promise<FoundEdges> {
  const descriptors = await findFuseDescriptors(mounts, context);
  const all = await Promise.all(mounts.map((mount) => edgesToDaemon(mount, descriptors, context)));
  return { edges: all.flatMap(({ edges }) => edges), resources: all.flatMap(({ resources }) => resources) };
}

async function edgesToDaemon(
  mount: Mount,
  { found, areAll }: FuseDescriptors,
  context: EdgeContext,
): Promise<FoundEdges> {
  const daemons = await daemonsOf(mount, found, context);
  const waiting = await waitingFor(mount, context);
  const serving = await Promise.all(
    daemons.map(async (daemon) => ({ daemon, ...servingThreads(daemon.pid, await threadsOf(daemon.pid, context)) })),
  );
  const any = serving.flatMap(({ threads }) => threads).length > 1;
  const edges = serving.flatMap(({ daemon, threads, certain }) =>
    threads.map(
      ({ tid }): Edge => ({
        from: mountKey(mount.device),
        to: tid,
        by: 'served-by',
        ...(any && { any }),
        ...((daemon.inferred || !certain || any) && { inferred: true }),
        evidence: [daemon.evidence, ...waiting],
      }),
    ),
  );
  const hasNone = areAll && daemons.length === 0 && found.every(tellsConnection);
  const condition = hasNone ? servedByNobody(mount) : readiness(mount, serving);
  return { edges, resources: condition === undefined ? [] : [condition] };
}

function tellsConnection({ connection }: FuseDescriptor): boolean {
  return connection !== undefined;
}

/** The last descriptor of its connection may be in a socket's queue, on the way to a process. */
function servedByNobody(mount: Mount): Resource {
  const resource = mountResource(mount);
  const none = { place: '/proc/PID/fd', text: `no /dev/fuse of connection ${connectionOf(mount.device)}` };
  return { ...resource, condition: 'is served by no process', hangs: true, evidence: [none, ...resource.evidence] };
}

function readiness(mount: Mount, serving: readonly { daemon: Daemon; ready: boolean }[]): Resource | undefined {
  const resource = mountResource(mount);
  const pids = serving.map(({ daemon }) => daemon.pid);
  if (pids.length === 0 || !serving.every(({ ready }) => ready)) return undefined;
  const evidence = [{ place: '/proc/PID/task/TID/stack', text: 'fuse_dev_do_read' }, ...resource.evidence];
  return { ...resource, condition: `has a daemon (${pids.join(', ')}) that is ready for requests`, evidence };
}

async function daemonsOf(mount: Mount, found: readonly FuseDescriptor[], context: EdgeContext): Promise<Daemon[]> {
  const connection = connectionOf(mount.device);
  const told = found.filter((descriptor) => descriptor.connection === connection);
  if (told.length > 0 || found.every(tellsConnection))
    return [...new Map(told.map((descriptor) => [descriptor.pid, descriptor])).values()].map(({ pid, tid, fd }) => ({
      pid,
      evidence: { place: `/proc/${pid}/task/${tid}/fdinfo/${fd}`, text: `fuse_connection: ${connection}` },
    }));
  const pids = new Set(found.map(({ pid }) => pid));
  const likely = likelyDaemon(mount, await Promise.all(Array.from(pids, (pid) => describeProcess(pid, context))));
  if (likely === undefined) return [];
  return [{ pid: likely.pid, inferred: true, evidence: { place: `/proc/${likely.pid}/fd`, text: likely.why } }];
}

/** How many requests it has not answered, where the file system of control files is mounted (fs/fuse/control.c). */
async function waitingFor({ device }: Mount, { files }: EdgeContext): Promise<Evidence[]> {
  const place = `/sys/fs/fuse/connections/${connectionOf(device)}/waiting`;
  const read = await files.bytes(place, 0n, COUNT_BYTES);
  return 'value' in read ? [{ place, text: read.value.toString('latin1').trim() }] : [];
}
