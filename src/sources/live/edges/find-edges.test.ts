import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { observationOf, taskOf } from '../../../../test/samples.ts';
import type { Edge, Resource } from '../../../model/edge.ts';
import type { Observation } from '../../../model/sample.ts';
import { systemClock } from '../../../native/clock.ts';
import { Reader } from '../../../native/reader/reader.ts';
import { OptionalProgram } from '../bpf/optional-program.ts';
import { TRANSACTION_RECORDS } from '../bpf/transactions.ts';
import { WORK_RECORDS } from '../bpf/works.ts';
import { FileReads } from '../procfs/file-reads.ts';
import { TaskDetails } from '../procfs/task-details.ts';
import { UnixSockets } from '../unix-sockets.ts';
import type { EdgeSource } from './edge-source.ts';
import { findEdges } from './find-edges.ts';
import { OpenFiles } from './open-files.ts';

let reader: Reader;
beforeAll(() => {
  reader = new Reader('/proc');
});
afterAll(() => reader.close());

const CALL: Observation['systemCall'] = { value: 'none' };
const waiter = (tid: number, more: Partial<Observation> = {}) => observationOf(tid, { systemCall: CALL, ...more });

function edge(from: Edge['from'], to: Edge['to'], more: Partial<Edge> = {}): Edge {
  return { from, to, by: 'pipe-writer', evidence: [], ...more };
}

function resource(key: string, more: Partial<Resource> = {}): Resource {
  return { key, kind: 'mount', name: key, evidence: [], ...more };
}

/** A source that knows these edges, by where they start, and the resources that they lead to. */
function sourceOf(name: string, edges: readonly Edge[], more: Partial<EdgeSource> = {}): EdgeSource {
  const from = (key: Edge['from']) => edges.filter((each) => each.from === key);
  const found = (some: readonly Edge[]) => ({
    edges: some,
    resources: some.flatMap(({ to }) => (typeof to === 'string' ? resource(to) : [])),
  });
  return {
    name,
    concerns: ({ task }) => from(task.id.tid ?? 0).length > 0,
    ofTasks: async (waiters) => found(waiters.flatMap(({ task }) => from(task.id.tid ?? 0))),
    follows: ({ key }) => from(key).length > 0,
    ofResources: async (resources) => found(resources.flatMap(({ key }) => from(key))),
    ...more,
  };
}

/** What is found from these tasks on; `observed` has the TIDs that were looked at, round by round. */
async function follow(
  sources: readonly EdgeSource[],
  observations: readonly Observation[],
  { exists = () => true, nowMs = () => 0 }: { exists?: (tid: number) => boolean; nowMs?: () => number } = {},
) {
  const unixSockets = new UnixSockets('/proc', reader);
  const told: string[] = [];
  const observed: (readonly number[])[] = [];
  const context = {
    clock: { ...systemClock(), monotonicMs: nowMs },
    root: '/proc',
    files: new FileReads(reader),
    details: new TaskDetails('/proc', reader, unixSockets),
    reader,
    unixSockets,
    openFiles: new OpenFiles(false),
    transactions: new OptionalProgram(TRANSACTION_RECORDS, false),
    works: new OptionalProgram(WORK_RECORDS, false),
    forVerdict: false,
    bpf: undefined,
    searchMs: 1600,
    tell: (text: string) => told.push(text),
  };
  const observe = async (tids: readonly number[]) => {
    observed.push(tids);
    return tids.filter(exists).map((tid) => waiter(tid));
  };
  return { ...(await findEdges(observations, context, observe, sources)), told, observed };
}

describe('findEdges', () => {
  it('follows waits from task to task, and looks at each task once that it did not know', async () => {
    const source = sourceOf('pipes', [edge(1, 2), edge(2, 3), edge(3, 1), edge(3, 4)]);
    const { edges, holders, observed, told, unread } = await follow([source], [waiter(1)]);
    expect(edges.map(({ from, to }) => [from, to])).toEqual([
      [1, 2],
      [2, 3],
      [3, 1],
      [3, 4],
    ]);
    expect(observed).toEqual([[2], [3], [4]]);
    expect(holders.map(({ task }) => task.id.tid)).toEqual([2, 3, 4]);
    expect([told, unread]).toEqual([[], []]);
  });

  it('follows resources, from one source to the other', async () => {
    const mounts = sourceOf('mounts', [edge(1, 'mount 45'), edge('device 7:0', 'mount 44')]);
    const devices = sourceOf('devices', [edge('mount 45', 'device 7:0'), edge('mount 44', 9)]);
    const { edges, resources, holders } = await follow([mounts, devices], [waiter(1), waiter(5)]);
    expect(edges.map(({ to }) => to)).toEqual(['mount 45', 'device 7:0', 'mount 44', 9]);
    expect(resources.map(({ key }) => key)).toEqual(['mount 45', 'device 7:0', 'mount 44']);
    expect(holders.map(({ task }) => task.id.tid)).toEqual([9]);
  });

  it('looks at the tasks that facts lead to, from both ends', async () => {
    const owner = { lock: { kind: 'mutex', owner: 7 } } as const;
    const { observed, edges } = await follow(
      [],
      [waiter(1, { facts: owner }), waiter(2, { facts: { vforkParent: 8 } }), waiter(3, { facts: owner })],
    );
    expect([observed, edges]).toEqual([[[7, 8]], []]);
  });

  it('does not look again at a task that has ended', async () => {
    const source = sourceOf('pipes', [edge(1, 2), edge(2, 3), edge(1, 99), edge(2, 99), edge(3, 99)]);
    const { observed, edges } = await follow([source], [waiter(1)], { exists: (tid) => tid !== 99 });
    expect(observed).toEqual([[2, 99], [3]]);
    expect(edges).toHaveLength(5);
  });

  it('has each edge once, and each resource as the source tells it that knows most', async () => {
    const plain = sourceOf('mounts', [edge(1, 'mount 45')]);
    const suspended = { ...resource('mount 45'), condition: 'is frozen', hangs: true } as const;
    const followed: (readonly Resource[])[] = [];
    const knowing = sourceOf('freezer', [edge(1, 'mount 45')], {
      ofTasks: async () => ({ edges: [edge(1, 'mount 45')], resources: [suspended, resource('mount 45')] }),
      follows: () => true,
      ofResources: async (resources) => {
        followed.push(resources);
        return { edges: [], resources: [resource('mount 45')] };
      },
    });
    const { edges, resources } = await follow([plain, knowing], [waiter(1)]);
    expect(edges).toHaveLength(1);
    expect(resources).toEqual([suspended]);
    expect(followed).toEqual([[suspended]]);
  });

  it('tells of a source that fails, and goes on without it', async () => {
    const broken = sourceOf('locks', [edge(1, 5)], { ofTasks: () => Promise.reject(new Error('EIO: /proc/locks')) });
    const thrown = sourceOf('leases', [edge(1, 6)], {
      ofTasks: () => {
        throw new Error('no such thing');
      },
    });
    const { edges, told } = await follow([broken, sourceOf('pipes', [edge(1, 2)]), thrown], [waiter(1)]);
    expect(edges).toEqual([edge(1, 2)]);
    expect(new Set(told)).toEqual(
      new Set(['who holds up whom, locks: EIO: /proc/locks', 'who holds up whom, leases: no such thing']),
    );
  });

  it('lets sources settle in the end what all have found, and keeps that if one of them fails', async () => {
    const settling = (name: string, settle: EdgeSource['settle']) =>
      sourceOf(name, [], { settles: ({ key }) => key === 'mount 45', ...(settle !== undefined && { settle }) });
    const broken = settling('disks', () => Promise.reject(new Error('EIO')));
    const without = settling('mounts', async ({ edges }) => ({ edges: edges.slice(1), resources: [] }));
    const sources = [sourceOf('mounts', [edge(1, 'mount 45'), edge('mount 45', 9)]), broken, without, broken];
    const { edges, resources, told } = await follow(sources, [waiter(1)]);
    expect([edges, resources, told]).toEqual([[edge('mount 45', 9)], [], ['who holds up whom, disks: EIO']]);
    const none = await follow([sourceOf('mounts', [edge(1, 'mount 46')]), broken], [waiter(1)]);
    expect(none.told).toEqual([]);
  });

  it('asks no source that nothing concerns, and none about the tasks of kstack itself', async () => {
    const asked: string[] = [];
    const source = (name: string, concerns: boolean) =>
      sourceOf(name, [], {
        concerns: () => concerns,
        ofTasks: async (waiters) => {
          asked.push(`${name} ${waiters.map(({ task }) => task.id.tid)}`);
          return { edges: [], resources: [] };
        },
      });
    await follow(
      [source('pipes', true), source('locks', false)],
      [waiter(1), waiter(2, { task: taskOf(2, { own: true }) })],
    );
    expect(asked).toEqual(['pipes 1']);
  });

  it('looks at a thousand tasks at the most, and tells that there are more', async () => {
    const source = sourceOf(
      'pipes',
      Array.from({ length: 1234 }, (_, at) => edge(1, 1000 + at)),
    );
    const { holders, edges, unread } = await follow([source], [waiter(1)]);
    expect([holders.length, edges.length]).toEqual([1000, 1234]);
    expect(unread).toEqual([{ tid: 0, what: 'edges', why: 'cut' }]);
  });

  it('does not follow a chain without end, and tells so', async () => {
    const endless: EdgeSource = {
      name: 'endless',
      concerns: () => true,
      ofTasks: async (waiters) => ({
        edges: waiters.map(({ task }) => edge(task.id.tid ?? 0, (task.id.tid ?? 0) + 1)),
        resources: [],
      }),
    };
    const { edges, unread } = await follow([endless], [waiter(1)]);
    expect(edges).toHaveLength(16);
    expect(unread).toEqual([{ tid: 0, what: 'edges', why: 'cut' }]);
  });

  it('begins no more rounds when there is no time left, and tells so', async () => {
    let nowMs = 0;
    const slow = sourceOf('slow', [edge(1, 2), edge(2, 3)], {
      ofTasks: async (waiters, { untilMs }) => {
        nowMs = untilMs + 1;
        return { edges: waiters.map(({ task }) => edge(task.id.tid ?? 0, 2)), resources: [] };
      },
    });
    const { edges, unread, holders } = await follow([slow], [waiter(1)], { nowMs: () => nowMs });
    expect(edges).toEqual([edge(1, 2)]);
    expect(holders).toHaveLength(1);
    expect(unread).toEqual([{ tid: 0, what: 'edges', why: 'timeout' }]);
  });
});
