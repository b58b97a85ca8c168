import { isOnlyPids, type Selection } from '../../model/selection.ts';
import { listTids, readStatus } from './files.ts';

/** A task that a selection may take, known by its numbers only. */
export interface Candidate {
  readonly pid: number;
  readonly tid: number;
}

/**
 * The tasks that a selection may take, but for processes that are `known`, which `list` leaves out. Those that it names by number come even where they are not in
 * the list, which has no threads.
 */
export function* candidates(
  selection: Selection,
  root: string,
  known: (pid: number) => boolean,
  list: () => readonly number[],
): Generator<Candidate> {
  const asked = selection.all === true ? [] : [...new Set(selection.pids)];
  if (isOnlyPids(selection)) {
    for (const number of asked) if (!known(number)) yield* askedFor(number, selection, root);
    return;
  }
  const listed = list();
  const inProc = new Set(listed);
  // With threads, those that are asked for come with their process.
  const unlisted = asked.filter(
    (number) => !inProc.has(number) && !known(number) && !(selection.threads === true && pidOf(number, root) !== undefined),
  );
  const wanted = unlisted.length === 0 ? listed : [...listed, ...unlisted].sort((a, b) => a - b);
  for (const number of wanted) {
    if (!inProc.has(number)) yield* askedFor(number, selection, root);
    else if (selection.threads === true) yield* threadsOf(number, root);
    else yield { pid: number, tid: number };
  }
}

/** A process or a thread that was asked for by its number; a number that is neither is a candidate all the same, to be found missing. */
function* askedFor(number: number, { threads }: Selection, root: string): Generator<Candidate> {
  const pid = pidOf(number, root) ?? number;
  if (threads === true && pid === number) yield* threadsOf(pid, root);
  else yield { pid, tid: number };
}

function* threadsOf(pid: number, root: string): Generator<Candidate> {
  const tids = listTids(root, pid);
  for (const tid of tids) yield { pid, tid };
  if (tids.length === 0) yield { pid, tid: pid };
}

/** The process of the task with that number; undefined where there is none. */
function pidOf(number: number, root: string): number | undefined {
  return readStatus(`${root}/${number}`)?.pid;
}
