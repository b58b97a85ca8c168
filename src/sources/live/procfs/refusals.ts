import type { Unreadable } from '../../../model/reading.ts';
import { whyNotAllTasks } from './access.ts';
import { describeHiding, type Hiding, hidingFromUs, mayTraceAll } from './hiding.ts';

/** Why something could not be read, and what is behind it. */
export interface Missed {
  readonly unread: Unreadable;
  readonly detail?: string;
}

/** What denies files of tasks to this process, or hides tasks from it. Found out when it is first needed. */
export class Refusals {
  readonly #root: string;
  #hiding: { readonly by: Hiding | undefined } | undefined;
  #namespace: { readonly by: string | undefined } | undefined;
  #denied: Missed | undefined;
  #hidden: Missed | undefined;

  constructor(root: string) {
    this.#root = root;
  }

  /** Whether the procfs does not list all processes. */
  get hides(): boolean {
    return this.#by?.isTotal === true;
  }

  /** Why the procfs shows not all tasks of the host; undefined if it does. */
  get namespace(): string | undefined {
    this.#namespace ??= { by: whyNotAllTasks(this.#root) };
    return this.#namespace.by;
  }

  /** The same reason, with what is known of it. */
  of(why: Unreadable): Missed {
    if (why === 'denied') {
      this.#denied ??= { unread: why, ...detailOf(this.#text() ?? this.#otherText()) };
      return this.#denied;
    }
    if (why !== 'hidden') return { unread: why };
    this.#hidden ??= { unread: why, ...detailOf(this.#text()) };
    return this.#hidden;
  }

  get #by(): Hiding | undefined {
    this.#hiding ??= { by: hidingFromUs(this.#root) };
    return this.#hiding.by;
  }

  #text(): string | undefined {
    return this.#by && describeHiding(this.#root, this.#by);
  }

  #otherText(): string | undefined {
    return mayTraceAll() ? 'kstack has CAP_SYS_PTRACE, but a security module or the kernel denies access' : undefined;
  }
}

function detailOf(detail: string | undefined): { readonly detail?: string } {
  return detail === undefined ? {} : { detail };
}
