import type { ExplainedGroup } from '../../../model/finding.ts';
import type { Observation } from '../../../model/sample.ts';
import type { SystemCall } from '../../../model/system-call.ts';
import type { TaskDetails } from '../procfs/task-details.ts';
import { type Answer, decodeSystemCall, printSystemCall, type Question, questionsOf } from './decode.ts';

/**
 * How many tasks of a group are looked at, and how many in all: a host may have tens of thousands, in as many groups.
 */
const MOST_OF_GROUP = 8;
const MOST_OF_ALL = 1000;

/** How many are looked at at once. More would only wait for a thread, until their time is up. */
const AT_ONCE = 8;

/** A system call that tasks of a group are in, as it is to be shown. */
export interface ShownCall {
  readonly text: string;
  readonly count: number;
}

type CallsOf = (group: ExplainedGroup) => { readonly calls: readonly ShownCall[]; readonly tasks: number };

/** Where to look; {@link TaskDetails} for tasks of this host. */
export type Details = Pick<TaskDetails, 'descriptor' | 'memory' | 'isStillIn'>;

/** Looks up what the system calls of the tasks refer to, of the first ones of each group or, if `full`, of all. */
export async function lookUpCalls(
  groups: readonly ExplainedGroup[],
  details: Details,
  full: boolean,
): Promise<CallsOf> {
  const found = new Map<ExplainedGroup, Awaited<ReturnType<typeof callsOf>>>();
  let left = full ? Number.POSITIVE_INFINITY : MOST_OF_ALL;
  for (const group of groups) {
    const looked = group.observations.slice(0, full ? undefined : Math.min(MOST_OF_GROUP, left));
    left -= looked.length;
    found.set(group, await callsOf(looked, details));
  }
  return (group) => found.get(group) ?? { calls: [], tasks: 0 };
}

async function callsOf(
  observations: readonly Observation[],
  details: Details,
): Promise<{ calls: ShownCall[]; tasks: number }> {
  const counts = new Map<string, number>();
  for (let at = 0; at < observations.length; at += AT_ONCE) {
    const texts = await Promise.all(
      observations.slice(at, at + AT_ONCE).map((observation) => describe(observation, details)),
    );
    for (const text of texts) if (text !== undefined) counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  const calls = Array.from(counts, ([text, count]) => ({ text, count })).sort((a, b) => b.count - a.count);
  return { calls, tasks: observations.length };
}

async function describe({ task, stack, systemCall }: Observation, details: Details): Promise<string | undefined> {
  if (systemCall === undefined || 'unread' in systemCall || systemCall.value === 'running') return undefined;
  if (systemCall.value !== 'none') return printCall(task, systemCall.value, details);
  const inKernel = 'value' in stack && stack.value.frames.length > 0;
  return inKernel && !task.kernelThread ? 'none: it is in a page fault or another exception' : undefined;
}

async function printCall(task: Observation['task'], call: SystemCall, details: Details): Promise<string> {
  const decoded = decodeSystemCall(call, process.arch);
  const questions = questionsOf(decoded);
  const answers = new Map<Question, Answer>();
  await Promise.all(
    questions.map(async (question) => {
      const answer =
        question.kind === 'fd'
          ? details.descriptor(task, question.fd)
          : details.memory(task, question.address, question.bytes);
      answers.set(question, await answer);
    }),
  );
  const stillTrue = questions.length === 0 || (await details.isStillIn(task, call));
  return printSystemCall(decoded, (question) => (stillTrue ? answers.get(question) : undefined));
}
