import type { Edge, EdgeKind } from '../model/edge.ts';
import type { Observation } from '../model/sample.ts';
import { explainObservation } from './explain-sample.ts';

const LOCKS_OF_PROGRAMS: ReadonlySet<EdgeKind> = new Set(['futex', 'flock', 'posix-lock']);
/** The rules of tasks that wait for whoever asks something of them next. */
const AWAITS_REQUESTS: ReadonlySet<string | undefined> = new Set(['epoll', 'socket-accept', 'unix-accept']);
/** The same, if each worker is a process: a thread may as well wait there for the answer to a request of its own. */
const MAY_AWAIT_REQUESTS: ReadonlySet<string | undefined> = new Set(['poll']);

/**
 * Whether a task waits for its turn among idle workers: of those that share a socket that accepts connections, one
 * waits for the next connection and the others for a lock that it holds meanwhile (Postfix, Apache's prefork, uWSGI).
 */
export function awaitsItsTurn({ from, to, by }: Edge, byTid: ReadonlyMap<number, Observation>): boolean {
  if (!LOCKS_OF_PROGRAMS.has(by) || typeof from !== 'number' || typeof to !== 'number') return false;
  const [waiter, holder] = [byTid.get(from), byTid.get(to)];
  if (waiter === undefined || holder === undefined) return false;
  const { pid, comm } = waiter.task;
  const { rule } = explainObservation(holder);
  const isOfOneProcess = pid === holder.task.pid;
  const isOfOneProgram = isOfOneProcess || (comm !== undefined && comm === holder.task.comm);
  return isOfOneProgram && (AWAITS_REQUESTS.has(rule) || (!isOfOneProcess && MAY_AWAIT_REQUESTS.has(rule)));
}
