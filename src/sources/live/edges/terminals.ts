import type { Edge } from '../../../model/edge.ts';
import type { Observation } from '../../../model/sample.ts';
import { decodeBytes } from '../../../native/decode.ts';
import { listPids } from '../procfs/files.ts';
import { filesOfCall } from '../system-calls/files.ts';
import { type EdgeContext, type EdgeSource, type FoundEdges, waitsIn } from './edge-source.ts';
import { AT_A_TIME, type Descriptor, openDescriptors } from './open-descriptors.ts';

/** Writers wait here until there is room (drivers/tty/n_tty.c). */
const WRITES = new Set(['n_tty_write']);
const FDINFO_BYTES = 4096;
/** As for pipes: more are not told one by one. */
const MOST_PROCESSES = 8;
const MAX_WAITERS = 1000;
const AT_ONCE = 64;

interface Waiter {
  readonly tid: number;
  /** The number of its pseudoterminal. */
  readonly index: number;
  readonly place: string;
}

/** Who has the master of a pseudoterminal open. */
interface Master extends Descriptor {
  readonly index: number;
  readonly place: string;
}

/**
 * Writers to a pseudoterminal wait for whoever has its master open to read: sshd, tmux, a terminal. It is inferred: the
 * same number may exist in the devpts of a container.
 */
export const terminals: EdgeSource = {
  name: 'terminals',
  concerns: (observation) => observation.state === 'S' && waitsIn(observation, WRITES),
  async ofTasks(waiters, context): Promise<FoundEdges> {
    const waits: Waiter[] = [];
    for (let from = 0; from < Math.min(waiters.length, MAX_WAITERS) && hasTime(context); from += AT_ONCE)
      for (const wait of await Promise.all(
        waiters.slice(from, from + AT_ONCE).map((waiter) => terminalOf(waiter, context)),
      ))
        if (wait !== undefined) waits.push(wait);
    if (waits.length === 0) return { edges: [], resources: [] };
    const masters = await mastersOf(new Set(waits.map(({ index }) => index)), context);
    return { edges: waits.flatMap((wait) => edgesOf(wait, masters.get(wait.index) ?? [])), resources: [] };
  },
};

function hasTime({ clock, untilMs, tell }: EdgeContext): boolean {
  if (clock.monotonicMs() <= untilMs) return true;
  tell('not all processes were asked whether they have a terminal open: no time left');
  return false;
}

async function terminalOf(
  { task, systemCall }: Observation,
  { root, files }: EdgeContext,
): Promise<Waiter | undefined> {
  const { pid, id } = task;
  const call = systemCall !== undefined && 'value' in systemCall ? systemCall.value : undefined;
  if (pid === undefined || id.tid === undefined || typeof call !== 'object') return undefined;
  const [file] = filesOfCall(call, process.arch);
  if (file === undefined || !('fd' in file)) return undefined;
  const place = `${pid}/task/${id.tid}/fd/${file.fd}`;
  const link = await files.link(`${root}/${place}`);
  const index = 'unread' in link ? undefined : /^\/dev\/pts\/(\d+)$/.exec(decodeBytes(link.value))?.[1];
  return index === undefined ? undefined : { tid: id.tid, index: Number(index), place: `/proc/${place}` };
}

/** By the number of the terminal, without those that the process of a waiter has open itself. */
async function mastersOf(wanted: ReadonlySet<number>, context: EdgeContext): Promise<Map<number, Master[]>> {
  const { root } = context;
  const pids = listPids(root);
  const found = new Map<number, Master[]>();
  for (let from = 0; from < pids.length && hasTime(context); from += AT_A_TIME) {
    const some = pids.slice(from, from + AT_A_TIME).map((pid) => ({ pid, tid: pid }));
    const { open } = await openDescriptors(some, context, (target) => target.endsWith('/ptmx'));
    for (const master of await Promise.all(open.map((descriptor) => masterOf(descriptor, context)))) {
      if (master === undefined || !wanted.has(master.index)) continue;
      const others = found.get(master.index) ?? [];
      if (!others.some(({ pid }) => pid === master.pid)) found.set(master.index, [...others, master]);
    }
  }
  return found;
}

/** Since Linux 4.15, fdinfo of a master has the number (drivers/tty/pty.c, pty_show_fdinfo). */
async function masterOf(descriptor: Descriptor, { root, files }: EdgeContext): Promise<Master | undefined> {
  const place = `${descriptor.pid}/fdinfo/${descriptor.fd}`;
  const read = await files.bytes(`${root}/${place}`, 0n, FDINFO_BYTES);
  const text = 'value' in read ? read.value.toString('latin1') : '';
  const index = /^tty-index:\s*(\d+)$/m.exec(text)?.[1];
  return index === undefined ? undefined : { ...descriptor, index: Number(index), place: `/proc/${place}` };
}

function edgesOf({ tid, index, place }: Waiter, masters: readonly Master[]): Edge[] {
  if (masters.length > MOST_PROCESSES) return [];
  return masters.map(
    (master): Edge => ({
      from: tid,
      to: master.pid,
      by: 'terminal',
      ...(masters.length > 1 && { any: true }),
      inferred: true,
      evidence: [
        { place, text: `/dev/pts/${index}` },
        { place: master.place, text: `tty-index: ${index}` },
      ],
    }),
  );
}
