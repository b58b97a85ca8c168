import { describe, expect, it } from 'vitest';
import { EMPTY_SAMPLE, observationOf } from '../../../test/samples.ts';
import type { Edge, EdgeKind, NodeKey, Resource } from '../../model/edge.ts';
import type { Observation, Sample } from '../../model/sample.ts';
import { parseFrame } from '../../model/stack.ts';
import type { State } from '../../model/task.ts';
import { PATIENCE_MS } from './patience.ts';
import { isHeldUp, verdictOf } from './verdict.ts';

let nextId = 5_000_000;
const stackOf = (...functions: string[]) => ({
  value: { id: nextId++, frames: functions.map((name) => parseFrame(`[<0>] ${name}+0x1/0x2`)) },
});

const RENAME = stackOf('__mutex_lock', 'do_unknown_thing', 'do_syscall_64');
const COMMIT = stackOf('jbd2_log_wait_commit', 'ext4_sync_file', 'do_fsync', 'do_syscall_64');

function task(tid: number, state: State, waitedMs: number, stack: Observation['stack'] = RENAME): Observation {
  return observationOf(tid, { state, stack, facts: { offCpuMs: waitedMs } });
}

const edge = (from: NodeKey, to: NodeKey, by: EdgeKind, more: Partial<Edge> = {}): Edge => ({
  from,
  to,
  by,
  evidence: [],
  ...more,
});

const sampleOf = (observations: Observation[], edges: Edge[] = [], resources: Resource[] = []): Sample => ({
  ...EMPTY_SAMPLE,
  observations,
  edges,
  resources,
});

const troubles = (sample: Sample) => verdictOf(sample).heldUp.map(({ root, trouble }) => [root.key, trouble]);

describe('a verdict', () => {
  it('is about what a stopped task holds up, however normal the wait', () => {
    const edges = [edge(2, 1, 'pipe-reader'), edge(3, 2, 'child')];
    expect(troubles(sampleOf([task(1, 'T', 5), task(2, 'S', 9), task(3, 'S', 7)], edges))).toEqual([[1, 'stopped']]);
    expect(troubles(sampleOf([task(1, 't', 2000), task(2, 'S', 9), task(3, 'S', 7)], edges))).toEqual([[1, 'traced']]);
    // Not even its time could be read: it has been stopped for a moment.
    const { facts: _, ...untimed } = task(1, 't', 0);
    expect(troubles(sampleOf([untimed, task(2, 'S', 9), task(3, 'S', 7)], edges))).toEqual([]);
    expect(troubles(sampleOf([task(1, 't', 5), task(2, 'S', 9), task(3, 'S', 7)], edges))).toEqual([]);
  });

  it('does not tell for how long two wait for the same lease, which wake each other', () => {
    const times = (...edges: Edge[]) =>
      verdictOf(sampleOf([task(1, 'T', 9000), task(2, 'S', 700), task(3, 'S', 1)], edges)).heldUp.map(
        ({ longestMs }) => longestMs,
      );
    expect(times(edge(2, 1, 'lease'))).toEqual([700]);
    expect(times(edge(2, 1, 'lease'), edge(3, 1, 'lease'))).toEqual([undefined]);
    expect(times(edge(2, 1, 'lease'), edge(3, 1, 'flock'))).toEqual([700]);
  });

  it('is about a frozen control group only if others wait for its tasks', () => {
    const group: Resource = {
      key: 'cgroup2 /g',
      kind: 'cgroup',
      name: '/g',
      condition: 'is frozen',
      hangs: true,
      evidence: [],
    };
    const frozen = [edge(1, group.key, 'frozen'), edge(2, group.key, 'frozen')];
    const tasks = [task(1, 'S', 9000), task(2, 'D', 9000), task(3, 'S', 9000)];
    expect(isHeldUp(verdictOf(sampleOf(tasks, frozen, [group])))).toBe(false);
    const awaited = sampleOf(tasks, [...frozen, edge(3, 2, 'socket-peer')], [group]);
    expect(troubles(awaited)).toEqual([[group.key, 'hangs']]);
  });

  it('is not about waits that are normal for any time, when what they lead to is well', () => {
    const soft = Object.entries(PATIENCE_MS).flatMap(([kind, patience]) => (patience === undefined ? [kind] : []));
    expect(soft).toContain('child');
    for (const by of ['child', 'socket-peer', 'pipe-writer', 'thread-end'] as const)
      expect(isHeldUp(verdictOf(sampleOf([task(1, 'S', 1e9), task(2, 'S', 1e9)], [edge(2, 1, by)])))).toBe(false);
  });

  it('is not about one of several that are waited for, while another one is well', () => {
    const any = { any: true } as const;
    const edges = [edge(3, 1, 'pipe-writer', any), edge(3, 2, 'pipe-writer', any), edge(4, 3, 'child')];
    const seen = (state: State) =>
      troubles(sampleOf([task(1, 'T', 5), task(2, state, 5), task(3, 'S', 9), task(4, 'S', 9)], edges));
    expect(seen('S')).toEqual([]);
    expect(seen('T')).toEqual([
      [1, 'stopped'],
      [2, 'stopped'],
    ]);
  });

  it('leaves out of what is behind a root who can go on without it', () => {
    const any = { any: true } as const;
    const edges = [edge(3, 1, 'socket-peer'), edge(4, 1, 'pipe-writer', any), edge(4, 2, 'pipe-writer', any)];
    const { heldUp } = verdictOf(
      sampleOf([task(1, 'T', 5), task(2, 'S', 5), task(3, 'S', 9), task(4, 'S', 99)], edges),
    );
    expect(heldUp.map(({ root, longestMs }) => [root.key, root.tasks, longestMs])).toEqual([[1, 1, 5]]);
  });

  it('is about a lock that is waited for too long, and not before', () => {
    const held = (waitedMs: number) =>
      troubles(sampleOf([task(1, 'S', 5), task(2, 'D', waitedMs)], [edge(2, 1, 'mutex')]));
    expect(held(1900)).toEqual([]);
    expect(held(2100)).toEqual([[1, 'awaited']]);
  });

  it('is about a debugger only if others wait for what it has stopped', () => {
    const traced = [task(1, 'S', 1e6), task(2, 't', 1e6), task(3, 'S', 1e6)];
    const debugged = edge(2, 1, 'ptrace');
    expect(troubles(sampleOf(traced, [debugged]))).toEqual([]);
    expect(troubles(sampleOf(traced, [debugged, edge(3, 2, 'child')]))).toEqual([[1, 'awaited']]);
  });

  it('is not about idle workers that wait for the lock of the one that waits for requests', () => {
    const epoll = stackOf('ep_poll', 'do_epoll_wait', 'do_syscall_64');
    const accept = stackOf('inet_csk_accept', 'inet_accept', 'do_accept', 'do_syscall_64');
    const read = stackOf('sk_wait_data', 'tcp_recvmsg_locked', 'tcp_recvmsg', 'do_syscall_64');
    const named = (observation: Observation, comm: string) => ({ ...observation, task: { ...observation.task, comm } });
    const poll = stackOf('do_poll', 'do_sys_poll', 'do_syscall_64');
    const held = (by: EdgeKind, stack: Observation['stack'], comm = 'smtpd', pid = 2) => {
      const waiter = named(task(2, 'S', 1e6), comm);
      const all = [named(task(1, 'S', 1e6, stack), 'smtpd'), { ...waiter, task: { ...waiter.task, pid } }];
      return troubles(sampleOf(all, [edge(2, 1, by)])).length;
    };
    expect([held('flock', epoll), held('posix-lock', accept), held('futex', epoll)]).toEqual([0, 0, 0]);
    expect([held('flock', read), held('flock', epoll, 'cron'), held('mutex', epoll)]).toEqual([1, 1, 1]);
    // A thread that polls may as well wait for the answer to a request of its own.
    expect([held('flock', poll), held('futex', poll), held('futex', poll, 'smtpd', 1)]).toEqual([0, 0, 1]);
  });

  it.each([
    ['poll', ['0x0', '0x0'], 1],
    ['ppoll', ['0x7f00', '0x700000000'], 1],
    ['ppoll', ['0x7f00', '0x2'], 0],
    ['pselect6', ['0x0', '0x0'], 1],
    ['select', ['0x4', '0x7f00'], 0],
  ])('is about a worker that only sleeps while it holds the lock of others: %s(%s)', (name, values, roots) => {
    const smtpd = (observation: Observation) => ({ ...observation, task: { ...observation.task, comm: 'smtpd' } });
    const systemCall = { value: { number: 7, name, arguments: values } };
    const holder = { ...smtpd(task(1, 'S', 1e6, stackOf('do_sys_poll', 'do_syscall_64'))), systemCall };
    const all = [holder, smtpd(task(2, 'S', 1e6))];
    expect(troubles(sampleOf(all, [edge(2, 1, 'flock')])).length).toBe(roots);
  });

  it('does not know where very many tasks are in D, and since when is not known', () => {
    const untimed = (count: number, state: State = 'D') =>
      verdictOf(sampleOf(Array.from({ length: count }, (_, at) => observationOf(at + 1, { state, stack: COMMIT }))))
        .untimed;
    expect([untimed(10), untimed(11), untimed(11, 'S')]).toEqual([0, 11, 0]);
    const timed = Array.from({ length: 20 }, (_, at) => task(at + 1, 'D', 5, COMMIT));
    expect(verdictOf(sampleOf(timed)).untimed).toBe(0);
  });

  it('gives whoever runs more time, which an overloaded host needs', () => {
    const held = (state: State, waitedMs: number) =>
      troubles(sampleOf([task(1, state, 5), task(2, 'D', waitedMs)], [edge(2, 1, 'vfork')])).length;
    expect([held('S', 2000), held('R', 2000), held('R', 6000)]).toEqual([1, 0, 1]);
  });

  it('is about whoever holds a lock and listens to several, not about one of these', () => {
    const any = { any: true } as const;
    const edges = [edge(2, 1, 'futex'), edge(1, 8, 'pipe-writer', any), edge(1, 9, 'pipe-writer', any)];
    const seen = (state: State, ...more: Edge[]) =>
      troubles(
        sampleOf(
          [1, 2, 8, 9].map((tid) => task(tid, tid > 2 ? state : 'S', 1e6)),
          [...edges, ...more],
        ),
      );
    expect(seen('S')).toEqual([[1, 'awaited']]);
    // One of those waits for its child, which is the one that listens.
    expect(seen('S', edge(8, 1, 'child'))).toEqual([[1, 'awaited']]);
    expect(seen('T')).toEqual([
      [8, 'stopped'],
      [9, 'stopped'],
    ]);
  });

  it('counts from when the root was stopped, and not the wait of a shell for what waits for a lock', () => {
    const longest = (...[tasks, edges]: [Observation[], Edge[]]) =>
      verdictOf(sampleOf(tasks, edges)).heldUp.map(({ longestMs }) => longestMs);
    expect(longest([task(1, 'T', 1000), task(2, 'S', 1e7)], [edge(2, 1, 'child')])).toEqual([1000]);
    const behind = [edge(2, 1, 'flock'), edge(3, 2, 'child')];
    expect(longest([task(1, 'S', 1e7), task(2, 'S', 4000), task(3, 'S', 1e7)], behind)).toEqual([4000]);
  });

  it('waits longer for tasks in D on a host that is short of CPUs', () => {
    const blocked = (some: number, waitedMs: number) =>
      verdictOf({ ...sampleOf([task(1, 'D', waitedMs)]), pressure: { cpu: { some } } }).blocked.length;
    expect([blocked(20, 3000), blocked(90, 3000), blocked(90, 6000)]).toEqual([1, 0, 1]);
  });

  it('is about a resource that hangs at once, and about one that does not only after a while', () => {
    const disk: Resource = { key: 'device 7:0', kind: 'device', name: 'loop0', evidence: [] };
    const waiting = [task(2, 'D', 1000, COMMIT)];
    const edges = [edge(2, disk.key, 'device')];
    expect(troubles(sampleOf(waiting, edges, [disk]))).toEqual([]);
    expect(troubles(sampleOf(waiting, edges, [{ ...disk, hangs: true }]))).toEqual([[disk.key, 'hangs']]);
    expect(troubles(sampleOf([task(2, 'D', 6000, COMMIT)], edges, [disk]))).toEqual([[disk.key, 'awaited']]);
  });

  it('has the root that holds up most first, and counts each waiter once', () => {
    const edges = [edge(3, 1, 'mutex'), edge(4, 2, 'mutex'), edge(5, 2, 'mutex'), edge(5, 4, 'flock')];
    const { heldUp } = verdictOf(
      sampleOf(
        [1, 2, 3, 4, 5].map((tid) => task(tid, 'D', 9000)),
        edges,
      ),
    );
    expect(heldUp.map(({ root, trouble, longestMs }) => [root.key, root.tasks, trouble, longestMs])).toEqual([
      [2, 2, 'blocked', 9000],
      [1, 1, 'blocked', 9000],
    ]);
  });

  it('is about tasks in D of which nobody knows who holds them up, later if they may wait for a disk', () => {
    const blocked = (observation: Observation) => verdictOf(sampleOf([observation])).blocked.length;
    expect(blocked(task(1, 'D', 1900))).toBe(0);
    expect(blocked(task(1, 'D', 2100))).toBe(1);
    expect(blocked(task(1, 'D', 4900, COMMIT))).toBe(0);
    expect(blocked(task(1, 'D', 5100, COMMIT))).toBe(1);
    expect(blocked(task(1, 'S', 1e9))).toBe(0);
  });

  it('does not count as blocked what a root or a deadlock accounts for', () => {
    const all = [1, 2, 3, 4, 5].map((tid) => task(tid, 'D', 9000));
    const edges = [edge(2, 1, 'mutex'), edge(3, 4, 'mutex'), edge(4, 3, 'mutex'), edge(5, 4, 'mutex')];
    const { blocked, deadlocks, heldUp } = verdictOf(sampleOf(all, edges));
    expect(blocked).toEqual([]);
    expect(heldUp.map(({ root }) => root.key)).toEqual([1]);
    expect(deadlocks.map(({ behind, isConfirmed }) => [behind, isConfirmed])).toEqual([[[5], true]]);
  });

  it('is certain of an inferred deadlock only if it was there before', () => {
    const sample = sampleOf(
      [task(3, 'S', 9000), task(4, 'S', 9000)],
      [edge(3, 4, 'futex', { inferred: true }), edge(4, 3, 'futex', { inferred: true })],
    );
    const certain = (before?: Sample) => verdictOf(sample, before).deadlocks.map(({ isConfirmed }) => isConfirmed);
    expect(certain()).toEqual([false]);
    expect(certain(sampleOf([], [edge(3, 4, 'futex')]))).toEqual([false]);
    expect(certain(sample)).toEqual([true]);
  });

  it('says when nothing could be read', () => {
    expect(verdictOf(sampleOf([])).isBlind).toBe(true);
    expect(verdictOf(sampleOf([task(1, 'S', 1, { unread: 'denied' })])).isBlind).toBe(true);
    expect(verdictOf(sampleOf([task(1, 'S', 1)])).isBlind).toBe(false);
    for (const what of ['processes', 'namespaces'] as const) {
      const hidden: Sample = { ...sampleOf([task(1, 'S', 1)]), unread: [{ tid: 0, what, why: 'hidden' }] };
      expect(verdictOf(hidden).isBlind).toBe(true);
    }
  });

  it('tells of how many tasks the stack could not be read', () => {
    const { unreadStacks, isBlind } = verdictOf(sampleOf([task(1, 'S', 1), task(2, 'S', 1, { unread: 'denied' })]));
    expect([unreadStacks, isBlind]).toEqual([1, false]);
  });
});
