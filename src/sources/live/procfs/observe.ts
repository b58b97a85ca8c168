import { type CompiledSelection, takesStack } from '../../../model/compiled-selection.ts';
import { FIELDS, type Field } from '../../../model/fields.ts';
import { isGone, type Reading } from '../../../model/reading.ts';
import type { Observation } from '../../../model/sample.ts';
import { isOnlyPids } from '../../../model/selection.ts';
import type { Stack } from '../../../model/stack.ts';
import type { Task, TaskId, TaskTable } from '../../../model/task.ts';
import type { Draft, FieldReadings } from './draft.ts';
import { FIELD_SOURCES } from './field-sources.ts';
import type { Prefetch } from './prefetch.ts';

export interface ObserveOptions {
  readonly selection: CompiledSelection;
  readonly fields: readonly Field[];
  readonly prefetch: Prefetch | undefined;
  readonly bootId: string | undefined;
  readonly tasks: TaskTable;
  /** The PID of kstack itself, if it has one in this procfs. */
  readonly ownPid: number | undefined;
  userName(uid: number): string | undefined;
  /** The name of a process's main thread. Called for other threads. */
  processName(pid: number): string | undefined;
  stackOf(draft: Draft): Reading<Stack> | undefined;
  commandLineOf(draft: Draft): Reading<string> | undefined;
  /** Called for each task that ended while it was read. */
  missEnded(draft: Draft): void;
}

/** The observations of the tasks that did not end while they were read. */
export function observe(drafts: readonly Draft[], options: ObserveOptions): Observation[] {
  const { selection, prefetch, stackOf, missEnded, tasks } = options;
  const ofTask = options.fields.filter((field) => FIELDS[field].of === 'task');
  const ofMoment = options.fields.filter((field) => FIELDS[field].of === 'observation');
  const observations: Observation[] = [];
  for (const draft of drafts) {
    const { stat, wchan } = draft;
    if (stat === undefined || !draft.selected) continue;
    const stack = stackOf(draft);
    const commandLine = options.commandLineOf(draft) ?? GONE;
    if (
      draft.ended ||
      stack === undefined ||
      isGone(stack) ||
      isGone(commandLine) ||
      isFieldGone(draft.fields, options.fields)
    ) {
      missEnded(draft);
      continue;
    }
    if (!takesStack(selection, stack)) continue;
    const { tid } = draft;
    const known = ofTask.length === 0 ? tasks.recall(tid, stat, commandLine) : undefined;
    const task =
      known !== undefined && known.processName === processNameOf(draft, options)
        ? known
        : tasks.intern(tid, taskOf(draft, stat, commandLine, ofTask, options), stat);
    const { state, cpu } = stat;
    const facts = draft.prefetched && prefetch?.factsOf(draft.prefetched);
    const seen = seenOf({ task, state, stack }, cpu, facts, wchan);
    observations.push(ofMoment.length === 0 ? seen : Object.assign(seen, readingsOf(draft.fields ?? {}, ofMoment)));
  }
  return observations;
}

const GONE: Reading<string> = { unread: 'gone' };

function isFieldGone(readings: FieldReadings | undefined, fields: readonly Field[]): boolean {
  return readings !== undefined && fields.some((field) => isGone(readings[field]));
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Built property by property: with 50,000 tasks, each object spread costs. */
function taskOf(
  draft: Draft,
  { comm, ppid, startTicks, kernelThread }: NonNullable<Draft['stat']>,
  commandLine: Reading<string>,
  fields: readonly Field[],
  options: ObserveOptions,
): Task {
  const { pid, tid } = draft;
  const id: Mutable<TaskId> = { tid };
  if (options.bootId !== undefined) id.bootId = options.bootId;
  if (startTicks !== undefined) id.startTicks = startTicks;
  const task: Mutable<Task> = { id, pid, ppid, comm, commandLine, kernelThread };
  if (pid === options.ownPid) task.own = true;
  const processName = processNameOf(draft, options);
  if (processName !== undefined) task.processName = processName;
  if (fields.length === 0 || draft.fields === undefined) return task;
  Object.assign(task, readingsOf(draft.fields, fields));
  const { uid } = draft.fields;
  const user = uid !== undefined && 'value' in uid ? options.userName(uid.value) : undefined;
  if (user !== undefined) task.user = user;
  return task;
}

/** Undefined for main threads. */
function processNameOf({ pid, tid }: Draft, { processName }: ObserveOptions): string | undefined {
  return tid === pid ? undefined : processName(pid);
}

function readingsOf(readings: FieldReadings, fields: readonly Field[]): FieldReadings {
  const wanted: Record<string, Reading<unknown>> = {};
  for (const field of fields) {
    const none = FIELD_SOURCES[field].needsMemory;
    const reading = readings[field] ?? (none === undefined ? undefined : { value: none });
    if (reading !== undefined) wanted[field] = reading;
  }
  return wanted;
}

function seenOf(
  seen: Pick<Observation, 'task' | 'stack'> & { readonly state: NonNullable<Observation['state']> },
  cpu: number | undefined,
  facts: Observation['facts'],
  wchan: string | undefined,
): Observation {
  const { task, state, stack } = seen;
  if (cpu !== undefined && wchan === undefined)
    return facts === undefined ? { task, state, stack, cpu } : { task, state, stack, cpu, facts };
  return { ...seen, ...(cpu !== undefined && { cpu }), ...(facts && { facts }), ...(wchan !== undefined && { wchan }) };
}

/** By number, as in /proc. If only PIDs are selected, in the order they were given. */
export function inOrder(selection: CompiledSelection): (a: Draft, b: Draft) => number {
  const byNumber = (a: Draft, b: Draft) => a.pid - b.pid || a.tid - b.tid;
  if (!isOnlyPids(selection)) return selection.threads === true ? byNumber : (a, b) => a.tid - b.tid;
  const ranks = new Map([...new Set(selection.pids)].map((number, rank) => [number, rank]));
  const rankOf = ({ pid, tid }: Draft) => ranks.get(tid) ?? ranks.get(pid) ?? 0;
  return (a, b) => rankOf(a) - rankOf(b) || byNumber(a, b);
}
