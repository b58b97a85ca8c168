import type { Edge } from '../../model/edge.ts';
import type { Observation, Sample } from '../../model/sample.ts';
import { isSameMoment, type Stamp, Stamps } from './stamps.ts';
import { cleaned } from './wrapping/clean.ts';
import { bodyOf } from './wrapping/prefix.ts';

/** Bounds memory: a host has few tasks that hold locks, and lockdep follows 48 of one (MAX_LOCK_DEPTH). */
const MOST_TASKS = 10_000;
const MOST_LOCKS = 48;
const LONGEST_TEXT = 200;

/** As lockdep_print_held_locks prints it (kernel/locking/lockdep.c). */
const HELD_BY = ' held by ';
const TASK = /^\d{1,3} locks? held by (.{1,64})\/(\d{1,7}):$/;
/** As print_lock does since 4.18: the address of the lock, its class, its use, and where it was asked for. */
const LOCK = /^ {0,4}#(\d{1,2}): ([0-9a-f]{8,16}) (\(.{1,300}\)\{[^}]{1,20}\}.*)$/;

/** The functions that sleep for a lock (kernel/locking/), and what they sleep for. */
const SLEEPERS = [
  ['mutex', /^(?:__)?(?:ww_)?mutex_lock/],
  ['rwsem-read', /^(?:rwsem_down_read|call_rwsem_down_read|(?:__)?down_read)/],
  ['rwsem-write', /^(?:rwsem_down_write|call_rwsem_down_write|(?:__)?down_write)/],
] as const;
/** How far below the scheduler they may be. */
const INNERMOST = 8;

interface Listed {
  readonly tid: number;
  readonly comm: string;
  readonly stamp: Stamp;
  readonly locks: { readonly address: string; readonly text: string }[];
}

interface Lister extends Listed {
  /** It may also wait for it: lockdep lists a lock before the task gets it. */
  readonly isLast: boolean;
}

type Found = Pick<Sample, 'holders'> & { readonly edges: readonly Edge[] };

/** The lists of locks that lockdep prints with a report of hung tasks. They show who holds what a task waits for. */
export class HeldLocks {
  readonly #stamps = new Stamps();
  #tasks: Listed[] = [];
  /** Whether the lines of a task's locks follow. */
  #isOpen = false;

  take(line: string): void {
    if (line.includes(HELD_BY)) this.#takeTask(line);
    else if (this.#isOpen && line.includes('#')) this.#takeLock(line);
    else if (this.#isOpen && line.trim() === '') this.#isOpen = false;
  }

  /**
   * Who waits for whom among these tasks, which were seen at one moment, as far as the lists of the same moment tell,
   * and the tasks that these wait for and that were not seen. The lists are forgotten then.
   */
  edgesAmong(observations: readonly Observation[], moment: Stamp | undefined): Found {
    if (this.#tasks.length === 0) return { edges: [], holders: [] };
    const isNow = ({ stamp }: Listed) => moment === undefined || isSameMoment({ ...moment, begun: 0 }, stamp);
    const now = this.#tasks.filter(isNow);
    this.#tasks = this.#tasks.filter((task) => !isNow(task));
    const seen = new Map(observations.map((observation) => [observation.task.id.tid, observation]));
    const listers = new Map<string, Lister[]>();
    for (const task of now)
      for (const [at, { address }] of task.locks.entries()) {
        const lister = { ...task, isLast: at === task.locks.length - 1 };
        listers.set(address, [...(listers.get(address) ?? []), lister]);
      }
    const edges = now.flatMap((waiter): Edge[] => {
      const observation = seen.get(waiter.tid);
      const lock = waiter.locks.at(-1);
      const by = observation === undefined ? undefined : lockSleptFor(observation);
      if (by === undefined || lock === undefined || observation?.facts?.lock?.owner !== undefined) return [];
      const others = (listers.get(lock.address) ?? []).filter(({ tid }) => tid !== waiter.tid);
      return holdersAmong(others, seen).map(({ tid, comm }) => {
        const text = `${lock.address} ${lock.text}, held by ${comm}/${tid}`.slice(0, LONGEST_TEXT);
        return { from: waiter.tid, to: tid, by, inferred: true, evidence: [{ place: 'the kernel log', text }] };
      });
    });
    const ends = new Set(edges.map(({ to }) => to));
    const holders = now.filter(({ tid }) => ends.delete(tid) && !seen.has(tid)).map(listedTask);
    return { edges, holders };
  }

  #takeTask(line: string): void {
    const clean = cleaned(line, false);
    const [, comm, tid] = TASK.exec(bodyOf(clean).text.trim()) ?? [];
    this.#isOpen = comm !== undefined && this.#tasks.length < MOST_TASKS;
    if (comm === undefined || !this.#isOpen || Number(tid) === 0) return;
    this.#stamps.now = { told: {}, begun: 0 };
    this.#stamps.take(clean);
    this.#tasks.push({ tid: Number(tid), comm, stamp: this.#stamps.now, locks: [] });
  }

  #takeLock(line: string): void {
    const [, number, address, text] = LOCK.exec(bodyOf(cleaned(line, false)).text.trimEnd()) ?? [];
    const locks = this.#tasks.at(-1)?.locks;
    // The lines of two CPUs may be mixed.
    if (address === undefined || text === undefined || locks?.length !== Number(number)) return;
    if (locks.length < MOST_LOCKS) locks.push({ address, text });
  }
}

/** A task of which nothing else is told. */
function listedTask({ tid, comm }: Listed): Observation {
  return { task: { id: { tid }, comm, commandLine: { unread: 'notTold' } }, stack: { unread: 'notTold' } };
}

/** Those of the tasks that list a lock that have it. The others wait for it, too, or that is not known. */
function holdersAmong(listers: readonly Lister[], seen: ReadonlyMap<number | undefined, Observation>): Lister[] {
  const isWaiting = ({ tid, isLast }: Lister) => {
    const observation = seen.get(tid);
    return isLast && observation !== undefined && lockSleptFor(observation) !== undefined;
  };
  const sure = listers.filter((each) => !each.isLast || (seen.has(each.tid) && !isWaiting(each)));
  if (sure.length > 0) return sure;
  const unknown = listers.filter(({ tid }) => !seen.has(tid));
  return unknown.length === 1 ? unknown : [];
}

function lockSleptFor({ stack }: Observation): (typeof SLEEPERS)[number][0] | undefined {
  if (!('value' in stack)) return undefined;
  for (const { symbol } of stack.value.frames.slice(0, INNERMOST))
    for (const [by, functions] of SLEEPERS) if (functions.test(symbol)) return by;
  return undefined;
}
