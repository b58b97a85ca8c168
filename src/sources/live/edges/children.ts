import type { Edge } from '../../../model/edge.ts';
import type { Observation } from '../../../model/sample.ts';
import { type EdgeContext, type EdgeSource, type FoundEdges, waitsIn } from './edge-source.ts';

/** wait4(2) and waitid(2) sleep in do_wait (kernel/exit.c). */
const FUNCTIONS = new Set(['do_wait']);

const CHILDREN_BYTES = 1 << 20;
/** Which children are waited for: the first argument of wait4, the first two of waitid (idtype and id). */
const P_PID = 1n;

/** A parent that waits for its children: for one of them, or for any. */
export const children: EdgeSource = {
  name: 'children',
  concerns: (observation) => waitsIn(observation, FUNCTIONS),
  async ofTasks(waiters, context): Promise<FoundEdges> {
    const edges: Edge[] = [];
    for (const waiter of waiters) {
      if (context.clock.monotonicMs() > context.untilMs) {
        context.tell('not all parents were asked for their children: no time left');
        break;
      }
      for (const edge of await edgesFrom(waiter, context)) edges.push(edge);
    }
    return { edges, resources: [] };
  },
};

async function edgesFrom({ task, systemCall }: Observation, context: EdgeContext): Promise<Edge[]> {
  const { tid } = task.id;
  if (tid === undefined || task.pid === undefined) return [];
  const one = childWaitedFor(systemCall);
  const pids = await childrenOf(task.pid, tid, context);
  const waited = one === undefined || !pids.includes(one) ? pids : [one];
  const any = waited.length > 1;
  return waited.map((to) => ({
    from: tid,
    to,
    by: 'child',
    ...(any && { any }),
    evidence: [{ place: `/proc/${task.pid}/task/${tid}/children`, text: `${to}` }],
  }));
}

/** The PID given to the system call; undefined if it waits for several children, or if that is not known. */
function childWaitedFor(systemCall: Observation['systemCall']): number | undefined {
  if (systemCall === undefined || !('value' in systemCall) || typeof systemCall.value !== 'object') return undefined;
  const {
    name,
    arguments: [first = '0x0', second = '0x0'],
  } = systemCall.value;
  const [a, b] = [BigInt.asIntN(32, BigInt(first)), BigInt.asIntN(32, BigInt(second))];
  if (name === 'wait4') return a > 0n ? Number(a) : undefined;
  return name === 'waitid' && a === P_PID ? Number(b) : undefined;
}

/** /proc/PID/task/TID/children, which needs CONFIG_PROC_CHILDREN (fs/proc/array.c), or the parents of the tasks seen. */
async function childrenOf(pid: number, tid: number, { files, root, tasks }: EdgeContext): Promise<number[]> {
  const read = await files.bytes(`${root}/${pid}/task/${tid}/children`, 0n, CHILDREN_BYTES);
  if ('value' in read) return read.value.toString('latin1').split(' ').filter(Boolean).map(Number);
  const seen = [...tasks.values()].filter(({ task }) => task.ppid === pid && task.id.tid === task.pid);
  return seen.flatMap(({ task }) => task.pid ?? []);
}
