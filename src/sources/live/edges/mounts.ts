import type { Edge, Evidence, Resource } from '../../../model/edge.ts';
import type { Observation } from '../../../model/sample.ts';
import type { SystemCall } from '../../../model/system-call.ts';
import { type Mount, normalPath } from '../procfs/mountinfo.ts';
import type { TaskNumbers } from '../procfs/task-details.ts';
import type { EdgeContext, EdgeSource, FoundEdges } from './edge-source.ts';
import { type FileSystemWait, fileSystemWaitOf } from './file-system-waits.ts';
import { deviceIn, type FileOnMount, mountKey, mountResource } from './file-systems.ts';
import { edgesToDaemons } from './fuse.ts';
import { isFuse } from './fuse-daemons.ts';
import { layersOf } from './overlay-layers.ts';
import { edgeToServer } from './servers.ts';

/** How many tasks are looked at at once. */
const AT_ONCE = 64;

/** What a file may lie on while the functions of another file system wait. */
const STACKED = /^(?:overlay|ecryptfs|aufs|shiftfs)$/;
/** File systems without a device or a server: nothing of theirs is read or written slowly. */
const VIRTUAL =
  /^(?:proc|sysfs|devtmpfs|devpts|cgroup2?|debugfs|tracefs|securityfs|mqueue|bpf|pstore|binfmt_misc|configfs|fusectl)$/;
/** What these do not have yet is a file system. */
const MOUNTS = new Set(['mount', 'fsopen', 'fsconfig', 'fsmount', 'move_mount', 'umount', 'umount2']);

/** Tasks that wait inside a file system: for an answer of its daemon or server, for its I/O, or for a thaw. */
export const mounts: EdgeSource = {
  name: 'mounts',
  concerns: (observation) => fileSystemWaitOf(observation) !== undefined,
  async ofTasks(waiters, context): Promise<FoundEdges> {
    const edges: Edge[] = [];
    const resources = new Map<string, Resource>();
    for (let from = 0; from < waiters.length; from += AT_ONCE) {
      if (context.clock.monotonicMs() > context.untilMs) {
        context.tell(
          `not all tasks were asked which file system they wait for: no time left for ${waiters.length - from}`,
        );
        break;
      }
      const some = await Promise.all(waiters.slice(from, from + AT_ONCE).map((each) => edgesOf(each, context)));
      for (const found of some) {
        for (const edge of found.edges) edges.push(edge);
        for (const resource of found.resources) addTo(resources, resource);
      }
    }
    return { edges, resources: [...resources.values()] };
  },
  follows: ({ kind }) => kind === 'mount',
  ofResources,
};

const NOTHING: FoundEdges = { edges: [], resources: [] };

function addTo(resources: Map<string, Resource>, resource: Resource): void {
  if (resources.get(resource.key)?.condition === undefined) resources.set(resource.key, resource);
}

/** What mounts wait for: FUSE for its daemon, a network file system for its server, autofs for its daemon. */
async function ofResources(resources: readonly Resource[], context: EdgeContext): Promise<FoundEdges> {
  const mounts = resources.flatMap(({ key }) => context.fileSystems.mounted(deviceIn(key)) ?? []);
  const fuse = mounts.filter(isFuse);
  const daemons = fuse.length === 0 ? { edges: [], resources: [] } : await edgesToDaemons(fuse, context);
  const servers = mounts.flatMap((mount) => edgeToServer(mount) ?? []);
  return {
    edges: [...daemons.edges, ...servers.map(({ edge }) => edge), ...mounts.flatMap(edgesToAutomounter)],
    resources: [...daemons.resources, ...servers.map(({ resource }) => resource)],
  };
}

/** The process group of the automount daemon (fs/autofs/inode.c, autofs_show_options); its leader is the daemon. */
function edgesToAutomounter({ type, device, options }: Mount): Edge[] {
  const group = Number(options.get('pgrp'));
  if (type !== 'autofs' || !Number.isInteger(group) || group <= 0) return [];
  const evidence = [{ place: '/proc/PID/mountinfo', text: `autofs, pgrp=${group}` }];
  return [{ from: mountKey(device), to: group, by: 'served-by', inferred: true, evidence }];
}

async function edgesOf(waiter: Observation, context: EdgeContext): Promise<FoundEdges> {
  const wait = fileSystemWaitOf(waiter);
  const { tid } = waiter.task.id;
  const { pid } = waiter.task;
  if (wait === undefined || tid === undefined || pid === undefined) return NOTHING;
  const found = await fileSystemOf({ pid, tid }, waiter, wait, context);
  if (found === undefined) return NOTHING;
  const { mount, inferred, evidence } = found;
  const shows = { place: `/proc/${pid}/task/${tid}/stack`, text: wait.function };
  const edge: Edge = {
    from: tid,
    to: mountKey(mount.device),
    by: wait.frozen === true ? 'frozen' : 'mount',
    ...(inferred && { inferred }),
    evidence: [...evidence, shows],
  };
  const resource = mountResource(mount);
  if (wait.frozen === true) return { edges: [edge], resources: [frozen(resource, shows)] };
  const beneath = await edgesBeneath(mount, wait, context);
  return { edges: [edge, ...beneath.edges], resources: [resource, ...beneath.resources] };
}

/**
 * From an overlay to the mounts of its layers that the task can wait for, by the functions of its stack. A layer's path
 * is that of who mounted it: most likely the host sees it so, else the task itself.
 */
async function edgesBeneath(overlay: Mount, wait: FileSystemWait, { fileSystems }: EdgeContext): Promise<FoundEdges> {
  const layers = layersOf(overlay);
  if (layers.length === 0) return NOTHING;
  const own = await fileSystems.own();
  const isThere = own?.mounts.some(({ device }) => device === overlay.device);
  const table = isThere ? own : fileSystems.tableWith(overlay.device);
  const found = new Map<string, { readonly mount: Mount; readonly path: string }>();
  for (const path of layers) {
    const mount = table?.at(normalPath(path));
    if (mount !== undefined && mount.device !== overlay.device && fits(mount.type, wait) && !found.has(mount.device))
      found.set(mount.device, { mount, path });
  }
  const edges = Array.from(found.values(), ({ mount, path }): Edge => {
    const evidence = [{ place: '/proc/PID/mountinfo', text: `${overlay.point} has a layer in ${path}` }];
    const ends = { from: mountKey(overlay.device), to: mountKey(mount.device) };
    return { ...ends, by: 'beneath', ...(found.size > 1 && { any: true }), inferred: true, evidence };
  });
  return { edges, resources: Array.from(found.values(), ({ mount }) => mountResource(mount)) };
}

/** Whoever waits for a thaw is held up by no task: the freeze has no owner (fs/super.c, freeze_super). */
function frozen(resource: Resource, shows: Evidence): Resource {
  return {
    ...resource,
    condition: 'is frozen',
    hangs: true,
    inferred: true,
    evidence: [shows, ...resource.evidence],
  };
}

async function fileSystemOf(
  task: TaskNumbers,
  { systemCall, task: { kernelThread, comm = '' } }: Observation,
  wait: FileSystemWait,
  context: EdgeContext,
): Promise<FileOnMount | undefined> {
  const { fileSystems, details } = context;
  if (kernelThread === true) return flushedBy(comm, context);
  const call = callIn(systemCall);
  const files = call === undefined || wait.fault ? [] : await fileSystems.ofCall(task, call, process.arch);
  if (call !== undefined && files.length > 0 && !(await details.isStillIn(task, call))) return undefined;
  const fitting = files.filter(({ mount: { type } }) => fits(type, wait));
  const [first] = fitting;
  if (first !== undefined) return fitting.every(({ mount }) => mount.device === first.mount.device) ? first : undefined;
  const isMounting = call !== undefined && MOUNTS.has(call.name ?? '');
  return wait.types === undefined || isMounting ? undefined : theOnlyOne(task, wait.types, context);
}

/**
 * The file system that a worker writes back, by its name: `kworker/u8:1+flush-0:45` (mm/backing-dev.c, bdi_dev_name).
 * Those of block devices are named after a whole disk.
 */
async function flushedBy(comm: string, { fileSystems }: EdgeContext): Promise<FileOnMount | undefined> {
  const device = /[+-]flush-(0:\d+)/.exec(comm)?.[1];
  const mount = (await fileSystems.own())?.mounts.find((each) => each.device === device);
  if (mount === undefined) return undefined;
  return { mount, inferred: true, evidence: [{ place: '/proc/PID/comm', text: comm }] };
}

function callIn(reading: Observation['systemCall']): SystemCall | undefined {
  if (reading === undefined || 'unread' in reading || typeof reading.value === 'string') return undefined;
  return reading.value;
}

function fits(type: string, { types, frozen: thaw }: FileSystemWait): boolean {
  if (STACKED.test(type)) return true;
  return types === undefined || thaw === true ? !VIRTUAL.test(type) : types.test(type);
}

/** For a page fault, or a descriptor that is closed already: the file system, if only one of its type is mounted. */
async function theOnlyOne(
  task: TaskNumbers,
  types: RegExp,
  { fileSystems }: EdgeContext,
): Promise<FileOnMount | undefined> {
  const table = await fileSystems.mountsOf(task);
  const all = table?.mounts.filter(({ type }) => types.test(type)) ?? [];
  const [mount] = all;
  if (mount === undefined || all.some(({ device }) => device !== mount.device)) return undefined;
  const evidence = [
    { place: `/proc/${task.pid}/task/${task.tid}/mountinfo`, text: `the only one of type ${mount.type}` },
  ];
  return { mount, inferred: true, evidence };
}
