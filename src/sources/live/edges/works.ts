import type { Edge } from '../../../model/edge.ts';
import { steadyWaiters } from '../bpf/works.ts';
import { type EdgeSource, type FoundEdges, waitsIn } from './edge-source.ts';

/** Who waits for works in these (kernel/workqueue.c). */
const FUNCTIONS = new Set(
  `__flush_work flush_work flush_delayed_work flush_rcu_work __cancel_work_timer __cancel_work_sync cancel_work_sync
  cancel_delayed_work_sync __flush_workqueue flush_workqueue drain_workqueue`.split(/\s+/),
);

/**
 * A task that waits for a work to be done: for the worker of the kernel that runs it. Nobody is named for a work that
 * no worker has begun.
 */
export const works: EdgeSource = {
  name: 'work queues',
  concerns: (observation) => waitsIn(observation, FUNCTIONS),
  async ofTasks(waiters, context): Promise<FoundEdges> {
    const passes = context.works.readTwice(context.tell);
    if (passes === undefined) return { edges: [], resources: [] };
    const waiting = new Set(waiters.flatMap(({ task }) => task.id.tid ?? []));
    const edges = steadyWaiters(passes[0], passes[1])
      .filter(({ waiter }) => waiting.has(waiter))
      .map(({ waiter, worker, how, queue }): Edge => {
        const place = how === 'work' ? 'worker.scheduled' : 'workqueue_struct.first_flusher';
        const text = `${waiter} waits behind the work of ${worker}, queue ${queue}`;
        const inferred = how === 'maybe-queue' && { inferred: true as const };
        return { from: waiter, to: worker, by: 'work', ...inferred, evidence: [{ place, text }] };
      });
    return { edges, resources: [] };
  },
};
