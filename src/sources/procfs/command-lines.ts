import { commandLineText } from '../../model/command-line.ts';
import type { Reading } from '../../model/reading.ts';
import type { BoundedReads } from './bounded-reads.ts';
import { type Draft, hasNoMemory } from './draft.ts';
import { listTids, readStatus } from './files.ts';
import type { FirstLook } from './first-look.ts';
import type { ReadKind } from './read-kind.ts';

export interface CommandLineLimits {
  /** What is taken of one command line at most. */
  readonly eachBytes: number;
  /** Of all of a sample; of those that come later `leastBytes` are taken. */
  readonly allBytes: number;
  readonly leastBytes: number;
}

export interface CommandLinesOptions {
  readonly limits: CommandLineLimits;
  readonly root: string;
  /** Descriptor of `root`. */
  readonly directory: number;
  readonly reads: BoundedReads<Draft>;
  readonly look: FirstLook | undefined;
  /** Whether the tasks are threads, of which one has the command line read for all of its process. */
  readonly threads: boolean;
  /** A task's folder below the root. */
  pathOf(draft: Draft): string;
}

/** Reads the command lines of one sample, as far as a first look does not know them, or knows that it would hang. */
export class CommandLines {
  readonly #options: CommandLinesOptions;
  /** By PID, the thread whose command line stands for all of its process. */
  readonly #speakers = new Map<number, Draft>();
  /** Whether a first look is under way, which can be asked about locks when it is over. */
  #looking: boolean;
  /** Those whose mmap lock it found held, and those that it may remember then. */
  readonly #held: Draft[] = [];
  #bytes = 0;

  constructor(options: CommandLinesOptions) {
    this.#options = options;
    this.#looking = options.look !== undefined;
  }

  readonly #commandLine: ReadKind<Draft> = {
    limitBytes: () => {
      const { eachBytes, allBytes, leastBytes } = this.#options.limits;
      return Math.max(leastBytes, Math.min(allBytes - this.#bytes, eachBytes));
    },
    deliver: (draft, bytes, cut) => {
      this.#bytes += bytes.length;
      const value = commandLineText(bytes);
      const commandLine: Reading<string> = cut ? { value, cut } : { value };
      draft.commandLine = commandLine;
      if (!cut && draft.known !== undefined) this.#options.look?.remember(draft.known, commandLine);
    },
    miss: (draft, unread) => {
      draft.commandLine = { unread };
    },
  };

  readonly #atRisk: ReadKind<Draft> = { ...this.#commandLine, looksStuck: ({ pid }) => this.#hasThreadInD(pid) };

  /** Asks for the command line of a task that is selected. */
  add(draft: Draft): void {
    const { stat, pid } = draft;
    if (stat === undefined || hasNoMemory(stat)) {
      draft.commandLine = { value: '' };
      return;
    }
    if (this.#options.threads) {
      const speaker = this.#speakers.get(pid);
      if (speaker !== undefined) {
        draft.commandLine = speaker;
        return;
      }
      this.#speakers.set(pid, draft);
    }
    this.#read(draft);
  }

  /** Asks for those that waited for the first look to be over. */
  addHeld(): void {
    this.#looking = false;
    for (const draft of this.#held) this.#read(draft);
  }

  #read(draft: Draft): void {
    const { stat, pid } = draft;
    if (stat === undefined || this.#isKnown(draft)) return;
    // The mmap lock, which the read takes, can only be held for long by a thread that waits: another one, or one in D.
    const atRisk = pid !== process.pid && (stat.threads > 1 || stat.state === 'D');
    const { reads, directory, pathOf } = this.#options;
    reads.add(atRisk ? this.#atRisk : this.#commandLine, draft, directory, `${pathOf(draft)}/cmdline`);
  }

  /** Whether a first look makes the read needless, or gave reason to look again before. */
  #isKnown(draft: Draft): boolean {
    const { look } = this.#options;
    if (look === undefined || draft.known === undefined) return false;
    const before = look.recall(draft.known);
    if (before !== undefined) draft.commandLine = before;
    else if (this.#looking && (draft.known.mmapOwner !== undefined || look.recallsLater(draft.known))) this.#held.push(draft);
    else if (draft.known.mmapOwner === undefined) return false;
    else if (look.isMmapLocked(draft.pid)) draft.commandLine = { unread: 'locked' };
    else return false;
    return true;
  }

  /** Whether a thread of the process is in uninterruptible sleep, as one is that waits with the mmap lock held. */
  #hasThreadInD(pid: number): boolean {
    const { root } = this.#options;
    return listTids(root, pid).some((tid) => readStatus(`${root}/${pid}/task/${tid}`)?.state === 'D');
  }
}
