import type { Reading } from '../../../model/reading.ts';
import { decodeBytes } from '../../../native/decode.ts';
import { type Draft, hasNoMemory } from './draft.ts';
import type { Prefetch } from './prefetch.ts';

const NONE: Reading<string> = { value: '' };
const NOT_TOLD: Reading<string> = { unread: 'notTold' };

/**
 * The command lines of one sample, by process. Each is read, remembered by a prefetch, or not tried, because the
 * prefetch saw that the lock is held for which the read would wait.
 */
export class CommandLines {
  readonly #prefetch: Prefetch | undefined;
  readonly #areWanted: boolean;
  readonly #lines = new Map<number, Reading<string>>();
  /** Processes whose command line was requested. */
  readonly #asked = new Set<number>();

  /** @param areWanted whether any is read */
  constructor(prefetch: Prefetch | undefined, areWanted: boolean) {
    this.#prefetch = prefetch;
    this.#areWanted = areWanted;
  }

  /** The command line of a task; undefined as long as it is not known. */
  of({ stat, pid }: Draft): Reading<string> | undefined {
    if (!this.#areWanted) return NOT_TOLD;
    return stat !== undefined && hasNoMemory(stat) ? NONE : this.#lines.get(pid);
  }

  /** Whether it must be read now. `later` means: decide when the prefetch is complete. */
  mustRead(draft: Draft, isPrefetching: boolean): boolean | 'later' {
    const { stat, pid, prefetched } = draft;
    if (!this.#areWanted) return false;
    if (stat === undefined || hasNoMemory(stat) || this.#lines.has(pid) || this.#asked.has(pid)) return false;
    const prefetch = prefetched === undefined ? undefined : this.#prefetch;
    if (prefetch !== undefined && prefetched !== undefined) {
      const before = prefetch.recall(prefetched);
      if (before !== undefined) {
        this.#lines.set(pid, before);
        return false;
      }
      if (isPrefetching && (prefetched.mmapOwner !== undefined || prefetch.recallsLater(prefetched))) return 'later';
      if (!isPrefetching && prefetched.mmapOwner !== undefined && prefetch.isMmapLocked(pid)) {
        this.#lines.set(pid, { unread: 'locked' });
        return false;
      }
    }
    this.#asked.add(pid);
    return true;
  }

  take({ pid, prefetched }: Draft, bytes: Buffer, cut: boolean): void {
    const value = decodeBytes(bytes);
    const reading: Reading<string> = cut ? { value, cut } : { value };
    this.#lines.set(pid, reading);
    if (!cut && prefetched !== undefined) this.#prefetch?.remember(prefetched, reading);
  }

  /** Notes why it could not be read. If the thread has ended, it can be requested again through another thread. */
  miss({ pid }: Draft, reading: Reading<string>): void {
    if ('unread' in reading && reading.unread === 'gone') this.#asked.delete(pid);
    else if (!this.#lines.has(pid)) this.#lines.set(pid, reading);
  }
}
