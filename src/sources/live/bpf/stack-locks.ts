import type { LockWait } from '../../../model/sample.ts';
import { type LockType, locksIn } from './lock-lists.ts';
import type { TaskRecord } from './records.ts';
import type { Symbols } from './symbols.ts';
import { MOST_ASKED, type Waiter, WaiterProgram } from './waiters.ts';

/** The functions that wait for a lock, whatever the compiler appended to their names. */
const FUNCTIONS: readonly [LockType, RegExp][] = [
  ['mutex', /^(?:__(?:ww_)?mutex_lock|mutex_lock)/],
  ['rwsem', /^(?:rwsem_down_(?:read|write)_slowpath|_{0,2}down_(?:read|write))/],
  ['semaphore', /^_{0,3}down(?:_common|_interruptible|_killable|_timeout)?(?:\.|$)/],
];

/**
 * Where tasks in S usually sleep, and that is no lock. That of others is found out by asking one of those that are
 * called from the same place.
 */
const IDLE = new Set([
  'ep_poll',
  'do_epoll_wait',
  'do_poll',
  'do_sys_poll',
  'do_select',
  'core_sys_select',
  'futex_do_wait',
  'futex_wait_queue',
  'futex_wait_queue_me',
  'hrtimer_nanosleep',
  'do_nanosleep',
  'common_nsleep',
  'do_wait',
  'do_sigtimedwait',
  'sigsuspend',
  '__x64_sys_pause',
  '__do_sys_pause',
  'anon_pipe_read',
  'pipe_read',
  'wait_for_partner',
  'unix_stream_read_generic',
  'unix_wait_for_peer',
  'skb_wait_for_more_packets',
  '__skb_wait_for_more_packets',
  'inet_csk_accept',
  'inet_csk_wait_for_connect',
  'sk_wait_data',
  'inotify_read',
  'eventfd_read',
  'signalfd_read_iter',
  'timerfd_read_iter',
  'ptrace_stop',
  'do_signal_stop',
  'request_wait_answer',
  'fuse_dev_do_read',
  'wait_woken',
  'kthread',
  'kthreadd',
  'kthread_worker_fn',
  'smpboot_thread_fn',
  'worker_thread',
  'rescuer_thread',
  'kauditd_thread',
  'devtmpfsd',
  'oom_reaper',
  'kswapd',
  'kcompactd',
  'khugepaged',
  'ksmd',
  'psi_rtpoll_worker',
  'kjournald2',
  'xfsaild',
  'transaction_kthread',
  'cleaner_kthread',
  'rcu_gp_fqs_loop',
  'rcu_gp_kthread',
  'rcu_nocb_gp_kthread',
  'rcu_nocb_cb_kthread',
  'rcu_tasks_kthread',
  'rcu_tasks_one_gp',
  'rcu_boost_kthread',
  'bpf_iter_run_prog',
]);

const ADDRESS_BYTES = 8;
/** How long it is remembered where tasks sleep: a module may be unloaded and another loaded at its addresses. */
const FRESH_MS = 60_000;

/**
 * Finds the locks that tasks wait for from what stands on their kernel stacks, where the kernel does not record them in
 * the task. The program for it is loaded when a task may wait for one.
 */
export class StackLocks {
  readonly #symbols: Symbols;
  readonly #monotonicMs: () => number;
  #program: WaiterProgram | undefined;
  #failed: string | undefined;
  /** Whether tasks in S that are called from an address sleep for a lock, by that address. */
  readonly #places = new Map<string, boolean>();
  #sinceMs: number;

  constructor(symbols: Symbols, monotonicMs: () => number) {
    this.#symbols = symbols;
    this.#monotonicMs = monotonicMs;
    this.#sinceMs = monotonicMs();
  }

  /** Why there are none, if so. */
  get failed(): string | undefined {
    return this.#failed;
  }

  /** The locks that these tasks wait for, by TID. */
  of(records: readonly TaskRecord[]): ReadonlyMap<number, LockWait> {
    if (this.#failed !== undefined) return NONE;
    try {
      return this.#find(records);
    } catch (error) {
      this.#failed = error instanceof Error ? error.message : String(error);
      this.close();
      return NONE;
    }
  }

  close(): void {
    this.#program?.close();
    this.#program = undefined;
  }

  #find(records: readonly TaskRecord[]): ReadonlyMap<number, LockWait> {
    if (this.#monotonicMs() - this.#sinceMs > FRESH_MS) {
      this.#sinceMs = this.#monotonicMs();
      this.#places.clear();
    }
    const uninterruptible = records.some(({ stat }) => stat.state === 'D');
    const interruptible = this.#interruptible(records);
    const samples = [...interruptible].flatMap(([place, [one]]) =>
      this.#places.has(place) || one === undefined ? [] : one,
    );
    const isWaiting = [...interruptible.keys()].some((place) => this.#places.get(place) === true);
    if (!uninterruptible && !isWaiting && samples.length === 0) return NONE;
    this.#program ??= new WaiterProgram();
    const look = this.#program.read(tidsOf(samples));
    for (const { tid, switches, addresses } of samples) {
      const seen = look.get(tid);
      if (seen !== undefined && !seen.onCpu && seen.switches === switches)
        this.#places.set(placeOf(addresses), seen.waiter !== 0n);
    }
    const waiting = [...interruptible].flatMap(([place, all]) => (this.#places.get(place) === true ? all : []));
    if (waiting.length === 0 && [...look.values()].every(({ waiter }) => waiter === 0n)) return NONE;
    const asked = tidsOf(waiting);
    addOwners(asked, look);
    let before = this.#program.read(asked);
    if (waiting.length > 0) {
      addOwners(asked, before);
      before = this.#program.read(asked);
    }
    const after = this.#program.read(asked);
    const byTid = new Map(records.map((record) => [record.tid, record]));
    const names = this.#functionsOf(after);
    const locks = locksIn(before, after, (waiter) => typeOf(names.get(waiter.tid) ?? []));
    for (const tid of [...locks.keys()]) if (byTid.get(tid)?.switches !== after.get(tid)?.switches) locks.delete(tid);
    return locks;
  }

  /** The tasks in S that may wait for a lock, by the place in the code that they are called from. */
  #interruptible(records: readonly TaskRecord[]): Map<string, TaskRecord[]> {
    const places = new Map<string, TaskRecord[]>();
    for (const record of records) {
      if (record.stat.state !== 'S' || record.addresses === '') continue;
      const place = placeOf(record.addresses);
      if (this.#places.get(place) === false) continue;
      const there = places.get(place);
      if (there === undefined) places.set(place, [record]);
      else there.push(record);
    }
    const unknown = new Set([...places.keys()].filter((place) => !this.#places.has(place)));
    const names = this.#symbols.resolve(unknown);
    for (const place of unknown)
      if (IDLE.has(nameIn(names.get(place)))) {
        this.#places.set(place, false);
        places.delete(place);
      }
    return places;
  }

  /** The names of the functions whose return addresses stand below each waiter, the nearest first. */
  #functionsOf(waiters: ReadonlyMap<number, Waiter>): ReadonlyMap<number, readonly string[]> {
    const words = new Map<number, string[]>();
    for (const { tid, waiter, below } of waiters.values())
      if (waiter !== 0n) words.set(tid, wordsIn(below).filter(isCode).reverse());
    const names = this.#symbols.resolve(new Set([...words.values()].flat()));
    return new Map([...words].map(([tid, each]) => [tid, each.map((word) => nameIn(names.get(word)))]));
  }
}

const NONE: ReadonlyMap<number, LockWait> = new Map();

/** The innermost address of a stack. */
function placeOf(addresses: string): string {
  return addresses.slice(0, ADDRESS_BYTES);
}

function tidsOf(records: readonly TaskRecord[]): Set<number> {
  return new Set(records.slice(0, MOST_ASKED / 2).map(({ tid }) => tid));
}

/** Whoever may own one of the locks. */
function addOwners(asked: Set<number>, waiters: ReadonlyMap<number, Waiter>): void {
  for (const { lock } of waiters.values())
    for (const tid of [lock?.mutex.ownerTid ?? 0, lock?.rwsem.ownerTid ?? 0])
      if (tid > 0 && asked.size < MOST_ASKED) asked.add(tid);
}

function wordsIn(bytes: string): string[] {
  const words: string[] = [];
  for (let at = 0; at < bytes.length; at += ADDRESS_BYTES) words.push(bytes.slice(at, at + ADDRESS_BYTES));
  return words;
}

/** Whether a word may be an address in the kernel's code: on x86-64 in its last 2 GiB, on arm64 in its upper half. */
function isCode(word: string): boolean {
  return process.arch === 'x64'
    ? word.endsWith('\xff\xff\xff\xff') && word.charCodeAt(3) >= 0x80
    : word.endsWith('\xff\xff');
}

/** `[<0>] pipe_write+0x43/0x5e0` */
function nameIn(text: string | undefined): string {
  return /^\[<0>\] ([^+\s]+)\+/.exec(text ?? '')?.[1]?.split('.', 1)[0] ?? '';
}

/** The kind of lock that the nearest of the functions waits for. */
function typeOf(functions: readonly string[]): LockType | undefined {
  for (const name of functions) for (const [type, pattern] of FUNCTIONS) if (pattern.test(name)) return type;
  return undefined;
}
