import { commandLineText } from '../../../model/command-line.ts';
import type { Reading } from '../../../model/reading.ts';
import { decodeBytes } from '../../../native/decode.ts';
import type { CommandLineBytes } from '../../../native/reader/protocol.ts';
import { type Draft, hasNoMemory } from './draft.ts';
import type { FirstLook } from './first-look.ts';

/** What is taken of all command lines of a sample; of those that come later `leastBytes` are. */
export type CommandLineLimits = CommandLineBytes;

const NONE: Reading<string> = { value: '' };

/**
 * The command lines of one sample, by process: read, remembered by a first look, or not tried, since that saw the lock
 * which a read would wait for.
 */
export class CommandLines {
  readonly #look: FirstLook | undefined;
  readonly #lines = new Map<number, Reading<string>>();
  /** Processes whose command line has been asked for. */
  readonly #asked = new Set<number>();

  constructor(look: FirstLook | undefined) {
    this.#look = look;
  }

  /** The command line of a task; undefined while it is not known. */
  of({ stat, pid }: Draft): Reading<string> | undefined {
    return stat !== undefined && hasNoMemory(stat) ? NONE : this.#lines.get(pid);
  }

  /** Whether it must be read, now: `later` where that is to be decided when the first look is over. */
  mustRead(draft: Draft, isLooking: boolean): boolean | 'later' {
    const { stat, pid, known } = draft;
    if (stat === undefined || hasNoMemory(stat) || this.#lines.has(pid) || this.#asked.has(pid)) return false;
    const look = known === undefined ? undefined : this.#look;
    if (look !== undefined && known !== undefined) {
      const before = look.recall(known);
      if (before !== undefined) {
        this.#lines.set(pid, before);
        return false;
      }
      if (isLooking && (known.mmapOwner !== undefined || look.recallsLater(known))) return 'later';
      if (!isLooking && known.mmapOwner !== undefined && look.isMmapLocked(pid)) {
        this.#lines.set(pid, { unread: 'locked' });
        return false;
      }
    }
    this.#asked.add(pid);
    return true;
  }

  take({ pid, known }: Draft, bytes: Buffer, cut: boolean): void {
    const value = commandLineText(decodeBytes(bytes));
    const reading: Reading<string> = cut ? { value, cut } : { value };
    this.#lines.set(pid, reading);
    if (!cut && known !== undefined) this.#look?.remember(known, reading);
  }

  /** What it could not be read for. One of a thread that has ended is asked for again, of another thread. */
  miss({ pid }: Draft, reading: Reading<string>): void {
    if ('unread' in reading && reading.unread === 'gone') this.#asked.delete(pid);
    else if (!this.#lines.has(pid)) this.#lines.set(pid, reading);
  }
}
