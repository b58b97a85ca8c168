import type { Edge } from '../../../model/edge.ts';
import type { Observation } from '../../../model/sample.ts';
import { unlessMalformed } from '../procfs/malformed.ts';
import { parseStat } from '../procfs/stat.ts';
import { type Child, childrenOf } from './children.ts';
import { type EdgeContext, type EdgeSource, type FoundEdges, waitsIn } from './edge-source.ts';
import { inSlices } from './thread-numbers.ts';

/** Where the parent waits (kernel/fork.c). wait_for_vfork_done is inlined into the others on many kernels. */
const WAIT = new Set(['wait_for_vfork_done', 'kernel_clone', '_do_fork', 'do_fork']);
/** In the same call, but before there is a child. */
const BEFORE = new Set(['copy_process']);

const STAT_BYTES = 1024;

/**
 * The parent of a vfork(2), without bpf, which tells the child for sure. The kernel lists the children of a thread in
 * the order of their birth, and a thread in vfork makes no other: the child is the last one that still runs its
 * parent's program. A process that another one left behind may have come after it.
 */
export const vforkChildren: EdgeSource = {
  name: 'vfork children',
  concerns: (observation) => observation.state === 'D' && waitsIn(observation, WAIT) && !waitsIn(observation, BEFORE),
  async ofTasks(tasks, context): Promise<FoundEdges> {
    if (context.bpf !== undefined) return { edges: [], resources: [] };
    const found = new Map<Observation, Edge>();
    await inSlices(tasks, async (observation) => {
      const { pid, id } = observation.task;
      if (pid === undefined || id.tid === undefined) return;
      if (context.clock.monotonicMs() > context.untilMs) {
        context.tell('not all parents of a vfork were asked for their children: no time left');
        return;
      }
      const wait = { which: { all: true }, ofThread: true } as const;
      const child = await lastForked(await childrenOf({ pid, tid: id.tid, wait }, context), context);
      if (child !== undefined)
        found.set(observation, {
          from: id.tid,
          to: child.pid,
          by: 'vfork',
          inferred: true,
          evidence: [child.evidence],
        });
    });
    return { edges: tasks.flatMap((task) => found.get(task) ?? []), resources: [] };
  },
};

async function lastForked(children: readonly Child[], { files, root }: EdgeContext): Promise<Child | undefined> {
  for (const child of children.toReversed()) {
    const stat = await files.bytes(`${root}/${child.pid}/stat`, 0n, STAT_BYTES);
    if ('unread' in stat) continue;
    if (unlessMalformed(() => parseStat(stat.value))?.runsParentsProgram === true) return child;
  }
  return undefined;
}
