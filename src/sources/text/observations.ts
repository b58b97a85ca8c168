import { MAX_DURATION_MS } from '../../model/duration.ts';
import type { KernelFacts, Observation } from '../../model/sample.ts';
import type { Task } from '../../model/task.ts';
import type { Header } from './line.ts';
import type { TextStack } from './stacks/text-stack.ts';
import { tracedSum } from './traced-sums.ts';

const NOT_TOLD = { unread: 'notTold' } as const;

/** The tasks that a stack of a text is of; one of which nothing is known if the text names none. */
export function observationsOf({ tasks, stack, innermostOnly, untold }: TextStack): Observation[] {
  const headers: readonly Header[] = tasks.length === 0 ? [{}] : tasks;
  const innermost = stack.frames[0]?.symbol;
  return headers.map(
    ({
      name,
      tid,
      pid,
      state,
      startLocal,
      command = NOT_TOLD,
      lock,
      blockedMs,
      ranMs,
      atLeast,
      hardLockup,
      work,
      sum,
      sumUnit = 'times',
    }): Observation => {
      const id = { ...(tid !== undefined && { tid }), ...(startLocal !== undefined && { startLocal }) };
      const named = { ...(pid !== undefined && { pid }), ...(name !== undefined && { comm: name }) };
      const task: Task = { id, commandLine: command, ...named };
      const traced = sum === undefined ? undefined : tracedSum(sum, sumUnit, stack.frames[0]);
      const facts: KernelFacts = {
        ...(blockedMs !== undefined && { offCpuMs: Math.min(blockedMs, MAX_DURATION_MS) }),
        ...(ranMs !== undefined && { onCpuMs: Math.min(ranMs, MAX_DURATION_MS) }),
        ...(atLeast !== undefined && { atLeast }),
        ...(hardLockup !== undefined && { hardLockup }),
        ...(work !== undefined && { work }),
        ...(traced !== undefined && { traced }),
        ...(lock !== undefined && { lock }),
      };
      const about = {
        task,
        ...(state !== undefined && { state }),
        ...(Object.keys(facts).length > 0 && { facts }),
      };
      // A table of ps(1) tells one function, and a line about a lock tells none.
      if (innermostOnly === true && innermost !== undefined)
        return { ...about, stack: { value: stack, cut: true }, wchan: innermost };
      const isTold =
        stack.frames.length > 0 || (innermostOnly === undefined && lock === undefined && untold === undefined);
      return { ...about, stack: isTold ? { value: stack } : NOT_TOLD };
    },
  );
}
