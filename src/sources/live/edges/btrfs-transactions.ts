import type { Edge } from '../../../model/edge.ts';
import type { Observation } from '../../../model/sample.ts';
import type { BtrfsWait } from '../bpf/transactions.ts';
import { waitsIn } from './edge-source.ts';
import { JOURNAL_INFO, ON_STACK } from './journal-waits.ts';

const COMMIT = new Set(['btrfs_commit_transaction']);
/** Where tasks wait for others that have a transaction open, for its commit, and to start the next (fs/btrfs/transaction.c). */
const WAITS = new Set([
  ...COMMIT,
  'wait_for_commit',
  'btrfs_wait_for_commit',
  'btrfs_commit_transaction_async',
  'wait_current_trans',
  'wait_current_trans_commit_start',
  'start_transaction',
]);

export function mayBeBtrfsWait(observation: Observation): boolean {
  return observation.state === 'D' && waitsIn(observation, WAITS);
}

/** A commit waits for all that have its transaction open, and others wait for the task that commits. */
export function btrfsEdges(
  waiters: readonly Observation[],
  waits: readonly BtrfsWait[],
  tasks: ReadonlyMap<number, Observation>,
): Edge[] {
  const waiting = new Set(waiters.flatMap(({ task }) => task.id.tid ?? []));
  return waits
    .filter(({ tid }) => waiting.has(tid))
    .flatMap((wait): Edge[] => {
      const { tid: from, id, what, open } = wait;
      const evidence = (to: number) => [
        { place: ON_STACK, text: `${from} waits for transaction ${id} of btrfs` },
        { place: JOURNAL_INFO, text: `${to} has transaction ${id} of btrfs open` },
      ];
      if (what === 'writers') return open.map((to) => ({ from, to, by: 'transaction', evidence: evidence(to) }));
      return committersOf(wait, tasks).map(({ tid: to, inferred }) => ({
        from,
        to,
        by: 'commit',
        ...inferred,
        evidence: evidence(to),
      }));
    });
}

/** Who waits for the others to close it, else who is in its commit by its stack. */
function committersOf({ open, committing }: BtrfsWait, tasks: ReadonlyMap<number, Observation>) {
  if (committing.length > 0) return committing.map((tid) => ({ tid, inferred: {} }));
  const inCommit = open.filter((tid) => {
    const task = tasks.get(tid);
    return task !== undefined && waitsIn(task, COMMIT);
  });
  return inCommit.map((tid) => ({ tid, inferred: { inferred: true as const } }));
}
