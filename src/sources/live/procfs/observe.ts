import { FIELDS, type Field } from '../../../model/fields.ts';
import { isGone, type Reading } from '../../../model/reading.ts';
import type { Observation } from '../../../model/sample.ts';
import { isOnlyPids, type Selection, takesStack } from '../../../model/selection.ts';
import type { Stack } from '../../../model/stack.ts';
import type { Task, TaskTable } from '../../../model/task.ts';
import type { Draft, FieldReadings } from './draft.ts';
import { FIELD_SOURCES } from './fields.ts';
import type { Prefetch } from './prefetch.ts';

export interface ObserveOptions {
  readonly selection: Selection;
  readonly fields: readonly Field[];
  readonly prefetch: Prefetch | undefined;
  readonly bootId: string | undefined;
  readonly tasks: TaskTable;
  /** The PID of kstack itself, where it has one in this procfs. */
  readonly ownPid: number | undefined;
  userName(uid: number): string | undefined;
  /** The name of a process, by its main thread. Asked for other threads. */
  processName(pid: number): string | undefined;
  stackOf(draft: Draft): Reading<Stack> | undefined;
  commandLineOf(draft: Draft): Reading<string> | undefined;
  /** Hears of those that ended while they were read. */
  missEnded(draft: Draft): void;
}

/** The observations of the tasks that did not go away while they were read. */
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
    const task = tasks.intern(taskOf(draft, stat, commandLine, options.bootId, attributesOf(draft, ofTask, options)));
    const { state, cpu } = stat;
    const facts = draft.prefetched && prefetch?.factsOf(draft.prefetched);
    const seen = seenOf({ task, state, stack }, cpu, facts, wchan);
    observations.push(ofMoment.length === 0 ? seen : { ...seen, ...readingsOf(draft, ofMoment) });
  }
  return observations;
}

const GONE: Reading<string> = { unread: 'gone' };

function isFieldGone(readings: FieldReadings | undefined, fields: readonly Field[]): boolean {
  return readings !== undefined && fields.some((field) => isGone(readings[field]));
}

function taskOf(
  { pid, tid }: Draft,
  { comm, ppid, startTicks, kernelThread }: NonNullable<Draft['stat']>,
  commandLine: Reading<string>,
  bootId: string | undefined,
  attributes: Partial<Task> | undefined,
): Task {
  // Spread only where there is something: of 50,000 tasks, each costs.
  const id =
    bootId !== undefined && startTicks !== undefined
      ? { bootId, tid, startTicks }
      : { tid, ...(bootId !== undefined && { bootId }), ...(startTicks !== undefined && { startTicks }) };
  const task = { id, pid, ppid, comm, commandLine, kernelThread };
  return attributes === undefined ? task : { ...task, ...attributes };
}

/** What not every task has; undefined where it has none of it. */
function attributesOf(draft: Draft, fields: readonly Field[], options: ObserveOptions): Partial<Task> | undefined {
  const { pid, tid } = draft;
  const own = pid === options.ownPid ? OWN : undefined;
  const processName = tid === pid ? undefined : options.processName(pid);
  const named = processName === undefined ? undefined : { processName };
  if (fields.length === 0 || draft.fields === undefined) return (own ?? named) ? { ...own, ...named } : undefined;
  const { uid } = draft.fields;
  const user = uid !== undefined && 'value' in uid ? options.userName(uid.value) : undefined;
  return { ...readingsOf(draft, fields), ...(user !== undefined && { user }), ...own, ...named };
}

const OWN = { own: true } as const;

function readingsOf(draft: Draft, fields: readonly Field[]): FieldReadings {
  const readings: FieldReadings = {};
  for (const field of fields) {
    const none = FIELD_SOURCES[field].needsMemory;
    const reading = draft.fields?.[field] ?? (none === undefined ? undefined : { value: none });
    if (reading !== undefined) Object.assign(readings, { [field]: reading });
  }
  return readings;
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

/** By number, as /proc lists them; those asked for by number alone, in the order they were asked for. */
export function inOrder(selection: Selection): (a: Draft, b: Draft) => number {
  const byNumber = (a: Draft, b: Draft) => a.pid - b.pid || a.tid - b.tid;
  if (!isOnlyPids(selection)) return selection.threads === true ? byNumber : (a, b) => a.tid - b.tid;
  const ranks = new Map([...new Set(selection.pids)].map((number, rank) => [number, rank]));
  const rankOf = ({ pid, tid }: Draft) => ranks.get(tid) ?? ranks.get(pid) ?? 0;
  return (a, b) => rankOf(a) - rankOf(b) || byNumber(a, b);
}
