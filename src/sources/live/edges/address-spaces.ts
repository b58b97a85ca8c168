import type { Edge } from '../../../model/edge.ts';
import type { Observation } from '../../../model/sample.ts';
import { type EdgeContext, type EdgeSource, type FoundEdges, waitsIn } from './edge-source.ts';

/** Readers of another process's memory or mappings: fs/proc/base.c, fs/proc/task_mmu.c, mm/memory.c. */
const REMOTE = new Set([
  '__access_remote_vm',
  'access_remote_vm',
  'proc_pid_cmdline_read',
  'environ_read',
  'mem_rw',
  'lock_next_vma',
  'proc_get_vma',
  'm_start',
]);
/** The holder of the mmap lock waits here for page faults on a mapping to finish (mm/mmap_lock.c, since Linux 6.4). */
const VMA_WRITE = new Set(['__vma_start_write', 'vma_start_write']);
const FAULT = new Set(['handle_mm_fault', '__handle_mm_fault']);
const PROC_FILE =
  /^\/proc\/(\d{1,10})\/(?:task\/\d{1,10}\/)?(?:cmdline|environ|maps|smaps|smaps_rollup|numa_maps|mem)$/;

/**
 * Who waits for the address space of a process: another process that reads its memory, and the thread that changes its
 * mappings while others of it are in page faults. This is why ps(1) hangs.
 */
export const addressSpaces: EdgeSource = {
  name: 'address spaces',
  concerns: (observation) =>
    observation.state === 'D' && (waitsIn(observation, REMOTE) || waitsIn(observation, VMA_WRITE)),
  async ofTasks(waiters, context): Promise<FoundEdges> {
    const edges: Edge[] = [];
    const threads = threadsByProcess(context);
    for (const waiter of waiters) {
      if (waitsIn(waiter, VMA_WRITE)) for (const edge of faultEdges(waiter, threads)) edges.push(edge);
      else if (context.clock.monotonicMs() < context.untilMs) {
        const edge = await remoteEdge(waiter, threads, context);
        if (edge !== undefined) edges.push(edge);
      } else {
        context.tell('not all readers of other processes were asked whom they read: no time left');
        break;
      }
    }
    return { edges, resources: [] };
  },
};

type Threads = ReadonlyMap<number | undefined, readonly Observation[]>;

function threadsByProcess({ tasks }: EdgeContext): Threads {
  const threads = new Map<number | undefined, Observation[]>();
  for (const observation of tasks.values()) {
    const { pid } = observation.task;
    const some = threads.get(pid);
    if (some === undefined) threads.set(pid, [observation]);
    else some.push(observation);
  }
  return threads;
}

/** To each thread of the process that is in a page fault and blocked: on which mapping is not known. */
function faultEdges({ task }: Observation, threads: Threads): Edge[] {
  const { tid } = task.id;
  if (tid === undefined) return [];
  return (threads.get(task.pid) ?? []).flatMap((other): Edge[] => {
    const to = other.task.id.tid;
    if (to === undefined || to === tid || other.state !== 'D' || !waitsIn(other, FAULT)) return [];
    const evidence = [{ place: `the stack of ${to}`, text: 'it is in a page fault, in handle_mm_fault' }];
    return [{ from: tid, to, by: 'page-fault', inferred: true, evidence }];
  });
}

/** To the thread that holds the mmap lock of the process whose file in /proc is read. */
async function remoteEdge(
  waiter: Observation,
  threads: Threads,
  { files, root }: EdgeContext,
): Promise<Edge | undefined> {
  const { systemCall, task } = waiter;
  const call = systemCall !== undefined && 'value' in systemCall ? systemCall.value : undefined;
  const { tid } = task.id;
  if (tid === undefined || typeof call !== 'object') return undefined;
  const link = `${root}/${task.pid}/task/${tid}/fd/${Number(BigInt.asIntN(32, BigInt(call.arguments[0] ?? '0x0')))}`;
  const target = await files.link(link);
  const path = 'value' in target ? target.value.toString('latin1') : '';
  const pid = Number(PROC_FILE.exec(path)?.[1]);
  const owner = threads.get(pid)?.flatMap(({ facts }) => facts?.mmapLockOwner ?? [])[0];
  if (typeof owner !== 'number' || owner === tid) return undefined;
  const evidence = [
    { place: link, text: path },
    { place: 'mm_struct.mmap_lock', text: `of process ${pid}, owner ${owner}` },
  ];
  return { from: tid, to: owner, by: 'mmap-lock', evidence };
}
