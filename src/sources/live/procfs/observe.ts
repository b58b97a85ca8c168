import { isGone, type Reading } from '../../../model/reading.ts';
import type { Field, Observation } from '../../../model/sample.ts';
import { isOnlyPids, type Selection, takesStack } from '../../../model/selection.ts';
import type { Stack } from '../../../model/stack.ts';
import type { Draft } from './draft.ts';
import type { FirstLook } from './first-look.ts';

export interface ObserveOptions {
  readonly selection: Selection;
  readonly fields: ReadonlySet<Field>;
  readonly look: FirstLook | undefined;
  stackOf(draft: Draft): Reading<Stack> | undefined;
  commandLineOf(draft: Draft): Reading<string> | undefined;
  /** Hears of those that ended while they were read. */
  missEnded(draft: Draft): void;
}

/** The observations of the tasks that did not go away while they were read. */
export function observe(drafts: readonly Draft[], options: ObserveOptions): Observation[] {
  const { selection, fields, look, stackOf, commandLineOf, missEnded } = options;
  const showsUid = fields.has('uid') || selection.users !== undefined;
  const observations: Observation[] = [];
  for (const draft of drafts) {
    const { pid, tid, uid, cgroups, systemCall, stat, wchan } = draft;
    if (stat === undefined || !draft.selected) continue;
    const stack = stackOf(draft);
    const commandLine = commandLineOf(draft) ?? { unread: 'gone' };
    const gone = isGone(stack) || isGone(commandLine) || isGone(uid) || isGone(cgroups) || isGone(systemCall);
    if (draft.ended || stack === undefined || gone) {
      missEnded(draft);
      continue;
    }
    if (!takesStack(selection, stack)) continue;
    const cgroup = cgroups !== undefined && 'value' in cgroups ? { value: cgroups.value.main } : cgroups;
    const { comm, ppid, startTicks, kernelThread, state, cpu } = stat;
    // Spread only where there is something: of 50,000 tasks, each costs.
    const known =
      startTicks === undefined
        ? { pid, tid, ppid, comm, commandLine, kernelThread }
        : { pid, tid, ppid, startTicks, comm, commandLine, kernelThread };
    const user = showsUid && uid !== undefined ? { uid } : undefined;
    const task = user === undefined && cgroup === undefined ? known : { ...known, ...user, ...(cgroup && { cgroup }) };
    const facts = draft.known && look?.factsOf(draft.known);
    const seen = seenOf({ task, state, stack }, cpu, facts, wchan);
    observations.push(fields.has('systemCall') ? { ...seen, systemCall: systemCall ?? { value: 'none' } } : seen);
  }
  return observations;
}

function seenOf(
  seen: Pick<Observation, 'task' | 'state' | 'stack'>,
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
