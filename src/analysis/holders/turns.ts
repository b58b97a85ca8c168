import { type Edge, LOCKS_OF_PROGRAMS } from '../../model/edge.ts';
import type { Observation } from '../../model/sample.ts';
import { explainObservation } from '../explain/explain-sample.ts';

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
  if (!isOfOneProgram) return false;
  return AWAITS_REQUESTS.has(rule) || (!isOfOneProcess && MAY_AWAIT_REQUESTS.has(rule) && !watchesNothing(holder));
}

/** Where poll(2) and its kind have the number of descriptors: without one, they are a way to sleep, as in pause(3). */
const COUNT_ARGUMENT = new Map([
  ['poll', 1],
  ['ppoll', 1],
  ['select', 0],
  ['pselect6', 0],
]);

function watchesNothing({ systemCall }: Observation): boolean {
  const call = systemCall !== undefined && 'value' in systemCall ? systemCall.value : undefined;
  if (typeof call !== 'object' || call.name === undefined) return false;
  const count = call.arguments[COUNT_ARGUMENT.get(call.name) ?? -1];
  // An int: the upper half of the register may hold anything.
  return count !== undefined && BigInt.asUintN(32, BigInt(count)) === 0n;
}
