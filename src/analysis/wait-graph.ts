import type { Observation, Sample } from '../model/sample.ts';
import { type Root, tasksByTid, type Wait, type WaitGraph, waitsOf } from '../model/wait.ts';

/**
 * Who holds up whom, as far as the kernel records it: the owner of a mutex, semaphore or rw-semaphore
 * (kernel/locking/), the child of vfork(2), the tracer of a traced task. A task waits for one thing at a time, so every
 * path along the waits ends at a root or in a cycle.
 */
export function waitGraph(sample: Pick<Sample, 'observations' | 'holders'>): WaitGraph {
  const observations = tasksByTid(sample);
  const next = nextWaits(observations);
  const waiters = new Map<number, Wait[]>();
  for (const wait of next.values()) {
    const others = waiters.get(wait.holder);
    if (others === undefined) waiters.set(wait.holder, [wait]);
    else others.push(wait);
  }
  const cycles = cyclesOf(next);
  const inCycle = new Set(cycles.flat().map(({ tid }) => tid));
  const roots: Root[] = [...waiters.keys()]
    .filter((tid) => !next.has(tid) && !inCycle.has(tid))
    .map((tid) => ({ tid, observation: observations.get(tid), waits: behind(tid, waiters) }));
  return { roots: roots.sort((a, b) => b.waits.length - a.waits.length || a.tid - b.tid), cycles };
}

/** What each of these tasks waits for, by the TID of the task that waits. */
export function nextWaits(observations: ReadonlyMap<number, Observation>): Map<number, Wait> {
  const next = new Map<number, Wait>();
  for (const [tid, { state, facts }] of observations) {
    // A lock takes precedence over a tracer or a child: it is where the task sleeps.
    for (const wait of facts === undefined ? [] : waitsOf(tid, state, facts))
      if (!next.has(wait.tid)) next.set(wait.tid, wait);
  }
  return next;
}

/** All that wait for a task, directly or indirectly, nearest first. */
function behind(root: number, waiters: ReadonlyMap<number, readonly Wait[]>): Wait[] {
  const all: Wait[] = [...(waiters.get(root) ?? [])];
  // The list grows during the loop: each waiter may have waiters of its own.
  for (const { tid } of all) for (const wait of waiters.get(tid) ?? []) all.push(wait);
  return all;
}

/** The cycles in a graph in which each task waits for at most one other. */
function cyclesOf(next: ReadonlyMap<number, Wait>): Wait[][] {
  const cycles: Wait[][] = [];
  const done = new Set<number>();
  for (const start of next.keys()) {
    const path: Wait[] = [];
    let wait = next.get(start);
    while (wait !== undefined && !done.has(wait.tid)) {
      done.add(wait.tid);
      path.push(wait);
      wait = next.get(wait.holder);
    }
    const from = wait === undefined ? -1 : path.findIndex(({ tid }) => tid === wait.tid);
    if (from >= 0) cycles.push(path.slice(from));
  }
  return cycles;
}
