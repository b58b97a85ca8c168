import { describe, expect, it } from 'vitest';
import { observationOf } from '../../../../test/samples.ts';
import type { Edge } from '../../../model/edge.ts';
import type { Observation } from '../../../model/sample.ts';
import type { FoundFiles, OpenFile } from './open-file.ts';
import type { StreamAt } from './stream-ends.ts';
import { relevantStreams } from './stream-relevance.ts';
import type { StreamWait } from './stream-wait.ts';

const CALL = { number: 0, arguments: [] };

/** A task that waits at a pipe, and who has its other end open. */
function at(pid: number, does: StreamWait['does'], others: readonly number[]) {
  const target = `pipe:[${pid}]`;
  const stream: StreamAt = {
    wait: { tid: pid, pid, call: CALL, does, at: 'pipe', fd: 3 },
    file: { target },
    others: [],
  };
  const reads = does === 'write';
  const open = others.map((other): OpenFile => ({ pid: other, tid: other, fd: 4, reads, writes: !reads }));
  return { stream, target, open };
}

/** PIDs of those of the waits that may matter. */
function relevant(waits: readonly ReturnType<typeof at>[], more: readonly Observation[] = [], edges: Edge[] = []) {
  const files = new Map(waits.map(({ target, open }) => [target, open]));
  const found: FoundFiles = { files, peers: new Map(), missing: undefined, place: '' };
  const tasks = new Map([1, 2, 3, 4, 5].map((tid): [number, Observation] => [tid, observationOf(tid, { state: 'S' })]));
  for (const task of more) tasks.set(task.task.id.tid ?? 0, task);
  const streams = waits.map(({ stream }) => stream);
  return relevantStreams(streams, found, edges, tasks).map(({ wait }) => wait.pid);
}

describe('waits at pipes and sockets that a verdict may be about', () => {
  const chain = [at(1, 'read', [2]), at(2, 'read', [3]), at(4, 'read', [5])];

  it('are none where all listen to others that listen or run', () => {
    expect(relevant([...chain, at(5, 'read', [4]), at(3, 'any', [1])])).toEqual([]);
  });

  it('are those that lead to a task that is stuck, and those on the way there', () => {
    for (const state of ['T', 't', 'D'] as const)
      expect(relevant(chain, [observationOf(3, { state })])).toEqual([1, 2]);
  });

  it('are those that lead to or from a task that waits, or is waited for, in another way', () => {
    const edge = (from: number, to: number): Edge => ({ from, to, by: 'futex', evidence: [] });
    expect(relevant(chain, [], [edge(3, 99)])).toEqual([1, 2]);
    expect(relevant(chain, [], [edge(99, 1)])).toEqual([1, 2]);
    expect(relevant(chain, [], [edge(99, 98)])).toEqual([]);
  });

  it('are those of who writes, and with them what that one is connected with', () => {
    expect(relevant([...chain, at(3, 'write', [4])])).toEqual([1, 2, 4, 3]);
  });

  it('are those whose other end somebody has open who was not seen', () => {
    expect(relevant([at(1, 'read', [99]), at(2, 'read', [3])])).toEqual([1]);
  });

  it('are those of a process that has the other end open itself, alone and with one thread', () => {
    const own = [at(1, 'read', [1])];
    expect(relevant(own)).toEqual([1]);
    const { task } = observationOf(6);
    const second: Observation = { ...observationOf(6, { state: 'S' }), task: { ...task, pid: 1 } };
    expect(relevant(own, [second])).toEqual([]);
    expect(relevant([at(1, 'read', [1, 2])])).toEqual([]);
  });
});
