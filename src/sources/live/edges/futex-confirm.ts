import type { EdgeContext } from './edge-source.ts';
import type { FutexMemory } from './futex-memory.ts';
import type { ClaimedWord } from './futex-owners.ts';
import type { FutexWaiter, FutexWord } from './futex-words.ts';
import { inSlices, statusOf, switchesIn } from './thread-numbers.ts';

/** How many waiters are looked at again. */
const MOST = 250;

/** A task that waits for a futex. */
export interface Wait {
  readonly waiter: FutexWaiter;
  readonly claimed: ClaimedWord;
}

/**
 * Of waits that could make up a deadlock, those that are true at one moment: the stacks, system calls and memory of a
 * busy process were not read at one. The waiter did not run while the word was read again, and that says the same.
 */
export async function confirmed(
  waits: readonly Wait[],
  memory: FutexMemory,
  context: EdgeContext,
): Promise<ReadonlySet<Wait>> {
  const some = waits.slice(0, MOST);
  if (some.length < waits.length)
    context.tell(`who holds up whom: ${waits.length - some.length} waits for futexes were not looked at again`);
  const kept = new Set(some);
  const switches = () => switchesOf(some, context);
  const before = await switches();
  const again = await stillClaimed(some, memory);
  await inSlices(some, async (wait) => {
    const { waiter, claimed } = wait;
    if (!again.has(claimed.word) || !(await context.details.isStillIn(waiter, waiter.call))) kept.delete(wait);
  });
  const after = await switches();
  // NaN, for a task that ended, is not equal to itself.
  for (const wait of some) if (before.get(wait) !== after.get(wait)) kept.delete(wait);
  return kept;
}

/** The words that name the same owner as before. */
export async function stillClaimed(
  waits: readonly { readonly claimed: ClaimedWord }[],
  memory: FutexMemory,
): Promise<ReadonlySet<FutexWord>> {
  const words = new Map(waits.map(({ claimed }) => [claimed.word, claimed.claim.tid]));
  const same = new Set<FutexWord>();
  await inSlices([...words], async ([word, tid]) => {
    if ((await memory.claimOf(word))?.tid === tid) same.add(word);
  });
  return same;
}

async function switchesOf(waits: readonly Wait[], context: EdgeContext): Promise<ReadonlyMap<Wait, number>> {
  const switches = new Map<Wait, number>();
  await inSlices(waits, async (wait) => {
    const { pid, tid } = wait.waiter;
    switches.set(wait, switchesIn((await statusOf(`${pid}/task/${tid}`, context)) ?? ''));
  });
  return switches;
}
