import type { Edge, Evidence, Resource } from '../../../model/edge.ts';
import { REFRIGERATOR, VERSION_1 } from '../../../model/edge-marks.ts';
import type { Observation } from '../../../model/sample.ts';
import { decodeBytes } from '../../../native/decode.ts';
import type { Mount } from '../procfs/mountinfo.ts';
import { type EdgeContext, type EdgeSource, type FoundEdges, waitsIn } from './edge-source.ts';
import { innermostOf } from './file-system-waits.ts';

/** Version 2 stops a task as a signal would, but in state S (kernel/signal.c): do_freezer_trap is often inlined. */
const TRAPS = new Set(['do_freezer_trap', 'get_signal']);
/** Version 1 does so here, or since Linux 6.1 wherever the task sleeps, in state D. */
const REFRIGERATORS = new Set([REFRIGERATOR]);
const VERSION_2 = 'cgroup2 ';
const FILE_BYTES = 4096;
const AT_ONCE = 256;
/** The kernel allows any depth; this ends the walk. */
const MOST_GROUPS = 64;

/** Whether a task is likely stopped by the freezer of version 2: one that is stopped by a signal is in T. */
export function isTrapped(observation: Observation): boolean {
  return observation.state === 'S' && TRAPS.has(innermostOf(observation) ?? '');
}

/** A hierarchy that freezes, and the file of a group there that tells whether it is itself frozen. */
interface Hierarchy {
  readonly version: 1 | 2;
  readonly mount: Mount;
  readonly file: string;
}

interface Frozen {
  readonly folder: string;
  readonly version: 1 | 2;
  readonly evidence: Evidence;
}

/** Tasks of a frozen control group wait for its thaw, whatever they were about. */
export const freezers: EdgeSource = {
  name: 'freezers',
  concerns: (observation) =>
    isTrapped(observation) ||
    (observation.state === 'D' && (observation.task.kernelThread !== true || waitsIn(observation, REFRIGERATORS))),
  async ofTasks(waiters, context): Promise<FoundEdges> {
    const hierarchies = await hierarchiesOf(context);
    if (hierarchies.length === 0) return { edges: [], resources: [] };
    const known = new Map<string, Promise<Frozen | undefined>>();
    const edges: Edge[] = [];
    const resources = new Map<string, Resource>();
    for (let from = 0; from < waiters.length && context.clock.monotonicMs() <= context.untilMs; from += AT_ONCE) {
      const some = waiters.slice(from, from + AT_ONCE);
      const found = await Promise.all(some.map((waiter) => frozenGroupOf(waiter, hierarchies, known, context)));
      for (const [at, { task }] of some.entries()) {
        const group = found[at];
        if (group === undefined || task.id.tid === undefined) continue;
        const resource = resourceOf(group.frozen);
        resources.set(resource.key, resource);
        edges.push({ from: task.id.tid, to: resource.key, by: 'frozen', evidence: [group.evidence] });
      }
    }
    return { edges, resources: [...resources.values()] };
  },
};

function resourceOf({ folder, version, evidence }: Frozen): Resource {
  return {
    key: `${version === 1 ? VERSION_1 : VERSION_2}${folder}`,
    kind: 'cgroup',
    name: folder,
    condition: 'is frozen',
    hangs: true,
    evidence: [evidence],
  };
}

/** As kstack sees them. Several mounts of one hierarchy show the same. */
async function hierarchiesOf({ fileSystems }: EdgeContext): Promise<Hierarchy[]> {
  const mounts = (await fileSystems.own())?.mounts ?? [];
  const first = mounts.find(({ type, options }) => type === 'cgroup' && options.has('freezer'));
  const second = mounts.find(({ type }) => type === 'cgroup2');
  return [
    ...(first === undefined ? [] : [{ version: 1 as const, mount: first, file: 'freezer.self_freezing' }]),
    ...(second === undefined ? [] : [{ version: 2 as const, mount: second, file: 'cgroup.freeze' }]),
  ];
}

async function frozenGroupOf(
  waiter: Observation,
  hierarchies: readonly Hierarchy[],
  known: Map<string, Promise<Frozen | undefined>>,
  { root, files }: EdgeContext,
): Promise<{ readonly frozen: Frozen; readonly evidence: Evidence } | undefined> {
  const { pid, id } = waiter.task;
  const place = `/proc/${pid}/task/${id.tid}/cgroup`;
  const version = isTrapped(waiter) ? 2 : 1;
  const hierarchy = hierarchies.find((each) => each.version === version);
  if (hierarchy === undefined) return undefined;
  const read = await files.bytes(`${root}/${pid}/task/${id.tid}/cgroup`, 0n, FILE_BYTES);
  if ('unread' in read) return undefined;
  const line = lineOf(version, decodeBytes(read.value));
  const path = line?.slice(line.indexOf(':', line.indexOf(':') + 1) + 1);
  if (line === undefined || path === undefined) return undefined;
  const frozen = await nearestFrozen(path, hierarchy, known, files);
  return frozen === undefined ? undefined : { frozen, evidence: { place, text: line } };
}

/** `6:freezer:/path` or `0::/path`. */
function lineOf(version: 1 | 2, text: string): string | undefined {
  const controllers = (line: string) => line.split(':', 2)[1]?.split(',') ?? [];
  return text
    .split('\n')
    .find((line) => (version === 2 ? line.startsWith('0::') : controllers(line).includes('freezer')));
}

/** The group itself, or the nearest one above it that somebody has frozen. */
async function nearestFrozen(
  path: string,
  hierarchy: Hierarchy,
  known: Map<string, Promise<Frozen | undefined>>,
  files: EdgeContext['files'],
): Promise<Frozen | undefined> {
  let group = belowMount(path, hierarchy.mount);
  for (let depth = 0; depth < MOST_GROUPS && group !== undefined && group !== ''; depth++) {
    const folder = `${hierarchy.mount.point}${group}`;
    const asked = known.get(folder) ?? frozenAt(folder, hierarchy, files);
    known.set(folder, asked);
    const frozen = await asked;
    if (frozen !== undefined) return frozen;
    group = group.slice(0, group.lastIndexOf('/'));
  }
  return undefined;
}

/** Undefined if the mount does not show the group: that of a container shows its own ones only. */
function belowMount(path: string, { root }: Mount): string | undefined {
  const from = root === '/' ? '' : root;
  return path.startsWith(`${from}/`) && !path.includes('/..') ? path.slice(from.length) : undefined;
}

async function frozenAt(
  folder: string,
  { version, file }: Hierarchy,
  files: EdgeContext['files'],
): Promise<Frozen | undefined> {
  const place = `${folder}/${file}`;
  const read = await files.bytes(place, 0n, FILE_BYTES);
  if ('unread' in read || decodeBytes(read.value).trim() !== '1') return undefined;
  return { folder, version, evidence: { place, text: '1' } };
}
