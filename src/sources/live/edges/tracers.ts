import type { Edge } from '../../../model/edge.ts';
import type { EdgeSource, FoundEdges } from './edge-source.ts';
import { statusOf } from './thread-numbers.ts';

/** Who has stopped a task, without bpf, which tells so itself. */
export const tracers: EdgeSource = {
  name: 'tracers',
  concerns: ({ state }) => state === 't',
  async ofTasks(waiters, context): Promise<FoundEdges> {
    if (context.bpf !== undefined) return { edges: [], resources: [] };
    const edges = await Promise.all(
      waiters.map(async ({ task }): Promise<Edge[]> => {
        const { pid, id } = task;
        if (pid === undefined || id.tid === undefined) return [];
        const folder = `${pid}/task/${id.tid}`;
        const line = /^TracerPid:\t(\d+)$/m.exec((await statusOf(folder, context)) ?? '');
        const tracer = Number(line?.[1] ?? 0);
        if (tracer === 0) return [];
        const evidence = [{ place: `/proc/${folder}/status`, text: `TracerPid ${tracer}` }];
        return [{ from: id.tid, to: tracer, by: 'ptrace', evidence }];
      }),
    );
    return { edges: edges.flat(), resources: [] };
  },
};
