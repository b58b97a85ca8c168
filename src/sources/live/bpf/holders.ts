import type { Sample } from '../../../model/sample.ts';
import { waitsOf } from '../../../model/wait.ts';
import { factsOf } from './look-first.ts';
import type { BpfReader } from './tasks.ts';

/** More are not followed: a host may have tens of thousands of waiters, and their holders are few. */
const MOST_HOLDERS = 1000;

/**
 * The tasks that those of a sample wait for, one behind the other, and that are not in it, and threads that wait for a
 * vfork child in it: TIDs.
 */
export function holdersOf(sample: Sample, reader: BpfReader): number[] {
  const next = new Map<number, number>();
  const look = reader.read({ all: true, threads: true });
  if (look === undefined) return [];
  const { records, nowNs } = look;
  for (const record of records)
    for (const { tid, holder } of waitsOf(record.tid, record.stat.state, factsOf(record, nowNs)))
      if (!next.has(tid)) next.set(tid, holder);
  const there = new Set(sample.observations.map(({ task }) => task.tid));
  const missing = new Set<number>();
  for (const { facts } of sample.observations) {
    const parent = facts?.vforkParent;
    if (parent !== undefined && !there.has(parent) && missing.size < MOST_HOLDERS) missing.add(parent);
  }
  for (const start of there) {
    let tid = next.get(start);
    while (tid !== undefined && !missing.has(tid) && missing.size < MOST_HOLDERS) {
      if (there.has(tid)) break;
      missing.add(tid);
      tid = next.get(tid);
    }
  }
  return [...missing];
}
