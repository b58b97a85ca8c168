import { edgesOfFacts } from '../../../model/edge.ts';
import type { Observation } from '../../../model/sample.ts';
import { factsOf } from './prefetch.ts';
import type { BpfReader } from './tasks.ts';

/** A bound on the work: a host may have tens of thousands of waiters, but their holders are few. */
const MOST_HOLDERS = 1000;

/**
 * TIDs of tasks outside `observations` that are needed to explain them: those along the chain of holders that each one
 * waits for, and vfork parents that wait for one of them.
 */
export function holdersOf(observations: readonly Observation[], reader: BpfReader): number[] {
  const next = new Map<number, number>();
  const pass = reader.read({ all: true, threads: true });
  if (pass === undefined) return [];
  const { records, nowNs } = pass;
  const locks = reader.locksOf(records);
  for (const record of records)
    for (const { from, to } of edgesOfFacts(record.tid, record.stat.state, factsOf(record, nowNs, locks)))
      if (typeof from === 'number' && typeof to === 'number' && !next.has(from)) next.set(from, to);
  const observed = new Set(observations.flatMap(({ task }) => task.id.tid ?? []));
  const missing = new Set<number>();
  for (const { facts } of observations) {
    const parent = facts?.vforkParent;
    if (parent !== undefined && !observed.has(parent) && missing.size < MOST_HOLDERS) missing.add(parent);
  }
  for (const start of observed) {
    let tid = next.get(start);
    while (tid !== undefined && !missing.has(tid) && missing.size < MOST_HOLDERS) {
      if (observed.has(tid)) break;
      missing.add(tid);
      tid = next.get(tid);
    }
  }
  return [...missing];
}
