import type { Observation } from '../../../model/sample.ts';
import type { SystemCall } from '../../../model/system-call.ts';
import { nameOfCall } from './decode.ts';
import { type DescribeOptions, describeCall, type TaskInCall } from './describe.ts';

export type { Details } from './describe.ts';

/** How many tasks with the same stack are looked at, and how many in all: a host may have tens of thousands. */
const MOST_OF_STACK = 8;
const MOST_OF_ALL = 1000;

/** How many are looked at at once. More would only wait for the reader, until their time is up. */
const AT_ONCE = 64;

export interface ResolveOptions extends DescribeOptions {
  /** The calls of all tasks, not only of the first ones of each stack. */
  readonly all: boolean;
}

/** The observations with the names of the system calls they are in, and of some with what the arguments refer to. */
export async function resolveSystemCalls(
  observations: readonly Observation[],
  options: ResolveOptions,
): Promise<Observation[]> {
  const resolved = [...observations];
  const chosen: ({ readonly at: number } & TaskInCall)[] = [];
  const perStack = new Map<unknown, number>();
  for (const [at, observation] of observations.entries()) {
    const call = callOf(observation);
    if (call === undefined) continue;
    const { stack, task } = observation;
    const name = nameOfCall(call, options.architecture);
    const named = name === undefined ? call : { ...call, name };
    resolved[at] = { ...observation, systemCall: { value: named } };
    const key = 'value' in stack ? stack.value : stack.unread;
    const count = perStack.get(key) ?? 0;
    perStack.set(key, count + 1);
    const wanted = options.all || (count < MOST_OF_STACK && chosen.length < MOST_OF_ALL);
    const { tid } = task.id;
    if (wanted && tid !== undefined && task.pid !== undefined)
      chosen.push({
        at,
        call: named,
        task: { tid, pid: task.pid },
        stack: 'value' in stack ? stack.value : undefined,
      });
  }
  for (let from = 0; from < chosen.length; from += AT_ONCE) {
    const some = chosen.slice(from, from + AT_ONCE);
    const texts = await Promise.all(some.map((each) => describeCall(each, options)));
    for (const [index, text] of texts.entries()) {
      const { at, call } = some[index] ?? {};
      const observation = at === undefined ? undefined : resolved[at];
      if (at !== undefined && call !== undefined && observation !== undefined)
        resolved[at] = { ...observation, systemCall: { value: { ...call, text } } };
    }
  }
  return resolved;
}

function callOf({ systemCall }: Observation): SystemCall | undefined {
  if (systemCall === undefined || 'unread' in systemCall) return undefined;
  return typeof systemCall.value === 'string' ? undefined : systemCall.value;
}
