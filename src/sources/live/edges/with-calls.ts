import { type Edge, LOCKS_OF_PROGRAMS } from '../../../model/edge.ts';
import type { Observation } from '../../../model/sample.ts';
import type { SystemCall, SystemCallState } from '../../../model/system-call.ts';
import { bitsOf, TASK_FILES } from '../../../native/reader/protocol.ts';
import type { Reader } from '../../../native/reader/reader.ts';
import { unlessMalformed } from '../procfs/malformed.ts';
import { parseSystemCall } from '../procfs/system-call.ts';
import { isSameCall, type TaskNumbers } from '../procfs/task-details.ts';
import { nameOfCall } from '../system-calls/decode.ts';
import { byStackInTurns } from '../taking-turns.ts';

const BITS = bitsOf(['syscall']);
/** Tasks per request. */
const AT_ONCE = 2048;
const NO_COMMAND_LINES = { allBytes: 0, leastBytes: 0 };

/**
 * The tasks with the system calls that they are in, and the names of these. What a task's is may be in it already.
 * @param isLate asked after each few thousand tasks; once it is so, those of the others are not read
 */
export async function withCalls(
  tasks: readonly Observation[],
  reader: Reader,
  isLate = () => false,
): Promise<readonly Observation[]> {
  const unknown = tasks.filter(({ systemCall }) => systemCall === undefined);
  const numbers = byStackInTurns(unknown).flatMap(({ task: { id, pid } }) =>
    id.tid === undefined || pid === undefined ? [] : { pid, tid: id.tid },
  );
  const calls = new Map<number, SystemCallState>();
  for (let from = 0; from < numbers.length && (from === 0 || !isLate()); from += AT_ONCE)
    for (const [tid, call] of await callsOf(numbers.slice(from, from + AT_ONCE), reader)) calls.set(tid, call);
  return tasks.map((observation) => {
    const { systemCall, task } = observation;
    const read = systemCall !== undefined && 'value' in systemCall ? systemCall.value : undefined;
    const call = read ?? calls.get(task.id.tid ?? 0);
    if (call === undefined) return observation;
    const name = typeof call === 'object' ? nameOfCall(call, process.arch) : undefined;
    const named = typeof call === 'object' && name !== undefined ? { ...call, name } : call;
    return { ...observation, systemCall: { value: named } };
  });
}

/** The tasks; of those that hold a lock of programs, with their system call: some only sleep in poll(2). */
export async function withHoldersCalls(
  tasks: readonly Observation[],
  edges: readonly Edge[],
  reader: Reader,
): Promise<readonly Observation[]> {
  const held = new Set(edges.flatMap(({ to, by }) => (LOCKS_OF_PROGRAMS.has(by) ? to : [])));
  const holders = tasks.filter(({ task }) => held.has(task.id.tid ?? ''));
  if (holders.length === 0) return tasks;
  const called = new Map((await withCalls(holders, reader)).map((holder) => [holder.task.id.tid, holder]));
  return tasks.map((each) => called.get(each.task.id.tid) ?? each);
}

/** Those of the tasks that are still in the same call. */
export async function stillIn<Wait extends TaskNumbers & { readonly call: SystemCall }>(
  waits: readonly Wait[],
  reader: Reader,
): Promise<ReadonlySet<Wait>> {
  const calls = await callsOf(waits, reader);
  return new Set(waits.filter(({ tid, call }) => isSameCall(calls.get(tid), call)));
}

async function callsOf(numbers: readonly TaskNumbers[], reader: Reader): Promise<Map<number, SystemCallState>> {
  const calls = new Map<number, SystemCallState>();
  if (numbers.length === 0) return calls;
  const options = { threads: true, commandLines: NO_COMMAND_LINES };
  await reader.get(
    numbers,
    () => BITS,
    options,
    ({ tid, what, result, bytes }) => {
      if (TASK_FILES[what] !== 'syscall' || result <= 0) return;
      const call = unlessMalformed(() => parseSystemCall(bytes.toString('latin1')));
      if (call !== undefined) calls.set(tid, call);
    },
  );
  return calls;
}
