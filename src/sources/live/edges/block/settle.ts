import { type Edge, edgesByEnd, edgesByStart, type NodeKey, type Resource } from '../../../../model/edge.ts';
import { withOffCpuTimes } from '../../procfs/off-cpu.ts';
import type { EdgeContext, FoundEdges } from '../edge-source.ts';
import { BlockDevices } from './block-devices.ts';
import { statesOf } from './device-state.ts';
import { watchDevices } from './watch.ts';

/** A device hangs only if somebody has waited for it for longer. */
const LONG_WAIT_MS = 1000;
const MAX_WATCHED = 200;
/** How many of those who wait are asked for how long. */
const MAX_ASKED = 200;

/**
 * Watches the devices that were found, all at the same time, and adds what they do. Leaves out the edges to
 * those that nobody waits for, as it turns out.
 */
export async function settleDevices(found: FoundEdges, context: EdgeContext): Promise<FoundEdges> {
  const all = found.resources.filter(({ kind, condition }) => kind === 'device' && condition === undefined);
  if (all.length > MAX_WATCHED) context.tell(`of ${all.length} devices only ${MAX_WATCHED} were watched`);
  const devices = all.slice(0, MAX_WATCHED);
  const longest = await longestWaits(devices, found.edges, context);
  const isAwaitedLong = ({ key }: Resource) => (longest.get(key) ?? 0) > LONG_WAIT_MS;
  const reads = new BlockDevices(context);
  const [watched, states] = await Promise.all([
    watchDevices(devices, isAwaitedLong, { clock: context.clock, readFile: (path) => reads.file(path) }),
    Promise.all(devices.map(({ name }) => statesOf(name, reads))),
  ]);
  const stateOf = new Map(devices.map(({ key }, at) => [key, states[at] ?? []]));
  const resources = found.resources.map((resource): Resource => {
    const seen = watched.get(resource.key);
    if (seen === undefined) return resource;
    const said = stateOf.get(resource.key) ?? [];
    const conditions = [...said.map(({ condition }) => condition), seen.condition ?? []].flat();
    const evidence = [...said.map((state) => state.evidence), ...(seen.condition === undefined ? [] : [seen.evidence])];
    return {
      ...resource,
      ...(conditions.length > 0 && { condition: conditions.join('; '), evidence }),
      ...(seen.stalled === true && isAwaitedLong(resource) && { hangs: true as const }),
    };
  });
  const stands = new Set(all.flatMap(({ key }) => (watched.get(key)?.stalled === true ? key : [])));
  for (const { key, kind, hangs } of found.resources) if (kind === 'device' && hangs === true) stands.add(key);
  const isIdle = ({ key }: Resource) => watched.get(key)?.idle === true && (stateOf.get(key) ?? []).length === 0;
  const idle = new Set(devices.flatMap((device) => (isIdle(device) ? device.key : [])));
  return withoutIdle({ edges: found.edges, resources }, idle, stands);
}

/**
 * Without the edges from what waits to devices that have nothing to do, nor those beneath them: these are not what is
 * waited for, but a lock of the file system is, or another disk of the array. A frozen file system waits for its thaw,
 * unless its device stands still: freezing waits for that. Without what only these edges led to, too.
 * @param idle keys of devices
 * @param stands keys of devices
 */
export function withoutIdle(
  { edges, resources }: FoundEdges,
  idle: ReadonlySet<NodeKey>,
  stands: ReadonlySet<NodeKey>,
): FoundEdges {
  const [out, into] = [edgesByStart(edges), edgesByEnd(edges)];
  const frozen = new Set<NodeKey>(resources.flatMap(({ key, kind, hangs }) => (kind === 'mount' && hangs ? key : [])));
  /** Some versions of md count nothing in flight themselves. */
  const isIdle = (key: NodeKey, above: ReadonlySet<NodeKey> = new Set()): boolean => {
    if (!idle.has(key) || above.has(key)) return above.has(key);
    const seen = new Set([...above, key]);
    return (out.get(key) ?? []).every(({ by, to }) => by !== 'beneath' || isIdle(to, seen));
  };
  const isWrong = ({ from, by, to }: Edge) => {
    if (typeof from === 'number' || (by !== 'beneath' && by !== 'device')) return false;
    return frozen.has(from) ? !stands.has(to) : isIdle(to) && !isIdle(from);
  };
  const dropped = new Set(edges.filter(isWrong));
  const gone = new Set<NodeKey>();
  // The set grows during the loop.
  for (const { to } of dropped) {
    if (typeof to === 'number' || !(into.get(to) ?? []).every((edge) => dropped.has(edge))) continue;
    gone.add(to);
    for (const edge of out.get(to) ?? []) dropped.add(edge);
  }
  return {
    edges: edges.filter((edge) => !dropped.has(edge)),
    resources: resources.filter(({ key }) => !gone.has(key)),
  };
}

/** For each device, how long the one has waited who has waited the longest for it, directly or behind others. */
async function longestWaits(
  devices: readonly Resource[],
  edges: readonly Edge[],
  { tasks, files, root, clock, untilMs, tell }: EdgeContext,
): Promise<Map<string, number>> {
  const into = edgesByEnd(edges);
  const behind = new Map(devices.map(({ key }) => [key, tasksBehind(key, into)]));
  const tids = [...new Set([...behind.values()].flat())].slice(0, MAX_ASKED);
  const observations = tids.flatMap((tid) => tasks.get(tid) ?? []);
  const timed = await withOffCpuTimes(observations, () => true, { files, root, clock, untilMs, tell });
  const waited = new Map(timed.map(({ task, facts }) => [task.id.tid, facts?.offCpuMs ?? 0]));
  const longest = (some: readonly number[]) => some.reduce((most, tid) => Math.max(most, waited.get(tid) ?? 0), 0);
  return new Map([...behind].map(([key, some]) => [key, longest(some)]));
}

/** The nearest first. */
function tasksBehind(key: string, into: ReadonlyMap<NodeKey, readonly Edge[]>): number[] {
  const reached = new Set<NodeKey>([key]);
  // The set grows during the loop.
  for (const node of reached) for (const { from } of into.get(node) ?? []) reached.add(from);
  return [...reached].filter((node) => typeof node === 'number').slice(0, MAX_ASKED);
}
