import type { Edge } from '../../../model/edge.ts';
import type { Observation } from '../../../model/sample.ts';
import { btrfsWaitsIn, type Journal, journalsIn } from '../bpf/transactions.ts';
import { btrfsEdges, mayBeBtrfsWait } from './btrfs-transactions.ts';
import type { EdgeContext, EdgeSource, FoundEdges } from './edge-source.ts';
import { fileSystemWaitOf } from './file-system-waits.ts';
import { handleFunctionOf, JOURNAL_INFO, journalWaitOf, ON_STACK } from './journal-waits.ts';
import { commitThreadOf } from './journals.ts';
import { WaitedMounts } from './waited-mounts.ts';
import { withCalls } from './with-calls.ts';

/** Bounds the work where bpf does not tell. */
const MAX_OPENERS = 256;

/**
 * Transactions of btrfs, and of jbd2, the journal of ext4: a commit waits for all that have the transaction open, and
 * others wait for the commit. Of the latter, those are left to `mounts` of which the kernel does not tell.
 */
export const transactions: EdgeSource = {
  name: 'transactions',
  concerns: (observation) => journalWaitOf(observation) !== undefined || mayBeBtrfsWait(observation),
  async ofTasks(waiters, context): Promise<FoundEdges> {
    const passes = context.transactions.readTwice(context.tell);
    if (passes === undefined) return { edges: await edgesByStacks(waiters, context), resources: [] };
    const journals = journalsIn(passes[0], passes[1]);
    const ofJournals = waiters.flatMap((waiter) => edgesOf(waiter, journals, context));
    const ofBtrfs = btrfsEdges(waiters, btrfsWaitsIn(passes[0], passes[1]), context.tasks);
    return { edges: [...ofJournals, ...ofBtrfs], resources: [] };
  },
};

function edgesOf(waiter: Observation, journals: readonly Journal[], { tasks }: EdgeContext): Edge[] {
  const { tid } = waiter.task.id;
  if (tid === undefined) return [];
  const wait = journalWaitOf(waiter);
  const journal = journals.find(({ thread, sleepers }) => (wait === 'handles' ? thread === tid : sleepers.has(tid)));
  if (journal === undefined) return [];
  const { thread, open, isAsleep } = journal;
  const name = tasks.get(thread)?.task.comm;
  const ofJournal = `of the journal of ${thread}${name === undefined ? '' : ` ${name}`}`;
  if (wait === 'commit')
    return [{ from: tid, to: thread, by: 'commit', evidence: [{ place: ON_STACK, text: ofJournal }] }];
  if (wait === 'maybe-commit' || (wait === 'handles' && !isAsleep)) return [];
  return open
    .filter(({ tid: to, isLocked }) => to !== tid && (isLocked || wait === 'all-handles'))
    .map(({ tid: to, id, isLocked }) => ({
      from: tid,
      to,
      by: 'transaction',
      evidence: [
        { place: JOURNAL_INFO, text: `${to} has transaction ${id} ${ofJournal} open${isLocked ? ', T_LOCKED' : ''}` },
      ],
    }));
}

/** Which tasks have a transaction open, as far as their stacks show: those that wait for I/O in a function of ext4. */
async function edgesByStacks(waiters: readonly Observation[], context: EdgeContext): Promise<Edge[]> {
  const threads = waiters.filter((waiter) => journalWaitOf(waiter) === 'handles');
  if (threads.length === 0) return [];
  const openers = [...context.tasks.values()].filter(
    (task) => handleFunctionOf(task) !== undefined && fileSystemWaitOf(task) !== undefined,
  );
  if (openers.length > MAX_OPENERS)
    context.tell(`of ${openers.length} tasks that have a transaction open only ${MAX_OPENERS} were looked at`);
  const some = await withCalls(openers.slice(0, MAX_OPENERS), context.reader);
  const files = await new WaitedMounts(context).of(some);
  const edges: Edge[] = [];
  for (const [at, opener] of some.entries()) {
    const file = files[at];
    const { tid: to } = opener.task.id;
    const commits = file && (await commitThreadOf(file.mount, context, threads));
    const from = commits?.tid;
    if (file === undefined || commits === undefined || to === undefined || from === undefined || to === from) continue;
    const shows = { place: `/proc/${opener.task.pid}/task/${to}/stack`, text: handleFunctionOf(opener) ?? '' };
    edges.push({
      from,
      to,
      by: 'transaction',
      inferred: true,
      evidence: [...commits.evidence, shows, ...file.evidence],
    });
  }
  return edges;
}
