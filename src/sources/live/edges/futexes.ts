import type { Edge, NodeKey, Resource } from '../../../model/edge.ts';
import type { Observation } from '../../../model/sample.ts';
import type { SystemCall } from '../../../model/system-call.ts';
import { nameOfCall } from '../system-calls/decode.ts';
import { type EdgeContext, type EdgeSource, type FoundEdges, waitsIn } from './edge-source.ts';
import { confirmed, stillClaimed, type Wait } from './futex-confirm.ts';
import { FutexMemory } from './futex-memory.ts';
import { type ClaimedWord, FutexOwners } from './futex-owners.ts';
import { type FutexWait, futexWaitOf } from './futex-wait.ts';
import { type FutexWaiter, type FutexWord, inTurns, wordsOf } from './futex-words.ts';
import { inSlices } from './thread-numbers.ts';

/** kernel/futex, in several files since Linux 5.16. The sleep itself may be missing from /proc/PID/stack. */
const FUNCTIONS = new Set([
  'futex_wait_queue_me',
  'futex_wait_queue',
  'futex_wait',
  '__futex_wait',
  'futex_lock_pi',
  'futex_wait_multiple_setup',
  'futex_wait_multiple',
  'do_futex',
  '__do_sys_futex',
]);

/** How many futexes are looked at: a host may have tens of thousands of waiters for as many condition variables. */
const MOST_WORDS = 1000;
const MOST_ARRAYS = 64;
/** For looking at them. On a busy host it is too short for all. */
const WORDS_MS = 300;

/** Locks in user space, and threads that others wait for to end, as far as the C libraries keep their owners. */
export const futexes: EdgeSource = {
  name: 'futexes',
  concerns: (observation) => waitsIn(observation, FUNCTIONS),
  async ofTasks(tasks, context): Promise<FoundEdges> {
    const memory = new FutexMemory(context.details);
    const { waits, arrays } = await futexWaits(tasks, memory, context);
    const words = wordsOf(waits);
    const chosen = inTurns(words, MOST_WORDS);
    const untilMs = Math.min(context.untilMs, context.clock.monotonicMs() + WORDS_MS);
    let looked = 0;
    const claims = new Map<FutexWord, ClaimedWord>();
    await inSlices(chosen, async (word) => {
      if (context.clock.monotonicMs() > untilMs) return;
      looked++;
      const claim = await memory.claimOf(word);
      const { tid } = claim ?? {};
      if (claim !== undefined && tid !== undefined) claims.set(word, { word, claim: { ...claim, tid } });
    });
    if (looked < words.length)
      context.tell(`who holds up whom: only ${looked} of ${words.length} futexes were looked at`);
    const claimed = chosen.flatMap((word) => claims.get(word) ?? []);
    const owned = await withOwners(claimed, memory, context);
    const edges = await trueEdges(owned, memory, context);
    const found = onlyWholeArrays(edges, arrays);
    const ends = new Set(found.map(({ to }) => to));
    return { edges: found, resources: owned.flatMap(({ lock }) => (lock && ends.has(lock.key) ? lock : [])) };
  },
};

/** What each task waits for, and of tasks that wait for any of several futexes, how many these are. */
async function futexWaits(tasks: readonly Observation[], memory: FutexMemory, { tell }: EdgeContext) {
  const waits: (readonly [FutexWaiter, FutexWait])[] = [];
  const arrays = new Map<number, number>();
  for (const { task, systemCall } of tasks) {
    const { tid } = task.id;
    const call = systemCall !== undefined && 'value' in systemCall ? systemCall.value : undefined;
    if (tid === undefined || task.pid === undefined || typeof call !== 'object') continue;
    const waiter = { tid, pid: task.pid, call };
    const wait = futexWaitOf(nameOf(call), call);
    if (wait === undefined) continue;
    if (!('count' in wait)) waits.push([waiter, wait]);
    else if (arrays.size === MOST_ARRAYS) tell(`who holds up whom: only ${MOST_ARRAYS} waits in futex_waitv`);
    else {
      arrays.set(tid, wait.count);
      for (const each of await memory.arrayOf(waiter, wait)) waits.push([waiter, each]);
    }
  }
  return { waits, arrays };
}

/** Undefined for 32-bit tasks, whose C libraries have other structures. */
function nameOf(call: SystemCall): string | undefined {
  const { stackPointer } = call;
  return stackPointer === undefined || stackPointer.length <= '0xffffffff'.length
    ? undefined
    : (call.name ?? nameOfCall(call, process.arch));
}

interface OwnedWord {
  readonly claimed: ClaimedWord;
  readonly to: NodeKey;
  /** A lock whose owner has ended. */
  readonly lock: Resource | undefined;
}

async function withOwners(
  claimed: readonly ClaimedWord[],
  memory: FutexMemory,
  context: EdgeContext,
): Promise<OwnedWord[]> {
  const owners = new FutexOwners(context);
  await owners.find(claimed);
  const owned: OwnedWord[] = [];
  const ended: { readonly claimed: ClaimedWord }[] = [];
  for (const each of claimed) {
    const owner = await owners.ownerOf(each);
    if (typeof owner === 'number') owned.push({ claimed: each, to: owner, lock: undefined });
    else if (owner === 'ended' && each.claim.by === 'futex') ended.push({ claimed: each });
  }
  // It may have left the lock to another one before it ended.
  const same = await stillClaimed(ended, memory);
  for (const { claimed: each } of ended) {
    const lock = lockOf(each);
    if (same.has(each.word)) owned.push({ claimed: each, to: lock.key, lock });
  }
  return owned;
}

function lockOf(claimed: ClaimedWord): Resource {
  const { pid, wait } = claimed.word;
  const name = `0x${wait.address.toString(16)} of process ${pid}`;
  return {
    key: `lock ${name}`,
    kind: 'lock',
    name: `futex ${name}`,
    condition: `was taken by thread ${claimed.claim.tid}, which is not in its process`,
    hangs: true,
    inferred: true,
    evidence: evidenceOf(claimed),
  };
}

/** The edges, without those that were true one after the other at most. */
async function trueEdges(owned: readonly OwnedWord[], memory: FutexMemory, context: EdgeContext): Promise<Edge[]> {
  const owners = new Set(owned.map(({ to }) => to));
  const all = owned.flatMap(({ claimed, to }) => claimed.word.waiters.map((waiter) => ({ waiter, claimed, to })));
  const chained = all.filter(({ waiter }) => owners.has(waiter.tid));
  const kept: ReadonlySet<Wait> = await confirmed(chained, memory, context);
  const texts = new Map(owned.map(({ claimed }) => [claimed, evidenceOf(claimed)]));
  return all.flatMap((wait) => {
    const { waiter, claimed, to } = wait;
    if (owners.has(waiter.tid) && !kept.has(wait)) return [];
    return { from: waiter.tid, to, by: claimed.claim.by, inferred: true, evidence: texts.get(claimed) ?? [] };
  });
}

function evidenceOf({ word, claim }: ClaimedWord): Edge['evidence'] {
  const { pid, wait } = word;
  return [{ place: `/proc/${pid}/mem`, text: `0x${wait.address.toString(16)}: ${claim.says}, thread ${claim.tid}` }];
}

/** A task that waits for any of several futexes is held up only if each of them is held. */
function onlyWholeArrays(edges: readonly Edge[], arrays: ReadonlyMap<number, number>): Edge[] {
  const counts = new Map<NodeKey, number>();
  for (const { from } of edges) counts.set(from, (counts.get(from) ?? 0) + 1);
  return edges.flatMap((edge) => {
    const wanted = typeof edge.from === 'number' ? arrays.get(edge.from) : undefined;
    if (wanted === undefined) return edge;
    return counts.get(edge.from) === wanted ? { ...edge, any: true } : [];
  });
}
