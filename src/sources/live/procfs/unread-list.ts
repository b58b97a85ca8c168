import type { Field } from '../../../model/fields.ts';
import type { Unreadable } from '../../../model/reading.ts';
import type { Unread } from '../../../model/sample.ts';
import type { Draft } from './draft.ts';
import type { Missed, Refusals } from './refusals.ts';
import type { Status } from './status.ts';

/** What of one sample could not be read, and why. */
export class UnreadList {
  readonly #refusals: Refusals;
  readonly #list: Unread[] = [];

  constructor(refusals: Refusals) {
    this.#refusals = refusals;
  }

  toArray(): readonly Unread[] {
    return withoutTwins(this.#list);
  }

  miss(what: Omit<Unread, 'why' | 'detail'>, why: Unreadable): void {
    this.#add(what, this.#refusals.of(why));
  }

  missTask({ pid, tid }: Draft, missed: Missed, status: Status | undefined): void {
    const isHidden = missed.unread === 'gone' && this.#refusals.hides;
    const known = status && { pid, comm: status.name, state: status.state };
    this.#add({ tid, ...known, what: 'task' }, isHidden ? this.#refusals.of('hidden') : missed);
  }

  /** Reports a task that may be selected, but whose filter could not be applied. */
  missFilter({ pid, tid, stat }: Draft, what: Field, missed: Missed): void {
    if (missed.unread === 'gone' || stat === undefined) return;
    this.#add({ tid, pid, comm: stat.comm, state: stat.state, what }, missed);
  }

  /** The tasks of the host that this procfs does not show at all. */
  missNamespaces(): void {
    const detail = this.#refusals.namespace;
    if (detail !== undefined) this.#add({ tid: 0, what: 'namespaces' }, { unread: 'hidden', detail });
  }

  #add(what: Omit<Unread, 'why' | 'detail'>, { unread: why, detail }: Missed): void {
    this.#list.push({ ...what, why, ...(detail !== undefined && { detail }) });
  }
}

/** Without the threads of a process of which, for the same reason, nothing at all could be read. */
function withoutTwins(unread: readonly Unread[]): readonly Unread[] {
  const tasks = new Map(unread.filter(({ what }) => what === 'task').map(({ tid, why }) => [tid, why]));
  return tasks.size === 0
    ? unread
    : unread.filter(({ what, tid, why }) => what !== 'threads' || tasks.get(tid) !== why);
}
