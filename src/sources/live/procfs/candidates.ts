import type { CompiledSelection } from '../../../model/compiled-selection.ts';
import type { Unreadable } from '../../../model/reading.ts';
import { isOnlyPids } from '../../../model/selection.ts';
import { listTids, readStatus } from './files.ts';

/** A task that a selection may take. Only its numbers are known. */
export interface Candidate {
  readonly pid: number;
  readonly tid: number;
}

/**
 * The tasks that a selection may take, except the `known` ones, which `list` does not contain. Tasks selected by number
 * are included even if they are not in the list, which has no threads.
 */
export function* candidates(
  selection: CompiledSelection,
  root: string,
  known: (pid: number) => boolean,
  list: () => readonly number[],
  miss: Miss,
): Generator<Candidate> {
  const asked = selection.all === true ? [] : [...new Set(selection.pids)];
  if (isOnlyPids(selection)) {
    for (const number of asked) if (!known(number)) yield* askedFor(number, selection, root, miss);
    return;
  }
  const listed = list();
  const inProc = new Set(listed);
  // With threads, a thread selected by its TID comes with its process.
  const unlisted = asked.filter(
    (number) =>
      !inProc.has(number) && !known(number) && !(selection.threads === true && pidOf(number, root) !== undefined),
  );
  const wanted = unlisted.length === 0 ? listed : [...listed, ...unlisted].sort((a, b) => a - b);
  for (const number of wanted) {
    if (!inProc.has(number)) yield* askedFor(number, selection, root, miss);
    else if (selection.threads === true) yield* threadsOf(number, root, miss);
    else yield { pid: number, tid: number };
  }
}

/** A process or thread selected by number. A number that is neither is a candidate too, to be reported as missing. */
function* askedFor(number: number, { threads }: CompiledSelection, root: string, miss: Miss): Generator<Candidate> {
  const pid = pidOf(number, root) ?? number;
  if (threads === true && pid === number) yield* threadsOf(pid, root, miss);
  else yield { pid, tid: number };
}

/** If the threads of a process cannot be listed, yields the main one. */
function* threadsOf(pid: number, root: string, miss: Miss): Generator<Candidate> {
  const tids = listTids(root, pid);
  if ('unread' in tids && tids.unread !== 'gone') miss(pid, tids.unread);
  const found = 'value' in tids ? tids.value : [];
  for (const tid of found) yield { pid, tid };
  if (found.length === 0) yield { pid, tid: pid };
}

/** Called for each process whose threads cannot be listed. */
export type Miss = (pid: number, why: Unreadable) => void;

/** The process of the task with this number; undefined if there is none. */
function pidOf(number: number, root: string): number | undefined {
  return readStatus(`${root}/${number}`)?.pid;
}
