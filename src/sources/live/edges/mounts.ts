import type { Edge, Resource } from '../../../model/edge.ts';
import type { Observation } from '../../../model/sample.ts';
import { type Mount, normalPath } from '../procfs/mountinfo.ts';
import type { EdgeContext, EdgeSource, FoundEdges } from './edge-source.ts';
import { type FileSystemWait, fileSystemWaitOf } from './file-system-waits.ts';
import { deviceIn, type FileOnMount, frozenMount, mountKey, mountResource } from './file-systems.ts';
import { edgesToDaemons } from './fuse.ts';
import { isFuse } from './fuse-daemons.ts';
import { edgeToCommit } from './journals.ts';
import { layersOf } from './overlay-layers.ts';
import { edgeToServer } from './servers.ts';
import { fits, WaitedMounts } from './waited-mounts.ts';

/** How many tasks are looked at at once. */
const AT_ONCE = 256;
/** How long finding the mounts of tasks may take. What is behind the mounts matters more than the last task. */
const OF_TASKS_MS = 500;

/** Tasks that wait inside a file system: for an answer of its daemon or server, for its I/O, or for a thaw. */
export const mounts: EdgeSource = {
  name: 'mounts',
  concerns: (observation) => fileSystemWaitOf(observation) !== undefined,
  async ofTasks(waiters, context): Promise<FoundEdges> {
    const edges: Edge[] = [];
    const resources = new Map<string, Resource>();
    const waited = new WaitedMounts(context);
    const untilMs = Math.min(context.untilMs, context.clock.monotonicMs() + OF_TASKS_MS);
    for (let from = 0; from < waiters.length; from += AT_ONCE) {
      if (context.clock.monotonicMs() > untilMs) {
        const left = waiters.length - from;
        context.tell(`not all tasks were asked which file system they wait for: no time left for ${left}`);
        break;
      }
      const some = waiters.slice(from, from + AT_ONCE);
      const files = await waited.of(some);
      for (const [at, waiter] of some.entries()) {
        const found = await edgesOf(waiter, files[at], context);
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

async function edgesOf(waiter: Observation, file: FileOnMount | undefined, context: EdgeContext): Promise<FoundEdges> {
  const wait = fileSystemWaitOf(waiter);
  const { id, pid } = waiter.task;
  const { tid } = id;
  if (wait === undefined || tid === undefined || file === undefined) return NOTHING;
  const { mount, inferred, evidence } = file;
  const shows = { place: `/proc/${pid}/task/${tid}/stack`, text: wait.function };
  const edge: Edge = {
    from: tid,
    to: mountKey(mount.device),
    by: wait.frozen === true ? 'frozen' : 'mount',
    ...(inferred && { inferred }),
    evidence: [...evidence, shows],
  };
  const commit = wait.journal === true ? await edgeToCommit(tid, file, context) : undefined;
  if (commit !== undefined) return { edges: [commit], resources: [] };
  if (wait.frozen === true) return { edges: [edge], resources: [frozenMount(mount, shows)] };
  const beneath = wait.sharesLookup === true ? NOTHING : await edgesBeneath(mount, wait, context);
  return { edges: [edge, ...beneath.edges], resources: [mountResource(mount), ...beneath.resources] };
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
