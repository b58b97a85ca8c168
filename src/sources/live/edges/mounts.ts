import type { Edge, Evidence, Resource } from '../../../model/edge.ts';
import type { Observation } from '../../../model/sample.ts';
import type { SystemCall } from '../../../model/system-call.ts';
import type { TaskNumbers } from '../procfs/task-details.ts';
import type { EdgeContext, EdgeSource, FoundEdges } from './edge-source.ts';
import { type FileSystemWait, fileSystemWaitOf } from './file-system-waits.ts';
import { type FileOnMount, mountKey, mountResource } from './file-systems.ts';

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
      const some = await Promise.all(waiters.slice(from, from + AT_ONCE).map((each) => mountFor(each, context)));
      for (const { edge, resource } of some.flatMap((found) => found ?? [])) {
        edges.push(edge);
        const known = resources.get(resource.key);
        if (known?.condition === undefined) resources.set(resource.key, resource);
      }
    }
    return { edges, resources: [...resources.values()] };
  },
};

async function mountFor(
  waiter: Observation,
  context: EdgeContext,
): Promise<{ edge: Edge; resource: Resource } | undefined> {
  const wait = fileSystemWaitOf(waiter);
  const { tid } = waiter.task.id;
  const { pid } = waiter.task;
  if (wait === undefined || tid === undefined || pid === undefined) return undefined;
  const found = await fileSystemOf({ pid, tid }, waiter, wait, context);
  if (found === undefined) return undefined;
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
  return { edge, resource: wait.frozen === true ? frozen(resource, shows) : resource };
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
  { systemCall }: Observation,
  wait: FileSystemWait,
  context: EdgeContext,
): Promise<FileOnMount | undefined> {
  const { fileSystems, details } = context;
  const call = callIn(systemCall);
  const files = call === undefined || wait.fault ? [] : await fileSystems.ofCall(task, call, process.arch);
  if (call !== undefined && files.length > 0 && !(await details.isStillIn(task, call))) return undefined;
  const fitting = files.filter(({ mount: { type } }) => fits(type, wait));
  const [first] = fitting;
  if (first !== undefined) return fitting.every(({ mount }) => mount.device === first.mount.device) ? first : undefined;
  const isMounting = call !== undefined && MOUNTS.has(call.name ?? '');
  return wait.types === undefined || isMounting ? undefined : theOnlyOne(task, wait.types, context);
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
