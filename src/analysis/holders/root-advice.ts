import { filledAdvice } from '../advice.ts';
import type { Alike } from './alike.ts';
import type { Deadlock, HeldUp } from './verdict.ts';

/** Commands. Those under `undo` change the host. */
export interface Advice {
  readonly next: readonly string[];
  readonly undo: readonly string[];
}

const NONE: Advice = { next: [], undo: [] };
/** Characters that a shell does not act on. */
const SAFE = /^[\w./+,:@-]{1,255}$/;

/** The most PIDs in a command. */
const MOST_PIDS = 8;

/** What to look at, and what would let the waiters go on. */
export function adviceOn(alike: Alike): Advice {
  const [{ root, trouble, finding }] = alike;
  const { observation, resource } = root;
  if (resource !== undefined) return adviceOnResource(resource);
  if (observation === undefined) return NONE;
  const looked = finding === undefined ? NONE : filledAdvice(finding, [observation]);
  const all = alike.flatMap(({ root: { observation: each } }) => each?.task.pid ?? each?.task.id.tid ?? []);
  const pids = [...new Set(all)].slice(0, MOST_PIDS);
  const next = [`kstack -Lp ${pids.join(',')} -f long`];
  if (trouble === 'stopped') return { next, undo: [`kill -CONT ${pids.join(' ')}`] };
  return trouble === 'blocked' || finding?.kind === 'blocked' ? looked : { next, undo: [] };
}

function adviceOnResource({ kind, name, condition = '', key }: NonNullable<HeldUp['root']['resource']>): Advice {
  if (!SAFE.test(name)) return NONE;
  const number = /\d+:(\d+)$/.exec(key)?.[1];
  if (kind === 'cgroup' && key.startsWith('cgroup1 '))
    return { next: [`cat ${name}/freezer.state`], undo: [`echo THAWED > ${name}/freezer.state`] };
  if (kind === 'cgroup') return { next: [`cat ${name}/cgroup.events`], undo: [`echo 0 > ${name}/cgroup.freeze`] };
  if (kind === 'mount' && /frozen/.test(condition)) return { next: [], undo: [`fsfreeze -u ${name}`] };
  if (kind === 'mount' && /no process serves/.test(condition))
    return { next: [], undo: [`echo 1 > /sys/fs/fuse/connections/${number ?? 'N'}/abort`] };
  if (kind === 'device' && /suspended/.test(condition))
    return { next: [`cat /sys/block/${name}/dm/name`], undo: [`dmsetup resume "$(cat /sys/block/${name}/dm/name)"`] };
  if (kind === 'device') return { next: [`cat /sys/class/block/${name}/stat`], undo: [] };
  return NONE;
}

/** One of those that wait for each other has to go. */
export function adviceOnDeadlock({ edges }: Deadlock, pidOf: (tid: number) => number | undefined): Advice {
  const pids = new Set(edges.flatMap(({ from }) => (typeof from === 'number' ? (pidOf(from) ?? []) : [])));
  const [first] = pids;
  if (first === undefined) return NONE;
  return { next: [`kstack -Lp ${[...pids].slice(0, MOST_PIDS).join(',')} -f long`], undo: [`kill ${first}`] };
}
