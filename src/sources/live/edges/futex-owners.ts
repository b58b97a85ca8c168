import type { EdgeContext } from './edge-source.ts';
import type { Claim } from './futex-owner.ts';
import type { FutexWord } from './futex-words.ts';
import { mapsPlace, type SharedPlace, sharedPlaceOf } from './shared-memory.ts';
import { inSlices, statusOf, type Threads, threadsNumbered } from './thread-numbers.ts';

const MAPS_BYTES = 4 << 20;

/** A futex, and who it says holds it. */
export interface ClaimedWord {
  readonly word: FutexWord;
  readonly claim: Claim & { readonly tid: number };
}

/** Checks who futexes say holds them: that must be a thread that could have taken the lock. */
export class FutexOwners {
  readonly #context: EdgeContext;
  readonly #threads = new Map<number, Threads>();
  readonly #maps = new Map<number, Promise<string>>();

  constructor(context: EdgeContext) {
    this.#context = context;
  }

  /** Finds the threads of all processes that these are about. */
  async find(claimed: readonly ClaimedWord[]): Promise<void> {
    const numbers = new Map<number, Set<number>>();
    for (const { word, claim } of claimed) numbers.set(word.pid, (numbers.get(word.pid) ?? new Set()).add(claim.tid));
    await inSlices([...numbers], async ([pid, some]) => {
      this.#threads.set(pid, await threadsNumbered(pid, some, this.#context));
    });
  }

  /** The TID of the owner; `ended` if its process has no such thread; undefined if it cannot be checked. */
  async ownerOf({ word, claim }: ClaimedWord): Promise<number | 'ended' | undefined> {
    const { pid, wait } = word;
    const threads = this.#threads.get(pid);
    const own = threads?.tid(claim.tid);
    if (own !== undefined || threads === undefined) return own;
    if (!wait.shared) return claim.robust !== true && threads.lacks(claim.tid) ? 'ended' : undefined;
    if (claim.by === 'thread-end' || !threads.isSameNamespace) return undefined;
    const place = sharedPlaceOf(await this.#mapsOf(pid), wait.address);
    return place !== undefined && (await this.#isIn(claim.tid, place)) ? claim.tid : undefined;
  }

  /** Whether the process of a thread has that memory mapped. */
  async #isIn(tid: number, place: SharedPlace): Promise<boolean> {
    const status = (await statusOf(`${tid}`, this.#context)) ?? '';
    const pid = /^Tgid:\s+(\d+)$/m.exec(status)?.[1];
    return pid !== undefined && mapsPlace(await this.#mapsOf(Number(pid)), place);
  }

  /** Empty if it cannot be read: fs/proc/task_mmu.c takes the mmap lock. */
  async #mapsOf(pid: number): Promise<string> {
    const { files, root } = this.#context;
    const read =
      this.#maps.get(pid) ??
      files
        .bytes(`${root}/${pid}/maps`, 0n, MAPS_BYTES)
        .then((bytes) => ('value' in bytes ? bytes.value.toString('latin1') : ''));
    this.#maps.set(pid, read);
    return read;
  }
}
